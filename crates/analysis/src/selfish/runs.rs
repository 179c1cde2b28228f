//! Pools that mine more blocks in a row than their shares explain: a selfish miner's blocks reach the chain in runs.
//!
//! In a window of N blocks of which a pool has n, every order is as likely under honest mining, and the number k of
//! adjacent pairs has a known law ([`law::adjacent_pairs`]). Conditioning on n is what makes it independent of the pool's
//! share, as long as that stays the same *within* a window. Over a long time it does not: one window of a year gives
//! false alarms, so that [`WINDOW`] blocks are one window, and k, its mean and its variance are summed over the windows.
//!
//! The chance is the tail of the *exact* law of the sum, the laws of the windows folded into each other: for a small pool
//! the normal tail is ten times too small, and for a large one the exact law costs little. The score z is given beside it
//! for reading only. The chances of all pools are corrected together ([`law::holm`]).
//!
//! Blind to a miner who signs his blocks with many names, and to what a share does within a window.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Silence, law, odds};

/// Blocks of one window: two weeks, the time between two difficulty adjustments.
pub const WINDOW: u32 = 2_016;

/// Windows that are summed at most. Honest mining has a slight excess of its own, since a pool hears of its own block
/// first, and that adds up.
pub const WINDOWS: usize = 4;

/// A pool whose corrected chance is at most this is an alarm. With one judgement each two weeks that is one false alarm in
/// 38 years by the law, and one in 16 to 24 as simulated, with shares that move and pools that hear of their own blocks first.
pub const MAX_CHANCE: f64 = 0.001;

/// Counts the blocks of pools, window by window.
#[derive(Clone, Debug)]
pub struct Runs<P> {
    /// The windows that are full, the latest last.
    full: VecDeque<BTreeMap<P, Count>>,
    current: BTreeMap<P, Count>,
    /// Blocks in the current window.
    blocks: u32,
    last: Option<P>,
}

/// A pool's blocks in a window.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    blocks: u32,
    pairs: u32,
}

/// How the blocks of every pool lie in the last full windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunsReport<P> {
    /// Windows that it is about.
    pub windows: u32,
    /// Blocks of each.
    pub window: u32,
    /// The pools that have two blocks in any window, the least likely first. Their chances are corrected for their number.
    pub pools: Vec<PoolRuns<P>>,
}

/// How the blocks of one pool lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolRuns<P> {
    /// The pool.
    pub pool: P,
    /// Its blocks.
    pub blocks: u32,
    /// Adjacent pairs of them, within windows.
    pub pairs: u32,
    /// Pairs that honest mining gives on average.
    pub expected: f64,
    /// The variance of that number.
    pub variance: f64,
    /// (`pairs` − `expected`) / √`variance`, `None` if only one number is possible.
    pub z: Option<f64>,
    /// The chance of so many pairs, or more, for this pool under honest mining.
    pub chance: f64,
    /// The same, corrected for the number of pools looked at.
    pub corrected: f64,
}

impl<P: Ord + Clone> Runs<P> {
    /// Nothing counted yet.
    pub const fn new() -> Self {
        Self { full: VecDeque::new(), current: BTreeMap::new(), blocks: 0, last: None }
    }

    /// Takes in the next block of the chain, once it is buried. `None` where it is not known whose it is: it counts for
    /// the window, and as no pool's. True if that makes a window full, so that there is something new to judge.
    pub fn push(&mut self, pool: Option<P>) -> bool {
        if let Some(pool) = &pool {
            let is_pair = self.blocks > 0 && self.last.as_ref() == Some(pool);
            let count = self.current.entry(pool.clone()).or_default();
            count.blocks += 1;
            count.pairs += u32::from(is_pair);
        }
        self.last = pool;
        self.blocks += 1;
        if self.blocks < WINDOW {
            return false;
        }
        self.blocks = 0;
        self.full.push_back(std::mem::take(&mut self.current));
        if self.full.len() > WINDOWS {
            self.full.pop_front();
        }
        true
    }

    /// Blocks were missed: the window begins anew, what was full stays.
    pub fn lose(&mut self) {
        self.current.clear();
        (self.blocks, self.last) = (0, None);
    }

    /// How the blocks lie in the last full windows, [`Silence::NotEnoughHistory`] before the first is full.
    pub fn judge(&self) -> Result<RunsReport<P>, Silence> {
        if self.full.is_empty() {
            return Err(Silence::NotEnoughHistory { have: self.blocks, need: WINDOW });
        }
        let mut pools: BTreeMap<&P, Vec<Count>> = BTreeMap::new();
        for (pool, count) in self.full.iter().flatten().filter(|(_, count)| count.blocks > 1) {
            pools.entry(pool).or_default().push(*count);
        }
        let mut pools: Vec<_> =
            pools.into_iter().map(|(pool, counts)| judge(pool.clone(), &counts)).collect();
        let chances: Vec<_> = pools.iter().map(|pool| pool.chance).collect();
        for (pool, corrected) in pools.iter_mut().zip(law::holm(&chances)) {
            pool.corrected = corrected;
        }
        pools.sort_by(|one, other| one.chance.total_cmp(&other.chance));
        let windows = u32::try_from(self.full.len()).unwrap_or(u32::MAX);
        Ok(RunsReport { windows, window: WINDOW, pools })
    }
}

impl<P: Ord + Clone> Default for Runs<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> RunsReport<P> {
    /// The corrected chance of the least likely pool: that of any pool doing this under honest mining.
    pub fn chance(&self) -> f64 {
        self.pools.first().map_or(1.0, |pool| pool.corrected)
    }

    /// Whether that is at most [`MAX_CHANCE`].
    pub fn is_alarm(&self) -> bool {
        self.chance() <= MAX_CHANCE
    }
}

impl<P: fmt::Display> fmt::Display for RunsReport<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = u64::from(self.windows) * u64::from(self.window);
        let Some(PoolRuns { pool, blocks: own, pairs, expected, corrected, .. }) = self.pools.first() else {
            return write!(f, "no pool has two of {blocks} blocks");
        };
        write!(
            f,
            "`{pool}` has {own} of {blocks} blocks and {pairs} times two in a row; if all miners are honest, {expected:.1} are to \
             be expected, and the chance that any of {} pools has so many is {}",
            self.pools.len(),
            odds(*corrected),
        )
    }
}

/// A pool's windows together. Its chance is not corrected yet.
fn judge<P>(pool: P, counts: &[Count]) -> PoolRuns<P> {
    let (mut law, mut judged) = (vec![1.0], PoolRuns::none(pool));
    for count in counts {
        judged.blocks += count.blocks;
        judged.pairs += count.pairs;
        judged.expected += law::adjacent_pairs_mean(count.blocks, WINDOW);
        judged.variance += law::adjacent_pairs_variance(count.blocks, WINDOW);
        law = law::sum(&law, &law::adjacent_pairs(count.blocks, WINDOW));
    }
    let excess = f64::from(judged.pairs) - judged.expected;
    judged.z = (judged.variance > 0.0).then(|| excess / judged.variance.sqrt());
    judged.chance = law::at_least(judged.pairs as usize, &law);
    judged
}

impl<P> PoolRuns<P> {
    const fn none(pool: P) -> Self {
        Self { pool, blocks: 0, pairs: 0, expected: 0.0, variance: 0.0, z: None, chance: 1.0, corrected: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Windows in which `run` blocks of one pool follow `rest` of others, again and again.
    fn runs(run: u32, rest: u32, windows: u32) -> Runs<&'static str> {
        let mut runs = Runs::new();
        for place in 0..windows * WINDOW {
            let other = if place % 2 == 0 { "bob" } else { "carol" };
            runs.push(Some(if place % (run + rest) < run { "alice" } else { other }));
        }
        runs
    }

    #[test]
    fn there_is_not_enough_history_until_a_window_is_full() {
        let mut runs = Runs::new();
        for have in 0..WINDOW {
            assert_eq!(runs.judge(), Err(Silence::NotEnoughHistory { have, need: WINDOW }));
            assert_eq!(runs.push(Some(0)), have == WINDOW - 1);
        }
        let report = runs.judge().unwrap();
        // A pool that has every block can only have all pairs.
        assert_eq!((report.pools[0].pairs, report.pools[0].z), (WINDOW - 1, None));
        assert!(!report.is_alarm());
    }

    #[test]
    fn blocks_that_come_in_pairs_are_an_alarm() {
        let report = runs(2, 6, 1).judge().unwrap();
        let alice = &report.pools[0];
        assert_eq!((alice.pool, alice.blocks, alice.pairs), ("alice", 504, 252));
        assert!((alice.expected - 504.0 * 503.0 / 2_016.0).abs() < 1e-9);
        assert!(alice.z.unwrap() > 13.0 && alice.chance < 1e-40, "{alice:?}");
        assert!(report.is_alarm());
        // The others never follow themselves.
        assert!(report.pools[1].chance > 0.999);
    }

    #[test]
    fn windows_are_summed_up_to_a_limit_and_pairs_do_not_cross_them() {
        for (windows, summed) in [(1, 1), (3, 3), (6, 4)] {
            let report = runs(7, 7, windows).judge().unwrap();
            assert_eq!(report.windows, summed);
            let alice = &report.pools[0];
            assert_eq!((alice.blocks, alice.pairs), (1_008 * summed, 144 * 6 * summed));
        }
        let mut all = Runs::new();
        assert_eq!((0..2 * WINDOW).filter(|_| all.push(Some(1))).count(), 2);
        assert_eq!(all.judge().unwrap().pools[0].pairs, 2 * (WINDOW - 1));
    }

    #[test]
    fn a_loss_begins_the_window_anew_and_unknown_pools_are_no_pool() {
        let mut runs = Runs::new();
        (1..WINDOW).for_each(|_| assert!(!runs.push(Some("alice"))));
        runs.lose();
        for place in 0..WINDOW {
            runs.push((place % 4 == 0).then_some("alice"));
        }
        let report = runs.judge().unwrap();
        assert_eq!((report.pools.len(), report.pools[0].blocks, report.pools[0].pairs), (1, 504, 0));
    }

    #[test]
    fn the_exact_tail_nears_the_normal_one_for_large_counts() {
        // 600 of 2,016 in four windows, 2.92 sigma above the mean: 0.17 % with the normal law.
        let judged = judge("alice", &[Count { blocks: 600, pairs: 192 }; 4]);
        assert!((judged.z.unwrap() - 2.925).abs() < 0.005, "{judged:?}");
        assert!((0.001_7..0.002_1).contains(&judged.chance), "{}", judged.chance);
    }

    #[test]
    fn it_says_what_it_rests_on() {
        assert_eq!(
            runs(2, 6, 1).judge().unwrap().to_string(),
            "`alice` has 504 of 2016 blocks and 252 times two in a row; if all miners are honest, 125.8 are to be expected, and \
             the chance that any of 3 pools has so many is less than 1 in a billion"
        );
        let mut none = Runs::<String>::new();
        assert_eq!((0..WINDOW).filter(|_| none.push(None)).count(), 1);
        assert_eq!(none.judge().unwrap().to_string(), "no pool has two of 2016 blocks");
    }

    proptest! {
        #[test]
        fn more_pairs_are_never_more_likely(
            counts in prop::collection::vec((1..=WINDOW, 0..1_000_u32), 1..5), more in 0..50_u32,
        ) {
            let with = |more: u32| {
                let count = |(blocks, part): &(u32, u32)| {
                    let pairs = (blocks - 1) * part / 1_000;
                    Count { blocks: *blocks, pairs: (pairs + more).min(blocks - 1) }
                };
                judge("alice", &counts.iter().map(count).collect::<Vec<_>>())
            };
            let (few, many) = (with(0), with(more));
            prop_assert!((0.0..=1.0).contains(&few.chance));
            prop_assert!(few.z.is_none_or(f64::is_finite));
            prop_assert!(many.chance <= few.chance + 1e-12);
        }
    }
}
