use bmon_analysis::finding::{Body, Lag};

use crate::{
    fork::common,
    world::{MINUTE, World, node},
};

fn only(world: &World) -> Lag {
    match world.only("lag") {
        Body::Lag(found) => found,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_node_is_behind_after_a_grace_and_until_it_has_caught_up() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let blocks = world.chain(fork, 3);
    world.connect_all(&["alice", "bob"], &blocks[..2]);
    world.wait(9 * MINUTE);
    world.log("carol", vec![]);
    assert_eq!(world.found("lag").len(), 0);
    world.wait(2 * MINUTE);
    let lag = only(&world);
    assert_eq!((lag.tip, lag.height, lag.best_height, lag.blocks_behind), (fork, 5, 7, 2));
    assert_eq!(world.found("lag")[0].node, Some(node("carol")));
    world.connect_all(&["alice", "bob"], &blocks[2..]);
    world.wait(MINUTE);
    assert_eq!(only(&world).blocks_behind, 3);
    world.connect("carol", &blocks[..2]);
    world.wait(MINUTE);
    assert!(only(&world).caught_up_at_us.is_none());
    world.connect("carol", &blocks[2..]);
    world.wait(MINUTE);
    assert!(only(&world).caught_up_at_us.is_some());
}

#[test]
fn a_node_in_initial_block_download_or_without_a_word_is_not_behind() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let blocks = world.chain(fork, 3);
    world.chain_info("carol", fork, true);
    world.connect_all(&["alice", "bob"], &blocks);
    world.wait(11 * MINUTE);
    world.chain_info("carol", fork, true);
    world.wait(MINUTE);
    assert_eq!(world.found("lag").len(), 0);
    world.chain_info("carol", fork, false);
    world.wait(MINUTE);
    assert_eq!(only(&world).blocks_behind, 3);
}

#[test]
fn a_node_whose_word_comes_late_is_not_behind() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let blocks = world.chain(fork, 3);
    let held_back = world.hold_back();
    world.connect_all(&["alice", "bob"], &blocks);
    world.connect("carol", &blocks);
    world.release(held_back, 20 * MINUTE);
    assert_eq!(world.found("lag").len(), 0);
}
