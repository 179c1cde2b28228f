//! The spread of the transactions of each of the last hours.
//!
//! An hour is that in which its transactions were first seen. It can change for as long as they are in mind, and is said
//! whole each time. When it can change no more it is over, and can be taken once.

use std::collections::BTreeMap;

use bmon_event::{Network, NodeName, ServerTime};

use super::{HOUR_US, SECOND_US};
use crate::{
    row::{Row, TxSpread},
    spread::{Seen, Spread, Tally, first},
};

/// From one saying of an hour that changes to the next.
const PAUSE_US: i64 = 10 * SECOND_US;
/// Most hours in mind: more are there only if clocks are wrong by hours.
const MOST: usize = 8;

/// The hours.
#[derive(Debug, Default)]
pub(super) struct Hours {
    /// Those that can change, by their number since 1970.
    open: BTreeMap<i64, Hour>,
    /// Those that are over and were not taken.
    over: Vec<(ServerTime, Spread)>,
}

#[derive(Debug, Default)]
struct Hour {
    tally: Tally,
    is_changed: bool,
    said_at: ServerTime,
}

impl Hours {
    /// Adds a transaction to its hour, and tells which that is; `None` if it is too old to be counted.
    pub(super) fn add(&mut self, seen: &[Seen], oldest: i64) -> Option<i64> {
        let hour = first(seen)?.as_micros().div_euclid(HOUR_US);
        let is_room = hour >= oldest && (self.open.contains_key(&hour) || self.open.len() < MOST);
        let kept = is_room.then(|| self.open.entry(hour).or_default())?;
        kept.tally.add(seen);
        kept.is_changed = true;
        Some(hour)
    }

    /// Takes a transaction away from the hour that it was added to.
    pub(super) fn remove(&mut self, seen: &[Seen], hour: i64) {
        if let Some(kept) = self.open.get_mut(&hour) {
            kept.tally.remove(seen);
            kept.is_changed = true;
        }
    }

    /// Says what has changed and was not said for a while, and ends what is older than `oldest`.
    pub(super) fn say(
        &mut self,
        network: Network,
        names: &[NodeName],
        oldest: i64,
        now: ServerTime,
        out: &mut Vec<Row>,
    ) {
        for (hour, kept) in &mut self.open {
            let is_due = now.micros_since(kept.said_at) >= PAUSE_US || *hour < oldest;
            if kept.is_changed && is_due {
                (kept.is_changed, kept.said_at) = (false, now);
                let spread = kept.tally.spread(names);
                out.push(Row::TxSpread(Box::new(TxSpread { network, begun_at: begin(*hour), spread })));
            }
        }
        let open = self.open.split_off(&oldest);
        for (hour, kept) in std::mem::replace(&mut self.open, open) {
            self.over.push((begin(hour), kept.tally.spread(names)));
        }
    }

    /// The hours that are over since the last call.
    pub(super) fn take_over(&mut self) -> Vec<(ServerTime, Spread)> {
        std::mem::take(&mut self.over)
    }
}

fn begin(hour: i64) -> ServerTime {
    ServerTime::from_micros(hour * HOUR_US)
}
