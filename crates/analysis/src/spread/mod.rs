//! How far apart in time the nodes of a network saw the same things.
//!
//! A [`Spread`] tells of all transactions or blocks of a stretch of time: of each node how long after the first it saw them, of
//! each two nodes who was first, and how long it took until so many had them. It is a function of the sightings alone: what was
//! added can be taken away and added anew when a node tells late. Only sightings whose clock is known are compared, and an
//! order that the clocks' errors leave open is counted as open.

mod tally;

use std::collections::BTreeMap;

use bmon_event::{NodeName, Source};

pub use self::tally::{Seen, Tally, first};
use crate::sketch::Sketch;

/// Most nodes of which each two are compared: the pairs of more would take more space than all else.
pub const MOST_PAIRED: usize = 16;

/// How far apart the nodes of a network saw things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// Things that any node saw.
    pub items: u64,
    /// Each node, by its name.
    pub nodes: BTreeMap<NodeName, NodeSpread>,
    /// Each two nodes, in the order of their names; of more than [`MOST_PAIRED`] nodes those that were heard of first.
    pub pairs: BTreeMap<(NodeName, NodeName), PairSpread>,
    /// How long after the first node the k-th saw a thing, by k from 2 on.
    pub reach: BTreeMap<u16, Sketch>,
}

/// When a node saw things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeSpread {
    /// Things it saw.
    pub seen: u64,
    /// Of those, how many it refused.
    pub refused: u64,
    /// Things it did not see although it told of others at that time.
    pub missed: u64,
    /// Things it saw when its clock was not known, which are compared with nothing.
    pub clock_unknown: u64,
    /// Things it saw before every other node as far as is known, alone or not.
    pub first: u64,
    /// Of those, how many it saw first for certain.
    pub surely_first: u64,
    /// How long after the first node, by the source that told the time.
    pub delays: BTreeMap<Source, Sketch>,
    /// Bound on the error of its times, in microseconds.
    pub bounds: Sketch,
}

impl NodeSpread {
    /// How long after the first node, whatever the source.
    pub fn delay(&self) -> Sketch {
        self.delays.values().fold(Sketch::default(), |mut sum, sketch| {
            sum.merge(sketch);
            sum
        })
    }
}

/// When two nodes saw the same things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairSpread {
    /// Things that the first of the two surely saw earlier.
    pub first_earlier: u64,
    /// Things that the second surely saw earlier.
    pub second_earlier: u64,
    /// Things of which the clocks leave open who was earlier.
    pub open: u64,
    /// By how much the second was later, where it was or may have been.
    pub second_later: Sketch,
    /// By how much the first was later.
    pub first_later: Sketch,
}

impl PairSpread {
    /// The median of the second's time minus the first's in microseconds, below zero if the second was mostly earlier.
    pub fn median_us(&self) -> Option<f64> {
        let below = self.first_later.count();
        let middle = (below + self.second_later.count()).checked_sub(1)? / 2;
        match middle.checked_sub(below) {
            Some(rank) => self.second_later.nth(rank),
            None => self.first_later.nth(below - 1 - middle).map(|us| -us),
        }
    }
}

impl Spread {
    /// Adds what another stretch of time tells.
    pub fn merge(&mut self, other: &Self) {
        self.items += other.items;
        for (name, node) in &other.nodes {
            let sum = self.nodes.entry(name.clone()).or_default();
            sum.seen += node.seen;
            sum.refused += node.refused;
            sum.missed += node.missed;
            sum.clock_unknown += node.clock_unknown;
            sum.first += node.first;
            sum.surely_first += node.surely_first;
            sum.bounds.merge(&node.bounds);
            node.delays
                .iter()
                .for_each(|(source, sketch)| sum.delays.entry(*source).or_default().merge(sketch));
        }
        for (names, pair) in &other.pairs {
            let sum = self.pairs.entry(names.clone()).or_default();
            sum.first_earlier += pair.first_earlier;
            sum.second_earlier += pair.second_earlier;
            sum.open += pair.open;
            sum.second_later.merge(&pair.second_later);
            sum.first_later.merge(&pair.first_later);
        }
        for (k, sketch) in &other.reach {
            self.reach.entry(*k).or_default().merge(sketch);
        }
    }
}
