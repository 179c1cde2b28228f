//! What was measured along one axis over the last weeks, as it came and put together to stretches.

use std::{collections::BTreeMap, ops::Range};

use bmon_event::NodeName;

use super::{
    DAYS,
    axis::{Axis, Grain},
    series::Values,
};
use crate::finding::Measure;

/// What was measured of one node in one day.
pub(super) trait Record {
    /// Along what.
    const AXIS: Axis;

    /// As it is compared: of what is compared by ratio the logarithm.
    fn of(&self, measure: Measure, place: u32) -> Option<f64>;
}

#[derive(Debug)]
pub(super) struct Course<R> {
    /// By node and day, which is the first place through the places of a day.
    pub(super) records: BTreeMap<(NodeName, u32), R>,
    /// The place to measure next, `None` before the first.
    pub(super) next: Option<u32>,
    pub(super) values: Values,
    /// The values are those of the records.
    is_valued: bool,
}

impl<R> Default for Course<R> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), next: None, values: Values::default(), is_valued: false }
    }
}

impl<R: Record> Course<R> {
    const PERIOD: u32 = Grain::Period.places(R::AXIS);
    const DAY: u32 = R::AXIS.day();

    /// Everything below this place was measured by an earlier engine.
    pub(super) fn restore_to(&mut self, next: u32) {
        self.next = self.next.max(Some(next));
        self.is_valued = false;
    }

    /// Everything below this place is measured.
    pub(super) fn go_to(&mut self, next: u32) {
        let begun = self.next.unwrap_or(next.saturating_sub(1)) / Self::PERIOD;
        self.next = Some(next);
        for period in begun..next / Self::PERIOD {
            self.end_period(period);
        }
    }

    /// The nodes of which anything is known.
    pub(super) fn nodes(&self) -> Vec<NodeName> {
        let mut nodes: Vec<NodeName> = Vec::new();
        for (node, _) in self.records.keys() {
            if nodes.last() != Some(node) {
                nodes.push(node.clone());
            }
        }
        nodes
    }

    /// Goes back to the first of what was measured, and gives the stretches from there on: [`Self::go_on_to`] takes them one
    /// by one.
    pub(super) fn begin_again(&mut self) -> Range<u32> {
        let end = self.next.take().unwrap_or_default() / Self::PERIOD;
        self.value_all(end);
        self.first_period().unwrap_or(end)..end
    }

    /// Knows nothing of what came after this stretch.
    pub(super) const fn go_on_to(&mut self, period: u32) {
        self.next = Some((period + 1) * Self::PERIOD);
    }

    /// All places of this stretch are measured.
    fn end_period(&mut self, period: u32) {
        let first = (period * Self::PERIOD / Self::DAY).saturating_sub(DAYS);
        self.records.retain(|(_, day), _| *day >= first);
        self.values.forget_before(first, R::AXIS);
        if !self.is_valued {
            self.value_all(period);
        }
        self.value(period);
    }

    /// Values all stretches before this one, after a restart.
    fn value_all(&mut self, period: u32) {
        for before in self.first_period().unwrap_or(period)..period {
            self.value(before);
        }
        self.is_valued = true;
    }

    fn first_period(&self) -> Option<u32> {
        self.records.keys().map(|(_, day)| day * (Self::DAY / Self::PERIOD)).min()
    }

    fn value(&mut self, period: u32) {
        self.insert(Grain::Period, period);
        let end = (period + 1) * Self::PERIOD;
        if end.is_multiple_of(Self::DAY) {
            self.insert(Grain::Day, end / Self::DAY - 1);
        }
    }

    /// Works out the values of one stretch.
    fn insert(&mut self, grain: Grain, number: u32) {
        let day = number * grain.places(R::AXIS) / Self::DAY;
        let records: Vec<_> = self
            .records
            .iter()
            .filter(|((_, of), _)| *of == day)
            .map(|((node, _), record)| (node, record))
            .collect();
        self.values.insert(&records, grain, number);
    }
}
