//! Stretches of heights, each as one value for each node and measure.

use std::collections::BTreeMap;

use bmon_event::NodeName;

use super::{DAY, PERIOD};
use crate::{
    finding::{BlockTimes, Measure},
    statistic::{mean, median, midmean},
};

/// How long a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grain {
    /// 24 heights.
    Period,
    /// 144 heights.
    Day,
}

impl Grain {
    /// Its heights.
    pub(crate) const fn heights(self) -> u32 {
        match self {
            Self::Period => PERIOD,
            Self::Day => DAY,
        }
    }
}

/// What a node did in a stretch: of durations logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    /// By itself.
    pub(crate) own: f64,
    /// Less what the others did in the same blocks, `None` if there were none.
    pub(crate) to_others: Option<f64>,
}

/// The values of one node in one measure and grain, by the number of the stretch: its first height through its length.
type Stretches = BTreeMap<u32, Value>;

/// The values of all.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<(NodeName, Measure, Grain), Stretches>);

impl Values {
    pub(super) fn series(
        &self,
        node: &NodeName,
        measure: Measure,
        grain: Grain,
        last: u32,
        count: u32,
    ) -> Vec<Option<Value>> {
        let stretches = self.0.get(&(node.clone(), measure, grain));
        let first = (last + 1).saturating_sub(count);
        (first..=last).map(|number| stretches?.get(&number).copied()).collect()
    }

    /// Works out the values of one stretch.
    pub(super) fn insert(
        &mut self,
        records: &BTreeMap<(NodeName, u32), BlockTimes>,
        grain: Grain,
        number: u32,
    ) {
        let day = number * grain.heights() / DAY;
        let records: Vec<_> = records
            .iter()
            .filter(|((_, of), _)| *of == day)
            .map(|((node, _), times)| (node, times))
            .collect();
        for measure in Measure::ALL {
            for (node, value) in values(&records, measure, grain, number) {
                self.0.entry((node.clone(), measure, grain)).or_default().insert(number, value);
            }
        }
    }

    /// Forgets what is before this day.
    pub(super) fn forget_before(&mut self, day: u32) {
        for ((_, _, grain), stretches) in &mut self.0 {
            *stretches = stretches.split_off(&(day * DAY / grain.heights()));
        }
        self.0.retain(|_, stretches| !stretches.is_empty());
    }
}

/// The values of each node of which half of the stretch is measured.
fn values<'a>(
    records: &[(&'a NodeName, &BlockTimes)],
    measure: Measure,
    grain: Grain,
    number: u32,
) -> Vec<(&'a NodeName, Value)> {
    let heights = number * grain.heights()..(number + 1) * grain.heights();
    let least = heights.len() / 2;
    let (mut own, mut to_others) = (vec![Vec::new(); records.len()], vec![Vec::new(); records.len()]);
    for height in heights {
        let at: Vec<Option<f64>> =
            records.iter().map(|(_, times)| times.measured(height).of(measure)).collect();
        for (place, value) in at.iter().enumerate() {
            let Some(value) = value else { continue };
            let others: Vec<f64> = at
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != place)
                .filter_map(|(_, value)| *value)
                .collect();
            own[place].push(*value);
            to_others[place].extend(middle(measure, &others).map(|others| value - others));
        }
    }
    let nodes = records.iter().zip(own.iter().zip(&to_others));
    let value = |(own, to_others): (&Vec<f64>, &Vec<f64>)| {
        let own = summary(measure, own).filter(|_| own.len() >= least)?;
        let to_others = summary(measure, to_others).filter(|_| to_others.len() >= least);
        Some(Value { own, to_others })
    };
    nodes.filter_map(|((node, _), both)| Some((*node, value(both)?))).collect()
}

/// What the others did with one block.
fn middle(measure: Measure, others: &[f64]) -> Option<f64> {
    if measure == Measure::Requests { mean(others) } else { median(others) }
}

/// Many blocks as one value. Of yes and no there is no middle half; nor of how long it takes to complete a block, which is
/// one thing with a request and another without, so that the middle half would jump from one to the other.
fn summary(measure: Measure, values: &[f64]) -> Option<f64> {
    match measure {
        Measure::Requests | Measure::Reconstruction => mean(values),
        Measure::Arrival | Measure::Processing | Measure::Peers => midmean(values),
    }
}
