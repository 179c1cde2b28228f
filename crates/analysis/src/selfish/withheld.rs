//! Parents and children that all nodes first saw together: the child may have been kept until its parent was published,
//! or both were.
//!
//! Under honest mining the child is found an exponential time after its parent, 600 s on average, so within t with the
//! chance 1 − e^(−t/600): such pairs are common, 88 a year within 1 s, and one of them says nothing. Of [`WINDOW`] pairs
//! the number of close ones follows the binomial law, and that is what is judged. A pair's distance is the *largest* over
//! the nodes, with all that their clocks leave open. Delays differ from node to node, so that they make a pair seem farther
//! apart to one of them more often than closer to all: simulated, honest mining gives half as many close pairs for two nodes
//! as this law says, and fewer for more. The chance is too large rather than too small.
//!
//! The judgement of a window is for its whole length from the start: so many close ones among all that it *will* have
//! are as unlikely however early they come, and looking after each pair raises no false alarms.
//!
//! Blind to a miner who waits between the blocks that he publishes. It must not wake anybody: it is about weeks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MIN_NODES, SeenBlock, Sight, Silence, YEAR_US, law, odds, seconds};

/// Pairs that are judged together: two weeks of blocks.
pub const WINDOW: u32 = 2_016;

/// A pair is close if its blocks are at most this far apart for all nodes, in microseconds. More than what two blocks
/// that are published together take to be seen by the last of some nodes, and little enough for few honest ones.
pub const CLOSE_US: i64 = 2_000_000;

/// A window whose chance is at most this is an alarm: with 26 windows a year, one false alarm in 38 years by the law, which
/// is too cautious.
pub const MAX_CHANCE: f64 = 0.001;

/// One pair of parent and child.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// The most that can lie between the two for any node, in microseconds.
    pub gap_us: i64,
    /// Nodes that saw both.
    pub nodes: usize,
    /// The chance that honest mining puts a child this close to its parent.
    pub chance: f64,
    /// How often a year it does.
    pub expected_a_year: f64,
}

impl Together {
    /// Whether it counts as close.
    pub const fn is_close(&self) -> bool {
        self.gap_us <= CLOSE_US
    }
}

/// How many parents and children of a window were first seen together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withheld {
    /// Pairs judged so far in this window.
    pub pairs: u32,
    /// Pairs that the window will have.
    pub window: u32,
    /// Pairs left out because the nodes could not tell.
    pub left_out: u32,
    /// Pairs that were close.
    pub close: u32,
    /// What counts as close, in microseconds.
    pub close_us: i64,
    /// The closest pair's distance in microseconds, `None` before the first pair.
    pub closest_us: Option<i64>,
    /// Close pairs that honest mining gives a whole window on average.
    pub expected: f64,
    /// Expected time between two blocks of the network in microseconds.
    pub interval_us: i64,
    /// The chance of so many close ones, or more, in a whole window of honest mining.
    pub chance: f64,
}

impl Withheld {
    /// Whether the chance is at most [`MAX_CHANCE`].
    pub fn is_alarm(&self) -> bool {
        self.chance <= MAX_CHANCE
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} parents and children were first seen within {:.2} s of each other by all nodes; if all miners are honest, \
             {:.1} of {} are to be expected, and the chance of so many is {}",
            self.close,
            self.pairs,
            seconds(self.close_us),
            self.expected,
            self.window,
            odds(self.chance),
        )
    }
}

/// Watches the pairs of the chain, in windows that follow each other.
#[derive(Clone, Debug)]
pub struct Withholding {
    interval_us: i64,
    pairs: u32,
    left_out: u32,
    close: u32,
    closest_us: Option<i64>,
}

impl Withholding {
    /// Nothing seen yet on a network where a block is expected every `interval_us`.
    pub const fn new(interval_us: i64) -> Self {
        Self { interval_us, pairs: 0, left_out: 0, close: 0, closest_us: None }
    }

    /// Goes on with a window as it was.
    pub const fn resumed(window: &Withheld) -> Self {
        let Withheld { pairs, left_out, close, closest_us, interval_us, .. } = *window;
        Self { interval_us, pairs, left_out, close, closest_us }
    }

    /// Takes in a block of the chain and the one after it. Begins a new window if this one is full.
    pub fn push(&mut self, parent: &SeenBlock, child: &SeenBlock) -> Result<Together, Silence> {
        if self.pairs >= WINDOW {
            *self = Self::new(self.interval_us);
        }
        let pair = judge(parent, child, self.interval_us);
        match &pair {
            Err(_) => self.left_out = self.left_out.saturating_add(1),
            Ok(pair) => {
                self.pairs += 1;
                self.close += u32::from(pair.is_close());
                self.closest_us = Some(self.closest_us.map_or(pair.gap_us, |gap| gap.min(pair.gap_us)));
            }
        }
        pair
    }

    /// The window as it is.
    pub fn window(&self) -> Withheld {
        let close_chance = chance(CLOSE_US, self.interval_us);
        Withheld {
            pairs: self.pairs,
            window: WINDOW,
            left_out: self.left_out,
            close: self.close,
            close_us: CLOSE_US,
            closest_us: self.closest_us,
            expected: f64::from(WINDOW) * close_chance,
            interval_us: self.interval_us,
            chance: law::at_least_of(self.close, WINDOW, close_chance),
        }
    }
}

/// How close to its parent the child was seen.
pub fn judge(parent: &SeenBlock, child: &SeenBlock, interval_us: i64) -> Result<Together, Silence> {
    if parent.invalid || child.invalid {
        return Err(Silence::InvalidBlock);
    }
    let (mut nodes, mut gap_us) = (0, 0);
    for pair in parent.nodes.iter().zip(&child.nodes) {
        match pair {
            (Sight::Seen(parent), Sight::Seen(child)) => {
                nodes += 1;
                gap_us = gap_us.max(child.at_most_after_us(*parent));
            }
            (Sight::NotFollowing | Sight::ClockUnknown, _)
            | (_, Sight::NotFollowing | Sight::ClockUnknown) => {}
            (Sight::Unseen, _) | (_, Sight::Unseen) => return Err(Silence::NotSeenByAll),
        }
    }
    if nodes < MIN_NODES {
        return Err(Silence::FewNodes { nodes });
    }
    let chance = chance(gap_us, interval_us);
    let expected_a_year = YEAR_US as f64 / interval_us.max(1) as f64 * chance;
    Ok(Together { gap_us, nodes, chance, expected_a_year })
}

/// The chance that honest mining puts a child within `gap_us` of its parent.
pub fn chance(gap_us: i64, interval_us: i64) -> f64 {
    law::within(gap_us, interval_us)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::selfish::tests::block;

    const INTERVAL_US: i64 = 600_000_000;

    #[test]
    fn a_pair_is_as_far_apart_as_the_node_that_saw_it_farthest() {
        let pair = judge(&block(&[0, 500]), &block(&[300, 1_500]), INTERVAL_US).unwrap();
        assert_eq!((pair.gap_us, pair.nodes), (1_002_000, 2));
        assert!(pair.is_close());
        assert!((pair.chance - (1.0 - (-1.002_f64 / 600.0).exp())).abs() < 1e-12);
        assert!((pair.expected_a_year - 87.7).abs() < 0.1, "{}", pair.expected_a_year);
        assert!(!judge(&block(&[0, 500]), &block(&[300, 2_500]), INTERVAL_US).unwrap().is_close());
    }

    #[test]
    fn a_node_that_was_not_there_is_left_out_and_one_that_has_not_seen_it_is_not() {
        let (parent, child) = (block(&[0, 0, 0]), block(&[10, 10, 600_000]));
        for sight in [Sight::NotFollowing, Sight::ClockUnknown] {
            let mut parent = parent.clone();
            parent.nodes[2] = sight;
            assert_eq!(judge(&parent, &child, INTERVAL_US).unwrap().gap_us, 12_000);
            parent.nodes[1] = sight;
            assert_eq!(judge(&parent, &child, INTERVAL_US), Err(Silence::FewNodes { nodes: 1 }));
        }
        let mut unseen = child.clone();
        unseen.nodes[0] = Sight::Unseen;
        assert_eq!(judge(&parent, &unseen, INTERVAL_US), Err(Silence::NotSeenByAll));
        let invalid = SeenBlock { invalid: true, ..child };
        assert_eq!(judge(&parent, &invalid, INTERVAL_US), Err(Silence::InvalidBlock));
    }

    #[test]
    fn close_pairs_are_counted_against_what_honest_mining_gives() {
        let mut watch = Withholding::new(INTERVAL_US);
        let (parent, near, far) = (block(&[0, 0]), block(&[100, 100]), block(&[60_000, 60_000]));
        let mut alarm_at = None;
        for close in 1..=40 {
            watch.push(&parent, &far).unwrap();
            watch.push(&parent, &near).unwrap();
            if watch.window().is_alarm() {
                alarm_at.get_or_insert(close);
            }
        }
        let window = watch.window();
        assert_eq!((window.pairs, window.close, window.closest_us), (80, 40, Some(102_000)));
        assert!((window.expected - 2_016.0 * (1.0 - (-2.0_f64 / 600.0).exp())).abs() < 1e-9);
        // 6.7 are expected.
        assert_eq!(alarm_at, Some(17));
    }

    #[test]
    fn a_full_window_gives_way_to_a_new_one() {
        let mut watch = Withholding::new(INTERVAL_US);
        let (parent, near) = (block(&[0, 0]), block(&[100, 100]));
        assert_eq!(watch.push(&parent, &block(&[5])), Err(Silence::FewNodes { nodes: 1 }));
        for _ in 0..WINDOW {
            watch.push(&parent, &near).unwrap();
        }
        assert_eq!((watch.window().close, watch.window().left_out), (WINDOW, 1));
        assert_eq!(Withholding::resumed(&watch.window()).window(), watch.window());
        watch.push(&parent, &near).unwrap();
        assert_eq!((watch.window().pairs, watch.window().close, watch.window().left_out), (1, 1, 0));
    }

    #[test]
    fn it_says_what_it_rests_on() {
        let mut watch = Withholding::new(INTERVAL_US);
        watch.push(&block(&[0, 0]), &block(&[100, 100])).unwrap();
        assert_eq!(
            watch.window().to_string(),
            "1 of 1 parents and children were first seen within 2.00 s of each other by all nodes; if all miners are \
             honest, 6.7 of 2016 are to be expected, and the chance of so many is 100 %"
        );
    }

    proptest! {
        #[test]
        fn a_chance_is_one_and_grows_with_the_gap(
            gap_us in i64::MIN..i64::MAX, interval_us in i64::MIN..i64::MAX, more in 0..i64::MAX,
        ) {
            let found = chance(gap_us, interval_us);
            prop_assert!((0.0..=1.0).contains(&found));
            prop_assert!(chance(gap_us.saturating_add(more), interval_us) >= found);
        }
    }
}
