//! Going through whole tables, part by part: what exports read.
//!
//! Each walk begins after a place, the oldest or lowest first, hands every item to a [`Visit`], and stops when that breaks.
//! It returns the place after which to go on, `None` at the end. Nothing is sorted: a part costs what its items
//! cost, wherever it begins, and holds no snapshot once it is over.

mod alert;
mod block;
pub(crate) mod finding;
mod header;
mod miner;
mod spread;
pub(crate) mod tx;

use std::ops::ControlFlow;

use bmon_event::{Network, ServerTime};

use super::page::Cursor;
use crate::{Reader, StoreError};

/// What is wanted of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The network.
    pub network: Network,
    /// The first instant, on the server's clock. Tables without times pass over it.
    pub from: ServerTime,
    /// The first instant that is not wanted any more.
    pub until: ServerTime,
}

impl Stretch {
    /// Whether `at` is wanted.
    pub fn holds(&self, at: ServerTime) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// Before the first row of a table that is ordered by time and then by a number.
    fn start(&self) -> Cursor {
        Cursor { at_us: self.from.as_micros(), id: i64::MIN }
    }
}

/// Takes an item, and says whether to go on.
pub type Visit<'a, T> = &'a mut dyn FnMut(T) -> ControlFlow<()>;

/// While it lives, its reader sees the database as it was at the first read.
#[derive(Debug)]
pub struct Snapshot<'a>(#[expect(dead_code, reason = "it is held, not used")] rusqlite::Transaction<'a>);

impl Reader {
    /// What is read from now on, until it is dropped, is of one moment.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        Ok(Snapshot(self.connection.unchecked_transaction()?))
    }
}
