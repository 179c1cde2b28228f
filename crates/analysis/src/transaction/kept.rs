//! A chunk in mind: what of it was said, and which of its transactions are counted in their hours.

use bmon_event::ServerTime;

use super::{
    chunk::{Chunk, UNCOUNTED},
    hours::Hours,
};
use crate::{histogram::Histogram, spread::Seen};

/// A chunk, and what of it was said.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) chunk: Chunk,
    pub(super) said_at: Option<ServerTime>,
    /// Whether it was said to be full.
    pub(super) is_full_said: bool,
    /// The first batch with news that is not said.
    pub(super) unsaid_since: Option<u64>,
    /// How many of its transactions, from the first on, have been looked at for their hours.
    pub(super) settled: u16,
    /// How many of those an earlier engine had told of.
    pub(super) restored: u16,
}

impl Kept {
    /// Of which nothing was said yet.
    pub(super) const fn new(chunk: Chunk) -> Self {
        Self { chunk, said_at: None, is_full_said: false, unsaid_since: None, settled: 0, restored: 0 }
    }

    /// Whether it came too late to be counted in its hour.
    pub(super) fn settle_next(
        &mut self,
        hours: &mut Hours,
        oldest: i64,
        delays: &mut Vec<Histogram>,
    ) -> bool {
        let (place, seen) = (self.settled, self.chunk.seen(self.settled));
        self.count(place, &seen, hours, oldest);
        self.settled += 1;
        if place < self.restored {
            return false;
        }
        add_delays(&seen, delays);
        !seen.is_empty() && self.chunk.hours[usize::from(place)] == UNCOUNTED
    }

    /// Counts the transaction at this place in its hour.
    pub(super) fn count(&mut self, place: u16, seen: &[Seen], hours: &mut Hours, oldest: i64) {
        let hour = hours.add(seen, oldest);
        self.chunk.hours[usize::from(place)] =
            hour.and_then(|hour| i32::try_from(hour).ok()).unwrap_or(UNCOUNTED);
    }

    /// Takes it out of the hour that it was counted in as `seen`.
    pub(super) fn uncount(&self, place: u16, seen: &[Seen], hours: &mut Hours) {
        match self.chunk.hours[usize::from(place)] {
            UNCOUNTED => {}
            hour => hours.remove(seen, i64::from(hour)),
        }
    }
}

fn add_delays(seen: &[Seen], delays: &mut Vec<Histogram>) {
    let known = || seen.iter().filter(|seen| seen.sighted.offset.is_some());
    let Some(first) = known().map(|seen| seen.sighted.on_server_clock()).min() else { return };
    for seen in known() {
        let node = usize::from(seen.node);
        if delays.len() <= node {
            delays.resize(node + 1, Histogram::default());
        }
        delays[node].add(seen.sighted.on_server_clock().micros_since(first));
    }
}
