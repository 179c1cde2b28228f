//! Pools and their shares, which drift and sometimes jump.

use super::random::Random;

/// Shares at the start: a few large pools and many small ones.
const SHARES: [f64; 16] =
    [0.30, 0.17, 0.13, 0.10, 0.07, 0.05, 0.04, 0.03, 0.025, 0.02, 0.015, 0.015, 0.01, 0.01, 0.01, 0.005];
const DAY_S: f64 = 86_400.0;
/// Standard deviation of the logarithm of a pool's size from one day to the next: 12 % in two weeks, 77 % in a year.
const DAILY_DRIFT: f64 = 0.03;
/// How often a pool gains or loses a large customer, and how large: the logarithm of what its size is multiplied by.
const JUMPS_A_DAY: f64 = 1.0 / 365.0;
const JUMP: f64 = 0.5;

#[derive(Debug)]
pub(crate) struct Pools {
    random: Random,
    sizes: Vec<f64>,
    /// The share of pool 0, if it does not drift.
    fixed: Option<f64>,
    drifted_to_s: f64,
}

impl Pools {
    /// With a fixed share there is one pool more, number 0, and the others share the rest.
    pub(crate) fn new(random: Random, fixed: Option<f64>) -> Self {
        let sizes = fixed.into_iter().chain(SHARES).collect();
        Self { random, sizes, fixed, drifted_to_s: 0.0 }
    }

    pub(crate) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// Who finds a block at this time. To be asked with times that rise.
    pub(crate) fn draw(&mut self, at_s: f64) -> usize {
        while self.drifted_to_s < at_s {
            self.drift();
        }
        let own = usize::from(self.fixed.is_some());
        let mut place = self.random.unit();
        if let Some(share) = self.fixed {
            if place < share {
                return 0;
            }
            place = (place - share) / (1.0 - share);
        }
        place *= self.sizes[own..].iter().sum::<f64>();
        for (pool, size) in self.sizes.iter().enumerate().skip(own) {
            place -= size;
            if place < 0.0 {
                return pool;
            }
        }
        self.sizes.len() - 1
    }

    fn drift(&mut self) {
        self.drifted_to_s += DAY_S;
        let own = usize::from(self.fixed.is_some());
        for size in &mut self.sizes[own..] {
            *size *= (self.random.normal() * DAILY_DRIFT).exp();
            if self.random.is(JUMPS_A_DAY) {
                *size *= if self.random.is(0.5) { JUMP } else { -JUMP }.exp();
            }
        }
    }
}
