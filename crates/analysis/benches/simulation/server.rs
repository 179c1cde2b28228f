//! A server in a simulated world: takes in what agents send, asks for headers as it would, and notes the alerts.
//!
//! Every agent delivers every twenty seconds, where real ones do every ten, and says what time it is and where the chain ends
//! once a minute. The engine is ticked every twenty seconds too, not each second.

use std::collections::BTreeMap;

use bmon_analysis::{
    Engine, Settings,
    alert::{Alert, AlertId},
    row::Row,
};
use bmon_event::{
    AgentTime, BlockHash, Event, Kind, Network, ServerTime, Source, Wanted,
    event::{ChainInfo, ClockSample, Headers as HeadersEvent},
};

use crate::world::{
    Outage, Trouble, World,
    header::Headers,
    relay::Relay,
    second, server,
    telling::{Oddities, Told, batch, by_agent, downloaded_s, name, tell},
};

const STEP_S: f64 = 20.0;
/// Steps from one time exchange, and one look at the chain, to the next.
const POLL_STEPS: usize = 3;

/// What came of a world.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// As they were last said.
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    pub(crate) findings: BTreeMap<&'static str, usize>,
    pub(crate) batches: u64,
}

struct Server<'a> {
    world: &'a World,
    headers: &'a Headers,
    oddities: Oddities,
    relay: Relay,
    engine: Engine,
    sequences: Vec<u64>,
    /// The end of each node's active chain as it was last told.
    tips: Vec<Option<(BlockHash, u32)>>,
    rows: Vec<Row>,
    heard: Heard,
}

/// What the engine makes of a world.
pub(crate) fn hear(world: &World, oddities: Oddities) -> Heard {
    let headers = Headers::of(world);
    let mut told = tell(world, &headers, oddities).into_iter().peekable();
    let nodes = world.nodes();
    let mut server_of = Server {
        world,
        headers: &headers,
        oddities,
        relay: Relay::new(world, oddities.hourly),
        engine: Engine::new(Settings::default()),
        sequences: vec![0; nodes],
        tips: vec![None; nodes],
        rows: Vec::new(),
        heard: Heard::default(),
    };
    let mut step = 0;
    while (step as f64) * STEP_S < world.end_s() {
        let at_s = step as f64 * STEP_S;
        while let Some(Told { at, node, events }) = told.next_if(|told| told.at <= server(at_s)) {
            server_of.deliver(node, events, at);
            server_of.serve(at);
        }
        server_of.step(step, at_s);
        step += 1;
    }
    server_of.heard
}

impl Server<'_> {
    /// The regular deliveries, and the tick.
    fn step(&mut self, step: usize, at_s: f64) {
        for node in 0..self.world.nodes() {
            let is_new = self.oddities.new.is_some_and(|(new, from_s)| new == node && at_s < from_s);
            let outage = self.world.node(node).outage(at_s).map(|Outage { trouble, .. }| trouble);
            if is_new {
                self.relay.pass(node, at_s);
            }
            if is_new || outage == Some(Trouble::Unheard) {
                continue;
            }
            let is_poll = (step + node).is_multiple_of(POLL_STEPS);
            let mut events = self.relay.take(self.world, node, at_s);
            if is_poll {
                events.append(&mut self.poll(node, step, at_s, outage));
            }
            self.deliver(node, events, server(at_s));
        }
        self.serve(server(at_s));
        self.engine.tick(server(at_s), &mut self.rows);
        self.take();
    }

    /// A time exchange, and `getblockchaininfo` if the node answers.
    fn poll(&self, node: usize, step: usize, at_s: f64, outage: Option<Trouble>) -> Vec<Event> {
        let of_node = self.world.node(node);
        let at = AgentTime::from_micros(server(at_s).as_micros() - of_node.offset_us(at_s));
        // As many blocks as there will ever be lie below the numbers of these.
        let clock = of_node.clock(step + (1 << 40), at_s).map(|bounds| {
            let (offset_min_us, offset_max_us) = (bounds.min_us, bounds.max_us);
            by_agent(Source::Agent, at, Kind::Clock(ClockSample { at, offset_min_us, offset_max_us }))
        });
        let tip = self.tips[node].filter(|_| outage != Some(Trouble::Stopped));
        let is_downloading = self
            .oddities
            .new
            .is_some_and(|(new, from_s)| new == node && at_s < downloaded_s(self.world, from_s));
        let info = tip.map(|(block, blocks)| {
            let initial_block_download = Some(is_downloading);
            let best_block = Some(block);
            let info = ChainInfo { best_block, blocks, initial_block_download, ..ChainInfo::default() };
            by_agent(Source::Rpc, at, Kind::ChainInfo(info))
        });
        let peers = tip.map(|_| by_agent(Source::Rpc, at, Kind::PeerInfo(self.world.peers(node, at_s))));
        clock.into_iter().chain(info).chain(peers).collect()
    }

    /// What the node's clock shows then.
    fn own(&self, node: usize, at: ServerTime) -> AgentTime {
        AgentTime::from_micros(at.as_micros() - self.world.node(node).offset_us(second(at)))
    }

    fn deliver(&mut self, node: usize, events: Vec<Event>, at: ServerTime) {
        for event in &events {
            if let Kind::Tip { block, height: Some(height), .. } = event.kind {
                self.tips[node] = Some((block, height));
            }
        }
        // What comes late was made when its last event was told.
        let now = self.own(node, at);
        let made_at = events.last().map_or(now, |last| last.agent_time);
        self.sequences[node] += 1;
        self.heard.batches += 1;
        let batch = batch(network(), node, self.sequences[node], made_at, events);
        self.engine.apply(&batch, at, &mut self.rows);
        self.take();
    }

    /// Gives the engine the headers that it needs, from whom it would ask.
    fn serve(&mut self, at: ServerTime) {
        for _ in 0..8 {
            let Some(need) = self.engine.needs().into_iter().next() else { return };
            let Wanted::Headers { block, count } = need.what else { return };
            let Some(node) = (0..self.sequences.len()).find(|node| name(*node) == need.nodes[0]) else {
                return;
            };
            let headers = self.headers.down_from(self.world, block, count);
            let own = self.own(node, at);
            let given = Kind::Headers(HeadersEvent { want: 1, headers });
            self.deliver(node, vec![by_agent(Source::Agent, own, given)], at);
        }
    }

    fn take(&mut self) {
        for row in self.rows.drain(..) {
            match row {
                Row::Alert(alert) => drop(self.heard.alerts.insert(alert.id, *alert)),
                Row::Finding(finding) => {
                    *self.heard.findings.entry(finding.body.kind()).or_default() += 1;
                }
                _ => {}
            }
        }
    }
}

fn network() -> Network {
    Network::from_chain("main").unwrap()
}
