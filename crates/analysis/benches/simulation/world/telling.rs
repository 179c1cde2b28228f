//! The same world as events: what the agent of each node would send, for an engine to take in.
//!
//! A node tells of each header, follows the best valid chain, the first of equals, and tells of each step as Bitcoin
//! Core's log does, with the category `validation`. Its agent tells of a time exchange before each block for which the
//! clock is known. What is in an outage comes after it: the node was stopped, cut off from its peers, or not heard.

use bmon_event::{
    AgentTime, Batch, Epoch, Event, Kind, Network, NodeTime, Positions, ServerTime, Source,
    event::{ClockSample, Gap, Processing},
};

use super::{Bounds, Node, Outage, Trouble, World, header::Headers, server};

/// From one line of a node's log to the next, and of a slow node's.
const LINE_US: i64 = 100;
const SLOW_LINE_US: i64 = 5_000_000;
/// From a node's log to the server.
const SHIPPED_US: i64 = 30_000;
/// From a start to the first block, and until an agent notices that a node does not answer.
const STARTING_S: f64 = 20.0;
const NOTICING_S: f64 = 10.0;
/// How many blocks a new node takes in together, and how often.
const DOWNLOADED: usize = 100;
const DOWNLOAD_S: f64 = 10.0;

/// Nodes that are not like the others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Oddities {
    /// Takes seconds for each step of a block.
    pub(crate) slow: Option<usize>,
    /// Is there from this second on only, and downloads all blocks first.
    pub(crate) new: Option<(usize, f64)>,
    /// How long blocks take to a node changes slowly. Not for a selfish miner's blocks.
    pub(crate) is_wandering: bool,
    /// Transactions that are sent in an hour.
    pub(crate) hourly: u64,
}

/// What the server receives at once.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) at: ServerTime,
    pub(crate) node: usize,
    pub(crate) events: Vec<Event>,
}

/// What all agents send of blocks and of starts, in the order in which the server receives it.
pub(crate) fn tell(world: &World, headers: &Headers, oddities: Oddities) -> Vec<Told> {
    let mut told: Vec<_> = (0..world.nodes())
        .flat_map(|node| {
            let line_us = if oddities.slow == Some(node) { SLOW_LINE_US } else { LINE_US };
            let from_s = oddities.new.filter(|(new, _)| *new == node).map(|(_, from_s)| from_s);
            let telling = Telling {
                world,
                headers,
                place: node,
                node: &world.nodes[node],
                active: vec![0],
                line_us,
                is_wandering: oddities.is_wandering,
                free_us: i64::MIN,
                told: Vec::new(),
            };
            telling.all(from_s)
        })
        .collect();
    told.sort_by_key(|told| told.at);
    told
}

/// When a node that is new at `from_s` has all blocks.
pub(crate) fn downloaded_s(world: &World, from_s: f64) -> f64 {
    let blocks = world.blocks.partition_point(|block| block.found_s < from_s);
    from_s + STARTING_S + (blocks / DOWNLOADED) as f64 * DOWNLOAD_S
}

/// What an agent delivers that it made at this time of its own.
pub(crate) fn batch(
    network: Network,
    node: usize,
    sequence: u64,
    made_at: AgentTime,
    events: Vec<Event>,
) -> Batch {
    Batch {
        network,
        node: name(node),
        epoch: Epoch(1),
        sequence,
        made_at,
        positions: Positions::default(),
        events,
        unknown_events: 0,
    }
}

pub(crate) fn name(node: usize) -> bmon_event::NodeName {
    format!("node-{node}").parse().unwrap()
}

/// An event of the agent's own.
pub(crate) fn by_agent(source: Source, at: AgentTime, kind: Kind) -> Event {
    Event { source, node_time: None, agent_time: at, kind }
}

struct Telling<'a> {
    world: &'a World,
    headers: &'a Headers,
    place: usize,
    node: &'a Node,
    /// The node's active chain; the index is the height.
    active: Vec<usize>,
    line_us: i64,
    is_wandering: bool,
    /// A node does one thing after the other.
    free_us: i64,
    told: Vec<Told>,
}

impl Telling<'_> {
    /// What the server receives, and when; of a new node from a second on.
    fn all(mut self, from_s: Option<f64>) -> Vec<Told> {
        let from_s = from_s.inspect(|from_s| self.download(*from_s)).unwrap_or(f64::NEG_INFINITY);
        let mut arrivals: Vec<(f64, usize)> = Vec::new();
        for (number, block) in self.world.blocks.iter().enumerate().skip(1) {
            let seen_s = self.world.told_s(self.place, block, self.is_wandering);
            if seen_s.is_finite() && seen_s >= from_s {
                arrivals.push((self.comes_s(seen_s), number));
            }
        }
        arrivals.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for (at_s, number) in arrivals {
            self.arrives(at_s, number);
        }
        if let Some(upgrade_s) = self.world.upgrades[self.place].filter(|at_s| from_s <= *at_s) {
            self.start(upgrade_s);
        }
        for outage in self.node.outages().filter(|outage| outage.from_s >= from_s).collect::<Vec<_>>() {
            self.out(outage);
        }
        self.told
    }

    /// When a block comes to the node that would come at this second.
    fn comes_s(&self, seen_s: f64) -> f64 {
        match self.node.outage(seen_s) {
            Some(Outage { trouble: Trouble::Stopped, to_s, .. }) => to_s + STARTING_S,
            Some(Outage { trouble: Trouble::CutOff, to_s, .. }) => to_s,
            Some(Outage { trouble: Trouble::Unheard, .. }) | None => seen_s,
        }
    }

    /// The node's own time in microseconds.
    fn own_us(&self, at_s: f64) -> i64 {
        server(at_s).as_micros() - self.node.offset_us(at_s)
    }

    fn arrives(&mut self, at_s: f64, number: usize) {
        let begin_us = self.own_us(at_s).max(self.free_us);
        let mut events = Vec::new();
        if let Some(Bounds { min_us, max_us }) = self.node.clock(number, at_s) {
            let at = AgentTime::from_micros(begin_us - 1);
            let sample = ClockSample { at, offset_min_us: min_us, offset_max_us: max_us };
            events.push(by_agent(Source::Agent, at, Kind::Clock(sample)));
        }
        for (after_us, kind) in self.block(at_s, number) {
            events.push(logged(begin_us + after_us, kind));
        }
        self.free_us = events.last().map_or(self.free_us, |last| last.agent_time.as_micros() + self.line_us);
        self.send(at_s, events);
    }

    /// The server receives this, of about this second, a moment after the last of it, or when it hears of the node again.
    fn send(&mut self, at_s: f64, events: Vec<Event>) {
        let Some(last) = events.last() else { return };
        let sent_us = last.agent_time.as_micros() + self.node.offset_us(at_s) + SHIPPED_US;
        let heard = self.node.heard_at(ServerTime::from_micros(sent_us));
        self.told.push(Told { at: heard, node: self.place, events });
    }

    /// What an outage itself makes the node and its agent say.
    fn out(&mut self, Outage { from_s, to_s, trouble }: Outage) {
        let state =
            |working| Kind::SourceState { source: Source::Rpc, working, detail: "refused".to_owned() };
        match trouble {
            Trouble::CutOff => {}
            Trouble::Stopped => {
                self.send(from_s, vec![logged(self.own_us(from_s), Kind::NodeStopping)]);
                for (at_s, working) in
                    [(from_s.midpoint(to_s).min(from_s + NOTICING_S), false), (to_s + NOTICING_S, true)]
                {
                    let at = AgentTime::from_micros(self.own_us(at_s));
                    self.send(at_s, vec![by_agent(Source::Agent, at, state(working))]);
                }
                self.start(to_s);
            }
            Trouble::Unheard => {
                let [from, to] = [from_s, to_s].map(|at_s| AgentTime::from_micros(self.own_us(at_s)));
                let reason = "agent restarted".to_owned();
                let gap = Kind::Gap(Gap { source: Source::Zmq, from: Some(from), to, lost: None, reason });
                self.send(to_s, vec![by_agent(Source::Agent, to, gap)]);
            }
        }
    }

    /// The node starts, with the version that it has by then.
    fn start(&mut self, at_s: f64) {
        let is_next = self.world.upgrades[self.place].is_some_and(|upgrade_s| at_s >= upgrade_s);
        self.send(at_s, vec![logged(self.own_us(at_s), started(is_next))]);
    }

    /// A node that is new takes in the chain as it is then, lowest first.
    fn download(&mut self, from_s: f64) {
        self.start(from_s);
        let is_there = |number: &usize| self.world.blocks[*number].seen_s[self.place] < from_s;
        let chain: Vec<_> = self.world.chain().into_iter().take_while(is_there).skip(1).collect();
        let mut at_s = from_s + STARTING_S;
        for numbers in chain.chunks(DOWNLOADED) {
            let mut events = Vec::new();
            for (line, number) in (0..).zip(numbers) {
                self.active.push(*number);
                events.push(logged(self.own_us(at_s) + line * 1_000, self.tip()));
            }
            self.send(at_s, events);
            at_s += DOWNLOAD_S;
        }
    }

    /// What a block makes the node say, each so many microseconds after the first.
    fn block(&mut self, at_s: f64, number: usize) -> Vec<(i64, Kind)> {
        let block = &self.world.blocks[number];
        let (height, name) = (Some(block.height), self.headers.hash(number));
        let header = (0, Kind::HeaderSeen { block: name, height, peer: Some(1), compact: true });
        let taken = self.world.taken(self.place, number, at_s);
        let (line_us, complete_us) = (self.line_us, taken.complete_us);
        let line = |line: usize| complete_us + i64::try_from(line).unwrap_or_default() * line_us;
        if block.invalid {
            let reason = Some("bad-cb-amount".to_owned());
            return vec![header, (line(0), Kind::BlockInvalid { block: name, height, reason })];
        }
        let reconstructed = Kind::BlockReconstructed {
            block: name,
            prefilled: 1,
            from_mempool: 3_000,
            from_extra: 0,
            requested: taken.requested,
            requested_bytes: None,
            message_bytes: None,
            peer: None,
        };
        let mut said = vec![reconstructed, Kind::BlockValid { block: name }];
        if block.height as usize >= self.active.len() {
            self.activate(number, &mut said);
            let processing = Processing { total_us: taken.connect_us, ..Processing::default() };
            let height = self.world.blocks[number].height;
            said.push(Kind::BlockProcessed { block: name, height, processing: Box::new(processing) });
        }
        let said = said.into_iter().enumerate().map(|(place, kind)| (line(place), kind));
        std::iter::once(header).chain(said).collect()
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
            said.push(Kind::BlockDisconnected { block: self.headers.hash(left), height });
        }
        let mut connected = Vec::new();
        for number in new.into_iter().rev() {
            self.active.push(number);
            said.push(self.tip());
            let height = Some(self.world.blocks[number].height);
            connected.push(Kind::BlockConnected { block: self.headers.hash(number), height });
        }
        said.append(&mut connected);
    }

    fn tip(&self) -> Kind {
        let number = self.active.last().copied().unwrap_or_default();
        let height = Some(self.world.blocks[number].height);
        Kind::Tip { block: self.headers.hash(number), height, log2_work: None, transactions: None }
    }
}

fn started(is_next: bool) -> Kind {
    let version = if is_next { "30.1.0" } else { "30.0.0" };
    Kind::NodeStarted { banner: format!("Bitcoin Core version v{version} (release build)") }
}

pub(super) fn logged(at_us: i64, kind: Kind) -> Event {
    let (node_time, agent_time) = (Some(NodeTime::from_micros(at_us)), AgentTime::from_micros(at_us));
    Event { source: Source::Log, node_time, agent_time, kind }
}
