//! Where values lie and how far they scatter, whatever a few of them do.

/// What makes the median deviation of a normal law its standard deviation: 1 / Φ⁻¹(3/4).
const OF_NORMAL: f64 = 1.482_602_218_505_602;

/// The natural logarithm of a value that counts as no less than `floor`, which is above 0: what comes first has a delay of
/// 0, and below its resolution a measurement tells nothing.
pub fn ln_at_least(value: f64, floor: f64) -> f64 {
    value.max(floor).ln()
}

/// The value in the middle, of an even number the mean of both. `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let (half, is_even) = (sorted.len() / 2, sorted.len().is_multiple_of(2));
    let upper = *sorted.get(half)?;
    Some(if is_even { f64::midpoint(*sorted.get(half.checked_sub(1)?)?, upper) } else { upper })
}

/// The value that the share `q` of all, from 0 to 1, are not above: between two of them in proportion. `None` of none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place is small and not below zero"
)]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let sorted = sorted(values);
    let place = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let [low, high] = [below, below + 1].map(|place| sorted.get(place).or(sorted.last()).copied());
    Some(low? + (high? - low?) * part)
}

/// The mean of the middle half: nearly as steady as a mean, and a quarter of the values on each side may be anything.
/// `None` of none.
pub fn midmean(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let cut = sorted.len() / 4;
    mean(sorted.get(cut..sorted.len() - cut)?)
}

/// The mean. `None` of none.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The median of values and how far they scatter about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Robust {
    /// The median.
    pub median: f64,
    /// 1.4826 times the median distance from it: the standard deviation, if the law is normal.
    pub scale: f64,
}

impl Robust {
    /// Of these values. The scale is no less than `least_scale`, which is above 0: where most values are equal the median
    /// distance is 0, and every other value would be infinitely unusual. `None` of none.
    pub fn of(values: &[f64], least_scale: f64) -> Option<Self> {
        let middle = median(values)?;
        let distances: Vec<_> = values.iter().map(|value| (value - middle).abs()).collect();
        Some(Self { median: middle, scale: (OF_NORMAL * median(&distances)?).max(least_scale) })
    }

    /// How many scales a value is above the median.
    pub fn z(&self, value: f64) -> f64 {
        (value - self.median) / self.scale
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn medians_and_midmeans_are_those_worked_by_hand() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), Some(3.0));
        assert_eq!(quantile(&[], 0.9), None);
        assert_eq!(quantile(&[7.0], 0.9), Some(7.0));
        assert_eq!(quantile(&[5.0, 1.0, 3.0, 2.0, 4.0, 6.0], 0.9), Some(5.5));
        assert_eq!(midmean(&[]), None);
        assert_eq!(midmean(&[100.0, 1.0, 2.0, 3.0, 4.0, -50.0, 5.0, 7.0]), Some(3.5));
        assert_eq!(midmean(&[1.0, 2.0, 6.0]), Some(3.0));
    }

    #[test]
    fn the_scale_of_a_normal_law_is_its_standard_deviation() {
        // Quantiles of the normal law at (i − ½)/16, its deviations below the median mirrored.
        let half = [0.078_412, 0.237_202, 0.402_250, 0.579_132, 0.776_422, 1.009_990, 1.318_011, 1.862_732];
        let values: Vec<f64> = half.iter().flat_map(|z| [10.0 + 2.0 * z, 10.0 - 2.0 * z]).collect();
        let robust = Robust::of(&values, 1e-3).unwrap();
        assert_near(robust.median, 10.0);
        assert!((robust.scale - 2.0).abs() < 0.02, "{robust:?}");
        assert_near(robust.z(10.0 + 3.0 * robust.scale), 3.0);
    }

    #[test]
    fn equal_values_scatter_by_the_floor() {
        let robust = Robust::of(&[5.0, 5.0, 5.0, 9.0], 0.5).unwrap();
        assert_eq!((robust.scale, robust.z(6.0)), (0.5, 2.0));
    }

    #[test]
    fn the_first_nodes_delay_has_a_logarithm() {
        assert_near(ln_at_least(0.0, 50_000.0), 50_000_f64.ln());
        assert_near(ln_at_least(1e6, 50_000.0), 1e6_f64.ln());
    }

    proptest! {
        #[test]
        fn a_quarter_of_the_values_may_be_anything(
            honest in prop::collection::vec(-1.0..1.0_f64, 12..60),
            wild in prop::collection::vec(-1e9..1e9_f64, 0..4),
        ) {
            let mut values = honest;
            values.extend(wild);
            for location in [median(&values).unwrap(), midmean(&values).unwrap()] {
                prop_assert!(location.abs() <= 1.0, "{location}");
            }
            prop_assert!(Robust::of(&values, 1e-6).unwrap().scale <= 2.0 * OF_NORMAL);
        }

        #[test]
        fn what_is_moved_and_stretched_stands_where_it_stood(
            values in prop::collection::vec(-100.0..100.0_f64, 3..40),
            move_by in -1e3..1e3_f64,
            factor in 0.01..100.0_f64,
        ) {
            let before = Robust::of(&values, 1e-9).unwrap();
            prop_assume!(before.scale > 1e-3);
            let moved: Vec<_> = values.iter().map(|value| value * factor + move_by).collect();
            let after = Robust::of(&moved, 1e-9).unwrap();
            for (value, moved) in values.iter().zip(&moved) {
                prop_assert!((before.z(*value) - after.z(*moved)).abs() < 1e-3);
            }
        }
    }
}
