//! Statistics that survive real data: robust, on logarithms, and judged by the past rather than by a law.
//!
//! Everything here is a pure function of plain series of numbers, and knows nothing of what they measure. Delays are
//! skewed, so callers give logarithms ([`ln_at_least`]); a median and the median deviation do not mind a few wild values;
//! values that follow each other are alike, so that textbook chances of false alarms do not hold: those of [`shift`] and
//! [`creep`] are measured, in `docs/false-alarms.md`, and beside each score stands how often the past had such a value.

pub mod creep;
pub mod cusum;
pub mod rank;
pub mod robust;
pub mod shift;
pub mod sign_test;

pub use self::{
    creep::{Creep, CreepTest, Shape},
    cusum::Cusum,
    rank::Rank,
    robust::{Robust, ln_at_least, mean, median, midmean, quantile},
    shift::{Shift, ShiftTest},
    sign_test::SignTest,
};
