use bmon_analysis::finding::{Body, Fork, ForkBranch};
use bmon_event::{BlockHash, Kind, ServerTime, event::TipStatus};

use crate::world::{SECOND, World, node};

fn forks(world: &World) -> Vec<Fork> {
    let fork = |body: &Body| match body {
        Body::Fork(fork) => Some(fork.clone()),
        _ => None,
    };
    world.found("fork").iter().filter_map(|finding| fork(&finding.body)).collect()
}

fn nodes(branch: &ForkBranch) -> Vec<String> {
    branch.active_at.iter().map(ToString::to_string).collect()
}

/// Alice, bob and carol after some common blocks, the last of which is returned.
pub(crate) fn common(world: &mut World, genesis: BlockHash) -> BlockHash {
    let blocks = world.chain(genesis, 5);
    world.connect_all(&["alice", "bob", "carol"], &blocks);
    assert_eq!(forks(world), []);
    blocks[4]
}

#[test]
fn a_race_of_two_is_open_until_a_block_decides_it() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (a, b) = (world.block(fork), world.block(fork));
    world.connect("alice", &[a]);
    world.wait(SECOND);
    world.connect_all(&["bob", "carol"], &[b]);
    let open = forks(&world).swap_remove(0);
    assert!(open.is_race && open.winner.is_none() && open.decided_at_us.is_none());
    assert_eq!((open.fork, open.fork_height), (fork, 5));
    assert_eq!(
        open.branches.iter().map(|branch| branch.blocks.clone()).collect::<Vec<_>>(),
        [vec![a], vec![b]]
    );
    assert_eq!(open.branches.iter().map(nodes).collect::<Vec<_>>(), [vec!["alice"], vec!["bob", "carol"]]);
    world.wait(600 * SECOND);
    let next = world.block(b);
    world.connect_all(&["bob", "carol"], &[next]);
    let decided_at = world.now - crate::world::MS;
    world.reorganize("alice", &[a], fork, &[b, next]);
    let over = forks(&world).swap_remove(0);
    assert_eq!((over.is_race, over.winner), (false, Some(b)));
    assert_eq!(over.decided_at_us.map(ServerTime::as_micros), Some(decided_at));
    assert_eq!(over.branches[1].blocks, [b, next]);
    assert_eq!(nodes(&over.branches[1]), ["alice", "bob", "carol"]);
    assert_eq!(over.branches[0].valid_at, [node("alice")]);
    // It is said once more when a node that had only heard of the loser tells so, and not because the chain grows.
    let said = world.said;
    let more = world.chain(next, 20);
    world.connect_all(&["alice", "bob", "carol"], &more);
    assert_eq!(world.said, said);
}

#[test]
fn a_race_of_three_is_one_fork_with_three_branches() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let blocks = [world.block(fork), world.block(fork), world.block(fork)];
    for (name, block) in ["alice", "bob", "carol"].iter().zip(blocks) {
        world.wait(SECOND);
        world.connect(name, &[block]);
    }
    let open = forks(&world).swap_remove(0);
    assert_eq!(open.branches.iter().map(|branch| branch.blocks[0]).collect::<Vec<_>>(), blocks);
    assert!(open.is_race);
    let next = world.block(blocks[1]);
    world.connect("bob", &[next]);
    world.reorganize("alice", &blocks[..1], fork, &[blocks[1], next]);
    world.reorganize("carol", &blocks[2..], fork, &[blocks[1], next]);
    let over = forks(&world).swap_remove(0);
    assert_eq!((over.is_race, over.winner, over.branches.len()), (false, Some(blocks[1]), 3));
    assert_eq!(world.found("fork").len(), 1);
}

#[test]
fn a_fork_that_only_getchaintips_tells_of_is_found_and_is_no_race() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let withheld = world.chain(fork, 2);
    let blocks = world.chain(fork, 3);
    world.connect_all(&["alice", "bob", "carol"], &blocks);
    world.chain_tips("bob", &[(blocks[2], TipStatus::Active), (withheld[1], TipStatus::HeadersOnly)]);
    let found = forks(&world).swap_remove(0);
    assert_eq!((found.is_race, found.winner), (false, Some(blocks[0])));
    let branch = found.branches.iter().find(|branch| branch.blocks == withheld).unwrap();
    assert_eq!(branch.header_only_at, [node("bob")]);
    assert_eq!(branch.length, 2);
}

#[test]
fn a_block_of_equal_work_that_every_node_refuses_is_no_race() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (good, bad) = (world.block(fork), world.block(fork));
    world.connect_all(&["alice", "bob", "carol"], &[good]);
    for name in ["alice", "bob"] {
        let height = Some(6);
        let reason = Some("bad-cb-amount".to_owned());
        world.log(name, vec![Kind::BlockInvalid { block: bad, height, reason }]);
    }
    let found = forks(&world).swap_remove(0);
    assert!(!found.is_race);
    let branch = found.branches.iter().find(|branch| branch.blocks == [bad]).unwrap();
    assert_eq!(branch.invalid_at, [node("alice"), node("bob")]);
}
