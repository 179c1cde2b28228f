//! A distribution of durations in little space, with a known error (`DDSketch`: Masson, Rim and Lee, VLDB 2019).
//!
//! Bucket i holds the values from above γ^(i-1) to γ^i, and any of them is told as 2γ^i/(γ+1), which is within 1 % of it.
//! Counts of two sketches add up to the sketch of both, and what was added can be taken away again: so a sketch is a function
//! of the values alone, in whatever order they came.

use std::collections::BTreeMap;

/// The largest relative error of what a sketch tells.
pub const RELATIVE_ERROR: f64 = 0.01;
const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);
/// 1/ln(γ), by ln((1+α)/(1-α)) = 2 artanh(α) in its series.
const INVERSE_LN_GAMMA: f64 = 1.0
    / (2.0
        * (RELATIVE_ERROR
            + RELATIVE_ERROR * RELATIVE_ERROR * RELATIVE_ERROR / 3.0
            + RELATIVE_ERROR * RELATIVE_ERROR * RELATIVE_ERROR * RELATIVE_ERROR * RELATIVE_ERROR / 5.0));

/// Durations in microseconds, none below zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Values of 0, which no bucket holds.
    zeros: u64,
    count: u64,
    /// The lowest bucket of `counts`.
    first: u16,
    counts: Vec<u32>,
}

impl Sketch {
    /// Adds a value. What is below zero counts as zero.
    pub fn add(&mut self, us: i64) {
        self.count += 1;
        match bucket(us) {
            None => self.zeros += 1,
            Some(bucket) => {
                let count = self.at(bucket);
                *count = count.saturating_add(1);
            }
        }
    }

    /// Takes away a value that was added.
    pub fn remove(&mut self, us: i64) {
        self.count = self.count.saturating_sub(1);
        match bucket(us) {
            None => self.zeros = self.zeros.saturating_sub(1),
            Some(bucket) => {
                let count = self.at(bucket);
                *count = count.saturating_sub(1);
                self.trim();
            }
        }
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.count += other.count;
        for (bucket, added) in other.buckets() {
            let count = self.at(bucket);
            *count = count.saturating_add(added);
        }
    }

    /// How many values there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The value below which the share `q` of all lie, in microseconds; `None` if there are none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is small and not below zero"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.nth((q.clamp(0.0, 1.0) * self.count.checked_sub(1)? as f64) as u64)
    }

    /// The value that so many are not above, in microseconds, counted from 0; `None` if there are not so many.
    pub fn nth(&self, rank: u64) -> Option<f64> {
        let mut below = self.zeros;
        if rank < below {
            return Some(0.0);
        }
        let reached = |(_, count): &(u16, u32)| {
            below += u64::from(*count);
            rank < below
        };
        self.buckets().find(reached).map(|(bucket, _)| value(bucket))
    }

    /// How many values are at most `us`, to within the error.
    pub fn count_to(&self, us: i64) -> u64 {
        let Some(last) = bucket(us) else { return self.zeros };
        let counts = self.buckets().take_while(|(bucket, _)| *bucket <= last);
        self.zeros + counts.map(|(_, count)| u64::from(count)).sum::<u64>()
    }

    /// Zeros, and the buckets that are not empty.
    pub fn parts(&self) -> (u64, impl Iterator<Item = (u16, u32)>) {
        (self.zeros, self.buckets())
    }

    /// From zeros and buckets, of which no two are the same.
    pub fn from_parts(zeros: u64, buckets: &BTreeMap<u16, u32>) -> Self {
        let mut sketch = Self { zeros, count: zeros, ..Self::default() };
        for (bucket, count) in buckets {
            sketch.count += u64::from(*count);
            *sketch.at(*bucket) += count;
        }
        sketch.trim();
        sketch
    }

    fn buckets(&self) -> impl Iterator<Item = (u16, u32)> {
        (self.first..).zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// The count of a bucket, for which room is made.
    fn at(&mut self, bucket: u16) -> &mut u32 {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let missing = usize::from(self.first - bucket);
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bucket;
        }
        let index = usize::from(bucket - self.first);
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        &mut self.counts[index]
    }

    /// Leaves no empty bucket at either end, so that equal distributions are equal sketches.
    fn trim(&mut self) {
        let used = self.counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        self.counts.truncate(used);
        let empty = self.counts.iter().take_while(|count| **count == 0).count();
        self.counts.drain(..empty);
        self.first = if self.counts.is_empty() {
            0
        } else {
            self.first.saturating_add(u16::try_from(empty).unwrap_or(u16::MAX))
        };
    }
}

/// The bucket of a value, `None` for zero and below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "even the largest value has a bucket below 2,200"
)]
fn bucket(us: i64) -> Option<u16> {
    (us > 0).then(|| ((us as f64).ln() * INVERSE_LN_GAMMA).ceil() as u16)
}

/// What a bucket's values are told as, in microseconds.
fn value(bucket: u16) -> f64 {
    2.0 * GAMMA.powi(i32::from(bucket)) / (GAMMA + 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sketch(values: &[i64]) -> Sketch {
        let mut sketch = Sketch::default();
        for us in values {
            sketch.add(*us);
        }
        sketch
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is below `count`")]
    fn rank(q: f64, count: usize) -> usize {
        (q * (count - 1) as f64) as usize
    }

    fn any_value() -> impl Strategy<Value = i64> {
        prop_oneof![Just(0), 1..100_i64, 1..10_000_000_i64, 1..=i64::MAX]
    }

    #[test]
    fn the_factor_is_what_it_should_be() {
        assert!(
            (INVERSE_LN_GAMMA - 1.0 / GAMMA.ln()).abs() < 1e-6,
            "{INVERSE_LN_GAMMA} {}",
            1.0 / GAMMA.ln()
        );
    }

    #[test]
    fn nothing_has_no_quantile_and_zeros_have_zero() {
        assert_eq!(Sketch::default().quantile(0.5), None);
        let sketch = sketch(&[0, 0, 0, 1_000]);
        assert_eq!((sketch.quantile(0.5), sketch.count_to(0), sketch.count_to(2_000)), (Some(0.0), 3, 4));
    }

    proptest! {
        #[test]
        fn every_quantile_is_within_one_percent(mut values in prop::collection::vec(any_value(), 1..300), q in 0.0..=1.0) {
            let told = sketch(&values).quantile(q).unwrap();
            values.sort_unstable();
            let exact = values[rank(q, values.len())] as f64;
            prop_assert!((told - exact).abs() <= exact * (RELATIVE_ERROR + 1e-9), "{told} {exact}");
        }

        #[test]
        fn two_together_are_the_sketch_of_both_and_what_is_taken_away_leaves_nothing(
            one in prop::collection::vec(any_value(), 0..100), other in prop::collection::vec(any_value(), 0..100),
        ) {
            let (first, second) = (sketch(&one), sketch(&other));
            let mut both = first.clone();
            both.merge(&second);
            prop_assert_eq!(&both, &sketch(&[one, other.clone()].concat()));
            for us in &other {
                both.remove(*us);
            }
            prop_assert_eq!(both, first);
        }

        #[test]
        fn a_sketch_is_the_same_after_being_taken_apart(values in prop::collection::vec(any_value(), 0..100)) {
            let sketch = sketch(&values);
            let (zeros, buckets) = sketch.parts();
            prop_assert_eq!(Sketch::from_parts(zeros, &buckets.collect()), sketch);
        }
    }
}
