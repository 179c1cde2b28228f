//! The counting, with numbers for names.

use std::collections::BTreeMap;

use bmon_event::{NodeName, ServerTime, Source};

use super::{MOST_PAIRED, NodeSpread, PairSpread, Spread};
use crate::{row::Sighted, sketch::Sketch};

const SECOND_US: i64 = 1_000_000;
/// Minutes in which it is told apart whether a node was telling.
const MINUTES: usize = 60;

/// That a node saw a thing.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The node's number.
    pub node: u16,
    /// Who told.
    pub source: Source,
    /// When.
    pub sighted: Sighted,
    /// Whether it refused it.
    pub is_refused: bool,
}

/// A spread in the making.
#[derive(Debug, Default)]
pub struct Tally {
    /// Things first seen in each minute of the hour.
    items: Vec<u32>,
    nodes: Vec<Node>,
    /// Of nodes a < b at b(b-1)/2 + a.
    pairs: Vec<PairSpread>,
    /// Of the k-th node at k - 2.
    reach: Vec<Sketch>,
}

#[derive(Debug, Default)]
struct Node {
    spread: NodeSpread,
    /// Things that it saw of those first seen in each minute.
    seen: Vec<u32>,
}

/// A sighting on the server's clock.
#[derive(Clone, Copy)]
struct Known {
    node: usize,
    source: Source,
    at: ServerTime,
    bound_us: i64,
}

/// Whether something is added or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
}

impl Tally {
    /// Adds a thing that nodes saw, each once.
    pub fn add(&mut self, seen: &[Seen]) {
        self.change(seen, Change::Add);
    }

    /// Takes away a thing that was added.
    pub fn remove(&mut self, seen: &[Seen]) {
        self.change(seen, Change::Remove);
    }

    /// What it comes to, with the names of the nodes.
    pub fn spread(&self, names: &[NodeName]) -> Spread {
        let told = || (0..).zip(&self.nodes).zip(names).filter(|((_, node), _)| node.spread.seen > 0);
        let node = |((_, node), name): ((usize, &Node), &NodeName)| {
            let missed = missed(&self.items, &node.seen);
            let mut spread = NodeSpread { missed, ..node.spread.clone() };
            spread.delays.retain(|_, sketch| sketch.count() > 0);
            (name.clone(), spread)
        };
        let mut pairs = BTreeMap::new();
        for (place, pair) in self.pairs.iter().enumerate().filter(|(_, pair)| pair.count() > 0) {
            let (a, b) = nodes_of_pair(place);
            let (Some(one), Some(other)) = (names.get(a), names.get(b)) else { continue };
            if one < other {
                pairs.insert((one.clone(), other.clone()), pair.clone());
            } else {
                pairs.insert((other.clone(), one.clone()), pair.turned());
            }
        }
        let reach = (2..).zip(&self.reach).filter(|(_, sketch)| sketch.count() > 0);
        Spread {
            items: self.items.iter().map(|items| u64::from(*items)).sum(),
            nodes: told().map(node).collect(),
            pairs,
            reach: reach.map(|(k, sketch)| (k, sketch.clone())).collect(),
        }
    }

    fn change(&mut self, seen: &[Seen], change: Change) {
        let Some(first) = first(seen) else { return };
        let minute = first.as_micros().div_euclid(60 * SECOND_US).rem_euclid(60);
        let minute = usize::try_from(minute).expect("a minute of an hour is small and not below zero");
        self.items.resize(MINUTES, 0);
        change.count32(&mut self.items[minute]);
        let nodes = seen.iter().map(|seen| usize::from(seen.node) + 1).max().unwrap_or_default();
        if self.nodes.len() < nodes {
            self.nodes.resize_with(nodes, Node::default);
        }
        let mut known = Vec::with_capacity(seen.len());
        for seen in seen {
            let node = &mut self.nodes[usize::from(seen.node)];
            node.seen.resize(MINUTES, 0);
            change.count32(&mut node.seen[minute]);
            change.count(&mut node.spread.seen, true);
            change.count(&mut node.spread.refused, seen.is_refused);
            change.count(&mut node.spread.clock_unknown, seen.sighted.offset.is_none());
            known.extend(Known::of(seen));
        }
        known.sort_unstable_by_key(|known| (known.at, known.node));
        self.change_delays(&known, change);
        self.change_pairs(&known, change);
    }

    fn change_delays(&mut self, known: &[Known], change: Change) {
        let Some(first) = known.first() else { return };
        for (rank, seen) in known.iter().enumerate() {
            let delay_us = seen.at.micros_since(first.at);
            let node = &mut self.nodes[seen.node].spread;
            change.sketch(node.delays.entry(seen.source).or_default(), delay_us);
            change.sketch(&mut node.bounds, seen.bound_us);
            if let Some(place) = rank.checked_sub(1) {
                if self.reach.len() <= place {
                    self.reach.resize_with(place + 1, Sketch::default);
                }
                change.sketch(&mut self.reach[place], delay_us);
            }
        }
        let rest = known.get(1..).unwrap_or_default();
        let is_sure = !rest.is_empty() && rest.iter().all(|other| other.is_surely_after(first));
        let node = &mut self.nodes[first.node].spread;
        change.count(&mut node.first, true);
        change.count(&mut node.surely_first, is_sure);
    }

    fn change_pairs(&mut self, known: &[Known], change: Change) {
        let paired: Vec<&Known> = known.iter().filter(|seen| seen.node < MOST_PAIRED).collect();
        for (rank, earlier) in paired.iter().enumerate() {
            for later in &paired[rank + 1..] {
                let (low, high) = (earlier.node.min(later.node), earlier.node.max(later.node));
                let place = high * high.saturating_sub(1) / 2 + low;
                if self.pairs.len() <= place {
                    self.pairs.resize_with(place + 1, PairSpread::default);
                }
                let pair = &mut self.pairs[place];
                let is_first_earlier = earlier.node == low;
                let is_sure = later.is_surely_after(earlier);
                change.count(&mut pair.open, !is_sure);
                change.count(&mut pair.first_earlier, is_sure && is_first_earlier);
                change.count(&mut pair.second_earlier, is_sure && !is_first_earlier);
                let sketch = if is_first_earlier { &mut pair.second_later } else { &mut pair.first_later };
                change.sketch(sketch, later.at.micros_since(earlier.at));
            }
        }
    }
}

/// When a thing was first seen, on the server's clock; by the clocks that are known if there are any.
pub fn first(seen: &[Seen]) -> Option<ServerTime> {
    let known =
        seen.iter().filter(|seen| seen.sighted.offset.is_some()).map(|seen| seen.sighted.on_server_clock());
    known.min().or_else(|| seen.iter().map(|seen| seen.sighted.on_server_clock()).min())
}

impl Change {
    fn count(self, count: &mut u64, is_one: bool) {
        if is_one {
            *count = if self == Self::Add { *count + 1 } else { count.saturating_sub(1) };
        }
    }

    fn count32(self, count: &mut u32) {
        *count = if self == Self::Add { count.saturating_add(1) } else { count.saturating_sub(1) };
    }

    fn sketch(self, sketch: &mut Sketch, us: i64) {
        if self == Self::Add { sketch.add(us) } else { sketch.remove(us) }
    }
}

impl Known {
    fn of(seen: &Seen) -> Option<Self> {
        let bound_us = seen.sighted.offset?.bound_us();
        let (node, source) = (usize::from(seen.node), seen.source);
        Some(Self { node, source, at: seen.sighted.on_server_clock(), bound_us })
    }

    /// Whether it is later whatever the clocks' errors are.
    const fn is_surely_after(&self, earlier: &Self) -> bool {
        self.at.micros_since(earlier.at) > self.bound_us + earlier.bound_us
    }
}

impl PairSpread {
    /// Things that both saw.
    pub const fn count(&self) -> u64 {
        self.first_earlier + self.second_earlier + self.open
    }

    /// With the two the other way round.
    fn turned(&self) -> Self {
        Self {
            first_earlier: self.second_earlier,
            second_earlier: self.first_earlier,
            open: self.open,
            second_later: self.first_later.clone(),
            first_later: self.second_later.clone(),
        }
    }
}

/// The nodes a < b of the pair at this place.
fn nodes_of_pair(place: usize) -> (usize, usize) {
    let mut b = 1;
    while b * (b + 1) / 2 <= place {
        b += 1;
    }
    (place - b * (b - 1) / 2, b)
}

/// Things that a node did not see although it was telling: it saw others of the same minute, or of the minutes with any before
/// and after.
fn missed(items: &[u32], seen: &[u32]) -> u64 {
    let told = |minute: usize| seen.get(minute).copied().unwrap_or_default();
    let used: Vec<usize> = (0..items.len()).filter(|minute| items[*minute] > 0).collect();
    let mut missed = 0;
    for (place, minute) in used.iter().enumerate() {
        let around =
            [place.checked_sub(1), Some(place + 1)].map(|place| place.and_then(|place| used.get(place)));
        let is_telling =
            told(*minute) > 0 || around.iter().all(|minute| minute.is_some_and(|minute| told(*minute) > 0));
        if is_telling {
            missed += u64::from(items[*minute].saturating_sub(told(*minute)));
        }
    }
    missed
}

#[cfg(test)]
mod tests;
