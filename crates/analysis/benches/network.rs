//! What a new block costs the engine when its network has a million headers and twenty nodes:
//! `cargo bench -p bmon-analysis --bench network`. Beside it the same with few headers, since it must not depend on how
//! old the chain is.
//!
//! Each node tells of each block in one batch, as its log would; the first makes the engine ask for the header, which it gets.
//! One block in 700 is left behind, and the nodes know of all that ever were. Nobody has the blocks that are then asked for,
//! so that they are needed as long as can be. Times are the processor's. `apply` holds everything that follows: state,
//! analyses of nodes and network, rules. `cargo test` does the same with few of all.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

mod measure;

use std::collections::HashMap;

use bmon_analysis::{
    Engine, Need, Settings,
    row::{HeaderRow, Row},
    tree::Header,
};
use bmon_event::{
    AgentTime, Batch, BlockHash, Epoch, Event, Kind, Network, NodeName, NodeTime, Positions, ServerTime,
    Source, Txid, Wanted,
    event::{ChainTip, ClockSample, Headers, RawHeader, TipStatus},
};

use measure::{HEADERS, ONE_STALE_IN, Raw, headers, is_measured, measured, processor_seconds, yardsticks};

const NODES: usize = 20;
/// Blocks at the end of which the nodes tell.
const NEW: usize = 2_000;
/// The same when nothing is measured: enough that one is left behind.
const FEW_NEW: usize = 50;
const BLOCK_US: i64 = 600 * SECOND_US;
/// From one delivery without news to the next. An agent makes one every ten seconds; fewer tell the same.
const QUIET_US: i64 = 25 * SECOND_US;
/// Transactions of a batch.
const TRANSACTIONS: u64 = 100;
/// Most branches that `getchaintips` of a node tells of.
const TIPS: usize = 200;
const SECOND_US: i64 = 1_000_000;

fn main() {
    let (counts, new) = if is_measured() {
        (vec![NEW + 10_000, HEADERS as usize], NEW)
    } else {
        (vec![2 * ONE_STALE_IN as usize + FEW_NEW / 2], FEW_NEW)
    };
    let raw = headers(counts.iter().copied().max().unwrap_or_default());
    yardsticks(&raw);
    for count in counts {
        println!("\n{count} headers, {NODES} nodes, processor time in us");
        bench(&raw[..count], new);
    }
}

fn bench(raw: &[Raw], new: usize) {
    let (old, new) = raw.split_at(raw.len() - new);
    let mut world = World::new();
    measured("restore the headers", old.len(), || world.restore(old));
    world.tell_tips();
    let mut times: Times = HashMap::new();
    measured("new blocks, and all around them", new.len(), || {
        for raw in new {
            world.block(raw, &mut times);
        }
    });
    let mut what: Vec<_> = times.into_iter().collect();
    what.sort_by_key(|(what, _)| *what);
    for (what, times) in what {
        percentiles(what, times);
    }
    println!("{:?}, {} findings, {} alerts", world.engine.counters(), world.findings, world.alerts);
    assert!(world.findings > 0 && world.answered == new.len(), "{} headers were asked for", world.answered);
}

type Times = HashMap<&'static str, Vec<f64>>;

fn percentiles(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100] * 1e6;
    println!("{what:<44} p50 {:>8.1}  p99 {:>8.1}  max {:>8.1}  of {}", at(50), at(99), at(100), times.len());
}

struct World {
    engine: Engine,
    nodes: Vec<NodeName>,
    sequences: Vec<u64>,
    now_us: i64,
    height: u32,
    tip: BlockHash,
    stale: Vec<(BlockHash, u32)>,
    rows: Vec<Row>,
    findings: usize,
    alerts: usize,
    transactions: u64,
    /// Headers asked for and given.
    answered: usize,
}

impl World {
    fn new() -> Self {
        Self {
            engine: Engine::new(Settings::default()),
            nodes: (0..NODES).map(|node| format!("node-{node}").parse().unwrap()).collect(),
            sequences: vec![0; NODES],
            now_us: 1_700_000_000 * SECOND_US,
            height: 0,
            tip: BlockHash::from_bytes([0; 32]),
            stale: Vec::new(),
            rows: Vec::new(),
            findings: 0,
            alerts: 0,
            transactions: 0,
            answered: 0,
        }
    }

    /// The height of a block, and whether it is left behind. Notes where the chain goes on.
    fn place(&mut self, header: &Header) -> (u32, bool) {
        if self.height == 0 && self.tip == BlockHash::from_bytes([0; 32]) {
            self.tip = header.hash();
            return (0, false);
        }
        // Of two with the same parent the later one is of the main chain.
        let is_rival = header.parent() != self.tip;
        if is_rival {
            self.stale.push((self.tip, self.height));
        } else {
            self.height += 1;
        }
        self.tip = header.hash();
        (self.height, is_rival)
    }

    fn restore(&mut self, raw: &[Raw]) {
        for raw in raw {
            let header = Header::decode(raw, None).unwrap();
            let (height, _) = self.place(&header);
            let (network, block, raw) = (network(), header.hash(), raw.to_vec());
            self.engine.restore_header(&HeaderRow { network, block, height, raw });
        }
    }

    /// Every node follows the chain, and knows of the branches that were left behind last.
    fn tell_tips(&mut self) {
        let tip = |block, height, status| ChainTip { block, height, branch_length: 1, status };
        for node in 0..NODES {
            let last = self.stale.iter().rev().take(TIPS);
            let mut tips: Vec<_> =
                last.map(|(block, height)| tip(*block, *height, TipStatus::ValidFork)).collect();
            tips.push(tip(self.tip, self.height, TipStatus::Active));
            let active =
                Kind::Tip { block: self.tip, height: Some(self.height), log2_work: None, transactions: None };
            self.apply(node, Source::Log, vec![active]);
            self.apply(node, Source::Rpc, vec![Kind::ChainTips(tips)]);
        }
    }

    fn block(&mut self, raw: &Raw, times: &mut Times) {
        let header = Header::decode(raw, None).unwrap();
        let (height, is_rival) = self.place(&header);
        let block = header.hash();
        self.wait(if is_rival { 2 * SECOND_US } else { BLOCK_US }, times);
        for node in 0..NODES {
            self.now_us += SECOND_US / 10;
            let told = told(block, height, !is_rival);
            let took = self.apply(node, Source::Log, told);
            note(times, "apply: a block told by a node", took);
            let (needs, took) = timed(|| self.engine.needs());
            note(times, "needs", took);
            let is_it =
                |need: &Need| matches!(need.what, Wanted::Headers { block: wanted, .. } if wanted == block);
            if needs.iter().any(is_it) {
                let headers = vec![RawHeader { block, raw: raw.to_vec() }];
                let took = self.apply(node, Source::Agent, vec![Kind::Headers(Headers { want: 1, headers })]);
                note(times, "apply: its header", took);
                self.answered += 1;
            }
            let took = self.transactions(node);
            note(times, "apply: 100 transactions", took);
        }
    }

    /// Time passes, in which nothing happens.
    fn wait(&mut self, us: i64, times: &mut Times) {
        let end_us = self.now_us + us;
        while self.now_us < end_us {
            self.now_us = end_us.min(self.now_us + QUIET_US);
            for node in 0..NODES {
                let took = self.apply(node, Source::Agent, Vec::new());
                note(times, "apply: nothing new", took);
            }
            let ((), took) = timed(|| self.engine.tick(ServerTime::from_micros(self.now_us), &mut self.rows));
            self.take();
            note(times, "tick", took);
        }
    }

    fn transactions(&mut self, node: usize) -> f64 {
        let added = |number: u64| {
            let mut bytes = [7; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Kind::TxAdded { txid: Txid::from_bytes(bytes), wtxid: None, peer: None, mempool_sequence: None }
        };
        // All nodes tell of the same.
        if node == 0 {
            self.transactions += TRANSACTIONS;
        }
        let kinds = (0..TRANSACTIONS).map(|number| added(self.transactions + number)).collect();
        self.apply(node, Source::Zmq, kinds)
    }

    /// Seconds of the processor's that it takes.
    fn apply(&mut self, node: usize, source: Source, kinds: Vec<Kind>) -> f64 {
        let at = AgentTime::from_micros(self.now_us);
        let event = |kind| Event {
            source,
            node_time: (source == Source::Log).then(|| NodeTime::from_micros(self.now_us)),
            agent_time: at,
            kind,
        };
        let clock = Kind::Clock(ClockSample { at, offset_min_us: -5_000, offset_max_us: 5_000 });
        self.sequences[node] += 1;
        let batch = Batch {
            network: network(),
            node: self.nodes[node].clone(),
            epoch: Epoch(1),
            sequence: self.sequences[node],
            made_at: at,
            positions: Positions::default(),
            events: std::iter::once(clock).chain(kinds).map(event).collect(),
            unknown_events: 0,
        };
        let received_at = ServerTime::from_micros(self.now_us);
        let ((), took) = timed(|| self.engine.apply(&batch, received_at, &mut self.rows));
        self.take();
        took
    }

    fn take(&mut self) {
        for row in self.rows.drain(..) {
            self.findings += usize::from(matches!(row, Row::Finding(_)));
            self.alerts += usize::from(matches!(row, Row::Alert(_)));
        }
    }
}

fn network() -> Network {
    Network::from_chain("main").unwrap()
}

/// What the log of a node tells of a block, which becomes the tip or comes second.
fn told(block: BlockHash, height: u32, is_tip: bool) -> Vec<Kind> {
    let height = Some(height);
    let mut kinds =
        vec![Kind::HeaderSeen { block, height, peer: Some(1), compact: true }, Kind::BlockValid { block }];
    if is_tip {
        kinds.push(Kind::Tip { block, height, log2_work: None, transactions: None });
        kinds.push(Kind::BlockConnected { block, height });
    }
    kinds
}

fn note(times: &mut Times, what: &'static str, seconds: f64) {
    times.entry(what).or_default().push(seconds);
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = processor_seconds();
    let done = work();
    (done, processor_seconds() - start)
}
