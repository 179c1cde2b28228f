use bmon_analysis::{
    finding::{Body, Partition},
    tree::ProofOfWork,
};

use crate::{
    fork::common,
    world::{MINUTE, SECOND, World, node},
};

fn only(world: &World) -> Partition {
    match world.only("partition") {
        Body::Partition(found) => found,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn three_blocks_on_each_side_are_a_partition_and_it_stays_one_until_it_heals() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (left, right) = (world.chain(fork, 8), world.chain(fork, 5));
    world.connect_all(&["alice", "bob"], &left[..4]);
    world.connect("carol", &right[..2]);
    world.wait(MINUTE);
    assert_eq!(world.found("partition").len(), 0);
    world.connect("carol", &right[2..3]);
    let found = only(&world);
    assert_eq!((found.fork, found.fork_height, found.healed_at_us), (fork, 5, None));
    let sides: Vec<_> =
        found.sides.iter().map(|side| (side.first, side.length, side.nodes.clone())).collect();
    assert_eq!(sides, [(left[0], 4, vec![node("alice"), node("bob")]), (right[0], 3, vec![node("carol")])]);
    assert_eq!(found.most_work, Some(left[0]));
    world.connect_all(&["alice", "bob"], &left[4..]);
    world.connect("carol", &right[3..]);
    assert_eq!(only(&world).sides.iter().map(|side| side.length).collect::<Vec<_>>(), [8, 5]);
    // Nobody is behind, and nothing is stale, while it lasts.
    world.wait(60 * MINUTE);
    assert_eq!((world.found("lag").len(), world.found("stale-block").len()), (0, 0));
    for name in ["alice", "bob", "carol"] {
        world.log(name, vec![]);
    }
    world.reorganize("carol", &right, fork, &left);
    world.wait(SECOND);
    let healed = only(&world);
    assert!(healed.healed_at_us.is_some());
    assert_eq!(healed.sides[1].nodes, []);
    assert_eq!(healed.sides[0].nodes, ["alice", "bob", "carol"].map(node));
    world.wait(SECOND);
    assert_eq!(world.found("stale-block").len(), 5);
}

#[test]
fn a_short_side_is_a_partition_when_it_lasts() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (left, right) = (world.chain(fork, 4), world.block(fork));
    world.connect("carol", &[right]);
    world.connect_all(&["alice", "bob"], &left);
    world.wait(MINUTE);
    assert_eq!(world.found("partition").len(), 0);
    world.wait(30 * MINUTE);
    assert_eq!(only(&world).sides.iter().map(|side| side.length).collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn chains_with_different_proofs_of_work_are_parted_and_their_work_is_not_compared() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let left = world.chain(fork, 3);
    let mut right = vec![world.blake2b_block(fork)];
    for _ in 0..4 {
        right.push(world.blake2b_block(right[right.len() - 1]));
    }
    world.connect_all(&["alice", "bob"], &left);
    world.connect("carol", &right);
    let found = only(&world);
    let proofs: Vec<_> = found.sides.iter().map(|side| side.proof_of_work).collect();
    assert_eq!(proofs, [Some(ProofOfWork::Sha256d), Some(ProofOfWork::Blake2b)]);
    assert_eq!(found.most_work, None);
    world.wait(60 * MINUTE);
    assert_eq!((world.found("lag").len(), world.found("stale-block").len()), (0, 0));
}
