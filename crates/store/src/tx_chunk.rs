//! How the transactions of a chunk stand in one value of the database.
//!
//! **Constraints.** Ids do not compress, and times to the microsecond hardly do: everything else has to vanish. The txids
//! must be found without unpacking anything, since they are searched.
//!
//! **Layout.** The version, the number of txids and of wtxids, the txids, the wtxids, and a zstd frame around a protobuf
//! message ([`message`]) in which each node has columns, and each transaction that a block has the number of its block.
//!
//! A clock's interval holds for a second of the node's, so that it follows from the time which one is meant, nearly always.
//!
//! **Operation.** A chunk is always written whole, and is read back exactly as it was written.

mod message;
mod read;
mod write;

use std::collections::HashMap;

use bmon_event::AgentTime;

pub(crate) use self::{
    read::{decode, txids},
    write::encode,
};

/// The first byte.
const VERSION: u8 = 1;

/// Stands for the interval that is to be expected.
const AS_EXPECTED: u32 = 0;
/// Stands for no interval.
const NO_INTERVAL: u32 = 1;
/// Stands for the first interval, one more for the next.
const FIRST_NUMBER: u32 = 2;

/// Which interval is to be expected of a sighting: the one last used in its second, else the next that is new.
#[derive(Default)]
struct Expected(HashMap<i64, usize>);

impl Expected {
    fn number(&self, at: AgentTime, next: usize) -> usize {
        self.0.get(&second(at)).copied().unwrap_or(next)
    }

    fn note(&mut self, at: AgentTime, number: usize) {
        self.0.insert(second(at), number);
    }
}

const fn second(at: AgentTime) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests;
