//! The same world as events: what the agent of each node would send, for an engine to take in.
//!
//! A node tells of each header, follows the best valid chain, the first of equals, and tells of each step as Bitcoin
//! Core's log does, with the category `validation`. Its agent tells of a time exchange before each block for which the
//! clock is known.

use bmon_event::{
    AgentTime, Batch, BlockHash, Epoch, Event, Kind, Network, NodeTime, Positions, ServerTime, Source,
    event::ClockSample,
};

use super::{Bounds, Node, World, server};

/// From one line of a node's log to the next.
const LINE_US: i64 = 100;
/// From a node's log to the server.
const SHIPPED_US: i64 = 30_000;

/// What all agents send, in the order in which the server receives it.
pub(crate) fn tell(world: &World, network: Network) -> Vec<(ServerTime, Batch)> {
    let mut batches: Vec<_> = (0..world.nodes()).flat_map(|node| batches(world, network, node)).collect();
    batches.sort_by_key(|(received_at, _)| *received_at);
    batches
}

/// The name of a block.
pub(crate) fn hash(number: usize) -> BlockHash {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&(number as u64 + 1).to_be_bytes());
    BlockHash::from_bytes(bytes)
}

fn batches(world: &World, network: Network, node: usize) -> Vec<(ServerTime, Batch)> {
    let name = format!("node-{node}").parse().unwrap();
    let mut telling = Telling { world, node: &world.nodes[node], active: vec![0] };
    let batch = |(sequence, (received_at, events))| {
        let batch = Batch {
            network,
            node: Clone::clone(&name),
            epoch: Epoch(1),
            sequence,
            made_at: AgentTime::default(),
            positions: Positions::default(),
            events,
            unknown_events: 0,
        };
        (received_at, batch)
    };
    (1..).zip(telling.all(node)).map(batch).collect()
}

struct Telling<'a> {
    world: &'a World,
    node: &'a Node,
    /// The node's active chain; the index is the height.
    active: Vec<usize>,
}

impl Telling<'_> {
    /// What the server receives, and when.
    fn all(&mut self, node: usize) -> Vec<(ServerTime, Vec<Event>)> {
        let mut arrivals: Vec<(f64, usize)> = Vec::new();
        for (number, block) in self.world.blocks.iter().enumerate().skip(1) {
            let seen_s = block.seen_s[node];
            if seen_s.is_finite() {
                arrivals.push((self.node.away_until_s(seen_s).unwrap_or(seen_s), number));
            }
        }
        arrivals.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut told = Vec::new();
        let mut free_us = i64::MIN;
        for (at_s, number) in arrivals {
            // A node does one thing after the other.
            let at_us = (server(at_s).as_micros() - self.node.offset_us).max(free_us);
            let mut events = Vec::new();
            if let Some(Bounds { min_us, max_us }) = self.node.clock(number, at_s) {
                let at = AgentTime::from_micros(at_us - 1);
                let sample = ClockSample { at, offset_min_us: min_us, offset_max_us: max_us };
                events.push(Event {
                    source: Source::Agent,
                    node_time: None,
                    agent_time: at,
                    kind: Kind::Clock(sample),
                });
            }
            for (line, kind) in (0..).zip(self.block(number)) {
                events.push(logged(at_us + line * LINE_US, kind));
            }
            free_us = events.last().map_or(free_us, |last| last.agent_time.as_micros() + LINE_US);
            told.push((ServerTime::from_micros(free_us + self.node.offset_us + SHIPPED_US), events));
        }
        told
    }

    /// What a block makes the node say.
    fn block(&mut self, number: usize) -> Vec<Kind> {
        let block = &self.world.blocks[number];
        let height = Some(block.height);
        let mut said = vec![Kind::HeaderSeen { block: hash(number), height, peer: Some(1), compact: true }];
        if block.invalid {
            let reason = Some("bad-cb-amount".to_owned());
            said.push(Kind::BlockInvalid { block: hash(number), height, reason });
            return said;
        }
        said.push(Kind::BlockValid { block: hash(number) });
        if block.height as usize >= self.active.len() {
            self.activate(number, &mut said);
        }
        said
    }

    fn activate(&mut self, number: usize, said: &mut Vec<Kind>) {
        let is_active =
            |number: usize| self.active.get(self.world.blocks[number].height as usize) == Some(&number);
        let new: Vec<_> = self.world.down_from(number).take_while(|number| !is_active(*number)).collect();
        let fork = self.world.blocks[number].height as usize - new.len();
        while self.active.len() > fork + 1 {
            let left = self.active.pop().unwrap_or_default();
            said.push(self.tip());
            let height = Some(self.world.blocks[left].height);
            said.push(Kind::BlockDisconnected { block: hash(left), height });
        }
        let mut connected = Vec::new();
        for number in new.into_iter().rev() {
            self.active.push(number);
            said.push(self.tip());
            let height = Some(self.world.blocks[number].height);
            connected.push(Kind::BlockConnected { block: hash(number), height });
        }
        said.append(&mut connected);
    }

    fn tip(&self) -> Kind {
        let number = self.active.last().copied().unwrap_or_default();
        let height = self.world.blocks[number].height;
        Kind::Tip { block: hash(number), height: Some(height), log2_work: None, transactions: None }
    }
}

fn logged(at_us: i64, kind: Kind) -> Event {
    let (node_time, agent_time) = (Some(NodeTime::from_micros(at_us)), AgentTime::from_micros(at_us));
    Event { source: Source::Log, node_time, agent_time, kind }
}
