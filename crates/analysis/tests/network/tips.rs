use bmon_analysis::{
    row::{NodeTip, Tip, TipsRow},
    tree::Status,
};
use bmon_event::{BlockHash, Kind, event::TipStatus};

use crate::{
    fork::common,
    world::{MINUTE, SECOND, World, network},
};

fn tips(world: &World) -> TipsRow {
    world.tips.0.clone().unwrap()
}

/// Block, blocks off the main chain, and what it is to each node.
type End = (BlockHash, u32, Vec<(String, Status)>);

fn ends(world: &World) -> Vec<End> {
    let end = |tip: Tip| {
        let statuses = tip.nodes.iter().map(|of| (of.node.to_string(), of.status)).collect();
        (tip.block, tip.branch_length, statuses)
    };
    tips(world).tips.into_iter().map(end).collect()
}

fn of(nodes: &[(&str, Status)]) -> Vec<(String, Status)> {
    nodes.iter().map(|(node, status)| ((*node).to_owned(), *status)).collect()
}

#[test]
fn every_branch_is_listed_after_the_main_chain_with_what_it_is_to_each_node() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (stale, withheld, refused) = (world.block(fork), world.chain(fork, 2), world.block(fork));
    let chain = world.chain(fork, 3);
    world.connect("alice", &[stale]);
    world.connect_all(&["bob", "carol"], &chain[..2]);
    world.reorganize("alice", &[stale], fork, &chain);
    world.connect_all(&["bob"], &chain[2..]);
    let reason = Some("bad-cb-amount".to_owned());
    world.log("carol", vec![Kind::BlockInvalid { block: refused, height: Some(6), reason }]);
    world.chain_tips("bob", &[(chain[2], TipStatus::Active), (withheld[1], TipStatus::HeadersOnly)]);
    let found = ends(&world);
    let main = &found[0];
    assert_eq!((main.0, main.1), (chain[2], 0));
    assert_eq!(main.2, of(&[("alice", Status::Active), ("bob", Status::Active)]));
    assert_eq!(found[1], (withheld[1], 2, of(&[("bob", Status::HeaderOnly)])));
    assert_eq!(found.len(), 4);
    assert!(found.contains(&(stale, 1, of(&[("alice", Status::Valid)]))));
    assert!(found.contains(&(refused, 1, of(&[("carol", Status::Invalid)]))));
    let row = tips(&world);
    assert_eq!((row.network, row.tips[1].fork, row.tips[1].fork_height), (network(), fork, 5));
    assert_eq!((row.tips[0].fork, row.tips[0].fork_height), (chain[2], 8));
    let place = |at: &NodeTip| (at.node.to_string(), at.tip, at.height, at.blocks_behind);
    assert_eq!(
        row.nodes.iter().map(place).collect::<Vec<_>>(),
        [("alice", chain[2], 8, 0), ("bob", chain[2], 8, 0), ("carol", chain[1], 7, 1)]
            .map(|(node, tip, height, behind)| (node.to_owned(), tip, height, behind))
    );
}

#[test]
fn nothing_is_said_while_nothing_changes() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let stale = world.block(fork);
    let block = world.block(fork);
    world.connect_all(&["alice", "bob", "carol"], &[block]);
    let told = [(block, TipStatus::Active), (stale, TipStatus::ValidFork)];
    world.chain_tips("alice", &told);
    let said = world.tips.1;
    world.wait(MINUTE);
    world.chain_tips("alice", &told);
    assert_eq!(world.tips.1, said);
    world.chain_tips("bob", &told);
    assert_eq!(world.tips.1, said + 1);
}

#[test]
fn when_an_end_was_first_seen_stays_when_that_is_forgotten() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (stale, block) = (world.block(fork), world.block(fork));
    world.connect_all(&["bob", "carol"], &[block]);
    world.wait(40 * SECOND);
    world.connect("alice", &[stale]);
    let seen = |world: &World| tips(world).tips.iter().find(|tip| tip.block == stale).unwrap().seen_at_us;
    let before = seen(&world);
    world.now += 5 * 24 * 60 * MINUTE;
    for block in world.chain(block, 40) {
        world.now += 3 * 60 * MINUTE;
        world.connect_all(&["alice", "bob", "carol"], &[block]);
    }
    assert_eq!(seen(&world), before);
}

#[test]
fn what_lies_far_below_the_tip_and_what_is_too_many_is_left_out() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let old = world.block(fork);
    let chain = world.chain(fork, 2_030);
    world.wait(MINUTE);
    world.chain_info("alice", chain[2_029], false);
    world.chain_tips("alice", &[(chain[2_029], TipStatus::Active), (old, TipStatus::ValidFork)]);
    assert_eq!(ends(&world).len(), 1);
    let many: Vec<_> = (0..120).map(|_| (world.block(chain[2_020]), TipStatus::HeadersOnly)).collect();
    many.chunks(60).for_each(|some| world.chain_tips("alice", some));
    let found = ends(&world);
    assert_eq!((found.len(), found[0].0), (100, chain[2_029]));
}
