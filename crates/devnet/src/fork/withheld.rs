//! A fork of headers whose blocks never come.

use bmon_event::event::TipStatus;

use super::at_least;
use crate::{
    Network, Peer, ScenarioError,
    block::{Draft, Parent},
    truth::Withheld,
};

/// Brings every node at `positions` the headers of `length` valid blocks, at least one, on the block that is `below` blocks under the
/// tip, and never the blocks, although the nodes ask for them where the branch has at least the active chain's work
/// (`HeadersDirectFetchBlocks`, `src/net_processing.cpp@v30`).
///
/// Nodes do not announce headers of blocks that they do not have, so that those at other positions hear nothing. With
/// `length` above `below` the nodes' best header is not a block of their active chain; that ends with the next longer
/// branch.
pub fn withhold(
    network: &Network,
    positions: &[usize],
    below: u32,
    length: u32,
) -> Result<Withheld, ScenarioError> {
    at_least(network.nodes().len(), 1, "withheld blocks")?;
    let (_, height) = network.settle()?;
    let fork = Parent::at(&network.nodes()[0], height.saturating_sub(below))?;
    let mut crafted = vec![fork.child(Draft::Valid)];
    while let Some(last) = crafted.last().filter(|last| last.height < fork.height() + length) {
        crafted.push(last.as_parent().child(Draft::Valid));
    }
    let headers: Vec<_> = crafted.iter().map(|crafted| crafted.block.header).collect();
    let blocks: Vec<_> = crafted.iter().map(|crafted| crafted.hash).collect();
    for &index in positions {
        let address = network.nodes()[index].p2p_address();
        Peer::connect_withholding(address)?.deliver_headers(headers.clone())?;
    }
    if let Some(&tip) = blocks.last() {
        network.wait_for_branch(positions, tip, &TipStatus::HeadersOnly)?;
    }
    let nodes = network.names_at(positions);
    Ok(Withheld { fork: fork.hash(), fork_height: fork.height(), blocks, nodes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_asks_for_the_block_and_gets_nothing() {
        let exes = crate::exe::find().unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
        let dir = tempfile::tempdir().unwrap();
        let network = Network::start(1, &exes, dir.path()).unwrap();
        network.settle().unwrap();
        let node = &network.nodes()[0];
        let crafted = Parent::tip(node).unwrap().child(Draft::Valid);
        let mut peer = Peer::connect_withholding(node.p2p_address()).unwrap();
        peer.deliver_headers(vec![crafted.block.header]).unwrap();
        assert_eq!(peer.received().get("getdata"), Some(&1));
        network.wait_for_branch(&[0], crafted.hash, &TipStatus::HeadersOnly).unwrap();
        assert_eq!(node.height().unwrap(), 1);

        // It is the withholding alone that keeps the block out.
        peer.deliver_block(&crafted.block).unwrap();
        network.wait_for_tip(&[0], crafted.hash).unwrap();
    }
}
