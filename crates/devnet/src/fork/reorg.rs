//! A reorg of any depth.

use super::at_least;
use crate::{Network, ScenarioError, truth::Reorg};

/// Parts the node at position `node` from the others, has it make a branch of `depth` blocks and the others one that is
/// a block longer, and joins them.
pub fn reorg(network: &Network, node: usize, depth: u32) -> Result<Reorg, ScenarioError> {
    let reorg = part(network, node, depth)?;
    join(network, &reorg)?;
    Ok(reorg)
}

/// The first half: two branches, and neither side knows of the other's.
pub fn part(network: &Network, node: usize, depth: u32) -> Result<Reorg, ScenarioError> {
    at_least(network.nodes().len(), 2, "a reorg")?;
    let (_, fork_height) = network.settle()?;
    network.part(&[node])?;
    let old = network.mine_on(&[node], depth)?;
    // The node after it mines first, the others in turn.
    let count = network.nodes().len();
    let rest: Vec<usize> = (1..count).map(|step| (node + step) % count).collect();
    let new = network.mine_on(&rest, depth + 1)?;
    Ok(Reorg { node: network.nodes()[node].name().clone(), fork_height, old, new })
}

/// The second half: all nodes are on the longer branch.
pub fn join(network: &Network, reorg: &Reorg) -> Result<(), ScenarioError> {
    network.join()?;
    if let Some(&tip) = reorg.new.last() {
        network.wait_for_tip(&network.everyone(), tip)?;
    }
    Ok(())
}
