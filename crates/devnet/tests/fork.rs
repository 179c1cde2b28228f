//! Each fork on real nodes, compared with what the nodes themselves say about it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use bmon_devnet::{
    Network, Node, NodeError, ScenarioError, exe,
    fork::{self, Activation, Party, Rule},
    truth::{Refusal, Reorg, Side, Split},
};
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

fn start_for(activation: &Activation, dir: &TempDir) -> Result<Network, NodeError> {
    let exes = exe::find().unwrap_or_else(|error| panic!("failed to {error}\nhint: {}", error.hint()));
    let mut configs = Network::configs(3, &exes, dir.path());
    activation.enforce(&mut configs);
    Network::start_from(configs)
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

fn side(network: &Network, positions: &[usize], blocks: usize, side: &Side) {
    let names: Vec<_> = positions.iter().map(|&index| network.nodes()[index].name().clone()).collect();
    assert_eq!((&side.nodes, side.blocks.len()), (&names, blocks));
}

/// Whether each side is on its own chain, and the fork is where it is said to be.
fn check_sides(network: &Network, split: &Split) {
    for side in [&split.strict, &split.lenient] {
        let height = split.fork_height + u32::try_from(side.blocks.len()).unwrap();
        let chain: Vec<_> = [split.fork].into_iter().chain(side.blocks.clone()).collect();
        for name in &side.nodes {
            let node = node(network, name);
            assert_eq!(node.best_block().unwrap(), *side.blocks.last().unwrap());
            check_chain(node, &chain, height);
        }
    }
}

fn knows(node: &Node, block: BlockHash) -> bool {
    node.rpc().call::<Value>("getblockheader", json!([block])).is_ok()
}

#[test]
fn a_split_by_block_version_shows_in_no_list_of_tips_of_the_strict_node_and_heals() {
    let dir = TempDir::new().unwrap();
    let activation = Activation { rule: Rule::BlockVersion, strict: vec![2], height: 5 };
    let network = start_for(&activation, &dir).unwrap();
    let mut split = activation.split(&network).unwrap();
    assert_eq!(split.fork_height, 4);
    side(&network, &[2], 1, &split.strict);
    side(&network, &[0, 1], 2, &split.lenient);
    check_sides(&network, &split);
    let strict = &network.nodes()[2];
    let refused = split.lenient.blocks[0];
    let reason = "bad-version(0x00000003)".to_owned();
    assert_eq!(split.refusals, [Refusal { node: strict.name().clone(), block: refused, reason }]);
    assert_eq!(header(&network.nodes()[0], refused)["version"], 3);
    assert!(!knows(strict, refused));
    assert_eq!(strict.chain_tips().unwrap().len(), 1);
    check_healing(&network, &mut split);
}

#[test]
fn a_split_by_the_height_in_the_coinbase_shows_as_an_invalid_block_of_the_strict_nodes_and_heals() {
    let dir = TempDir::new().unwrap();
    let activation = Activation { rule: Rule::CoinbaseHeight, strict: vec![0, 1], height: 1 };
    let network = start_for(&activation, &dir).unwrap();
    let mut split = activation.split(&network).unwrap();
    assert_eq!(split.fork_height, 1);
    side(&network, &[0, 1], 1, &split.strict);
    side(&network, &[2], 2, &split.lenient);
    check_sides(&network, &split);
    assert_eq!(split.refusals.len(), 2);
    for refusal in &split.refusals {
        let strict = node(&network, &refusal.node);
        assert_eq!(refusal.block, split.lenient.blocks[0]);
        let log = std::fs::read_to_string(strict.debug_log()).unwrap();
        let line = format!("BlockChecked: block hash={} state={}", refusal.block, refusal.reason);
        assert!(log.contains(&line), "{line}");
        assert!(knows(strict, refusal.block));
        assert!(strict.chain_tips().unwrap().iter().any(|tip| tip.status == TipStatus::Invalid));
    }
    check_healing(&network, &mut split);
}

fn check_healing(network: &Network, split: &mut Split) {
    let reorgs = fork::heal(network, split).unwrap();
    assert_eq!(split.strict.blocks.len(), split.lenient.blocks.len() + 1);
    assert_eq!(
        reorgs.iter().map(|reorg| &reorg.node).collect::<Vec<_>>(),
        split.lenient.nodes.iter().collect::<Vec<_>>()
    );
    for reorg in &reorgs {
        assert_eq!((&reorg.old, &reorg.new), (&split.lenient.blocks, &split.strict.blocks));
        check_reorg(network, reorg);
    }
    for node in network.nodes() {
        assert_eq!(node.best_block().unwrap(), *split.strict.blocks.last().unwrap());
    }
}

#[test]
fn one_network_bears_one_fork_after_another() {
    let dir = TempDir::new().unwrap();
    let activation = Activation { rule: Rule::CoinbaseHeight, strict: vec![1], height: 12 };
    let network = start_for(&activation, &dir).unwrap();
    fork::reorg(&network, 0, 1).unwrap();
    fork::withhold(&network, &[0, 1, 2], 0, 1).unwrap();
    fork::invalid_branch(&network).unwrap();
    let race = fork::race(&network).unwrap();
    fork::decide(&network, &race, 2).unwrap();
    fork::invalid(&network).unwrap();
    let mut split = activation.split(&network).unwrap();
    assert_eq!(split.fork_height, 11);
    check_healing(&network, &mut split);
    check_reorg(&network, &fork::reorg(&network, 2, 3).unwrap());
}

#[test]
fn what_the_nodes_cannot_do_is_an_error() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir, 2);
    let error = fork::race(&network).unwrap_err();
    assert_eq!(error.to_string(), "stage a race with 2 nodes, it takes at least 3");
    let mut activation = Activation { rule: Rule::BlockVersion, strict: vec![0, 1], height: 1 };
    let error = activation.split(&network).unwrap_err();
    assert_eq!(error.to_string(), "stage a side of a split with 0 nodes, it takes at least 1");
    // Nobody was told to be lenient.
    activation.strict = vec![0];
    let error = activation.split(&network).unwrap_err();
    let is_refused = |reason: &str| reason == "bad-version(0x00000003)";
    assert!(matches!(&error, ScenarioError::NotLenient { reason, .. } if is_refused(reason)), "{error}");
}

#[test]
fn a_split_by_proof_of_work_shows_nowhere_but_in_a_comparison_and_never_heals() {
    let dir = TempDir::new().unwrap();
    let activation = Activation { rule: Rule::ProofOfWork, strict: vec![0], height: 5 };
    let network = match start_for(&activation, &dir) {
        Ok(network) => network,
        // Bitcoin Core does not know the rule.
        Err(error) => return assert!(error.to_string().contains("blake2b"), "{error}"),
    };
    let mut split = activation.split(&network).unwrap();
    assert_eq!(split.fork_height, 4);
    let reasons: Vec<_> =
        split.refusals.iter().map(|refusal| (&refusal.node, refusal.reason.as_str())).collect();
    let [(strict, reason), lenient @ ..] = &reasons[..] else { panic!("nobody refused anything") };
    assert_eq!((*strict, *reason), (network.nodes()[0].name(), "bad-version-blake2b"));
    for ((name, reason), node) in lenient.iter().zip(&network.nodes()[1..]) {
        // Bitcoin Core takes the first 80 bytes for the header, whose hash is small enough every second time (31.99).
        let known: &[&str] = if node.version().contains("Knots") {
            &["bad-version-sha256d"]
        } else {
            &["high-hash", "bad-version(0xa0000000)"]
        };
        assert!(*name == node.name() && known.contains(reason), "{name}: {reason}");
    }

    for (party, length) in [(Party::Strict, 4), (Party::Lenient, 6)] {
        fork::extend(&network, &mut split, party, 3 + u32::from(party == Party::Lenient)).unwrap();
        let side = if party == Party::Strict { &split.strict } else { &split.lenient };
        assert_eq!(side.blocks.len(), length);
        // A new connection changes nothing.
        network.part(&[0]).unwrap();
        network.join().unwrap();
        check_sides(&network, &split);
        for node in network.nodes() {
            assert_eq!(node.chain_tips().unwrap().len(), 1);
        }
    }
    let (strict, lenient) = (&network.nodes()[0], &network.nodes()[1]);
    assert_eq!(strict.header(split.strict.blocks[0]).unwrap().len(), 328);
    assert_eq!(strict.header(split.fork).unwrap().len(), 160);
    assert_eq!(lenient.header(split.lenient.blocks[0]).unwrap().len(), 160);
    let longer = header(strict, split.strict.blocks[0]);
    assert!(longer["difficulty"].is_null() && longer["difficulty_blake2b"].is_number());
    assert!(!split.lenient.blocks.iter().any(|&block| knows(strict, block)));
    assert!(!split.strict.blocks.iter().any(|&block| knows(lenient, block)));
    let error = fork::heal(&network, &mut split).unwrap_err();
    assert!(matches!(error, ScenarioError::NeverHeals(Rule::ProofOfWork)), "{error}");
}
