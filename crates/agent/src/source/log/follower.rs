//! Follows one log through every kind of rotation.

use std::{
    io,
    ops::Range,
    path::PathBuf,
    time::{Duration, Instant},
};

use bmon_event::LogPosition;

use super::{
    family,
    file::{FileId, Found, LogFile},
};

/// How long a place is looked for before it is given up. A rotation in progress takes milliseconds: bitcoind empties
/// its log before it writes the last 10 MB back.
const PATIENCE: Duration = Duration::from_secs(1);

/// Gives every line of a log once, in order, also through a restart that begins with [`Self::position`].
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    first_read_bytes: u64,
    state: State,
    /// The place in the file before the one that is open, for as long as nothing of that one was read.
    before: Option<LogPosition>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Nothing was ever read.
    New,
    /// The file is open. Once it was seen that the node writes to another, it is read to its end once more.
    Reading { file: LogFile, left: bool },
    /// The place must be found again: the agent started, or the file is no longer what was read.
    Seeking { position: LogPosition, since: Option<Instant> },
}

/// What one step of following gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// Bytes that end with a line's end, unless the file was closed in mid-line.
    Lines(&'a [u8]),
    /// Nothing to do until more is written.
    Idle,
    /// Something was done, nothing was read; try again at once.
    Moved,
    /// The file is not there.
    Missing,
    /// The place is lost, and with it all that was written between it and the beginning of the file that is read next.
    Lost,
}

impl Follower {
    /// Follows the log at `path`, from `position` on. Without one, the last `first_read_bytes` of an existing file
    /// are read too.
    pub(crate) fn new(path: PathBuf, first_read_bytes: u64, position: Option<LogPosition>) -> Self {
        let state = position.map_or(State::New, |position| State::Seeking { position, since: None });
        Self { path, first_read_bytes, state, before: None, buffer: Vec::new() }
    }

    /// The place up to which lines were given. `None` before the first.
    pub(crate) fn position(&self) -> Option<LogPosition> {
        match &self.state {
            State::New => None,
            State::Reading { file, .. } => file.position().or_else(|| self.before.clone()),
            State::Seeking { position, .. } => Some(position.clone()),
        }
    }

    /// Up to `most` bytes of what stands before the place, `None` while no file is open.
    pub(super) fn before(&self, most: usize) -> io::Result<Option<Vec<u8>>> {
        match &self.state {
            State::Reading { file, .. } => file.before(most).map(Some),
            State::New | State::Seeking { .. } => Ok(None),
        }
    }

    /// Does one thing: opens a file, or reads some lines.
    pub(crate) fn step(&mut self, now: Instant) -> io::Result<Step<'_>> {
        match &self.state {
            State::New => self.begin(),
            State::Reading { .. } => self.read(),
            State::Seeking { .. } => self.seek(now),
        }
    }

    fn begin(&mut self) -> io::Result<Step<'_>> {
        let Some(length) = family::if_there(self.path.metadata())?.map(|metadata| metadata.len()) else {
            return Ok(Step::Missing);
        };
        let start = length.saturating_sub(self.first_read_bytes);
        let mut file = LogFile::open(&self.path, start)?;
        if start > 0 {
            file.skip_line(&mut self.buffer)?;
        }
        self.state = State::Reading { file, left: false };
        Ok(Step::Moved)
    }

    fn read(&mut self) -> io::Result<Step<'_>> {
        let State::Reading { file, left } = &mut self.state else { return Ok(Step::Idle) };
        match file.read(&mut self.buffer)? {
            Found::Lines(range) => Ok(self.take(range)),
            Found::Torn(range) if *left => Ok(self.take(range)),
            Found::Torn(_) | Found::End => self.look_for_successor(),
            Found::Changed => {
                self.state = match self.position() {
                    Some(position) => State::Seeking { position, since: None },
                    None => State::New,
                };
                Ok(Step::Moved)
            }
        }
    }

    fn take(&mut self, range: Range<usize>) -> Step<'_> {
        let bytes = &self.buffer[range];
        if let State::Reading { file, .. } = &mut self.state {
            file.advance(bytes);
        }
        Step::Lines(bytes)
    }

    /// At the end of the file. The node may write to it until it has written to another, so the end counts only if
    /// it is still the end after that was seen.
    fn look_for_successor(&mut self) -> io::Result<Step<'_>> {
        let State::Reading { file, left } = &mut self.state else { return Ok(Step::Idle) };
        let current = family::if_there(self.path.metadata())?;
        if current.is_none_or(|metadata| FileId::from(&metadata) == file.id()) {
            return Ok(Step::Idle);
        }
        let Some((path, id)) = family::successor(&self.path, file.id())? else { return Ok(Step::Idle) };
        if !std::mem::replace(left, true) {
            return Ok(Step::Moved);
        }
        // Names move on while a rotation is under way; what was found under this one may be another file by now.
        if let Some(next) = family::if_there(LogFile::open(&path, 0))?.filter(|next| next.id() == id) {
            self.before = file.position().or(self.before.take());
            self.state = State::Reading { file: next, left: false };
        }
        Ok(Step::Moved)
    }

    fn seek(&mut self, now: Instant) -> io::Result<Step<'_>> {
        let State::Seeking { position, since } = &mut self.state else { return Ok(Step::Idle) };
        if let Some(file) = family::locate(&self.path, position)? {
            self.state = State::Reading { file, left: false };
            return Ok(Step::Moved);
        }
        if now.saturating_duration_since(*since.get_or_insert(now)) < PATIENCE {
            return Ok(Step::Idle);
        }
        match family::if_there(LogFile::open(&self.path, 0))? {
            Some(file) => {
                self.before = Some(position.clone());
                self.state = State::Reading { file, left: false };
                Ok(Step::Lost)
            }
            None => Ok(Step::Missing),
        }
    }
}

#[cfg(test)]
mod tests;
