//! Each fork on real nodes, compared with what the nodes themselves say about it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use bmon_devnet::{Network, Node, exe, fork, truth::Reorg};
use bmon_event::{
    BlockHash, NodeName,
    event::{ChainTip, TipStatus},
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn start(dir: &TempDir, count: usize) -> Network {
    let exes = exe::find().unwrap_or_else(|error| panic!("failed to {error}\nhint: {}", error.hint()));
    Network::start(count, &exes, dir.path()).unwrap()
}

fn node<'a>(network: &'a Network, name: &NodeName) -> &'a Node {
    network.nodes().iter().find(|node| node.name() == name).unwrap()
}

/// The node's word on the branch that ends with `block`, `None` if it names no such branch.
fn branch(node: &Node, block: BlockHash) -> Option<ChainTip> {
    node.chain_tips().unwrap().into_iter().find(|tip| tip.block == block)
}

fn status(node: &Node, block: BlockHash) -> Option<TipStatus> {
    branch(node, block).map(|tip| tip.status)
}

fn header(node: &Node, block: BlockHash) -> Value {
    node.rpc().call("getblockheader", json!([block])).unwrap()
}

/// Whether each block is the parent of the next, and the last is `height` blocks high at the node.
fn check_chain(node: &Node, blocks: &[BlockHash], height: u32) {
    for pair in blocks.windows(2) {
        assert_eq!(header(node, pair[1])["previousblockhash"], pair[0].to_string());
    }
    assert_eq!(header(node, *blocks.last().unwrap())["height"], height);
}

fn check_reorg(network: &Network, reorg: &Reorg) {
    let (node, depth) = (node(network, &reorg.node), u32::try_from(reorg.old.len()).unwrap());
    let fork: BlockHash = node.rpc().call("getblockhash", json!([reorg.fork_height])).unwrap();
    for branch in [&reorg.old, &reorg.new] {
        let blocks: Vec<_> = [fork].into_iter().chain(branch.iter().copied()).collect();
        check_chain(node, &blocks, reorg.fork_height + u32::try_from(branch.len()).unwrap());
    }
    let old = branch(node, *reorg.old.last().unwrap()).unwrap();
    assert_eq!((old.status, old.branch_length), (TipStatus::ValidFork, depth));
    assert_eq!(header(node, *reorg.old.last().unwrap())["confirmations"], -1);
}

#[test]
fn reorgs_have_the_depth_asked_for_at_the_node_asked_for() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir, 3);
    for (index, depth) in [(0, 1), (2, 3), (1, 2)] {
        let reorg = fork::reorg(&network, index, depth).unwrap();
        assert_eq!(reorg.node, *network.nodes()[index].name());
        assert_eq!((reorg.old.len(), reorg.new.len()), (depth as usize, depth as usize + 1));
        check_reorg(&network, &reorg);
        for other in network.nodes() {
            assert_eq!(other.best_block().unwrap(), *reorg.new.last().unwrap());
            // Only the node that made the old branch has ever been on it.
            if *other.name() != reorg.node {
                assert_ne!(status(other, *reorg.old.last().unwrap()), Some(TipStatus::ValidFork));
            }
        }
    }
}

#[test]
fn in_a_race_every_node_stays_on_its_own_block_until_one_branch_grows() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir, 4);
    let race = fork::race(&network).unwrap();
    assert_eq!(race.branches.iter().map(|branch| branch.nodes.len()).collect::<Vec<_>>(), [2, 1, 1]);
    for node in network.nodes() {
        for branch in &race.branches {
            let own = branch.nodes.contains(node.name());
            let expected = if own { TipStatus::Active } else { TipStatus::ValidHeaders };
            assert_eq!(status(node, branch.block), Some(expected), "{}", node.name());
            assert_eq!(header(node, branch.block)["previousblockhash"], race.fork.to_string());
            check_chain(node, &[race.fork, branch.block], race.fork_height + 1);
        }
        assert_eq!(node.chain_tips().unwrap().len(), 3);
    }

    let decision = fork::decide(&network, &race, 1).unwrap();
    assert_eq!(decision.winner, race.branches[1].block);
    assert_eq!(decision.reorgs.len(), 3);
    for reorg in &decision.reorgs {
        assert_eq!(reorg.new, [decision.winner, decision.block]);
        check_reorg(&network, reorg);
    }
    for node in network.nodes() {
        assert_eq!(status(node, decision.block), Some(TipStatus::Active));
    }
}

#[test]
fn withheld_blocks_stay_headers_only_at_those_who_were_told() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir, 2);
    fork::reorg(&network, 0, 1).unwrap();
    let tip = network.nodes()[0].best_block().unwrap();
    for (positions, below, length) in [(&[0, 1][..], 1, 1), (&[1], 1, 2), (&[0, 1], 0, 2)] {
        let withheld = fork::withhold(&network, positions, below, length).unwrap();
        assert_eq!(withheld.blocks.len(), length as usize);
        let last = *withheld.blocks.last().unwrap();
        for (index, node) in network.nodes().iter().enumerate() {
            assert_eq!(node.best_block().unwrap(), tip);
            if !positions.contains(&index) {
                assert_eq!(branch(node, last), None);
                continue;
            }
            assert!(withheld.nodes.contains(node.name()));
            let tip = branch(node, last).unwrap();
            assert_eq!((tip.status, tip.branch_length), (TipStatus::HeadersOnly, length));
            let chain: Vec<_> = [withheld.fork].into_iter().chain(withheld.blocks.clone()).collect();
            check_chain(node, &chain, withheld.fork_height + length);
            let error = node.rpc().call::<Value>("getblock", json!([last])).unwrap_err();
            assert!(error.to_string().contains("not"), "{error}");
        }
    }
    // The nodes go on, although their best header has no block.
    fork::reorg(&network, 1, 1).unwrap();
}

#[test]
fn an_invalid_block_is_invalid_on_every_node_and_so_is_what_is_built_on_it() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir, 2);
    let alone = fork::invalid(&network).unwrap();
    let built_on = fork::invalid_branch(&network).unwrap();
    assert_eq!((alone.height, built_on.block.height), (2, 2));
    for node in network.nodes() {
        assert_eq!(node.height().unwrap(), 1);
        assert_eq!(status(node, alone.block), Some(TipStatus::Invalid));
        assert_eq!(branch(node, built_on.block.block), None);
        check_chain(node, &[built_on.block.block, built_on.child], 3);
        let child = status(node, built_on.child).unwrap();
        let is_core = !node.version().contains("Knots");
        assert!(child == TipStatus::Invalid || is_core && child == TipStatus::HeadersOnly, "{child:?}");
        let log = std::fs::read_to_string(node.debug_log()).unwrap();
        for invalid in [&alone, &built_on.block] {
            let line = format!("BlockChecked: block hash={} state={}", invalid.block, invalid.code);
            assert!(log.contains(&line), "{line}");
        }
    }
    fork::reorg(&network, 0, 1).unwrap();
}
