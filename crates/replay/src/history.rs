//! A node's tip history: when it first had which block at which height, without anything about parents.
//!
//! A file of rows `height,hash,milliseconds` (since the Unix epoch), in any order; a first line with just these words is
//! allowed. The rows of all such files of a node are sorted by time, then height. **Parents are taken from neighbouring
//! heights, here and nowhere else**: a second hash at a height takes the place of the first, and whatever stood above it
//! leaves too. A row that jumps over heights begins a chain of which nothing below is known, and one below that is left
//! out; both are counted.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use bmon_analysis::{
    explain::{Heard, LogRead, Witness},
    replay::{FileReading, LineCounts, Reading, Time, Told},
};
use bmon_event::{BlockHash, Event, Kind, NodeTime, Source, Subject};

use crate::{ReplayError, Window, input::Input, progress::Shared};

/// The first line that a file may have.
const HEADER: &str = "height,hash,milliseconds";

/// The name under which its rows are counted.
const MESSAGE: &str = "TipHistory";

/// Read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Whether a file is a tip history, by its name.
pub(crate) fn is_history(file: &Path) -> bool {
    let name = file.to_string_lossy();
    [".csv", ".csv.gz", ".csv.zst"].iter().any(|end| name.ends_with(end))
}

/// A row. The order is that in which rows count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    at: NodeTime,
    height: u32,
    block: BlockHash,
}

/// The tip history of a node, as a stream of what it tells.
#[derive(Debug)]
pub(crate) struct History {
    told: VecDeque<Told>,
    reading: Reading,
}

impl History {
    /// Reads these files as one history.
    pub(crate) fn read(files: &[PathBuf], window: Window, shared: &Arc<Shared>) -> Result<Self, ReplayError> {
        let mut reading = Reading::default();
        let mut rows = Vec::new();
        for file in files {
            let mut input = Input::open(file, Some(shared))?;
            let text = read_all(&mut input)?;
            let damage = input.damage();
            let of_file = parse(file, &text, damage.is_some())?;
            reading.warnings.extend(damage);
            reading.files.push(file_reading(file, &of_file));
            rows.extend(of_file);
        }
        let lines = rows.len() as u64;
        let messages = BTreeMap::from([(MESSAGE.to_owned(), lines)]);
        reading.counts = LineCounts { total: lines, matched: lines, messages, ..LineCounts::default() };
        let mut chain = Chain::default();
        rows.sort_unstable();
        for row in &rows {
            chain.take(row);
        }
        reading.warnings.extend(chain.warnings());
        chain.told.retain(|told| window.holds(told.at()));
        Ok(Self { told: chain.told, reading })
    }

    /// Adds what it tells of `subject` to a node that `has_logs` or has none.
    pub(crate) fn explain(self, subject: Subject, witness: &mut Witness, has_logs: bool) {
        let tip = |told: &Told| match told {
            Told::Event(Event { agent_time, kind: Kind::Tip { block, height, .. }, .. })
                if Subject::Block(*block) == subject =>
            {
                let height = height.map_or_else(String::new, |height| format!(", at height {height}"));
                let text = format!("tip{height}, by its tip history");
                Some(Heard { source: Source::Log, at: *agent_time, text })
            }
            _ => None,
        };
        witness.heard.extend(self.told.iter().filter_map(tip));
        if !has_logs {
            let times = |pick: fn(&FileReading) -> Option<Time>| self.reading.files.iter().filter_map(pick);
            witness.log = Some(LogRead {
                from: times(|file| file.from).min().map(|time| time.0),
                to: times(|file| file.to).max().map(|time| time.0),
                lines: Some(self.reading.counts.total),
                is_complete: true,
                categories: None,
            });
        }
        witness.unknown.extend(self.reading.warnings);
    }

    /// What reading it came to.
    pub(crate) fn finish(self) -> Reading {
        self.reading
    }
}

impl Iterator for History {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        self.told.pop_front()
    }
}

fn read_all(input: &mut Input) -> Result<Vec<u8>, ReplayError> {
    let mut text = Vec::new();
    loop {
        let start = text.len();
        text.resize(start + CHUNK_BYTES, 0);
        let read = input.fill(&mut text[start..])?;
        text.truncate(start + read);
        if read == 0 {
            return Ok(text);
        }
    }
}

/// The rows of a file. A last line without its end is a row, unless the file `is_torn`.
fn parse(file: &Path, text: &[u8], is_torn: bool) -> Result<Vec<Row>, ReplayError> {
    let last_end = || text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let whole = if is_torn { &text[..last_end()] } else { text };
    let mut rows = Vec::new();
    for (index, line) in whole.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || (index == 0 && line == HEADER.as_bytes()) {
            continue;
        }
        let row = Row::parse(line);
        rows.push(row.ok_or_else(|| ReplayError::Row { file: file.to_owned(), line: index + 1 })?);
    }
    Ok(rows)
}

fn file_reading(file: &Path, rows: &[Row]) -> FileReading {
    let time = |row: &Row| Time(row.at.on_agent_clock());
    FileReading {
        file: file.display().to_string(),
        from: rows.iter().min().map(time),
        to: rows.iter().max().map(time),
        lines: rows.len() as u64,
    }
}

impl Row {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(line).ok()?.split(',');
        let (height, block, ms) = (fields.next()?, fields.next()?, fields.next()?);
        let at = NodeTime::from_micros(ms.parse::<i64>().ok()?.checked_mul(1_000)?);
        let row = Self { at, height: height.parse().ok()?, block: block.parse().ok()? };
        fields.next().is_none().then_some(row)
    }
}

/// The chain as the rows so far tell it, and what a log would have told.
#[derive(Debug, Default)]
struct Chain {
    /// Height of the first of `blocks`.
    base: u32,
    /// Lowest first, without holes.
    blocks: Vec<BlockHash>,
    told: VecDeque<Told>,
    missing_heights: u64,
    rows_left_out: u64,
}

impl Chain {
    fn take(&mut self, row: &Row) {
        let above = u64::from(self.base) + self.blocks.len() as u64;
        let height = u64::from(row.height);
        if self.blocks.is_empty() || height > above {
            if !self.blocks.is_empty() {
                self.missing_heights += height - above;
            }
            (self.base, self.blocks) = (row.height, Vec::new());
        }
        let Some(place) = row.height.checked_sub(self.base) else {
            self.rows_left_out += 1;
            return;
        };
        let place = place as usize;
        if self.blocks.get(place) == Some(&row.block) {
            return;
        }
        while self.blocks.len() > place
            && let Some(block) = self.blocks.pop()
        {
            let height = u32::try_from(self.blocks.len()).ok().and_then(|above| self.base.checked_add(above));
            self.tell(row.at, Kind::BlockDisconnected { block, height });
        }
        let (block, height) = (row.block, Some(row.height));
        self.blocks.push(block);
        self.tell(row.at, Kind::BlockConnected { block, height });
        self.tell(row.at, Kind::Tip { block, height, log2_work: None, transactions: None });
    }

    fn tell(&mut self, at: NodeTime, kind: Kind) {
        let event = Event { source: Source::Log, node_time: Some(at), agent_time: at.on_agent_clock(), kind };
        self.told.push_back(Told::Event(event));
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings =
            vec!["its tip history tells no parents: they are taken from neighbouring heights".to_owned()];
        let counts = [
            (self.missing_heights, "heights are missing from its tip history"),
            (
                self.rows_left_out,
                "rows of its tip history are below its beginning or a missing height, and are left out",
            ),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        warnings.extend(counts.map(|(count, what)| format!("{count} {what}")));
        warnings
    }
}
