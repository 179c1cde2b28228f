//! How each node did with each block of the main chain, measured once, height by height, when all has come that will; and with
//! the transactions of each hour, once that can change no more. Kept for some weeks, so that what a node does now can be held
//! against what it did.
//!
//! Blocks are told as findings of 144 heights ([`BlockTimes`]), and the transactions of an hour are its spread: a restart goes
//! on from both.

mod axis;
mod course;
mod hour;
mod measured;
mod series;
mod time;

use std::{collections::BTreeMap, ops::Range};

use bmon_event::{BlockHash, NodeName, ServerTime};

pub(crate) use self::{
    axis::{Axis, Grain},
    series::Value,
};
use self::{
    course::Course,
    hour::{BEFORE_FIRST_US, TxHours},
    measured::Measured,
};
use super::NetworkState;
use crate::finding::{BlockTimes, DAY, Measure, VersionFrom};

/// Days of which it is kept how each node did: sixteen weeks.
pub const DAYS: u32 = 112;
/// Blocks on top of one from which on it counts as part of the chain. The deepest reorg on main since 2013 had four.
const BURIED: u32 = 6;
/// A block is measured when it was seen so long ago.
const SETTLED_US: i64 = 3_600 * 1_000_000;
/// So many heights below the top are measured first: as far back as it is remembered who saw what.
const BACK: u32 = 144;
/// After a start this long is waited: agents deliver what they kept.
const AFTER_START_US: i64 = 10 * 60 * 1_000_000;

/// The last weeks.
#[derive(Debug, Default)]
pub(crate) struct History {
    blocks: Course<BlockTimes>,
    hours: Course<TxHours>,
    /// When the first block of each day was found.
    begun: BTreeMap<u32, ServerTime>,
}

impl History {
    /// Takes in what an earlier engine measured of blocks, of which the first was found at this time.
    pub(super) fn restore(&mut self, node: &NodeName, times: BlockTimes, begun_at: ServerTime) {
        self.begin_day(times.from_height / DAY, begun_at);
        self.blocks.restore_to(times.from_height.saturating_add(times.length()));
        self.blocks.records.insert((node.clone(), times.from_height / DAY), times);
    }

    /// The last stretch of which all places are measured, by its number: its first place through its length.
    pub(crate) fn last(&self, axis: Axis, grain: Grain) -> Option<u32> {
        let measured = match axis {
            Axis::Height => self.blocks.next,
            Axis::Hour => self.hours.next,
        };
        (measured? / grain.places(axis)).checked_sub(1)
    }

    /// The record of a node's blocks of a day, `None` if nothing was measured or it is forgotten.
    pub(crate) fn record(&self, node: &NodeName, day: u32) -> Option<&BlockTimes> {
        self.blocks.records.get(&(node.clone(), day))
    }

    /// The nodes of which anything is known.
    pub(crate) fn nodes(&self, axis: Axis) -> Vec<NodeName> {
        match axis {
            Axis::Height => self.blocks.nodes(),
            Axis::Hour => self.hours.nodes(),
        }
    }

    /// What was measured in `count` stretches up to that of number `last`, oldest first.
    pub(crate) fn series(
        &self,
        node: &NodeName,
        measure: Measure,
        grain: Grain,
        last: u32,
        count: u32,
    ) -> Vec<Option<Value>> {
        let values = match measure.axis() {
            Axis::Height => &self.blocks.values,
            Axis::Hour => &self.hours.values,
        };
        values.series(node, measure, grain, last, count)
    }

    /// The measure of one block, as it is compared: of durations the logarithm.
    pub(crate) fn of_block(&self, node: &NodeName, measure: Measure, height: u32) -> Option<f64> {
        self.record(node, height / DAY)?.measured(height).of(measure)
    }

    /// The node's version when it told of the block of this height, `None` if it is not known.
    pub(crate) fn version(&self, node: &NodeName, height: u32) -> Option<&str> {
        let versions = &self.record(node, height / DAY)?.versions;
        let told = versions.iter().rev().find(|told| told.height <= height)?;
        Some(&told.version)
    }

    /// The version at this height, and the version before it with the height of the change; `None` in place of that if there was
    /// none as far back as it is known.
    pub(crate) fn last_change(
        &self,
        node: &NodeName,
        height: u32,
    ) -> (Option<&str>, Option<&VersionFrom>, u32) {
        let now = self.version(node, height);
        let (mut since, days) = (height, height / DAY);
        for day in (days.saturating_sub(DAYS)..=days).rev() {
            let Some(record) = self.record(node, day) else { continue };
            for told in record.versions.iter().rev().filter(|told| told.height <= height) {
                if Some(told.version.as_str()) != now {
                    return (now, Some(told), since);
                }
                since = told.height;
            }
        }
        (now, None, since)
    }

    fn push(&mut self, height: u32, measured: Vec<(NodeName, Measured)>) {
        let records = &mut self.blocks.records;
        for (node, measured) in measured {
            let new = || BlockTimes { from_height: height / DAY * DAY, ..BlockTimes::default() };
            records.entry((node, height / DAY)).or_insert_with(new).put(height, measured);
        }
        // What of the day nobody has measured is no end of it.
        for ((_, day), times) in records {
            if *day == height / DAY {
                times.fill(height + 1);
            }
        }
        self.blocks.go_to(height + 1);
    }
}

impl Measure {
    /// What a node did by itself, as it is told to people, by how it is compared.
    pub(crate) fn told(self, compared: f64) -> f64 {
        let shown = self.shown(compared);
        if self == Self::TxArrival { (shown - BEFORE_FIRST_US).max(0.0) } else { shown }
    }

    /// How many times as much as others', or how much more, by how it is compared: of what is compared by ratio that is a
    /// logarithm.
    pub(crate) fn shown(self, compared: f64) -> f64 {
        if self.is_by_ratio() { compared.exp() } else { compared }
    }

    /// The opposite of [`Self::shown`].
    pub(crate) fn compared(self, shown: f64) -> f64 {
        if self.is_by_ratio() { shown.ln() } else { shown }
    }
}

impl NetworkState {
    /// The last weeks.
    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// Goes back to the first of what was measured, and gives the stretches from there on: [`Self::go_on_to`] takes them one
    /// by one.
    pub(crate) fn begin_again(&mut self, axis: Axis) -> Range<u32> {
        match axis {
            Axis::Height => self.history.blocks.begin_again(),
            Axis::Hour => self.history.hours.begin_again(),
        }
    }

    /// Knows nothing of what came after this stretch.
    pub(crate) const fn go_on_to(&mut self, axis: Axis, period: u32) {
        match axis {
            Axis::Height => self.history.blocks.go_on_to(period),
            Axis::Hour => self.history.hours.go_on_to(period),
        }
    }

    /// Takes in what an earlier engine measured of a node's blocks.
    pub(crate) fn restore_block_times(&mut self, node: &NodeName, times: BlockTimes, begun_at: ServerTime) {
        let is_last = self.history.blocks.next.is_none_or(|next| next <= times.from_height + times.length());
        if let Some(last) = times.versions.last().filter(|_| is_last) {
            let version = last.version.clone();
            self.member(node).restore_version(&version);
        }
        self.history.restore(node, times, begun_at);
    }

    /// Measures the blocks of the main chain that have settled.
    pub(crate) fn measure_blocks(&mut self, main: BlockHash, now: ServerTime) {
        if !self.is_looked_at_for(AFTER_START_US, now) {
            return;
        }
        let height = self.tree().and_then(|tree| tree.height(main));
        let Some(top) = height.and_then(|height| height.checked_sub(BURIED)) else { return };
        let mut next = self.history.blocks.next.unwrap_or_else(|| top.saturating_sub(BACK));
        // Nothing is known of what is farther back, and was measured if it ever was.
        next = next.max(top.saturating_sub(2 * DAYS * DAY));
        while next <= top {
            let block = self.known_tree().ancestor(main, next);
            if block.is_some_and(|block| now.micros_since(self.first_time(block)) < SETTLED_US) {
                return;
            }
            if let Some(header) = block.and_then(|block| self.known_tree().get(block))
                && next.is_multiple_of(DAY)
            {
                let found_at = ServerTime::from_micros(i64::from(header.time()) * 1_000_000);
                self.history.begin_day(next / DAY, found_at);
            }
            let measured = block.map(|block| self.measured(block, now)).unwrap_or_default();
            self.history.push(next, measured);
            next += 1;
        }
    }
}
