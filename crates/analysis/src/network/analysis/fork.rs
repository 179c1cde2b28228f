//! Blocks after which the chain goes on in more than one way: races, and what became of them.

use std::collections::BTreeMap;

use bmon_event::{BlockHash, NodeName};

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, FindingId, Fork, ForkBranch},
    network::{Ledger, NetworkState, Saying, Side},
    row::Row,
    tree::Status,
};

const ID: &str = "fork";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Where the chain went on in more than one way, which nodes followed which branch, and which one won.",
    make: || Box::new(Forks { ledger: Ledger::default() }),
};

/// Most blocks of a branch that are named.
const MOST_BLOCKS: u32 = 6;
/// Up to where the blocks of a losing branch are counted: what is longer is a partition, and counted there.
const MOST_COUNTED: u32 = 12;

#[derive(Debug)]
struct Forks {
    ledger: Ledger,
}

impl NetworkAnalysis for Forks {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        if look.touched.is_empty() {
            return;
        }
        let mut by_fork: BTreeMap<BlockHash, Vec<&Side>> = BTreeMap::new();
        for side in look.sides {
            by_fork.entry(side.fork).or_default().push(side);
        }
        for (fork, sides) in by_fork {
            let id = FindingId::new(&look.network.network, ID, &[fork.as_bytes()]);
            let mut found = find(look, fork, &sides);
            if let Some(Body::Fork(said)) = self.ledger.get(&id).map(|finding| &finding.body) {
                let decider = decider(look, fork, &sides);
                let is_told = decider.is_some_and(|block| look.network.first_seen(block).is_told);
                remember(look.network, &mut found, said, is_told);
            }
            found.branches.sort_by_key(|branch| (branch.seen_at_us, branch.first_block()));
            let appeared = found
                .branches
                .iter()
                .map(ForkBranch::first_block)
                .max_by_key(|block| block.map(|block| look.network.first_time(block)));
            let seen = look.network.first_seen(appeared.flatten().unwrap_or(fork));
            let sources =
                look.network.sources(found.branches.iter().flat_map(|branch| branch.blocks.clone()));
            let saying = Saying { id, node: None, seen, sources, body: Body::Fork(found) };
            self.ledger.say(look.network.network, saying, out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl ForkBranch {
    fn first_block(&self) -> Option<BlockHash> {
        self.blocks.first().copied()
    }
}

fn find(look: &Look<'_>, fork: BlockHash, sides: &[&Side]) -> Fork {
    let network = look.network;
    let longest = sides.iter().map(|side| side.length).max().unwrap_or_default();
    let main = main_branch(look, fork, longest);
    let is_race = sides.iter().any(|side| is_equal(look, side));
    let is_beaten = |side: &&Side| side.comparison.by_work().is_some_and(std::cmp::Ordering::is_gt);
    let has_won = sides.iter().all(is_beaten);
    let winner = main.first_block().filter(|_| has_won);
    let decided_at_us = decider(look, fork, sides).filter(|_| has_won).map(|block| network.first_time(block));
    // Of the ends in one branch the farthest stands for it.
    let mut best: BTreeMap<Option<BlockHash>, &Side> = BTreeMap::new();
    for side in sides {
        let first = network.known_tree().ancestor(side.tip, side.fork_height + 1);
        let known = best.entry(first).or_insert(side);
        if (known.length, known.tip) < (side.length, side.tip) {
            *known = side;
        }
    }
    let others =
        best.into_values().map(|side| branch(network, fork, side.tip, side.length.min(MOST_COUNTED)));
    let branches: Vec<_> = std::iter::once(main).chain(others).collect();
    Fork {
        fork,
        fork_height: sides.first().map_or(0, |side| side.fork_height),
        is_race,
        winner,
        decided_at_us,
        branches,
    }
}

/// Takes over the times that were known when it was said, and are forgotten.
fn remember(network: &NetworkState, found: &mut Fork, said: &Fork, is_decider_told: bool) {
    for branch in &mut found.branches {
        let Some(first) = branch.first_block().filter(|block| !network.first_seen(*block).is_told) else {
            continue;
        };
        let before = said.branches.iter().find(|other| other.first_block() == Some(first));
        branch.seen_at_us = before.map_or(branch.seen_at_us, |other| other.seen_at_us);
    }
    if let (Some(_), Some(before), false) = (found.decided_at_us, said.decided_at_us, is_decider_told) {
        found.decided_at_us = Some(before);
    }
}

/// As much of the main chain above the fork as it takes to beat every other.
fn main_branch(look: &Look<'_>, fork: BlockHash, longest: u32) -> ForkBranch {
    let tree = look.network.known_tree();
    let (fork_height, main_height) = (tree.height(fork).unwrap_or(0), tree.height(look.main).unwrap_or(0));
    let length = (main_height - fork_height).min(longest.min(MOST_COUNTED) + 1);
    let end = tree.ancestor(look.main, fork_height + length).unwrap_or(look.main);
    branch(look.network, fork, end, length)
}

/// Whether the branch is as good as the main chain, to all that is known: of equal work, valid to a node, and invalid to
/// none.
fn is_equal(look: &Look<'_>, side: &Side) -> bool {
    let mut statuses = look.network.statuses(side.tip).map(|(_, status)| status);
    let is_valid = |status| matches!(status, Status::Active | Status::Valid);
    side.comparison.by_work() == Some(std::cmp::Ordering::Equal)
        && look.network.nodes_with(side.tip, &[Status::Invalid]).is_empty()
        && statuses.any(is_valid)
}

/// The first block of the main chain above the end of every other branch.
fn decider(look: &Look<'_>, fork: BlockHash, sides: &[&Side]) -> Option<BlockHash> {
    let tree = look.network.known_tree();
    let longest = sides.iter().map(|side| side.length).max()?;
    tree.ancestor(look.main, tree.height(fork)? + longest + 1)
}

fn branch(network: &NetworkState, fork: BlockHash, end: BlockHash, length: u32) -> ForkBranch {
    let tree = network.known_tree();
    let mut blocks = tree.blocks_between(fork, end).unwrap_or_default();
    let first = blocks.first().copied().unwrap_or(end);
    blocks.truncate(MOST_BLOCKS as usize);
    let miners = blocks.iter().map(|block| network.pool(*block).map(str::to_owned)).collect();
    let mut branch = ForkBranch {
        blocks,
        miners,
        length,
        seen_at_us: network.first_time(first),
        active_at: Vec::new(),
        valid_at: Vec::new(),
        invalid_at: Vec::new(),
        header_only_at: Vec::new(),
    };
    for (node, status) in network.statuses(first) {
        if let Some(nodes) = branch.nodes_mut(status) {
            nodes.push(node.clone());
        }
    }
    branch
}

impl ForkBranch {
    const fn nodes_mut(&mut self, status: Status) -> Option<&mut Vec<NodeName>> {
        match status {
            Status::Active => Some(&mut self.active_at),
            Status::Valid => Some(&mut self.valid_at),
            Status::Invalid => Some(&mut self.invalid_at),
            Status::HeaderOnly => Some(&mut self.header_only_at),
            Status::Unknown => None,
        }
    }
}
