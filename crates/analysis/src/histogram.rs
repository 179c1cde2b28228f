//! How long after the first node others saw things, counted since the engine was made: for Prometheus, whose histograms have
//! few buckets and only grow. What is told later than a thing is counted is not in them; [`crate::spread`] has all.

/// Upper bounds of the buckets in microseconds. Half of all peers have a block 1.1 s and a transaction 4.7 s after the first, 99 in
/// a hundred 15 s and 27 s (KIT, measured from November 2024 to October 2025); nodes side by side differ by milliseconds.
pub const BOUNDS_US: [i64; 13] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];

/// Delays by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many are at most the bound at the same place and above the one before.
    pub counts: [u64; BOUNDS_US.len()],
    /// How many there are, those above every bound included.
    pub count: u64,
    /// Their sum in microseconds.
    pub sum_us: u64,
}

impl Histogram {
    /// Adds a delay, none below zero.
    pub fn add(&mut self, us: i64) {
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(us.max(0).unsigned_abs());
        if let Some(count) = self.counts.get_mut(BOUNDS_US.partition_point(|bound| *bound < us)) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_in_the_first_bucket_that_it_does_not_exceed() {
        let mut histogram = Histogram::default();
        for us in [0, 10_000, 10_001, 300_000_000, 300_000_001] {
            histogram.add(us);
        }
        assert_eq!((histogram.counts[0], histogram.counts[1], histogram.counts[12]), (2, 1, 1));
        assert_eq!((histogram.count, histogram.sum_us), (5, 600_020_002));
    }
}
