//! A block's way through every node: the steps of all its sources in one row, side by side with the other nodes'.

use std::collections::BTreeMap;

use bmon_analysis::row::{Announcement, BlockStep, Reconstruction, Sighted, Stage, Step};
use bmon_event::{NodeName, Source};
use bmon_store::BlockTimes;
use serde::{Deserialize, Serialize};

use super::{Arrival, arrival::arrivals};

/// A block's way through one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The node, when it took its first step, and how long after the first step of the first node: these fields stand
    /// beside the next.
    #[serde(flatten)]
    pub first: Arrival,
    /// The steps that it told, in the order in which it took them.
    pub steps: Vec<StepAt>,
}

/// A step, and when a node took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepAt {
    /// The step, and what was told of it: these fields stand beside the next.
    #[serde(flatten)]
    pub step: Passed,
    /// Who told: the log where it tells, else the next best source.
    pub source: Source,
    /// When, on the server's clock; on the node's own where `clock_bound_us` is null.
    pub at: String,
    /// The same in microseconds since the Unix epoch.
    pub at_us: i64,
    /// Largest error of `at` in microseconds; null when the node's clock was not compared with the server's.
    pub clock_bound_us: Option<i64>,
    /// Microseconds after the node's first step, by the node's own clock.
    pub after_us: i64,
    /// Microseconds after the first node that took this step; 0 for that.
    pub delay_us: i64,
    /// Largest error of `delay_us` in microseconds: both nodes' together, 0 for the first node. Null when unknown.
    pub bound_us: Option<i64>,
    /// Whether the node was later for certain, `delay_us` being more than `bound_us`. Null when the bound is unknown.
    pub distinguishable: Option<bool>,
}

/// What a node did with a block, or what happened to it. Peers are the node's own numbers for its connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Passed {
    /// A peer announced it: the first from which the node heard of it.
    Announced {
        /// The P2P message that it came in: `inv`, `headers`, `cmpctblock`, or the whole `block`.
        message: Announcement,
        /// The peer.
        peer: u64,
    },
    /// The node took its header in.
    Header {},
    /// The node asked for the block.
    Requested {
        /// The peer that was asked.
        peer: u64,
    },
    /// The node matched a compact block (BIP 152) with its mempool.
    CompactBlock {
        /// Size of the compact block in bytes.
        bytes: u64,
        /// The peer that sent it; null where the log does not tell.
        peer: Option<u64>,
    },
    /// The node asked for the transactions that it lacked of a compact block.
    TransactionsRequested {
        /// The peer that was asked.
        peer: u64,
    },
    /// The whole block came.
    Received {
        /// The peer that sent it; null where an older version of bmon kept no more than that the block was there, received or
        /// reconstructed.
        peer: Option<u64>,
        /// Size of the message in bytes; null where the log does not tell.
        bytes: Option<u64>,
    },
    /// A compact block was completed.
    Reconstructed {
        /// Transactions that came with the compact block.
        prefilled: u32,
        /// Transactions found in the mempool, those of the extra pool included.
        from_mempool: u32,
        /// Transactions found in the extra pool, at least: those that the node dropped or replaced lately.
        from_extra: u32,
        /// Transactions that had to be requested.
        requested: u32,
        /// Their size in bytes; null up to Bitcoin Core 29.
        requested_bytes: Option<u64>,
        /// Size in bytes of the message that brought them; null without such a message and where the log does not tell.
        message_bytes: Option<u64>,
        /// The peer whose message completed it; null where the log does not tell.
        peer: Option<u64>,
    },
    /// The node began to connect it: when it was done with that, less the time that it took, as `-debug=bench` tells.
    Connecting {},
    /// The node had checked it, valid or not.
    Checked {},
    /// It was added to the active chain.
    Connected {},
    /// The active chain ended in it, and was not changed further for then.
    Tip {},
}

impl Passed {
    /// Its place in the order in which a node goes through the steps.
    const fn rank(&self) -> u8 {
        match self {
            Self::Announced { .. } => 0,
            Self::Header {} => 1,
            Self::Requested { .. } => 2,
            Self::CompactBlock { .. } => 3,
            Self::TransactionsRequested { .. } => 4,
            Self::Received { .. } => 5,
            Self::Reconstructed { .. } => 6,
            Self::Connecting {} => 7,
            Self::Checked {} => 8,
            Self::Connected {} => 9,
            Self::Tip {} => 10,
        }
    }
}

impl From<Step> for Passed {
    fn from(step: Step) -> Self {
        match step {
            Step::Announced { message, peer } => Self::Announced { message, peer },
            Step::Requested { peer } => Self::Requested { peer },
            Step::CompactBlock { bytes, peer } => Self::CompactBlock { bytes, peer },
            Step::TransactionsRequested { peer } => Self::TransactionsRequested { peer },
            Step::Received { peer, bytes } => Self::Received { peer: Some(peer), bytes },
            Step::Reconstructed(from) => {
                let Reconstruction { prefilled, from_mempool, from_extra, requested, .. } = from;
                Self::Reconstructed {
                    prefilled,
                    from_mempool,
                    from_extra,
                    requested,
                    requested_bytes: from.requested_bytes,
                    message_bytes: from.message_bytes,
                    peer: from.peer,
                }
            }
            Step::Tip {} => Self::Tip {},
        }
    }
}

/// A step as one source of a node told it.
#[derive(Clone, Debug)]
struct Told {
    step: Passed,
    source: Source,
    sighted: Sighted,
}

/// The ways of all nodes that told of the block, the first node first.
pub(super) fn ways(times: &BlockTimes, steps: Vec<BlockStep>) -> Vec<Way> {
    let nodes = told(times, steps);
    let first = |(node, told): &(NodeName, Vec<Told>)| {
        told.first().map(|first| (node.clone(), first.source, first.sighted))
    };
    let firsts: Vec<_> = nodes.iter().filter_map(first).collect();
    let firsts = arrivals(firsts.iter().map(|(node, source, sighted)| (node, *source, *sighted)));
    let by_step = side_by_side(&nodes);
    let way = |first: Arrival| {
        let (_, told) = nodes.iter().find(|(node, _)| *node == first.node)?;
        let steps = told.iter().filter_map(|step| at(step, told, &first.node, &by_step)).collect();
        Some(Way { first, steps })
    };
    firsts.into_iter().filter_map(way).collect()
}

/// What each node told, in the order of its own clock.
fn told(times: &BlockTimes, steps: Vec<BlockStep>) -> Vec<(NodeName, Vec<Told>)> {
    let mut nodes: BTreeMap<NodeName, Vec<Told>> = BTreeMap::new();
    for BlockStep { node, source, step, sighted, .. } in steps {
        nodes.entry(node).or_default().push(Told { step: step.into(), source, sighted });
    }
    for sighting in &times.sightings {
        let told = nodes.entry(sighting.node.clone()).or_default();
        let step = match sighting.stage {
            Stage::Header => Passed::Header {},
            Stage::Checked => Passed::Checked {},
            Stage::Connected => Passed::Connected {},
            Stage::Block if told.iter().any(|told| is_whole(&told.step)) => continue,
            Stage::Block => Passed::Received { peer: None, bytes: None },
        };
        told.push(Told { step, source: sighting.source, sighted: sighting.sighted });
    }
    for row in &times.processing {
        let took_us = i64::try_from(row.processing.total_us).unwrap_or(i64::MAX);
        let sighted = Sighted { at: row.sighted.at.plus_micros(took_us.saturating_neg()), ..row.sighted };
        let begun = Told { step: Passed::Connecting {}, source: Source::Log, sighted };
        nodes.entry(row.node.clone()).or_default().push(begun);
    }
    nodes.into_iter().map(|(node, told)| (node, in_order(told))).collect()
}

/// Whether the node has the whole block with this step.
const fn is_whole(step: &Passed) -> bool {
    matches!(step, Passed::Received { .. } | Passed::Reconstructed { .. })
}

/// Each step once, as the best of its sources told it.
fn in_order(mut told: Vec<Told>) -> Vec<Told> {
    // Sources are declared best first.
    told.sort_by_key(|told| (told.step.rank(), told.source));
    told.dedup_by_key(|told| told.step.rank());
    announce(&mut told);
    told.sort_by_key(|told| (told.sighted.at, told.step.rank()));
    told
}

/// Who announced the block, if it was somebody else than the store has: a peer that sent the whole block before the node
/// knew its header, or nobody of whom the log tells, if another announced it again.
fn announce(told: &mut Vec<Told>) {
    let of_rank = |wanted: Passed| told.iter().find(move |told| told.step.rank() == wanted.rank());
    let header_at = of_rank(Passed::Header {}).map(|told| told.sighted.at);
    let is_first = |told: &Told| header_at.is_none_or(|header_at| told.sighted.at <= header_at);
    let whole = of_rank(Passed::Received { peer: None, bytes: None }).filter(|told| is_first(told)).cloned();
    let is_late = |told: &Told| match told.step {
        Passed::Announced { message: Announcement::Inv, .. } => !is_first(told),
        Passed::Announced { .. } => whole.as_ref().is_some_and(|whole| whole.sighted.at <= told.sighted.at),
        _ => false,
    };
    told.retain(|told| !is_late(told));
    let is_announced = told.iter().any(|told| matches!(told.step, Passed::Announced { .. }));
    if let Some(whole) = whole.filter(|_| !is_announced)
        && let Passed::Received { peer: Some(peer), .. } = whole.step
    {
        told.push(Told { step: Passed::Announced { message: Announcement::Block, peer }, ..whole });
    }
}

/// When each node took each step, by the step's rank.
fn side_by_side(nodes: &[(NodeName, Vec<Told>)]) -> BTreeMap<u8, Vec<Arrival>> {
    let mut by_step: BTreeMap<u8, Vec<(&NodeName, Source, Sighted)>> = BTreeMap::new();
    for (node, told) in nodes {
        for told in told {
            by_step.entry(told.step.rank()).or_default().push((node, told.source, told.sighted));
        }
    }
    by_step.into_iter().map(|(rank, told)| (rank, arrivals(told.into_iter()))).collect()
}

/// A step of a node that told `all`, beside the same step of the others.
fn at(told: &Told, all: &[Told], node: &NodeName, by_step: &BTreeMap<u8, Vec<Arrival>>) -> Option<StepAt> {
    let arrival = by_step.get(&told.step.rank())?.iter().find(|arrival| arrival.node == *node)?;
    let first = all.first()?;
    Some(StepAt {
        step: told.step.clone(),
        source: told.source,
        at: arrival.at.clone(),
        at_us: arrival.at_us,
        clock_bound_us: arrival.clock_bound_us,
        after_us: told.sighted.at.micros_since(first.sighted.at),
        delay_us: arrival.delay_us,
        bound_us: arrival.bound_us,
        distinguishable: arrival.distinguishable,
    })
}

#[cfg(test)]
mod tests;
