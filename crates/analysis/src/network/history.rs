//! How each node did with each block of the main chain: measured once, height by height, when all has come that will, and
//! kept for some weeks, so that what it does now can be held against what it did.
//!
//! It is told as findings of 144 heights ([`BlockTimes`]), from which a restart goes on.

mod measured;
mod series;

use std::collections::BTreeMap;

use bmon_event::{BlockHash, NodeName, ServerTime};

pub(crate) use self::series::{Grain, Value};
use self::{measured::Measured, series::Values};
use super::NetworkState;
use crate::finding::{BlockTimes, DAY, Measure, VersionFrom};

/// Heights of a short stretch: four hours on main.
pub(crate) const PERIOD: u32 = 24;
/// Days of heights that are kept: sixteen weeks on main.
pub(crate) const DAYS: u32 = 112;
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
    /// By node and day, which is the first height through 144.
    records: BTreeMap<(NodeName, u32), BlockTimes>,
    /// The height to measure next, `None` before the first.
    next: Option<u32>,
    values: Values,
    /// The values are those of the records.
    is_valued: bool,
}

impl History {
    /// Takes in what an earlier engine measured.
    pub(super) fn restore(&mut self, node: &NodeName, times: BlockTimes) {
        let next = times.from_height.saturating_add(times.length());
        self.next = self.next.max(Some(next));
        self.records.insert((node.clone(), times.from_height / DAY), times);
        self.is_valued = false;
    }

    /// The last stretch of which all heights are measured, by its number: its first height through 24.
    pub(crate) fn last_period(&self) -> Option<u32> {
        (self.next? / PERIOD).checked_sub(1)
    }

    /// The record of a node and day, `None` if nothing was measured or it is forgotten.
    pub(crate) fn record(&self, node: &NodeName, day: u32) -> Option<&BlockTimes> {
        self.records.get(&(node.clone(), day))
    }

    /// The nodes of which anything is known.
    pub(crate) fn nodes(&self) -> Vec<NodeName> {
        let mut nodes: Vec<NodeName> = Vec::new();
        for (node, _) in self.records.keys() {
            if nodes.last() != Some(node) {
                nodes.push(node.clone());
            }
        }
        nodes
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
        self.values.series(node, measure, grain, last, count)
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
        for (node, measured) in measured {
            let times = self
                .records
                .entry((node, height / DAY))
                .or_insert_with(|| BlockTimes { from_height: height / DAY * DAY, ..BlockTimes::default() });
            times.put(height, measured);
        }
        // What of the day nobody has measured is no end of it.
        for ((_, day), times) in &mut self.records {
            if *day == height / DAY {
                times.fill(height + 1);
            }
        }
        self.next = Some(height + 1);
        if (height + 1).is_multiple_of(PERIOD) {
            self.end_period(height / PERIOD);
        }
    }

    /// All heights of this stretch are measured.
    fn end_period(&mut self, period: u32) {
        let first = (period * PERIOD / DAY).saturating_sub(DAYS);
        self.records.retain(|(_, day), _| *day >= first);
        self.values.forget_before(first);
        if !self.is_valued {
            self.value_all(period);
        }
        self.value(period);
    }

    /// Values all stretches before this one, after a restart.
    fn value_all(&mut self, period: u32) {
        let first = self.records.keys().map(|(_, day)| *day).min();
        for before in first.map_or(period, |day| day * (DAY / PERIOD))..period {
            self.value(before);
        }
        self.is_valued = true;
    }

    fn value(&mut self, period: u32) {
        self.values.insert(&self.records, Grain::Period, period);
        let end = (period + 1) * PERIOD;
        if end.is_multiple_of(DAY) {
            self.values.insert(&self.records, Grain::Day, end / DAY - 1);
        }
    }
}

impl NetworkState {
    /// The last weeks.
    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// Goes back to the first of what was measured, and gives the stretches from there on: [`Self::go_on_to`] takes them one
    /// by one.
    pub(crate) fn begin_again(&mut self) -> std::ops::Range<u32> {
        let end = self.history.next.unwrap_or_default() / PERIOD;
        self.history.value_all(end);
        let first = self.history.records.keys().map(|(_, day)| day * (DAY / PERIOD)).min();
        first.unwrap_or(end)..end
    }

    /// Knows nothing of what came after this stretch.
    pub(crate) const fn go_on_to(&mut self, period: u32) {
        self.history.next = Some((period + 1) * PERIOD);
    }

    /// Takes in what an earlier engine measured of a node's blocks.
    pub(crate) fn restore_block_times(&mut self, node: &NodeName, times: BlockTimes) {
        let is_last = self.history.next.is_none_or(|next| next <= times.from_height + times.length());
        if let Some(last) = times.versions.last().filter(|_| is_last) {
            let version = last.version.clone();
            self.member(node).restore_version(&version);
        }
        self.history.restore(node, times);
    }

    /// Measures the blocks of the main chain that have settled.
    pub(crate) fn measure_blocks(&mut self, main: BlockHash, now: ServerTime) {
        if !self.is_looked_at_for(AFTER_START_US, now) {
            return;
        }
        let height = self.tree().and_then(|tree| tree.height(main));
        let Some(top) = height.and_then(|height| height.checked_sub(BURIED)) else { return };
        let mut next = self.history.next.unwrap_or_else(|| top.saturating_sub(BACK));
        // Nothing is known of what is farther back, and was measured if it ever was.
        next = next.max(top.saturating_sub(2 * DAYS * DAY));
        while next <= top {
            let block = self.known_tree().ancestor(main, next);
            if block.is_some_and(|block| now.micros_since(self.first_time(block)) < SETTLED_US) {
                return;
            }
            let measured = block.map(|block| self.measured(block, now)).unwrap_or_default();
            self.history.push(next, measured);
            next += 1;
        }
    }
}
