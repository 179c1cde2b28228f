//! A race of three blocks on one parent.

use bmon_event::{BlockHash, NodeName, event::TipStatus};

use super::at_least;
use crate::{
    Network, ScenarioError,
    truth::{Branch, Decision, Race, Reorg},
};

/// Branches of a race.
const BRANCHES: usize = 3;

/// Parts the nodes into three groups (positions 0, 3, …; 1, 4, …; 2, 5, …), has each mine a block on the same parent, and
/// joins them: every node then has all three blocks and stays on the one that it saw first, because none has more work.
/// The race is open until [`decide`].
pub fn race(network: &Network) -> Result<Race, ScenarioError> {
    at_least(network.nodes().len(), BRANCHES, "a race")?;
    let (fork, fork_height) = network.settle()?;
    let groups: [Vec<usize>; BRANCHES] =
        std::array::from_fn(|first| network.everyone().into_iter().skip(first).step_by(BRANCHES).collect());
    network.part(&groups[0])?;
    network.part(&groups[1])?;
    let mut branches = Vec::new();
    for group in &groups {
        let nodes = network.names_at(group);
        branches.extend(
            network.mine_on(group, 1)?.into_iter().map(|block| Branch { block, nodes: nodes.clone() }),
        );
    }
    network.join()?;
    for branch in &branches {
        let mut others = network.everyone();
        others.retain(|index| !branch.nodes.contains(network.nodes()[*index].name()));
        // A block of equal work is fetched and never connected.
        network.wait_for_branch(&others, branch.block, &TipStatus::ValidHeaders)?;
    }
    Ok(Race { fork, fork_height, branches })
}

/// Has the group of `race.branches[winner]`, 0 to 2, mine another block, to which all nodes go.
pub fn decide(network: &Network, race: &Race, winner: usize) -> Result<Decision, ScenarioError> {
    let Branch { block: winner, nodes } = &race.branches[winner];
    let miners = network.positions(nodes);
    let block = network.mine_on(&miners, 1)?[0];
    network.wait_for_tip(&network.everyone(), block)?;
    let losers = race.branches.iter().filter(|branch| branch.block != *winner);
    let losers = losers.flat_map(|branch| branch.nodes.iter().map(|node| (node, branch.block)));
    let reorg = |(node, old): (&NodeName, BlockHash)| Reorg {
        node: node.clone(),
        fork_height: race.fork_height,
        old: vec![old],
        new: vec![*winner, block],
    };
    Ok(Decision { winner: *winner, block, reorgs: losers.map(reorg).collect() })
}
