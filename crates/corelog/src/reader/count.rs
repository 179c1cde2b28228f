//! Lines by message.

use std::fmt;

use crate::message::{DECLARED, Message, Wording};

/// How often each message was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageCounts([u64; Message::NAMES.len()]);

impl MessageCounts {
    /// Before the first line.
    pub(super) const NONE: Self = Self([0; Message::NAMES.len()]);

    #[inline]
    pub(super) fn add(&mut self, message: &Message<'_>) {
        if let Some(count) = self.0.get_mut(message.index()) {
            *count += 1;
        }
    }

    /// The messages that were read, by name, with how often.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Message::NAMES.iter().copied().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// The messages that were read since `before`, by their wordings, with how often.
    pub(super) fn since(&self, before: &Self) -> impl Iterator<Item = (&'static [Wording], u64)> {
        let counts = self.0.iter().zip(before.0).map(|(now, before)| now.saturating_sub(before));
        DECLARED.iter().copied().zip(counts).filter(|(_, count)| *count > 0)
    }

    /// How often the message of this name was read, `None` when there is no such message.
    pub fn get(&self, name: &str) -> Option<u64> {
        Message::NAMES.iter().position(|known| *known == name).and_then(|index| self.0.get(index).copied())
    }
}

impl Default for MessageCounts {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Debug for MessageCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
