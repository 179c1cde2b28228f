//! Old logs through the same engine as live events.
//!
//! Within a log the order is the log's own. Several logs are merged on the running maximum of each one's time, so that
//! a time that steps back holds nothing up, and the result is the same on every run. Nothing is kept of transactions
//! but the refused ones, so that memory grows with blocks and findings.

mod block;
mod finding;
mod merge;
mod reading;
mod report;
mod spread;

use bmon_event::{AgentTime, Event, Kind, Network, NodeName, ServerTime};

use self::{block::Blocks, finding::Findings};
use crate::{Engine, Settings, row::Row};

pub use merge::Merge;
pub use reading::{FileReading, LineCounts, Reading};
pub use report::{
    Block, Gap, InvalidBlock, Lines, Node, Quantiles, Rejection, Reorg, Report, Spread, Stages, Time,
    VanishedMessage,
};

/// What one node told.
#[derive(Clone, Debug)]
pub struct Input<I> {
    /// The node's name. No two inputs have the same.
    pub node: NodeName,
    /// What it told, in the order of its log.
    pub told: I,
}

/// The next of what a log tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// An event.
    Event(Event),
    /// No later event of this log has an earlier agent time than this. It lets others go on that are not later, and
    /// changes nothing else: the result is the same without it.
    NothingBefore(AgentTime),
}

impl Told {
    /// The time that puts it in order beside those of other logs.
    pub const fn at(&self) -> AgentTime {
        match self {
            Self::Event(event) => event.agent_time,
            Self::NothingBefore(at) => *at,
        }
    }
}

/// Whether a replay looks at events of this kind at all. Who reads logs may leave out the others, which are most of
/// what a log tells: transactions that come and go.
pub const fn needs(kind: &Kind) -> bool {
    !matches!(kind, Kind::TxAdded { .. } | Kind::TxRemoved { .. } | Kind::TxReplaced { .. })
}

/// How often what has waited long enough is said, in microseconds of event time.
const TICK_US: i64 = 1_000_000;

/// Rows given at once.
const ROWS: usize = 4_096;

/// Runs every analysis over what several nodes of one network told, gives all rows to `keep`, and reports what was
/// found. An error of `keep` ends the replay. The report says nothing of lines and files until it is told (see
/// [`Report::add_reading`]).
pub fn run<I: Iterator<Item = Told>, E>(
    network: Network,
    inputs: Vec<Input<I>>,
    settings: Settings,
    keep: impl FnMut(&[Row]) -> Result<(), E>,
) -> Result<Report, E> {
    let mut engine = Engine::new(Settings { track_transactions: false, track_networks: false, ..settings });
    let (names, logs): (Vec<_>, Vec<_>) = inputs.into_iter().map(|input| (input.node, input.told)).unzip();
    let indices: Vec<_> = names.iter().map(|name| engine.node(network, name)).collect();
    let mut rows =
        Rows { waiting: Vec::new(), blocks: Blocks::new(&names), findings: Findings::default(), keep };
    let (mut ticked, mut heard_at) = (None, vec![ServerTime::default(); names.len()]);
    for (log, told) in Merge::new(logs) {
        let Told::Event(event) = told else { continue };
        let now = ServerTime::from_micros(event.agent_time.as_micros());
        if now.micros_since(*ticked.get_or_insert(now)) >= TICK_US {
            engine.tick(now, &mut rows.waiting);
            ticked = Some(now);
        }
        engine.observe(indices[log], &event, now, &mut rows.waiting);
        heard_at[log] = now;
        rows.flush(ROWS)?;
    }
    engine.tick(ServerTime::from_micros(i64::MAX), &mut rows.waiting);
    let heard = indices.into_iter().zip(heard_at);
    let nodes: Vec<_> = heard.filter_map(|(index, heard_at)| engine.row(index, heard_at)).collect();
    rows.waiting.extend(nodes.iter().map(|node| Row::Node(Box::new(node.clone()))));
    rows.flush(0)?;
    Ok(Report::new(nodes.into_iter().map(Node::new).collect(), &rows.blocks, rows.findings))
}

/// Where the rows go: to the caller, and into the report.
struct Rows<K> {
    waiting: Vec<Row>,
    blocks: Blocks,
    findings: Findings,
    keep: K,
}

impl<E, K: FnMut(&[Row]) -> Result<(), E>> Rows<K> {
    /// Passes the rows on if there are more than `most`.
    fn flush(&mut self, most: usize) -> Result<(), E> {
        if self.waiting.len() <= most {
            return Ok(());
        }
        (self.keep)(&self.waiting)?;
        for row in self.waiting.drain(..) {
            match row {
                Row::Block(row) => self.blocks.note(row.block, row.height),
                Row::BlockSighting(row) => self.blocks.sight(&row),
                Row::BlockProcessing(row) => self.blocks.process(&row),
                Row::Finding(finding) => self.findings.note(*finding),
                // Nodes are said by the caller; the rest comes of what no log tells.
                Row::Node(_)
                | Row::BlockStep(_)
                | Row::TxChunk(_)
                | Row::TxSpread(_)
                | Row::Header(_)
                | Row::Miner(_)
                | Row::RawBlock(_)
                | Row::Tips(_)
                | Row::Alert(_) => {}
            }
        }
        Ok(())
    }
}
