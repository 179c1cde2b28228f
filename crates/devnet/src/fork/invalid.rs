//! A block that every node must refuse, alone or with a branch on it.

use bitcoin::consensus::encode::serialize_hex;
use bmon_event::event::TipStatus;

use super::at_least;
use crate::{
    Network, Peer, ScenarioError,
    block::{Crafted, Draft, Parent},
    clock::wait_for,
    network::LIMIT,
    truth::{InvalidBlock, InvalidBranch},
};

/// What nodes say of a block that pays too much.
const CODE: &str = "bad-cb-amount";

/// Brings every node a block whose coinbase pays too much.
pub fn invalid(network: &Network) -> Result<InvalidBlock, ScenarioError> {
    at_least(network.nodes().len(), 1, "an invalid block")?;
    network.settle()?;
    let crafted = Parent::tip(&network.nodes()[0])?.child(Draft::Overpaid);
    for peer in &mut peers(network)? {
        peer.deliver_block(&crafted.block)?;
    }
    network.wait_for_branch(&network.everyone(), crafted.hash, &TipStatus::Invalid)?;
    Ok(truth(network, &crafted))
}

/// Brings every node the headers of such a block and of one on it, which is valid but for its parent, and only then the
/// block itself; the child's body never comes.
///
/// The order matters: as seen with Knots 29.4.3, a header on a block that is already known to be invalid is not kept.
/// `getchaintips` shows the child in place of the invalid block, which is no tip any more.
pub fn invalid_branch(network: &Network) -> Result<InvalidBranch, ScenarioError> {
    at_least(network.nodes().len(), 1, "an invalid block")?;
    network.settle()?;
    let crafted = Parent::tip(&network.nodes()[0])?.child(Draft::Overpaid);
    let child = crafted.as_parent().child(Draft::Valid);
    let mut peers = peers(network)?;
    // To all, before the first node relays the block.
    for peer in &mut peers {
        peer.deliver_headers(vec![crafted.block.header, child.block.header])?;
    }
    for peer in &mut peers {
        peer.deliver_block(&crafted.block)?;
    }
    for node in network.nodes() {
        // The header of a block that a node has is refused only if the block is invalid.
        wait_for(&format!("the verdict on block `{}`", crafted.hash), LIMIT, || {
            node.refusal(&serialize_hex(&crafted.block.header))
        })?;
    }
    Ok(InvalidBranch { block: truth(network, &crafted), child: child.hash })
}

/// A peer of each node.
fn peers(network: &Network) -> Result<Vec<Peer>, ScenarioError> {
    let connect = |node: &crate::Node| Ok(Peer::connect(node.p2p_address())?);
    network.nodes().iter().map(connect).collect()
}

fn truth(network: &Network, crafted: &Crafted) -> InvalidBlock {
    let (block, height) = (crafted.hash, crafted.height);
    InvalidBlock { block, height, nodes: network.names(), code: CODE.to_owned() }
}
