use bmon_analysis::{
    finding::{Body, Partition},
    tree::ProofOfWork,
};

use bmon_event::{BlockHash, Kind, Source, event::TipStatus};

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

/// Carol, and bob with her if they are two, on one block while the others find four.
fn short_side(are_two: bool) -> (World, BlockHash) {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (left, right) = (world.chain(fork, 4), world.block(fork));
    let (one, other) = (["alice", "bob"], ["bob", "carol"]);
    world.connect_all(if are_two { &other } else { &other[1..] }, &[right]);
    world.connect_all(if are_two { &one[..1] } else { &one }, &left);
    (world, left[3])
}

#[test]
fn a_short_side_of_two_nodes_is_a_partition_when_it_lasts() {
    let (mut world, _) = short_side(true);
    world.pass(29 * MINUTE);
    assert_eq!(world.found("partition").len(), 0);
    world.pass(2 * MINUTE);
    assert_eq!(only(&world).sides.iter().map(|side| side.length).collect::<Vec<_>>(), [1, 4]);
    // It does not heal by falling silent.
    world.wait(60 * MINUTE);
    assert_eq!(only(&world).healed_at_us, None);
}

#[test]
fn a_node_alone_that_knows_of_the_other_side_and_does_not_follow_it_is_parted() {
    let (mut world, left) = short_side(false);
    world.chain_tips("carol", &[(left, TipStatus::HeadersOnly)]);
    world.pass(31 * MINUTE);
    assert_eq!(only(&world).sides.iter().map(|side| side.length).collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn a_node_that_was_stopped_or_cut_off_on_the_losing_side_of_a_race_is_behind_and_not_parted() {
    let (mut world, left) = short_side(false);
    world.pass(60 * MINUTE);
    assert_eq!((world.found("partition").len(), world.found("lag").len()), (0, 1));
    // Back among the others it hears of their blocks before it follows them.
    let height = Some(6);
    let header = Kind::HeaderSeen { block: world.at_height(left, 6), height, peer: None, compact: false };
    world.log("carol", vec![header]);
    world.pass(9 * MINUTE);
    assert_eq!(world.found("partition").len(), 0);
    world.pass(2 * MINUTE);
    assert_eq!(world.found("partition").len(), 1);

    let (mut world, left) = short_side(false);
    world.chain_tips("carol", &[(left, TipStatus::HeadersOnly)]);
    let detail = "refused".to_owned();
    world.tell(
        "carol",
        Source::Agent,
        vec![Kind::SourceState { source: Source::Rpc, working: false, detail }],
    );
    world.pass(60 * MINUTE);
    assert_eq!(world.found("partition").len(), 0);
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
