//! Whether one of two that were measured together is larger more often than chance has it, whatever the law of either.

use serde::{Deserialize, Serialize};

use crate::selfish::law::at_least_of;

/// Pairs by which of the two is larger. Equal ones tell nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignTest {
    /// Pairs in which the first is larger.
    pub larger: u32,
    /// Pairs in which it is smaller.
    pub smaller: u32,
    /// Pairs in which both are equal.
    pub equal: u32,
}

impl SignTest {
    /// Of these differences, first less second.
    pub fn of(differences: impl IntoIterator<Item = f64>) -> Self {
        let mut test = Self::default();
        for difference in differences {
            match difference {
                difference if difference > 0.0 => test.larger += 1,
                difference if difference < 0.0 => test.smaller += 1,
                _ => test.equal += 1,
            }
        }
        test
    }

    /// All pairs.
    pub const fn pairs(&self) -> u32 {
        self.larger + self.smaller + self.equal
    }

    /// The chance that so many are on one side, or more, on whichever, if each is as likely: twice the exact binomial tail.
    /// It holds for pairs that do not depend on each other; where they do, it is too small.
    pub fn chance(&self) -> f64 {
        let most = self.larger.max(self.smaller);
        (2.0 * at_least_of(most, self.larger + self.smaller, 0.5)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chance(larger: u32, smaller: u32) -> f64 {
        SignTest { larger, smaller, equal: 3 }.chance()
    }

    #[test]
    fn chances_are_those_of_the_binomial_law() {
        for (larger, smaller, expected) in [
            (0, 0, 1.0),
            (1, 0, 1.0),
            (5, 0, 0.0625),
            (8, 2, 112.0 / 1024.0),
            (2, 8, 112.0 / 1024.0),
            (6, 5, 1.0),
        ] {
            let found = chance(larger, smaller);
            assert!((found - expected).abs() < 1e-12, "{larger} {smaller} {found}");
        }
        // 2 · P(X ≥ 1100 | n = 2000), worked in rational arithmetic.
        assert!((chance(1_100, 900) / 8.457_089_536e-6 - 1.0).abs() < 1e-6, "{:e}", chance(1_100, 900));
    }

    #[test]
    fn equal_pairs_are_counted_apart() {
        let test = SignTest::of([1.0, -2.0, 0.0, 3.0]);
        assert_eq!(test, SignTest { larger: 2, smaller: 1, equal: 1 });
        assert_eq!(test.pairs(), 4);
    }

    proptest! {
        #[test]
        fn a_pair_more_on_the_larger_side_is_never_more_likely(smaller in 0..500_u32, more in 0..500_u32) {
            let larger = smaller + more;
            prop_assert!(chance(larger + 1, smaller) <= chance(larger, smaller) + 1e-12);
            prop_assert!((0.0..=1.0).contains(&chance(larger, smaller)));
        }

        #[test]
        fn both_sides_are_alike(one in 0..500_u32, other in 0..500_u32) {
            prop_assert_eq!(chance(one, other).to_bits(), chance(other, one).to_bits());
        }
    }
}
