//! Stretches, each as one value for each node and measure.

use std::collections::BTreeMap;

use bmon_event::NodeName;

use super::{
    axis::{Axis, Grain},
    course::Record,
};
use crate::{
    finding::Measure,
    statistic::{mean, median, midmean, quantile},
};

/// What a node did in a stretch: of what is compared by ratio logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    /// By itself.
    pub(crate) own: f64,
    /// Less what the others did in the same blocks or hours, `None` if there were none.
    pub(crate) to_others: Option<f64>,
}

/// The values of one node in one measure and grain, by the number of the stretch: its first place through its length.
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

    /// Works out the values of one stretch from the records of its day.
    pub(super) fn insert<R: Record>(&mut self, records: &[(&NodeName, &R)], grain: Grain, number: u32) {
        for measure in Measure::ALL.into_iter().filter(|measure| measure.axis() == R::AXIS) {
            for (node, value) in values(records, measure, grain, number) {
                self.0.entry((node.clone(), measure, grain)).or_default().insert(number, value);
            }
        }
    }

    /// Forgets what is before this day.
    pub(super) fn forget_before(&mut self, day: u32, axis: Axis) {
        for ((_, _, grain), stretches) in &mut self.0 {
            *stretches = stretches.split_off(&(day * axis.day() / grain.places(axis)));
        }
        self.0.retain(|_, stretches| !stretches.is_empty());
    }
}

/// The values of each node of which half of the stretch is measured.
fn values<'a, R: Record>(
    records: &[(&'a NodeName, &R)],
    measure: Measure,
    grain: Grain,
    number: u32,
) -> Vec<(&'a NodeName, Value)> {
    let length = grain.places(R::AXIS);
    let places = || number * length..(number + 1) * length;
    let rows: Vec<Vec<Option<f64>>> =
        records.iter().map(|(_, record)| places().map(|place| record.of(measure, place)).collect()).collect();
    let summed =
        |values: Vec<f64>| (values.len() >= length as usize / 2).then(|| summary(measure, &values)).flatten();
    let own: Vec<Option<f64>> =
        rows.iter().map(|row| summed(row.iter().flatten().copied().collect())).collect();
    let to_others = |node: usize| match measure {
        // How far apart values are is a matter of all of them together.
        Measure::ArrivalScatter => Some(own[node]? - median(&others(&own, node))?),
        _ => summed(differences(&rows, measure, node)),
    };
    let value = |node: usize| Some(Value { own: own[node]?, to_others: to_others(node) });
    (0..).zip(records).filter_map(|(place, (node, _))| Some((*node, value(place)?))).collect()
}

/// Place by place, what a node did less what the others did.
fn differences(rows: &[Vec<Option<f64>>], measure: Measure, node: usize) -> Vec<f64> {
    let difference = |(place, value): (usize, &Option<f64>)| {
        let at: Vec<Option<f64>> = rows.iter().map(|row| row[place]).collect();
        Some((*value)? - middle(measure, &others(&at, node))?)
    };
    rows[node].iter().enumerate().filter_map(difference).collect()
}

fn others(values: &[Option<f64>], node: usize) -> Vec<f64> {
    values.iter().enumerate().filter(|(other, _)| *other != node).filter_map(|(_, value)| *value).collect()
}

/// What the others did at one place.
fn middle(measure: Measure, others: &[f64]) -> Option<f64> {
    if measure == Measure::Requests { mean(others) } else { median(others) }
}

/// Many places as one value. Of yes and no there is no middle half; nor of how long it takes to complete a block, which is
/// one thing with a request and another without, so that the middle half would jump from one to the other.
fn summary(measure: Measure, values: &[f64]) -> Option<f64> {
    match measure {
        Measure::Requests | Measure::Reconstruction => mean(values),
        Measure::ArrivalScatter => Some(quantile(values, 0.9)? - median(values)?),
        _ => midmean(values),
    }
}
