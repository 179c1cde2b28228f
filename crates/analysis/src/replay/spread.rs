//! How far apart in time several nodes do the same.

use super::report::{Quantiles, Spread};

impl Spread {
    /// From the microseconds between the first node and the last, for each block.
    pub(super) fn new(mut spreads_us: Vec<i64>) -> Self {
        spreads_us.sort_unstable();
        // The smallest value that at least so many per thousand do not exceed: a value that was measured, none between.
        let quantile = |per_mille: usize| {
            let rank = (spreads_us.len() * per_mille).div_ceil(1_000);
            spreads_us.get(rank.checked_sub(1)?).map(|us| *us as f64 / 1e6)
        };
        let quantiles = || {
            Some(Quantiles {
                p50: quantile(500)?,
                p75: quantile(750)?,
                p90: quantile(900)?,
                p95: quantile(950)?,
                p99: quantile(990)?,
                p99_9: quantile(999)?,
            })
        };
        Self { blocks: spreads_us.len(), quantiles: quantiles() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_smallest_value_that_enough_do_not_exceed() {
        let spread = Spread::new((1..=1_000).rev().map(|value| value * 1_000_000).collect());
        let expected = Quantiles { p50: 500.0, p75: 750.0, p90: 900.0, p95: 950.0, p99: 990.0, p99_9: 999.0 };
        assert_eq!((spread.blocks, spread.quantiles), (1_000, Some(expected)));
    }

    #[test]
    fn one_value_is_every_quantile_and_none_is_no_quantile() {
        let expected = Quantiles { p50: 2.5, p75: 2.5, p90: 2.5, p95: 2.5, p99: 2.5, p99_9: 2.5 };
        assert_eq!(Spread::new(vec![2_500_000]).quantiles, Some(expected));
        assert_eq!(Spread::new(Vec::new()).quantiles, None);
    }
}
