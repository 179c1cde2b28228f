//! Reading a spool from some record to its end.

use std::ops::RangeInclusive;

use crate::segment::{Item, Scan};
use crate::{Spool, SpoolError};

/// A record as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub sequence: u64,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// The records of a spool in order, one segment in memory at a time. [`SpoolError::Damaged`] stands where records are
/// lost and the reading goes on behind it; after any other error it ends.
pub struct Records<'a> {
    spool: &'a Spool,
    from: u64,
    /// Index of the segment that is read when `scan` is at its end.
    place: usize,
    scan: Option<Scan>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(spool: &'a Spool, from: u64) -> Self {
        Self { spool, from, place: spool.place_of(from), scan: None }
    }

    fn next_in_segment(&mut self) -> Option<Result<Record, SpoolError>> {
        let scan = self.scan.as_mut()?;
        while let Some(item) = scan.next_item() {
            match item {
                Item::Record { sequence, payload, .. } if sequence >= self.from => {
                    return Some(Ok(Record { sequence, payload: payload.to_vec() }));
                }
                Item::Lost(range) if *range.end() >= self.from => {
                    let lost: RangeInclusive<u64> = self.from.max(*range.start())..=*range.end();
                    return Some(Err(SpoolError::Damaged(lost)));
                }
                Item::Record { .. } | Item::Lost(_) => {}
            }
        }
        None
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.next_in_segment() {
                return Some(found);
            }
            if self.place >= self.spool.segments.len() {
                return None;
            }
            match Scan::of(self.spool, self.place) {
                Ok(scan) => self.scan = Some(scan),
                Err(error) => {
                    self.scan = None;
                    self.place = self.spool.segments.len();
                    return Some(Err(error));
                }
            }
            self.place += 1;
        }
    }
}
