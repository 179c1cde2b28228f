//! Blocks in rapid succession that cause a reorg: a hidden branch, published at once in answer to a public block.
//!
//! A selfish miner who is two blocks ahead publishes both when the others find one (Eyal and Sirer 2014, algorithm 1):
//! the losing block is seen first, then two or more of the winning branch within moments.
//!
//! Under honest mining a race is two miners who found a block before they heard of each other's. It takes until the next
//! block to decide it, which comes after 600 s on average, whatever went before. So, *given that there is a race at all*,
//! k blocks of the winning branch come within t of each other with the chance of k − 1 or more blocks within t
//! ([`law::at_least_within`]). Nothing is asked of the blocks' order there, though a burst has to come after the losing
//! block: the chance is too large rather than too small. It is also taken that the first block was seen up to
//! [`DELAY_ALLOWANCE_US`] late, since races are made by blocks that spread slowly, and such a block makes the next
//! seem closer to it.
//!
//! Blind to a miner who waits between the blocks that he publishes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DELAY_ALLOWANCE_US, MIN_NODES, Seen, SeenBlock, Silence, YEAR_US, law, odds, seconds};

/// Races for each block of the chain: stale blocks on the network of 2023, and again of 2026.
pub const RACES_A_BLOCK: f64 = 0.001_32;

/// What honest mining may do so often a year is an alarm: well under one false alarm a year, for an alarm that pages.
/// With 600 s it is two blocks within 1.05 s.
pub const MAX_EXPECTED_A_YEAR: f64 = 0.25;

/// A race that has been decided.
#[derive(Clone, Copy, Debug)]
pub struct Race<'a> {
    /// The branch that lost, lowest first, from the fork on. Of several the one that was the longest.
    pub loser: &'a [SeenBlock],
    /// The branch that won, lowest first, from the fork on up to the block that made it the longer one.
    pub winner: &'a [SeenBlock],
}

/// Blocks came in rapid succession and won a race.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Burst {
    /// Blocks of the winning branch that came after the last of the losing one.
    pub blocks: u32,
    /// Blocks that lost.
    pub depth: u32,
    /// Nodes that saw all of the winning branch, with known clocks.
    pub nodes: usize,
    /// The most that can lie between the first and the last of the blocks, each where it was seen first, in microseconds.
    pub within_us: i64,
    /// The least that the first of them came after the last losing block, in microseconds.
    pub after_loser_us: i64,
    /// Expected time between two blocks of the network in microseconds.
    pub interval_us: i64,
    /// The chance of this, given a race, if all miners are honest.
    pub chance: f64,
    /// How often a year honest miners do this: races of a year times `chance`.
    pub expected_a_year: f64,
}

impl Burst {
    /// Whether honest mining does it less often than [`MAX_EXPECTED_A_YEAR`].
    pub fn is_alarm(&self) -> bool {
        self.expected_a_year <= MAX_EXPECTED_A_YEAR
    }
}

impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, depth, nodes, within_us, after_loser_us, .. } = self;
        write!(
            f,
            "{blocks} blocks came within {:.2} s, at least {:.2} s after the branch of {depth} that they replaced, as {nodes} \
             nodes saw it; if all miners are honest, the chance of that in a race is {}, which is {:.2} times a year",
            seconds(*within_us),
            seconds(*after_loser_us),
            odds(self.chance),
            self.expected_a_year,
        )
    }
}

/// How the winning branch came, and how likely that is where a block is expected every `interval_us`.
pub fn judge(race: Race<'_>, interval_us: i64) -> Result<Burst, Silence> {
    if race.loser.iter().chain(race.winner).any(|block| block.invalid) {
        return Err(Silence::InvalidBlock);
    }
    let nodes = race.winner.iter().chain(race.loser).map(|block| block.nodes.len()).max().unwrap_or(0);
    let whole: Vec<usize> =
        (0..nodes).filter(|node| race.winner.iter().all(|block| block.seen_by(*node).is_some())).collect();
    let loser =
        race.loser.last().and_then(|tip| Seen::first((0..nodes).filter_map(|node| tip.seen_by(node))));
    let Some(loser) = loser.filter(|_| whole.len() >= MIN_NODES) else {
        return Err(Silence::FewNodes { nodes: whole.len() });
    };
    let firsts = race
        .winner
        .iter()
        .filter_map(|block| Seen::first(whole.iter().filter_map(|node| block.seen_by(*node))));
    let after: Vec<Seen> = firsts.skip_while(|first| first.earliest <= loser.latest).collect();
    let blocks = count(after.len());
    let [first, .., last] = after.as_slice() else { return Err(Silence::NotAfterLoser { blocks }) };
    let within_us = last.at_most_after_us(*first).max(0);
    let chance = chance(blocks, within_us, interval_us);
    Ok(Burst {
        blocks,
        depth: count(race.loser.len()),
        nodes: whole.len(),
        within_us,
        after_loser_us: first.earliest.micros_since(loser.latest),
        interval_us,
        chance,
        expected_a_year: YEAR_US as f64 / interval_us.max(1) as f64 * RACES_A_BLOCK * chance,
    })
}

/// The chance that a branch of honest miners has `blocks` that seem to come within `within_us`.
pub fn chance(blocks: u32, within_us: i64, interval_us: i64) -> f64 {
    let span_us = within_us.max(0).saturating_add(DELAY_ALLOWANCE_US);
    law::at_least_within(blocks.saturating_sub(1), span_us, interval_us)
}

fn count(blocks: usize) -> u32 {
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::selfish::{Sight, tests::block};

    const INTERVAL_US: i64 = 600_000_000;

    fn judged(loser: &[SeenBlock], winner: &[SeenBlock]) -> Result<Burst, Silence> {
        judge(Race { loser, winner }, INTERVAL_US)
    }

    #[test]
    fn two_blocks_published_at_once_in_answer_to_one_are_an_alarm() {
        let burst = judged(&[block(&[0, 900])], &[block(&[1_500, 1_200]), block(&[1_300, 1_290])]).unwrap();
        assert_eq!((burst.blocks, burst.depth, burst.nodes), (2, 1, 2));
        // From 1.200 to 1.290 s and from 0 to 1.200 s, with one millisecond at each end.
        assert_eq!((burst.within_us, burst.after_loser_us), (92_000, 1_198_000));
        assert!((burst.chance - law::within(1_202_000, INTERVAL_US)).abs() < 1e-15);
        assert!((burst.expected_a_year - 52_560.0 * 0.001_32 * burst.chance).abs() < 1e-12);
        assert!(burst.is_alarm(), "{burst}");
    }

    #[test]
    fn a_race_that_the_next_block_decides_is_none() {
        let burst =
            judged(&[block(&[0, 900])], &[block(&[1_500, 1_200]), block(&[400_000, 401_000])]).unwrap();
        assert!((burst.chance - 0.486).abs() < 0.001, "{burst}");
        assert!(!burst.is_alarm());
    }

    #[test]
    fn the_threshold_is_near_one_second_for_two_blocks_and_near_a_minute_for_three() {
        let alarm_up_to = |blocks: &[i64]| {
            let winner: Vec<_> = blocks.iter().map(|ms| block(&[*ms, *ms])).collect();
            judged(&[block(&[0, 0])], &winner).unwrap().is_alarm()
        };
        assert!(alarm_up_to(&[10, 1_060]) && !alarm_up_to(&[10, 1_065]));
        assert!(alarm_up_to(&[10, 20, 50_000]) && !alarm_up_to(&[10, 20, 52_000]));
    }

    #[test]
    fn blocks_before_the_losing_one_are_no_answer_to_it() {
        let late = [block(&[100, 100])];
        assert_eq!(
            judged(&late, &[block(&[50, 60]), block(&[51, 61])]),
            Err(Silence::NotAfterLoser { blocks: 0 })
        );
        // Within the bounds of the clocks it is not sure either.
        let near = [block(&[102, 103]), block(&[110, 110])];
        assert_eq!(judged(&late, &near), Err(Silence::NotAfterLoser { blocks: 1 }));
    }

    #[test]
    fn an_invalid_block_on_either_side_silences_it() {
        let (loser, winner) = ([block(&[0, 0])], [block(&[100, 100]), block(&[101, 101])]);
        let invalid = |block: &SeenBlock| SeenBlock { invalid: true, ..block.clone() };
        assert_eq!(judged(&[invalid(&loser[0])], &winner), Err(Silence::InvalidBlock));
        assert_eq!(judged(&loser, &[winner[0].clone(), invalid(&winner[1])]), Err(Silence::InvalidBlock));
    }

    #[test]
    fn nodes_that_cannot_tell_do_not_count() {
        let (loser, winner) = ([block(&[0, 0, 0])], [block(&[100, 90, 95]), block(&[101, 101, 101])]);
        for sight in [Sight::ClockUnknown, Sight::NotFollowing, Sight::Unseen] {
            let mut winner = winner.clone();
            winner[0].nodes[1] = sight;
            let burst = judged(&loser, &winner).unwrap();
            // The node that saw the first block earliest has no part in it.
            assert_eq!((burst.nodes, burst.within_us), (2, 8_000));
            winner[1].nodes[2] = sight;
            assert_eq!(judged(&loser, &winner), Err(Silence::FewNodes { nodes: 1 }));
        }
        let unseen = SeenBlock { nodes: vec![Sight::Unseen; 3], invalid: false };
        assert_eq!(judged(&[unseen], &winner), Err(Silence::FewNodes { nodes: 3 }));
        assert_eq!(judged(&loser, &[]), Err(Silence::NotAfterLoser { blocks: 0 }));
        assert_eq!(judged(&[], &[]), Err(Silence::FewNodes { nodes: 0 }));
    }

    #[test]
    fn a_wider_clock_bound_makes_it_more_likely() {
        let (loser, mut winner) = ([block(&[0, 0])], [block(&[2_000, 2_000]), block(&[2_010, 2_010])]);
        let sharp = judged(&loser, &winner).unwrap();
        for node in &mut winner[1].nodes {
            let Sight::Seen(seen) = node else { continue };
            seen.latest = seen.latest.plus_micros(1_500_000);
        }
        let blurred = judged(&loser, &winner).unwrap();
        assert!(sharp.is_alarm() && !blurred.is_alarm());
        assert_eq!(blurred.within_us - sharp.within_us, 1_500_000);
    }

    #[test]
    fn it_says_what_it_rests_on() {
        let burst = judged(&[block(&[0, 900])], &[block(&[1_500, 1_200]), block(&[1_300, 1_290])]).unwrap();
        assert_eq!(
            burst.to_string(),
            "2 blocks came within 0.09 s, at least 1.20 s after the branch of 1 that they replaced, as 2 nodes saw it; if all \
             miners are honest, the chance of that in a race is 1 in 500, which is 0.14 times a year"
        );
    }

    proptest! {
        #[test]
        fn a_chance_is_one_and_grows_with_time_and_falls_with_blocks(
            blocks in 0..20_u32, within_us in i64::MIN..i64::MAX, interval_us in i64::MIN..i64::MAX, more in 0..1_000_000_i64,
        ) {
            let found = chance(blocks, within_us, interval_us);
            prop_assert!((0.0..=1.0).contains(&found));
            prop_assert!(chance(blocks + 1, within_us, interval_us) <= found + 1e-12);
            prop_assert!(chance(blocks, within_us.saturating_add(more), interval_us) >= found - 1e-12);
        }
    }
}
