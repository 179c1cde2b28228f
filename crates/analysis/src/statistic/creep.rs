//! Whether a series has crept up: a change too slow to be seen from one value to the next, found by a cumulative sum with a
//! small slack against how the series began.

use serde::{Deserialize, Serialize};

use super::{Cusum, Rank, Robust, mean, median};

/// When a series has crept up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreepTest {
    /// Values at the end of the series that are looked at.
    pub values: usize,
    /// How many of them it takes at least.
    pub least_values: usize,
    /// The first third of them tells what is usual, but no more than this and no fewer than half of it.
    pub reference: usize,
    /// What a value may exceed the usual by, in scales.
    pub slack: f64,
    /// No value counts for more than so many scales: a few wild ones are no change.
    pub most: f64,
    /// The sum from which on it is an alarm.
    pub bound: f64,
    /// Values at the end whose median is how it stands now.
    pub now: usize,
    /// The scale is no less.
    pub least_scale: f64,
    /// A change by less is none, however sure it is.
    pub least_change: f64,
}

/// How a series stands to how it began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Creep {
    /// The cumulative sum now, in scales.
    pub score: f64,
    /// The place in the series at which it began to grow; the last place if it has not.
    pub from: usize,
    /// What was usual.
    pub usual: Robust,
    /// How it stands now.
    pub now: f64,
    /// That among the values that were usual.
    pub rank: Rank,
    /// What the change looks like.
    pub shape: Shape,
    /// The first place of the new level, if it is a step, whether that fits better or not.
    pub step: usize,
}

/// What a change looks like: which of the two fits the values better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One level until a place, another from there on.
    Step {
        /// The first place of the new level.
        at: usize,
    },
    /// One level until a place, then a steady change.
    Slope {
        /// The change from one place to the next.
        per_place: f64,
    },
}

impl CreepTest {
    /// Judges a series, oldest first, in which a place may be empty. `None` if too few values are there.
    pub fn judge(&self, series: &[Option<f64>]) -> Option<Creep> {
        let begin = series.len().saturating_sub(self.values);
        let places = (begin..).zip(series.get(begin..)?);
        let known: Vec<(usize, f64)> = places.filter_map(|(place, value)| Some((place, (*value)?))).collect();
        if known.len() < self.least_values {
            return None;
        }
        let reference = (known.len() / 3).clamp(self.reference / 2, self.reference).min(known.len());
        let (reference, rest) = known.split_at(reference);
        let reference: Vec<f64> = reference.iter().map(|(_, value)| *value).collect();
        let usual = Robust::of(&reference, self.least_scale)?;
        let (mut cusum, mut from) = (Cusum::new(self.slack), series.len() - 1);
        for (place, value) in rest {
            cusum.push(usual.z(*value).clamp(-self.most, self.most));
            if cusum.length() == 1 {
                from = *place;
            }
        }
        if cusum.length() == 0 {
            from = series.len() - 1;
        }
        let last: Vec<f64> = known.iter().rev().take(self.now).map(|(_, value)| *value).collect();
        let now = median(&last)?;
        let rank = Rank::of(now, &reference);
        let (shape, step) = shape(&known);
        Some(Creep { score: cusum.sum(), from, usual, now, rank, shape, step })
    }

    /// Whether the series has crept up.
    pub fn is_alarm(&self, creep: &Creep) -> bool {
        creep.score >= self.bound && creep.now - creep.usual.median >= self.least_change
    }
}

/// The better fit, by least squares, of every step and of every level that turns into a slope; and the best step.
fn shape(known: &[(usize, f64)]) -> (Shape, usize) {
    let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    let (mut step, mut slope) = ((f64::INFINITY, 0), (f64::INFINITY, 0.0));
    for (cut, (place, _)) in known.iter().enumerate().skip(1) {
        let (before, after) = values.split_at(cut);
        let error = squares(before) + squares(after);
        if error < step.0 {
            step = (error, *place);
        }
        let (error, per_place) = hinge(known, *place);
        if error < slope.0 {
            slope = (error, per_place);
        }
    }
    let shape =
        if slope.0 <= step.0 { Shape::Slope { per_place: slope.1 } } else { Shape::Step { at: step.1 } };
    (shape, step.1)
}

/// The squared distances from the mean, summed.
fn squares(values: &[f64]) -> f64 {
    let middle = mean(values).unwrap_or_default();
    values.iter().map(|value| (value - middle).powi(2)).sum()
}

/// What is left of the squares after the best level that turns into a slope at this place, and that slope.
fn hinge(known: &[(usize, f64)], turn: usize) -> (f64, f64) {
    let beyond: Vec<f64> = known.iter().map(|(place, _)| (place.saturating_sub(turn - 1)) as f64).collect();
    let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    let (x_mean, y_mean) = (mean(&beyond).unwrap_or_default(), mean(&values).unwrap_or_default());
    let products: f64 = beyond.iter().zip(&values).map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let per_place = products / squares(&beyond).max(f64::MIN_POSITIVE);
    (squares(&values) - per_place * products, per_place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEST: CreepTest = CreepTest {
        values: 84,
        least_values: 42,
        reference: 28,
        slack: 0.5,
        most: 2.0,
        bound: 12.0,
        now: 7,
        least_scale: 0.01,
        least_change: 0.1,
    };

    /// Values that scatter about 3 by some 0.1, with `more` added at each place.
    fn series(places: usize, more: impl Fn(f64) -> f64) -> Vec<Option<f64>> {
        let scatter = |place: usize| ((place * 7919) % 13) as f64 / 13.0 - 0.5;
        (0..places).map(|place| Some(3.0 + 0.3 * scatter(place) + more(place as f64))).collect()
    }

    fn judge(places: usize, more: impl Fn(f64) -> f64) -> Creep {
        TEST.judge(&series(places, more)).unwrap()
    }

    #[test]
    fn what_rises_slowly_is_an_alarm_with_its_slope_and_what_stays_is_none() {
        assert!(!TEST.is_alarm(&judge(84, |_| 0.0)));
        let creep = judge(84, |place| (place - 30.0).max(0.0) * 0.007);
        assert!(TEST.is_alarm(&creep), "{creep:?}");
        assert!(
            matches!(creep.shape, Shape::Slope { per_place } if (per_place - 0.007).abs() < 0.002),
            "{creep:?}"
        );
        assert!((28..50).contains(&creep.from) && creep.rank.as_large == 0, "{creep:?}");
    }

    #[test]
    fn a_step_is_told_from_a_slope() {
        let creep = judge(84, |place| if place < 60.0 { 0.0 } else { 0.3 });
        assert!(TEST.is_alarm(&creep));
        assert_eq!((creep.shape, creep.step), (Shape::Step { at: 60 }, 60));
    }

    #[test]
    fn a_few_wild_values_a_fall_and_a_change_too_small_to_matter_are_none() {
        assert!(!TEST.is_alarm(&judge(84, |place| if place > 80.0 { 50.0 } else { 0.0 })));
        assert!(!TEST.is_alarm(&judge(84, |place| -place * 0.01)));
        let creep = judge(84, |place| if place < 40.0 { 0.0 } else { 0.3 });
        assert!(
            TEST.is_alarm(&creep) && !CreepTest { least_change: 0.5, ..TEST }.is_alarm(&creep),
            "{creep:?}"
        );
    }

    #[test]
    fn it_takes_some_values_and_forgets_the_oldest() {
        assert_eq!(TEST.judge(&series(41, |_| 0.0)), None);
        assert!(TEST.judge(&series(42, |_| 0.0)).is_some());
        assert_eq!(TEST.judge(&vec![None; 84]), None);
        // What rose and stayed is usual when the values before are forgotten.
        assert!(!TEST.is_alarm(&judge(200, |place| if place < 100.0 { 0.0 } else { 5.0 })));
    }

    proptest! {
        #[test]
        fn what_is_moved_scores_the_same(
            values in prop::collection::vec(prop::option::weighted(0.95, 0.0..1.0_f64), 50..100),
            move_by in -100.0..100.0_f64,
        ) {
            let moved: Vec<_> = values.iter().map(|value| value.map(|value| value + move_by)).collect();
            match (TEST.judge(&values), TEST.judge(&moved)) {
                (Some(one), Some(other)) => {
                    prop_assert!((one.score - other.score).abs() < 1e-6);
                    prop_assert_eq!(one.from, other.from);
                    prop_assert!(one.from < values.len());
                }
                (one, other) => prop_assert_eq!(one.is_some(), other.is_some()),
            }
        }
    }
}
