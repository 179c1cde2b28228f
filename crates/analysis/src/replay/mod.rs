//! Old logs through the same engine as live events.
//!
//! Within a log the order is the log's own. Several logs are merged on the running maximum of each one's time, so that
//! a time that steps back holds nothing up, and the result is the same on every run. Nothing is kept of transactions
//! but the refused ones, so that memory grows with blocks and findings.

mod block;
mod merge;
mod report;
mod spread;

use bmon_event::{Event, Kind, Network, NodeName, ServerTime};

use self::{block::Blocks, merge::Merge};
use crate::{Engine, Settings, row::Row};

pub use report::{
    Block, Gap, InvalidBlock, LineCounts, Lines, Node, Quantiles, Rejection, Reorg, Report, Spread, Stages,
    Time,
};

/// The events of one node, in the order of its log.
#[derive(Clone, Debug)]
pub struct Input<I> {
    /// The node's name.
    pub node: NodeName,
    /// What it told.
    pub events: I,
}

/// How often what has waited long enough is said, in microseconds of event time.
const TICK_US: i64 = 1_000_000;

/// Runs every analysis over the events of several nodes of one network, and reports what was found. The report says
/// nothing of lines until it is told (see [`Report::add_lines`]).
pub fn run<I: Iterator<Item = Event>>(network: Network, inputs: Vec<Input<I>>, settings: Settings) -> Report {
    let mut engine = Engine::new(Settings { track_transactions: false, ..settings });
    let (names, streams): (Vec<_>, Vec<_>) =
        inputs.into_iter().map(|input| (input.node, input.events)).unzip();
    let indices: Vec<_> = names.iter().map(|name| engine.node(network, name)).collect();
    let mut report = Report::default();
    let mut blocks = Blocks::new(&names);
    let mut nodes: Vec<_> = names.into_iter().map(Node::new).collect();
    let (mut rows, mut ticked) = (Vec::new(), None);
    for (stream, event, now) in Merge::new(streams) {
        let now = ServerTime::from_micros(now.as_micros());
        if now.micros_since(*ticked.get_or_insert(now)) >= TICK_US {
            engine.tick(now, &mut rows);
            ticked = Some(now);
        }
        engine.observe(indices[stream], &event, now, &mut rows);
        nodes[stream].note(&event);
        keep(&mut rows, &mut blocks, &mut report);
    }
    engine.tick(ServerTime::from_micros(i64::MAX), &mut rows);
    keep(&mut rows, &mut blocks, &mut report);
    report.finish(nodes, &blocks);
    report
}

fn keep(rows: &mut Vec<Row>, blocks: &mut Blocks, report: &mut Report) {
    for row in rows.drain(..) {
        match row {
            Row::Block(row) => blocks.note(row.block, row.height),
            Row::BlockSighting(row) => blocks.sight(&row),
            Row::Finding(finding) => report.note(*finding),
            Row::Node(_) | Row::TxSighting(_) => {}
        }
    }
}

impl Node {
    const fn new(node: NodeName) -> Self {
        Self { node, version: None, from: None, to: None, events: 0, tip: None, height: None }
    }

    fn note(&mut self, event: &Event) {
        let at = Some(Time(event.time()));
        self.from = self.from.min(at).or(at);
        self.to = self.to.max(at);
        self.events += 1;
        match &event.kind {
            Kind::NodeStarted { banner } => self.version = Some(banner.clone()),
            Kind::Tip { block, height, .. } => (self.tip, self.height) = (Some(*block), *height),
            _ => {}
        }
    }
}
