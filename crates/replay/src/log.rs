//! One `debug.log`, as a stream of what it tells.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use bmon_analysis::replay::{FileReading, LineCounts, Reading, Time, Told, needs};
use bmon_corelog::{Counts, Line, RawLine, Reader, Splitter};
use bmon_event::{AgentTime, NodeTime};

use crate::{
    ReplayError, Window,
    input::{self, Input},
    progress::Shared,
};

/// Read and parsed at once: fits into a core's cache.
const CHUNK_BYTES: usize = 256 << 10;

/// How far the first time is looked for. Logs have one in their first lines; one that begins within a dump without
/// times may not.
const LOOK_BYTES: usize = 4 << 20;

/// A log, opened when its first time has come.
pub(crate) struct Log {
    file: PathBuf,
    first: Option<NodeTime>,
    window: Window,
    shared: Arc<Shared>,
    state: State,
    reader: Reader,
    ready: VecDeque<Told>,
    /// No later event is earlier.
    bound: AgentTime,
    warnings: Vec<String>,
    failure: Option<ReplayError>,
}

enum State {
    /// Nothing has been asked for.
    New(Looked),
    /// Its first time was told.
    Closed(Looked),
    Open {
        input: Box<Input>,
        chunk: Vec<u8>,
    },
    Ended,
}

/// What is left of looking into a file. `None` if it is to be opened again; standard input cannot be, so that what
/// was read of it is kept.
type Looked = Option<(Box<Input>, Vec<u8>)>;

impl Log {
    /// Looks for the first time in `file`.
    pub(crate) fn look(file: &Path, window: Window, shared: &Arc<Shared>) -> Result<Self, ReplayError> {
        let is_stdin = input::is_stdin(file);
        let mut input = Input::open(file, is_stdin.then_some(shared))?;
        let mut looked = Vec::new();
        let first = first_time(&mut input, &mut looked)?;
        Ok(Self {
            file: file.to_owned(),
            first,
            window,
            shared: Arc::clone(shared),
            state: State::New(is_stdin.then(|| (Box::new(input), looked))),
            reader: Reader::new(0, None),
            ready: VecDeque::new(),
            bound: first.map_or(AgentTime::from_micros(i64::MIN), NodeTime::on_agent_clock),
            warnings: Vec::new(),
            failure: None,
        })
    }

    /// The first time in it, `None` if it begins without any.
    pub(crate) const fn first(&self) -> Option<NodeTime> {
        self.first
    }

    /// What reading it came to.
    pub(crate) fn finish(mut self) -> Result<Reading, ReplayError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.warnings.extend(torn(&self.file, self.reader.torn()));
        let file = self.file.display().to_string();
        let counts = line_counts(self.reader.counts());
        let time = |time: NodeTime| Time(time.on_agent_clock());
        let (from, to) = (self.first.map(time), self.reader.last_line().map(time));
        let files = vec![FileReading { file, from, to, lines: counts.total }];
        Ok(Reading { files, counts, warnings: self.warnings })
    }

    /// Reads all of it at once and gives every line. Returns what a person should know of it.
    pub(crate) fn each_line(self, mut each: impl FnMut(RawLine<'_>)) -> Result<Vec<String>, ReplayError> {
        let looked = match self.state {
            State::New(looked) | State::Closed(looked) => looked,
            State::Open { .. } | State::Ended => None,
        };
        let (mut input, looked) = match looked {
            Some(looked) => looked,
            None => (Box::new(Input::open(&self.file, Some(&self.shared))?), Vec::new()),
        };
        let mut splitter = Splitter::new(0);
        splitter.feed(&looked, &mut each);
        let mut chunk = vec![0; CHUNK_BYTES];
        while !self.shared.is_stopped() {
            match input.fill(&mut chunk)? {
                0 => break,
                read => splitter.feed(&chunk[..read], &mut each),
            }
        }
        Ok(input.damage().into_iter().chain(torn(&self.file, splitter.torn())).collect())
    }

    /// Goes one step on. False at the end.
    fn advance(&mut self) -> Result<bool, ReplayError> {
        if self.shared.is_stopped() {
            self.state = State::Ended;
        }
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::New(looked) => {
                self.ready.push_back(Told::NothingBefore(self.bound));
                State::Closed(looked)
            }
            State::Closed(Some((input, looked))) => {
                self.parse(&looked);
                State::Open { input, chunk: vec![0; CHUNK_BYTES] }
            }
            State::Closed(None) => {
                let input = Box::new(Input::open(&self.file, Some(&self.shared))?);
                State::Open { input, chunk: vec![0; CHUNK_BYTES] }
            }
            State::Open { mut input, mut chunk } => match input.fill(&mut chunk)? {
                0 => {
                    self.warnings.extend(input.damage());
                    State::Ended
                }
                read => {
                    self.parse(&chunk[..read]);
                    State::Open { input, chunk }
                }
            },
            State::Ended => return Ok(false),
        };
        Ok(true)
    }

    fn parse(&mut self, chunk: &[u8]) {
        let Self { reader, ready, window, .. } = self;
        reader.read(chunk, None, |event| {
            if needs(&event.kind) && window.holds(event.agent_time) {
                ready.push_back(Told::Event(event));
            }
        });
        // The latest time of all may be later still, after a step back: this is safe, and enough.
        self.bound = self.bound.max(self.reader.last_line().map_or(self.bound, NodeTime::on_agent_clock));
        self.ready.push_back(Told::NothingBefore(self.bound));
    }
}

impl Iterator for Log {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        while self.ready.is_empty() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(failure) => {
                    self.failure = Some(failure);
                    self.shared.stop();
                }
            }
        }
        self.ready.pop_front()
    }
}

/// The time of the first line that has one. What was read for it is left in `looked`.
fn first_time(input: &mut Input, looked: &mut Vec<u8>) -> Result<Option<NodeTime>, ReplayError> {
    let (mut splitter, mut first) = (Splitter::new(0), None);
    while first.is_none() && looked.len() < LOOK_BYTES {
        let start = looked.len();
        looked.resize(start + CHUNK_BYTES, 0);
        let read = input.fill(&mut looked[start..])?;
        looked.truncate(start + read);
        if read == 0 {
            break;
        }
        splitter.feed(&looked[start..], |line| first = first.or_else(|| Line::parse(line.bytes).time));
    }
    Ok(first)
}

/// What to tell of a file that ends in the middle of a line, `None` if it does not.
fn torn(file: &Path, bytes: u64) -> Option<String> {
    let file = file.display();
    (bytes > 0).then(|| format!("`{file}` ends in the middle of a line: {bytes} bytes are not read"))
}

fn line_counts(counts: &Counts) -> LineCounts {
    LineCounts {
        total: counts.lines,
        matched: counts.matched,
        without_time: counts.without_time,
        cut: counts.cut,
        suppressing: counts.suppressing,
        steps_back: counts.steps_back,
        largest_step_back_us: counts.largest_step_back_us,
        unplaced: counts.unplaced,
        messages: counts.messages.iter().map(|(message, lines)| (message.to_owned(), lines)).collect(),
    }
}
