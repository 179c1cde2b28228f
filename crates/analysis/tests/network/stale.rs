use bmon_analysis::{
    Settings,
    finding::{Body, StaleBlock},
};
use bmon_event::{BlockHash, event::TipStatus};

use crate::{
    fork::common,
    world::{SECOND, World},
};

fn stale(world: &World) -> Vec<StaleBlock> {
    let stale = |body: &Body| match body {
        Body::StaleBlock(found) => Some(found.clone()),
        _ => None,
    };
    world.found("stale-block").iter().filter_map(|finding| stale(&finding.body)).collect()
}

fn blocks(world: &World) -> Vec<BlockHash> {
    stale(world).iter().filter(|found| found.is_stale).map(|found| found.block).collect()
}

#[test]
fn a_block_is_stale_once_the_race_is_over_and_no_node_follows_it() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (a, b) = (world.block(fork), world.block(fork));
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let next = world.block(b);
    world.connect_all(&["bob", "carol"], &[next]);
    assert_eq!(blocks(&world), []);
    world.reorganize("alice", &[a], fork, &[b, next]);
    let found = stale(&world).swap_remove(0);
    assert_eq!((found.block, found.height, found.replaced_by), (a, 6, b));
    assert_eq!((found.fork, found.fork_height), (fork, 5));
    assert_eq!(found.header.len(), 160);
    let nodes: Vec<_> = found.nodes.iter().map(|status| status.node.to_string()).collect();
    assert_eq!(nodes, ["alice"]);
    assert_eq!(stale(&world).len(), 1);
}

#[test]
fn every_block_of_a_deep_branch_is_stale() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (old, new) = (world.chain(fork, 3), world.chain(fork, 4));
    world.connect("alice", &old);
    world.connect_all(&["bob", "carol"], &new);
    world.reorganize("alice", &old, fork, &new);
    assert_eq!(blocks(&world), old);
}

#[test]
fn a_branch_that_comes_back_is_not_stale_any_more() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (old, new) = (world.chain(fork, 1), world.chain(fork, 2));
    world.connect_all(&["alice", "bob", "carol"], &old);
    for name in ["alice", "bob", "carol"] {
        world.reorganize(name, &old, fork, &new);
    }
    assert_eq!(blocks(&world), old);
    world.wait(SECOND);
    let more = world.chain(old[0], 2);
    let back = [old[0], more[0], more[1]];
    for name in ["alice", "bob", "carol"] {
        world.reorganize(name, &new, fork, &back);
    }
    assert_eq!(blocks(&world), new);
    let first = stale(&world).into_iter().find(|found| found.block == old[0]).unwrap();
    assert!(!first.is_stale);
}

#[test]
fn an_old_stale_block_that_a_node_has_known_for_long_is_found() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (unseen, chain) = (world.block(fork), world.chain(fork, 300));
    world.connect_all(&["alice", "bob"], &chain);
    world.chain_tips("alice", &[(chain[299], TipStatus::Active), (unseen, TipStatus::ValidFork)]);
    assert_eq!(blocks(&world), [unseen]);
    assert_eq!(stale(&world)[0].replaced_by, chain[0]);
    let said = world.said;
    for _ in 0..3 {
        world.wait(60 * SECOND);
        world.chain_tips("alice", &[(chain[299], TipStatus::Active), (unseen, TipStatus::ValidFork)]);
    }
    assert_eq!(world.said, said);
    world.chain_tips("bob", &[(chain[299], TipStatus::Active), (unseen, TipStatus::HeadersOnly)]);
    let nodes = &stale(&world)[0].nodes;
    assert_eq!(nodes.len(), 2, "{nodes:?}");
}

#[test]
fn the_tree_reaches_as_deep_as_it_is_asked_to() {
    // A first answer has 512 headers; more are asked for as long as the tree is not deep enough.
    for (header_depth, lowest) in [(10, 89), (1_000, 0)] {
        let (mut world, genesis) = World::with(Settings { header_depth, ..Settings::default() });
        let chain = world.chain(genesis, 600);
        world.chain_info("alice", chain[599], false);
        assert_eq!(world.headers.iter().map(|row| row.height).min(), Some(lowest), "{header_depth}");
    }
}
