//! What competing branches confirmed differently.

use bitcoin::{OutPoint, Transaction, hashes::Hash as _};
use bmon_analysis::{
    double_spend::Fate,
    finding::{Body, DoubleSpend},
};
use bmon_event::{BlockHash, Txid, event::TipStatus};

use crate::{
    fork::common,
    world::{SECOND, World, node, transaction},
};

fn only(world: &World) -> DoubleSpend {
    match world.only("double-spend") {
        Body::DoubleSpend(found) => found,
        other => unreachable!("{other:?}"),
    }
}

/// Spends a coin and pays this.
fn spend(coin: u8, pays: &[(u8, u64)]) -> Transaction {
    transaction(OutPoint { txid: bitcoin::Txid::from_byte_array([coin; 32]), vout: 0 }, pays)
}

fn txid(transaction: &Transaction) -> Txid {
    transaction.compute_txid().to_string().parse().unwrap()
}

/// A payment, a theft of it, another payment and the same with a lower change, one that both have, and one that a block
/// alone has.
struct Cast {
    payment: Transaction,
    theft: Transaction,
    slow: Transaction,
    fast: Transaction,
    shared: Transaction,
    alone: Transaction,
}

fn cast() -> Cast {
    Cast {
        payment: spend(1, &[(1, 70_000), (2, 20_000)]),
        theft: spend(1, &[(3, 89_000)]),
        slow: spend(2, &[(4, 50_000), (5, 9_000)]),
        fast: spend(2, &[(4, 50_000), (5, 7_000)]),
        shared: spend(3, &[(6, 1_000)]),
        alone: spend(4, &[(7, 1_000)]),
    }
}

/// A race of a first block, which alice has, and a second one. Then the second wins.
fn race(world: &mut World, genesis: BlockHash) -> (BlockHash, [BlockHash; 3]) {
    let fork = common(world, genesis);
    let Cast { payment, theft, slow, fast, shared, alone } = cast();
    let a = world.mined(fork, "/AntPool/", &[payment, slow, shared.clone(), alone]);
    let b = world.mined(fork, "F2Pool", &[theft, fast, shared]);
    let next = world.mined(b, "F2Pool", &[spend(9, &[(9, 9)])]);
    world.connect("alice", &[a]);
    world.wait(SECOND);
    world.connect_all(&["bob", "carol"], &[b]);
    (fork, [a, b, next])
}

fn decide(world: &mut World, fork: BlockHash, [a, b, next]: [BlockHash; 3]) {
    world.wait(600 * SECOND);
    world.connect_all(&["bob", "carol"], &[next]);
    world.reorganize("alice", &[a], fork, &[b, next]);
}

#[test]
fn a_double_spend_and_a_fee_bump_are_told_while_the_race_is_open_and_what_was_lost_after_it() {
    let (mut world, genesis) = World::new();
    let (fork, blocks) = race(&mut world, genesis);
    let [a, b, next] = blocks;
    let open = only(&world);
    assert_eq!((open.fork, open.winner, open.only_here), (fork, None, None));
    assert_eq!((open.branches, open.missing), (vec![vec![a], vec![b]], vec![]));
    assert_eq!((open.double_spends, open.fee_bumps), (1, 1));
    // The main chain is that of the first block still: the second one's are told.
    let Cast { payment, theft, slow, fast, alone, .. } = cast();
    let told = open.entries.iter().map(|entry| (entry.txid, entry.block, entry.fate));
    let expected = [(txid(&theft), b, Fate::DoubleSpend), (txid(&fast), b, Fate::FeeBump)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    decide(&mut world, fork, blocks);
    let over = only(&world);
    assert_eq!((over.winner, over.only_here, over.omitted), (Some(b), Some(1), 0));
    assert_eq!((over.branches, over.missing), (vec![vec![b, next], vec![a]], vec![]));
    let told = over.entries.iter().map(|entry| (entry.txid, entry.block, entry.fate));
    let expected = [
        (txid(&payment), a, Fate::DoubleSpend),
        (txid(&slow), a, Fate::FeeBump),
        (txid(&alone), a, Fate::OnlyHere),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(over.double_spent_sat, 90_000);
    assert_eq!(over.entries[0].replacements[0].txid, txid(&theft));
    assert_eq!(world.engine.needs(), []);
}

#[test]
fn branches_that_confirm_the_same_are_not_told_of() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let shared = [cast().shared];
    let (a, b) = (world.mined(fork, "", &shared), world.mined(fork, "", &shared));
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let next = world.mined(b, "", &[cast().payment]);
    world.connect_all(&["bob", "carol"], &[next]);
    world.reorganize("alice", &[a], fork, &[b, next]);
    assert_eq!(world.found("double-spend").len(), 0);
}

#[test]
fn a_conflict_is_told_with_what_is_missing_and_the_rest_when_it_comes() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let Cast { payment, theft, slow, fast, alone, .. } = cast();
    let a = world.mined(fork, "", &[payment, alone]);
    let more = world.mined(a, "", &[slow]);
    let b = world.mined(fork, "", &[theft]);
    let last = world.mined(b, "", &[fast]);
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    world.silent = ["alice", "bob", "carol"].map(node).into();
    world.connect("alice", &[more]);
    world.connect_all(&["bob", "carol"], &[last]);
    let before = only(&world);
    assert_eq!((before.double_spends, before.fee_bumps, before.branches.len()), (1, 0, 2));
    world.silent.clear();
    world.log("alice", vec![]);
    let after = only(&world);
    assert_eq!((after.double_spends, after.fee_bumps, after.missing), (1, 1, vec![]));
    assert_eq!(after.branches, [vec![a, more], vec![b, last]]);
}

#[test]
fn a_branch_that_no_node_has_found_valid_is_not_compared() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let Cast { payment, theft, .. } = cast();
    let (withheld, block) = (world.mined(fork, "", &[payment]), world.mined(fork, "", &[theft]));
    world.connect_all(&["alice", "bob", "carol"], &[block]);
    world.chain_tips("bob", &[(block, TipStatus::Active), (withheld, TipStatus::HeadersOnly)]);
    assert_eq!(world.found("fork").len(), 1);
    assert_eq!(world.found("double-spend").len(), 0);
    // It is when one has.
    world.chain_tips("bob", &[(block, TipStatus::Active), (withheld, TipStatus::ValidFork)]);
    assert_eq!(only(&world).double_spends, 1);
}

#[test]
fn what_was_said_before_a_restart_stays_and_is_revised_when_the_branch_grows() {
    let (mut world, genesis) = World::new();
    let (fork, blocks) = race(&mut world, genesis);
    let [a, b, _] = blocks;
    let (revision, asked) = (world.found("double-spend")[0].revision, world.parts.len());
    world.restart();
    world.wait(SECOND);
    world.log("alice", vec![]);
    assert_eq!((world.found("double-spend")[0].revision, world.parts.len()), (revision, asked));
    decide(&mut world, fork, blocks);
    let over = only(&world);
    assert_eq!((over.winner, over.only_here, over.double_spends), (Some(b), Some(1), 1));
    assert!(world.raw_blocks.contains_key(&a));
}

#[test]
fn of_many_transactions_only_some_are_named() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let payments = |to: u8| (0..250).map(|coin| spend(coin, &[(to, 2_000_000)])).collect::<Vec<_>>();
    let (a, b) = (world.mined(fork, "", &payments(1)), world.mined(fork, "", &payments(2)));
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let found = only(&world);
    assert_eq!((found.double_spends, found.entries.len(), found.omitted), (250, 200, 50));
    assert_eq!(found.double_spent_sat, 250 * 2_000_000);
}
