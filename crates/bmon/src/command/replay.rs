//! `bmon replay`.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
    rc::Rc,
    str::FromStr,
};

use bmon_analysis::{
    Settings,
    replay::{self, LineCounts, Report},
};
use bmon_corelog::{Counts, Reader};
use bmon_event::{Event, Network, NodeName};
use clap::Args;

use crate::{
    failure::{Code, Failure, Result},
    table::{Align, Table},
    text::{or_dash, short},
};

/// Read from a log at once.
const CHUNK_BYTES: usize = 256 * 1024;

#[derive(Args)]
pub(crate) struct Replay {
    /// A node's name and its logs, oldest first
    #[arg(required = true, value_name = "NAME=FILE[,FILE…]")]
    nodes: Vec<NodeLogs>,
    /// The network that the nodes were on
    #[arg(long, default_value = "main")]
    network: String,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
}

/// A node and its logs.
#[derive(Clone, Debug)]
struct NodeLogs {
    name: NodeName,
    files: Vec<PathBuf>,
}

impl FromStr for NodeLogs {
    type Err = String;

    fn from_str(s: &str) -> std::result::Result<Self, String> {
        let (name, files) = s.split_once('=').ok_or("expected NAME=FILE[,FILE…]")?;
        let name = name.parse().map_err(|error: bmon_event::NodeNameError| error.to_string())?;
        let files: Vec<PathBuf> =
            files.split(',').filter(|file| !file.is_empty()).map(PathBuf::from).collect();
        if files.is_empty() { Err("no file is named".to_owned()) } else { Ok(Self { name, files }) }
    }
}

impl Replay {
    pub(crate) fn run(self) -> Result {
        let network = Network::from_chain(&self.network).ok_or_else(|| {
            Failure::message(Code::Usage, format!("use `--network`: unknown network `{}`", self.network))
                .hint("one of main, test, testnet4, signet, regtest")
        })?;
        let outcomes: Vec<_> = self.nodes.iter().map(|node| (node.name.clone(), Rc::default())).collect();
        let open = |(node, (_, outcome)): (&NodeLogs, &(NodeName, Rc<_>))| {
            let events = Events::open(&node.files, Rc::clone(outcome))?;
            Ok(replay::Input { node: node.name.clone(), events })
        };
        let inputs = self.nodes.iter().zip(&outcomes).map(open).collect::<Result<_>>()?;
        let mut report = replay::run(network, inputs, Settings::default());
        for (node, outcome) in outcomes {
            let Outcome { counts, failure } = outcome.take();
            if let Some(failure) = failure {
                return Err(failure);
            }
            report.add_lines(&node, &line_counts(counts));
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{}", text(&report));
        }
        Ok(())
    }
}

/// What became of reading a node's logs.
#[derive(Default)]
struct Outcome {
    counts: Counts,
    failure: Option<Failure>,
}

/// The events of a node's logs, read as they are asked for.
struct Events {
    reader: Reader,
    /// Not yet read, with their names; the next one first.
    files: VecDeque<(PathBuf, File)>,
    ready: VecDeque<Event>,
    chunk: Vec<u8>,
    outcome: Rc<RefCell<Outcome>>,
}

impl Events {
    fn open(files: &[PathBuf], outcome: Rc<RefCell<Outcome>>) -> Result<Self> {
        let open = |path: &PathBuf| match File::open(path) {
            Ok(file) => Ok((path.clone(), file)),
            Err(error) => Err(cannot_read(path, error)),
        };
        Ok(Self {
            reader: Reader::new(0, None),
            files: files.iter().map(open).collect::<Result<_>>()?,
            ready: VecDeque::new(),
            chunk: vec![0; CHUNK_BYTES],
            outcome,
        })
    }

    /// Reads one chunk. False at the end, or when reading failed.
    fn fill(&mut self) -> bool {
        let Some((path, file)) = self.files.front_mut() else { return false };
        match file.read(&mut self.chunk) {
            Ok(0) => {
                self.files.pop_front();
            }
            Ok(length) => self.reader.read(&self.chunk[..length], None, |event| self.ready.push_back(event)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.outcome.borrow_mut().failure = Some(cannot_read(path, error));
                self.files.clear();
            }
        }
        true
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while self.ready.is_empty() {
            if !self.fill() {
                self.outcome.borrow_mut().counts = *self.reader.counts();
                return None;
            }
        }
        self.ready.pop_front()
    }
}

fn cannot_read(path: &std::path::Path, error: io::Error) -> Failure {
    Failure::new(Code::Usage, anyhow::Error::new(error).context(format!("read `{}`", path.display())))
}

fn line_counts(counts: Counts) -> LineCounts {
    LineCounts {
        total: counts.lines,
        matched: counts.matched,
        without_time: counts.without_time,
        cut: counts.cut,
        suppressing: counts.suppressing,
        steps_back: counts.steps_back,
        largest_step_back_us: counts.largest_step_back_us,
        unplaced: counts.unplaced,
        ..LineCounts::default()
    }
}

fn text(report: &Report) -> String {
    let mut text = nodes(report);
    text.push_str(&format!(
        "\n{} lines, {} of them messages bmon knows; {} blocks\n",
        report.lines.total,
        report.lines.matched,
        report.blocks.len()
    ));
    for reorg in &report.reorgs {
        let fork = or_dash(reorg.fork_height);
        text.push_str(&format!(
            "\nreorg of {} at {}: {} deep, fork at {fork}\n",
            reorg.node, reorg.finished_at.0, reorg.depth
        ));
        reorg.old.iter().for_each(|block| text.push_str(&format!("  - {block}\n")));
        reorg.new.iter().for_each(|block| text.push_str(&format!("  + {block}\n")));
    }
    for block in &report.invalid_blocks {
        let reason = or_dash(block.reason.as_ref());
        text.push_str(&format!(
            "\ninvalid block at {}: {} ({}): {reason}\n",
            block.node,
            block.hash,
            or_dash(block.height)
        ));
    }
    if !report.rejections.is_empty() {
        text.push('\n');
        text.push_str(&rejections(report));
    }
    if let Some(spread) = &report.block_spread.quantiles {
        text.push_str(&format!(
            "\nfrom the first node to the last over {} blocks, in seconds: p50 {}, p90 {}, p99 {}\n",
            report.block_spread.blocks, spread.p50, spread.p90, spread.p99
        ));
    }
    report.warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    text
}

fn nodes(report: &Report) -> String {
    use Align::{Left, Right};
    let mut table = Table::new(vec![
        ("NODE", Left),
        ("FROM", Left),
        ("TO", Left),
        ("EVENTS", Right),
        ("HEIGHT", Right),
        ("TIP", Left),
        ("VERSION", Left),
    ]);
    for node in &report.nodes {
        table.row(vec![
            node.node.to_string(),
            or_dash(node.from.map(|at| at.0)),
            or_dash(node.to.map(|at| at.0)),
            node.events.to_string(),
            or_dash(node.height),
            node.tip.as_ref().map_or_else(|| "-".to_owned(), short),
            or_dash(node.version.as_ref()),
        ]);
    }
    table.render()
}

fn rejections(report: &Report) -> String {
    use Align::Left;
    let mut table = Table::new(vec![("REJECTED AT", Left), ("NODE", Left), ("TXID", Left), ("REASON", Left)]);
    for found in &report.rejections {
        table.row(vec![
            found.at.0.to_string(),
            found.node.to_string(),
            found.txid.to_string(),
            found.reason.clone(),
        ]);
    }
    table.render()
}
