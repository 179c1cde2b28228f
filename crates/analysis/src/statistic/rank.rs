//! How often such a value came in the past.

use serde::{Deserialize, Serialize};

/// A value among those of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    /// Values of the past.
    pub past: u32,
    /// Those of them that are as large or larger.
    pub as_large: u32,
}

impl Rank {
    /// Of `value` among `past`.
    pub fn of(value: f64, past: &[f64]) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let as_large = past.iter().filter(|other| **other >= value).count();
        Self { past: count(past.len()), as_large: count(as_large) }
    }

    /// The value comes once in so many, counting itself: the largest of 99 is one in 100, since nothing tells that it is rarer.
    pub fn one_in(&self) -> f64 {
        (f64::from(self.past) + 1.0) / (f64::from(self.as_large) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_of_all_is_one_in_all() {
        let past = [1.0, 2.0, 2.0, 3.0];
        assert_eq!(Rank::of(2.0, &past), Rank { past: 4, as_large: 3 });
        assert_eq!(Rank::of(9.0, &past).one_in().to_bits(), 5_f64.to_bits());
        assert_eq!(Rank::of(0.0, &past).one_in().to_bits(), 1_f64.to_bits());
        assert_eq!(Rank::of(0.0, &[]).one_in().to_bits(), 1_f64.to_bits());
    }

    proptest! {
        #[test]
        fn a_larger_value_is_never_more_usual(
            past in prop::collection::vec(-9.0..9.0_f64, 0..50), one in -9.0..9.0_f64, more in 0.0..9.0_f64,
        ) {
            prop_assert!(Rank::of(one + more, &past).one_in() >= Rank::of(one, &past).one_in());
        }
    }
}
