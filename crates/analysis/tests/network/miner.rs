//! Who mined each block: from the parts of blocks that agents give.

use std::collections::BTreeSet;

use bmon_analysis::{
    Settings,
    finding::{Body, Fork, StaleBlock},
};
use bmon_event::{BlockHash, Kind, Source, Wanted, event::TipStatus};

use crate::{
    fork::common,
    world::{MINUTE, SECOND, World, node},
};

fn pool(world: &World, block: BlockHash) -> Option<String> {
    world.miners.get(&block)?.miner.pool.as_ref().map(|pool| pool.name.clone())
}

fn fork_found(world: &World) -> Fork {
    match world.only("fork") {
        Body::Fork(found) => found,
        other => unreachable!("{other:?}"),
    }
}

/// Every block is asked for once, and no block of others than these.
fn asked_for(world: &World) -> Vec<BlockHash> {
    world.parts.iter().map(|(block, _)| *block).collect()
}

/// Gives the engine a part, as it is or changed.
fn tell(world: &mut World, name: &str, part: bmon_event::event::BlockPart) {
    world.tell(name, Source::Agent, vec![Kind::BlockPart(part)]);
}

#[test]
fn the_miners_of_the_last_blocks_are_known_at_once_and_of_a_race_by_branch() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let a = world.mined(fork, "/AntPool/", &[]);
    let b = world.mined(fork, "F2Pool", &[]);
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    assert_eq!((pool(&world, a).as_deref(), pool(&world, b).as_deref()), (Some("AntPool"), Some("F2Pool")));
    assert_eq!(world.miners[&fork].miner.pool, None);
    let next = world.mined(b, "/ViaBTC/", &[]);
    world.connect_all(&["bob", "carol"], &[next]);
    world.reorganize("alice", &[a], fork, &[b, next]);
    let found = fork_found(&world);
    let miners =
        |branch: usize| found.branches[branch].miners.iter().map(Option::as_deref).collect::<Vec<_>>();
    assert_eq!((miners(0), miners(1)), (vec![Some("AntPool")], vec![Some("F2Pool"), Some("ViaBTC")]));
    let Body::StaleBlock(StaleBlock { block, miner, .. }) = world.only("stale-block") else {
        unreachable!("asked for")
    };
    assert_eq!((block, miner.as_deref()), (a, Some("AntPool")));
}

#[test]
fn a_block_that_takes_many_parts_is_put_together_and_kept_if_it_was_left_behind() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let many = world.payments(30);
    let a = world.mined(fork, "/AntPool/", &many);
    let b = world.mined(fork, "F2Pool", &many);
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let next = world.mined(b, "F2Pool", &[]);
    world.connect_all(&["bob", "carol"], &[next]);
    world.reorganize("alice", &[a], fork, &[b, next]);
    // One of the two was kept while the race was open: the one that was seen later.
    assert_eq!(world.raw_blocks.keys().copied().collect::<BTreeSet<_>>(), [a, b].into());
    for block in [a, b] {
        assert_eq!(world.raw_blocks[&block].raw, world.body(block));
    }
    assert!(asked_for(&world).iter().filter(|block| **block == a).count() > 5);
    assert_eq!(world.engine.counters().bad_block_parts, 0);
}

#[test]
fn a_longer_header_is_followed_by_the_same() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    world.tag = "/AntPool/";
    let block = world.blake2b_block(fork);
    world.connect_all(&["alice", "bob"], &[block]);
    assert_eq!(pool(&world, block).as_deref(), Some("AntPool"));
}

#[test]
fn only_nodes_that_have_the_block_are_asked_and_those_with_a_header_never() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (block, withheld) = (world.block(fork), world.block(fork));
    world.silent = ["alice", "bob", "carol"].map(node).into();
    world.connect("alice", &[block]);
    world.log("bob", vec![Kind::HeaderSeen { block, height: Some(6), peer: None, compact: false }]);
    world.chain_tips("bob", &[(fork, TipStatus::Active), (withheld, TipStatus::HeadersOnly)]);
    let needs = world.engine.needs();
    let of = |block: BlockHash| {
        needs.iter().find(|need| matches!(need.what, Wanted::BlockPart { block: of, .. } if of == block))
    };
    assert_eq!(of(block).unwrap().nodes, [node("alice"), node("carol")]);
    assert_eq!(of(withheld), None);
    world.silent.clear();
    world.log("carol", vec![]);
    assert!(world.miners.contains_key(&block) && !world.miners.contains_key(&withheld));
    assert!(world.parts.contains(&(block, node("alice"))));
}

#[test]
fn older_blocks_are_filled_in_from_the_newest_down_one_at_a_time() {
    let (mut world, genesis) = World::new();
    let old = world.chain(genesis, 40);
    world.chain_info("alice", old[39], false);
    let mut before = asked_for(&world).len();
    assert!((6..=7).contains(&before));
    for _ in 0..40 {
        world.wait(3 * SECOND);
        world.log("alice", vec![]);
        let asked = asked_for(&world).len();
        assert!(asked - before <= 1);
        before = asked;
    }
    let all: Vec<_> = std::iter::once(genesis).chain(old).rev().collect();
    assert_eq!(asked_for(&world), all);
}

#[test]
fn nothing_older_is_asked_for_while_a_new_block_is_lacking_or_if_it_is_not_wanted() {
    for backfill_miners in [true, false] {
        let (mut world, genesis) = World::with(Settings { backfill_miners, ..Settings::default() });
        let old = world.chain(genesis, 40);
        world.silent.insert(node("alice"));
        world.chain_info("alice", old[39], false);
        world.wait(30 * SECOND);
        assert_eq!(world.engine.needs().len(), 6);
        // What nobody gives does not keep it waiting for ever.
        world.wait(10 * MINUTE);
        assert_eq!(world.engine.needs().len() > 6, backfill_miners);
    }
}

#[test]
fn an_older_block_that_nobody_gives_is_passed_over_and_asked_for_again_later() {
    let (mut world, genesis) = World::new();
    let old = world.chain(genesis, 10);
    world.chain_info("alice", old[9], false);
    world.silent.insert(node("alice"));
    world.wait(60 * SECOND);
    world.silent.clear();
    world.log("alice", vec![]);
    assert!(world.miners.len() < 11, "some were passed over");
    world.wait(59 * MINUTE);
    for _ in 0..40 {
        world.wait(3 * SECOND);
        world.log("alice", vec![]);
    }
    assert_eq!(world.miners.len(), 11);
}

#[test]
fn nothing_is_asked_for_again_after_a_restart() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let a = world.mined(fork, "/AntPool/", &[]);
    let b = world.mined(fork, "F2Pool", &[]);
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let next = world.block(b);
    world.connect_all(&["bob", "carol"], &[next]);
    world.reorganize("alice", &[a], fork, &[b, next]);
    let asked = world.parts.len();
    world.restart();
    world.wait(SECOND);
    world.log("alice", vec![]);
    let again = &world.parts[asked..];
    assert!(again.iter().all(|(block, _)| [b, next].contains(block)), "{again:?}");
    let pools = ["AntPool", "F2Pool"].map(|pool| vec![Some(pool.to_owned())]);
    let miners = fork_found(&world).branches.into_iter().map(|branch| branch.miners[..1].to_vec());
    assert_eq!(miners.collect::<Vec<_>>(), pools);
}

#[test]
fn bytes_that_are_not_those_of_the_block_are_dropped_and_their_node_is_not_asked_again() {
    let wrong: [fn(&mut Vec<u8>); 4] = [
        // Another header, no coinbase, other transactions, none at all.
        |bytes| bytes[3] ^= 1,
        |bytes| bytes[81 + 5] ^= 1,
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        Vec::clear,
    ];
    for change in wrong {
        let (mut world, genesis) = World::new();
        let fork = common(&mut world, genesis);
        let block = world.mined(fork, "/AntPool/", &[]);
        world.silent = ["alice", "bob", "carol"].map(node).into();
        world.connect_all(&["alice", "bob"], &[block]);
        let mut part = world.part(block, 0, u64::MAX);
        change(&mut part.bytes);
        tell(&mut world, "alice", part);
        assert_eq!(world.engine.counters().bad_block_parts, 1);
        assert!(!world.miners.contains_key(&block));
        world.silent.remove(&node("alice"));
        world.log("alice", vec![]);
        assert!(!world.miners.contains_key(&block));
        world.silent.remove(&node("bob"));
        world.log("alice", vec![]);
        assert_eq!(pool(&world, block).as_deref(), Some("AntPool"));
    }
}

#[test]
fn a_part_that_contradicts_what_was_there_begins_the_block_anew() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let many = world.payments(20);
    let (a, b) = (world.mined(fork, "/AntPool/", &many), world.mined(fork, "F2Pool", &[]));
    world.silent = ["alice", "bob", "carol"].map(node).into();
    world.connect_all(&["bob", "carol"], &[b]);
    world.connect("alice", &[a]);
    let (first, mut other, second) =
        (world.part(a, 0, u64::MAX), world.part(a, 0, u64::MAX), world.part(a, 200, u64::MAX));
    other.size_bytes += 1;
    for part in [first.clone(), second.clone(), other, second, first] {
        tell(&mut world, "alice", part);
    }
    // The other size, and then again the right one.
    let counters = world.engine.counters();
    assert_eq!((counters.bad_block_parts, counters.unneeded_block_parts), (2, 0));
    world.silent.clear();
    world.log("alice", vec![]);
    assert_eq!(world.raw_blocks[&a].raw, world.body(a));
    let again = world.part(a, 0, u64::MAX);
    tell(&mut world, "alice", again);
    assert_eq!(world.engine.counters().unneeded_block_parts, 1);
}
