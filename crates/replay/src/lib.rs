//! Files of old logs into the analyses of a live server: `bmon replay`; and into the story of one block or transaction:
//! `bmon explain`.
//!
//! **Files.** `debug.log` as it is or compressed (gzip and zstd, told by their first bytes), rotated siblings, standard
//! input (`-`), and tip histories (`.csv`, see the `history` module). All are opened and looked into before anything is run, so
//! that one that cannot be read is known at once. Only those whose time has come are held open.
//!
//! **Order.** Within a file the order is the file's. The files of a node, and then the nodes, are merged on the running
//! maximum of each file's time, whatever their order on the command line; equal times go by the order of the nodes, and
//! by that of the first times of a node's files. So the report is the same on every run.
//!
//! **Threads.** One for each node reads, decompresses and parses; the analyses run in the caller's. Between them are
//! short channels, so that memory does not grow with the logs.

mod error;
mod history;
mod input;
mod log;
mod node;
mod progress;

use std::{
    path::PathBuf,
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use bmon_analysis::{
    Settings,
    explain::Explanation,
    replay::{self, Report},
    row::Row,
};
use bmon_event::{AgentTime, Network, NodeName, Subject};

use self::{node::Opened, progress::Shared};

pub use error::ReplayError;
pub use progress::Progress;

/// Lists of events that wait between a node's thread and the analyses. Each has the events of one piece of a file.
const WAITING: usize = 4;

/// A node and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Its files, in any order; `-` is standard input.
    pub files: Vec<PathBuf>,
}

/// The part of event time that is looked at. Lines outside are read and counted, and tell nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first instant, `None` for the beginning.
    pub from: Option<AgentTime>,
    /// The first instant after it, `None` for the end.
    pub to: Option<AgentTime>,
}

impl Window {
    /// Whether an instant is in it.
    pub fn holds(&self, at: AgentTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// Files that were opened and looked into, ready to be run.
#[derive(Debug)]
pub struct Replay {
    nodes: Vec<Opened>,
    window: Window,
    shared: Arc<Shared>,
    total_bytes: Option<u64>,
}

impl Replay {
    /// Looks into all files. A node that is named twice has all the files of both.
    pub fn open(nodes: &[Node], window: Window) -> Result<Self, ReplayError> {
        let mut joined: Vec<Node> = Vec::new();
        for node in nodes {
            match joined.iter_mut().find(|known| known.name == node.name) {
                Some(known) => known.files.extend_from_slice(&node.files),
                None => joined.push(node.clone()),
            }
        }
        input::refuse_repeats(&joined)?;
        let shared = Arc::new(Shared::default());
        let total_bytes = joined.iter().flat_map(|node| &node.files).map(|file| input::size(file)).sum();
        let open = |node: &Node| Opened::new(node, window, &shared);
        let nodes = joined.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { nodes, window, shared, total_bytes })
    }

    /// How far reading is, for another thread to show while this one runs.
    pub fn progress(&self) -> Progress {
        Progress { shared: Arc::clone(&self.shared), total_bytes: self.total_bytes }
    }

    /// Reads the files, runs every analysis over what they tell and gives all rows to `keep`, whose error ends the
    /// replay.
    pub fn run<E: From<ReplayError>>(
        self,
        network: Network,
        settings: Settings,
        keep: impl FnMut(&[Row]) -> Result<(), E>,
    ) -> Result<Report, E> {
        let shared = &*self.shared;
        thread::scope(|scope| {
            let (mut inputs, mut readings) = (Vec::new(), Vec::new());
            for node in self.nodes {
                let (sender, receiver) = sync_channel(WAITING);
                inputs.push(replay::Input { node: node.name.clone(), told: receiver.into_iter().flatten() });
                let name = node.name.clone();
                let thread = thread::Builder::new().name(format!("read-{name}"));
                let reading = thread.spawn_scoped(scope, move || node.read(&sender, shared));
                readings.push((name, reading.map_err(ReplayError::Thread)?));
            }
            let report = replay::run(network, inputs, settings, keep);
            let mut report = report.inspect_err(|_| shared.stop())?;
            for (name, reading) in readings {
                let reading = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                report.add_reading(&name, reading?);
            }
            Ok(report)
        })
    }

    /// Reads the files for what each node tells of `subject` alone.
    pub fn explain(self, subject: Subject) -> Result<Explanation, ReplayError> {
        let (window, shared) = (self.window, &*self.shared);
        thread::scope(|scope| {
            let mut readings = Vec::new();
            for node in self.nodes {
                let thread = thread::Builder::new().name(format!("read-{}", node.name));
                let read = move || node.explain(subject, window).inspect_err(|_| shared.stop());
                readings.push(thread.spawn_scoped(scope, read).map_err(ReplayError::Thread)?);
            }
            let mut witnesses = Vec::new();
            for reading in readings {
                witnesses.push(reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(Explanation::new(subject, witnesses))
        })
    }
}
