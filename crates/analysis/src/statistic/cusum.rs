//! The cumulative sum (Page, "Continuous Inspection Schemes", 1954): small shifts that last add up, chance does not.

/// A sum that grows by how much each value exceeds a slack, and is never below 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    slack: f64,
    sum: f64,
    length: usize,
}

impl Cusum {
    /// One that lets each value, in scales, exceed the usual by `slack`: half of the shift that it is to find soonest.
    pub const fn new(slack: f64) -> Self {
        Self { slack, sum: 0.0, length: 0 }
    }

    /// Takes in a value, in scales above the usual: S = max(0, S + z − k).
    pub fn push(&mut self, z: f64) {
        self.sum = (self.sum + z - self.slack).max(0.0);
        self.length = if self.sum > 0.0 { self.length + 1 } else { 0 };
    }

    /// The sum now.
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// How many values have gone by since it was last 0.
    pub const fn length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sum_is_the_one_worked_by_hand() {
        let mut cusum = Cusum::new(0.5);
        let sums = [0.4, 1.5, 2.0, -1.0, -9.0, 1.0].map(|z| {
            cusum.push(z);
            (cusum.sum(), cusum.length())
        });
        assert_eq!(sums, [(0.0, 0), (1.0, 1), (2.5, 2), (1.0, 3), (0.0, 0), (0.5, 1)]);
    }

    proptest! {
        #[test]
        fn it_is_the_largest_sum_of_any_end_of_the_series(values in prop::collection::vec(-5.0..5.0_f64, 0..50)) {
            let mut cusum = Cusum::new(0.5);
            for z in &values {
                cusum.push(*z);
            }
            let (mut sum, mut largest) = (0.0_f64, 0.0_f64);
            for z in values.iter().rev() {
                sum += z - 0.5;
                largest = largest.max(sum);
            }
            prop_assert!((cusum.sum() - largest).abs() < 1e-9);
        }
    }
}
