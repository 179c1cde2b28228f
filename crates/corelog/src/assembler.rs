//! What several lines tell together, and lines that belong to a block which they do not name.
//!
//! Threads write between one another, and a log may begin anywhere: a line is given to a block only where the node's
//! source leaves no other. The rest is nobody's.

mod connection;
mod fault;
mod relay;
mod run;

use std::hash::{DefaultHasher, Hasher};

use bmon_event::BlockHash;

use self::fault::Faults;
pub use self::{connection::Disconnected, run::Connected};
pub(crate) use self::{relay::Relay, run::Runs};
use crate::{Line, Message};
use connection::Disconnections;

/// Puts together what the lines of one log tell of blocks. They are named by their places, any numbers that rise.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    runs: Runs,
    disconnections: Disconnections,
    relay: Relay,
    faults: Faults,
}

/// What several lines told together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// A block was connected.
    Connected(Connected),
    /// A block was disconnected.
    Disconnected(Disconnected),
}

/// The thread that wrote a line, `None` where the log does not tell. Kept as a hash, so that any name fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread(Option<u64>);

impl From<Option<&[u8]>> for Thread {
    fn from(name: Option<&[u8]>) -> Self {
        Self::of(name)
    }
}

impl Thread {
    fn of(name: Option<&[u8]>) -> Self {
        Self(name.map(hash))
    }

    const fn is_known(self) -> bool {
        self.0.is_some()
    }
}

impl Assembler {
    /// An assembler that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the message of the line at `place`. `each` is given the lines which are now known to belong to a block
    /// that they do not name, this one or earlier ones, each with the block.
    pub fn feed(
        &mut self,
        place: u64,
        line: &Line<'_>,
        message: &Message<'_>,
        mut each: impl FnMut(u64, BlockHash),
    ) -> Option<Told> {
        if matches!(message, Message::NodeStarted(_)) {
            *self = Self::default();
            return None;
        }
        let thread = Thread::of(line.thread);
        self.relay.take(place, thread, message, &mut each);
        if line.suppressing {
            self.faults = Faults::default();
        } else {
            self.faults.take(place, thread, message, &self.relay, &mut each);
        }
        self.take_failed_run(thread, message, &mut each);
        let disconnected = self.disconnections.take(place, thread, message, &mut each);
        if disconnected.is_some() || matches!(message, Message::DisconnectBlock(_)) {
            self.runs.end();
        }
        if let Some((connected, run)) = self.runs.take(place, thread, message) {
            run.places().for_each(|place| each(place, connected.block));
            return Some(Told::Connected(connected));
        }
        disconnected.map(Told::Disconnected)
    }

    /// The first line that may still come to belong to a block, `None` while there is none.
    pub fn waiting(&self) -> Option<u64> {
        let waiting =
            [self.runs.waiting(), self.disconnections.waiting(), self.relay.waiting(), self.faults.waiting()];
        waiting.into_iter().flatten().min()
    }

    /// Whether the line at `place`, which was fed last, may still come to belong to a block.
    pub fn holds(&self, place: u64) -> bool {
        let last =
            [self.runs.last(), self.disconnections.waiting(), self.relay.waiting(), self.faults.waiting()];
        last.contains(&Some(place))
    }

    /// `ConnectTip` still holds `cs_main` when it says that the block which it began with is invalid.
    fn take_failed_run(
        &mut self,
        thread: Thread,
        message: &Message<'_>,
        each: &mut impl FnMut(u64, BlockHash),
    ) {
        let Message::ConnectTipFailed(failed) = message else { return };
        if let Some(run) = self.runs.end()
            && run.is_whole()
            && run.is_checking()
            && run.thread() == thread
        {
            run.places().for_each(|place| each(place, failed.block));
        }
    }
}

/// Stands for a text that may have any length.
fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}

#[cfg(test)]
mod tests;
