//! What is on the watch list, step by step.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint as TheirOutPoint, Transaction, consensus::serialize, hashes::Hash as _};
use bmon_analysis::{
    alert::{AlertState, Severity},
    finding::{Body, FindingId, Step},
    watch::WatchItem,
};
use bmon_event::{
    BlockHash, Kind, NodeName, OutPoint, Source, Txid, Wanted,
    event::{MempoolSpend, MempoolSpends, RawTx},
};
use proptest::prelude::*;

use crate::{
    fork::common,
    order::interleaved,
    world::{MINUTE, PART_BYTES, SECOND, World, node, transaction},
};

const NODES: [&str; 3] = ["alice", "bob", "carol"];

fn coin() -> TheirOutPoint {
    TheirOutPoint { txid: bitcoin::Txid::from_byte_array([9; 32]), vout: 1 }
}

fn outpoint() -> OutPoint {
    coin().to_string().parse().unwrap()
}

/// Spends the coin and pays this one.
fn spend(who: u8) -> Transaction {
    transaction(coin(), &[(who, 1_000)])
}

pub(crate) fn txid(transaction: &Transaction) -> Txid {
    transaction.compute_txid().to_string().parse().unwrap()
}

fn item(transaction: &Transaction) -> WatchItem {
    WatchItem::Tx(txid(transaction))
}

/// Three nodes after some common blocks.
fn world() -> (World, BlockHash) {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    (world, fork)
}

impl World {
    /// The bytes of a transaction, from the first of these nodes that has it in its mempool.
    pub(crate) fn raw_tx(&self, nodes: &[NodeName], wanted: Txid) -> Option<(NodeName, Kind)> {
        let of_node = |node: &NodeName| {
            let found = self.mempools.get(node)?.iter().find(|tx| txid(tx) == wanted)?;
            Some((node.clone(), Kind::RawTx(RawTx { want: 1, txid: wanted, raw: serialize(found) })))
        };
        nodes.iter().filter(|node| !self.silent.contains(*node)).find_map(of_node)
    }

    /// What the node says of these coins.
    pub(crate) fn spends(&self, node: &NodeName, outpoints: &[OutPoint]) -> MempoolSpends {
        if self.blind.contains(node) {
            return MempoolSpends { want: 1, spends: Vec::new(), problem: Some("too old".to_owned()) };
        }
        let spent = self.mempools.get(node).into_iter().flatten().flat_map(|tx| {
            tx.input.iter().map(|input| MempoolSpend {
                outpoint: input.previous_output.to_string().parse().unwrap(),
                by: txid(tx),
            })
        });
        let spends = spent.filter(|spend| outpoints.contains(&spend.outpoint)).collect();
        MempoolSpends { want: 1, spends, problem: None }
    }

    pub(crate) fn accept(&mut self, name: &str, tx: &Transaction) {
        self.now += 1_000;
        self.mempools.entry(node(name)).or_default().push(tx.clone());
        let kind = Kind::TxAdded { txid: txid(tx), wtxid: None, peer: None, mempool_sequence: None };
        self.log(name, vec![kind]);
    }

    fn replace(&mut self, name: &str, old: &Transaction, new: &Transaction) {
        self.drop_from(name, old);
        self.log(name, vec![Kind::TxReplaced { old: txid(old), new: Some(txid(new)) }]);
        self.accept(name, new);
    }

    /// It leaves the mempool, of which nothing is told.
    fn drop_from(&mut self, name: &str, tx: &Transaction) {
        self.mempools.entry(node(name)).or_default().retain(|other| other != tx);
    }

    /// Mempools are asked again.
    pub(crate) fn poll(&mut self) {
        for _ in 0..12 {
            self.wait(SECOND);
            self.serve();
        }
    }

    fn steps(&self) -> Vec<Step> {
        let found = self.found("watch").into_iter().filter_map(|finding| match &finding.body {
            Body::Watch(found) => Some(found.step.clone()),
            _ => None,
        });
        found.collect()
    }

    /// The words of all steps, each as often as it was said of something.
    fn words(&self) -> BTreeMap<&'static str, usize> {
        self.steps().iter().fold(BTreeMap::new(), |mut words, step| {
            *words.entry(step.word()).or_default() += 1;
            words
        })
    }
}

macro_rules! only {
    ($world:expr, $step:ident) => {{
        let steps = $world.steps();
        let mut found = steps.iter().filter_map(|step| match step {
            Step::$step(found) => Some(found.clone()),
            _ => None,
        });
        let only = found.next().unwrap();
        assert_eq!(found.next(), None);
        only
    }};
}

fn names(names: &[&str]) -> Vec<NodeName> {
    names.iter().map(|name| node(name)).collect()
}

#[test]
fn a_transaction_is_seen_by_more_and_more_nodes_also_by_those_that_told_before_it_was_watched() {
    let (mut world, _) = world();
    let tx = spend(1);
    world.accept("bob", &tx);
    world.watch(&[item(&tx)]);
    world.poll();
    let seen = only!(world, Seen);
    assert_eq!(
        (seen.nodes, seen.accepted_at, seen.missing_at),
        (3, names(&["bob"]), names(&["alice", "carol"]))
    );
    assert_eq!(seen.inputs, Some(vec![outpoint()]));
    let first = world.found("watch")[0].clone();
    world.accept("alice", &tx);
    world.poll();
    let seen = only!(world, Seen);
    assert_eq!((seen.accepted_at, seen.missing_at), (names(&["alice", "bob"]), names(&["carol"])));
    // The same finding, which began when the first node told.
    let last = world.found("watch")[0];
    assert_eq!((last.id, last.sighted), (first.id, first.sighted));
    assert!(last.revision > first.revision);
    assert_eq!(world.words(), BTreeMap::from([("seen", 1)]));
    assert!(world.alerts.is_empty(), "{:#?}", world.alerts);
}

#[test]
fn a_mempool_tells_of_what_came_before_the_monitor() {
    let (mut world, _) = world();
    let tx = spend(1);
    world.mempools.insert(node("carol"), vec![tx.clone()]);
    world.watch(&[item(&tx)]);
    world.poll();
    assert_eq!(only!(world, Seen).accepted_at, names(&["carol"]));
    assert_eq!(world.found("watch")[0].sources, [Source::Rpc]);
}

#[test]
fn another_transaction_for_the_same_coin_is_a_conflict_at_the_nodes_that_have_it() {
    let (mut world, _) = world();
    let (tx, other) = (spend(1), spend(2));
    world.watch(&[item(&tx)]);
    world.accept("alice", &tx);
    world.accept("bob", &other);
    world.blind.insert(node("carol"));
    world.poll();
    let conflict = only!(world, Conflict);
    assert_eq!((conflict.txid, conflict.with), (txid(&other), vec![txid(&tx)]));
    assert_eq!((conflict.outpoints, conflict.nodes), (vec![outpoint()], names(&["bob"])));
    // What carol has nobody can tell, and that is said.
    let blind: Vec<_> = conflict.blind.iter().map(|blind| blind.node.clone()).collect();
    assert_eq!((blind, conflict.blind[0].reason.as_str()), (names(&["carol"]), "too old"));
    assert_eq!(world.words(), BTreeMap::from([("conflict", 1), ("seen", 1)]));
    let subject = format!("tx {} conflict", txid(&tx));
    assert_eq!(world.alerts_of("watch"), [(Severity::Critical, AlertState::Pending, subject.clone())]);
    world.pass(MINUTE);
    assert_eq!(world.alerts_of("watch"), [(Severity::Critical, AlertState::Firing, subject)]);
}

#[test]
fn a_replacement_that_is_mined_is_a_double_spend_of_what_it_replaced() {
    let (mut world, tip) = world();
    let (tx, other) = (spend(1), spend(2));
    world.watch(&[item(&tx), item(&other)]);
    for name in NODES {
        world.accept(name, &tx);
    }
    world.poll();
    world.replace("alice", &tx, &other);
    // Bob's log tells that it left, and not for what; carol's tells nothing.
    world.drop_from("bob", &tx);
    world.log("bob", vec![Kind::TxRemoved { txid: txid(&tx), reason: None, mempool_sequence: None }]);
    world.mempools.insert(node("bob"), vec![other.clone()]);
    world.poll();
    let replaced = only!(world, Replaced);
    assert_eq!((replaced.txid, replaced.by.len()), (txid(&tx), 1));
    assert_eq!((replaced.by[0].txid, &replaced.by[0].nodes), (Some(txid(&other)), &names(&["alice", "bob"])));

    let block = world.mined(tip, "", std::slice::from_ref(&other));
    world.connect_all(&NODES, &[block]);
    world.poll();
    let mined = only!(world, Mined);
    assert_eq!((mined.txid, mined.block, mined.height), (txid(&other), block, 6));
    assert!(mined.is_in_best_chain);
    let spent = only!(world, DoubleSpent);
    assert_eq!((spent.txid, spent.instead_of, spent.block), (txid(&other), vec![txid(&tx)], block));
    assert_eq!((spent.outpoint, spent.height), (outpoint(), 6));
}

/// A transaction is mined, and the block is left for two others, of which the last has `again`.
fn reorged(again: &[Transaction]) -> (World, [BlockHash; 3]) {
    let (mut world, fork) = world();
    let tx = spend(1);
    world.watch(&[item(&tx)]);
    world.accept("alice", &tx);
    let left = world.mined(fork, "", std::slice::from_ref(&tx));
    world.connect_all(&NODES, &[left]);
    world.poll();
    let first = world.block(fork);
    let second = world.mined(first, "", again);
    for name in NODES {
        world.reorganize(name, &[left], fork, &[first, second]);
    }
    world.poll();
    (world, [left, first, second])
}

#[test]
fn a_block_that_is_left_takes_its_transactions_out_of_the_best_chain() {
    let (mut world, [left, _, second]) = reorged(&[]);
    let (mined, out) = (only!(world, Mined), only!(world, ReorgedOut));
    assert_eq!((mined.block, mined.is_in_best_chain), (left, false));
    assert_eq!((out.block, out.height, out.is_out, out.again_in), (left, 6, true, None));
    let alerts = world.alerts_of("watch");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    world.pass(MINUTE);
    assert_eq!(world.alerts_of("watch")[0].1, AlertState::Firing);
    // It is mined again.
    let third = world.mined(second, "", &[spend(1)]);
    world.connect_all(&NODES, &[third]);
    world.poll();
    let out = only!(world, ReorgedOut);
    assert_eq!((out.is_out, out.again_in), (true, Some(third)));
    // What nodes said of the block that was left is not known after a restart, and it stays as it was found.
    let before = findings(&world);
    world.restart();
    world.poll();
    assert_eq!(findings(&world), before);
    assert_eq!(world.alerts_of("watch")[0].1, AlertState::Resolved);
    assert_eq!(world.words(), BTreeMap::from([("mined", 2), ("reorged-out", 1), ("seen", 1)]));
}

#[test]
fn a_transaction_that_the_winning_branch_has_too_is_reorged_out_and_mined() {
    let (mut world, [left, _, second]) = reorged(&[spend(1)]);
    let out = only!(world, ReorgedOut);
    assert_eq!((out.block, out.again_in), (left, Some(second)));
    let in_chain: BTreeMap<_, _> = world
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Mined(mined) => Some((mined.block, mined.is_in_best_chain)),
            _ => None,
        })
        .collect();
    assert_eq!(in_chain, BTreeMap::from([(left, false), (second, true)]));
    world.pass(2 * MINUTE);
    let alerts: Vec<_> = world.alerts.values().filter(|alert| alert.rule == "watch").collect();
    assert!(alerts.iter().all(|alert| alert.fired_at_us.is_none()), "{alerts:#?}");
}

#[test]
fn a_race_takes_nothing_out_before_it_is_decided() {
    let (mut world, fork) = world();
    let tx = spend(1);
    world.watch(&[item(&tx)]);
    world.accept("alice", &tx);
    let (other, with) = (world.block(fork), world.mined(fork, "", std::slice::from_ref(&tx)));
    world.connect("alice", &[other]);
    world.connect_all(&["bob", "carol"], &[with]);
    world.poll();
    assert_eq!(world.words(), BTreeMap::from([("seen", 1)]));
    let decides = world.block(with);
    world.connect_all(&["bob", "carol"], &[decides]);
    world.reorganize("alice", &[other], fork, &[with, decides]);
    world.poll();
    assert_eq!(world.words(), BTreeMap::from([("mined", 1), ("seen", 1)]));
}

#[test]
fn a_coin_is_watched_whichever_transaction_spends_it() {
    let (mut world, tip) = world();
    world.watch(&[WatchItem::Outpoint(outpoint())]);
    world.poll();
    assert_eq!(world.steps(), []);
    let (tx, other) = (spend(1), spend(2));
    world.accept("alice", &tx);
    world.accept("bob", &tx);
    world.poll();
    // Before the mempools were asked nobody knew that it spends the coin.
    assert_eq!(only!(world, Seen).accepted_at, names(&["alice", "bob"]));
    world.accept("carol", &other);
    world.poll();
    assert_eq!(world.words(), BTreeMap::from([("conflict", 2), ("seen", 2)]));
    let block = world.mined(tip, "", std::slice::from_ref(&other));
    world.connect_all(&NODES, &[block]);
    world.poll();
    let (mined, spent) = (only!(world, Mined), only!(world, DoubleSpent));
    assert_eq!((mined.txid, mined.block), (txid(&other), block));
    assert_eq!((spent.txid, spent.instead_of), (txid(&other), vec![txid(&tx)]));
}

#[test]
fn a_transaction_that_is_watched_after_its_coin_is_as_one_that_was_watched_at_once() {
    let (mut world, tip) = world();
    let (tx, other) = (spend(1), spend(2));
    world.watch(&[WatchItem::Outpoint(outpoint())]);
    world.accept("alice", &tx);
    let block = world.mined(tip, "", std::slice::from_ref(&tx));
    world.connect_all(&NODES, &[block]);
    world.poll();
    // Its coins are known by now, since it was mined.
    world.watch(&[item(&tx)]);
    world.mempools.insert(node("bob"), vec![other.clone()]);
    world.poll();
    assert_eq!(only!(world, Conflict).txid, txid(&other));
}

#[test]
fn a_block_that_came_before_the_item_was_watched_is_looked_through() {
    let (mut world, tip) = world();
    let tx = spend(1);
    let block = world.mined(tip, "", std::slice::from_ref(&tx));
    world.connect_all(&NODES, &[block]);
    world.watch(&[item(&tx)]);
    world.poll();
    assert_eq!(only!(world, Mined).block, block);
    // And again for what is watched still later, without asking for it again.
    let asked = world.parts.len();
    world.watch(&[item(&tx), WatchItem::Outpoint(outpoint())]);
    world.poll();
    assert_eq!((world.words(), world.parts.len()), (BTreeMap::from([("mined", 2)]), asked));
}

#[test]
fn a_block_that_was_read_while_nothing_was_watched_is_read_again_for_the_first_item() {
    let (mut world, tip) = world();
    let tx = spend(1);
    world.accept("alice", &tx);
    let block = world.mined(tip, "", std::slice::from_ref(&tx));
    world.connect_all(&NODES, &[block]);
    world.poll();
    let asked = world.parts.len();
    world.watch(&[WatchItem::Outpoint(outpoint())]);
    world.poll();
    assert_eq!(only!(world, Mined).block, block);
    assert!(world.parts[asked..].iter().any(|(of, _)| *of == block));
}

#[test]
fn no_mempool_is_asked_while_nothing_is_watched_and_no_more_after() {
    let (mut world, tip) = world();
    world.accept("alice", &spend(1));
    let is_of_watch = |world: &World| {
        world
            .engine
            .needs()
            .iter()
            .any(|need| matches!(need.what, Wanted::RawTx { .. } | Wanted::MempoolSpends { .. }))
    };
    world.wait(SECOND);
    assert!(!is_of_watch(&world));
    world.watch(&[item(&spend(1))]);
    world.wait(SECOND);
    assert!(is_of_watch(&world));
    world.watch(&[]);
    world.wait(SECOND);
    assert!(!is_of_watch(&world));
    world.serve();
    world.parts.clear();
    let block = world.mined(tip, "", &world.payments(9));
    world.connect_all(&NODES, &[block]);
    world.poll();
    // The block is read for what nodes tell of all the same, and once.
    let parts = world.body(block).len().div_ceil(PART_BYTES);
    assert_eq!(world.parts.len(), parts);
    assert_eq!(world.words(), BTreeMap::from([("seen", 1)]));
}

#[test]
fn what_was_found_goes_on_after_a_restart_although_no_mempool_has_the_transaction_any_more() {
    let (mut world, tip) = world();
    let (tx, other) = (spend(1), spend(2));
    world.watch(&[item(&tx)]);
    world.accept("alice", &tx);
    world.poll();
    world.replace("alice", &tx, &other);
    world.poll();
    let before = world.findings.clone();
    world.restart();
    world.poll();
    assert_eq!(world.findings, before);
    // Only what was found before the restart tells which coin the transaction spends.
    let block = world.mined(tip, "", std::slice::from_ref(&other));
    world.connect_all(&NODES, &[block]);
    world.poll();
    assert_eq!(only!(world, DoubleSpent).txid, txid(&other));
    let revisions = |kind: &str| world.found(kind).iter().map(|finding| finding.revision).collect::<Vec<_>>();
    let all = revisions("watch");
    world.restart();
    world.poll();
    let revisions = world.found("watch").iter().map(|finding| finding.revision).collect::<Vec<_>>();
    assert_eq!(revisions, all);
}

#[test]
fn what_was_mined_in_an_absence_is_found_after_it() {
    let (mut world, tip) = world();
    let tx = spend(1);
    world.watch(&[item(&tx)]);
    world.accept("alice", &tx);
    world.poll();
    let (with, rest) = {
        let with = world.mined(tip, "", std::slice::from_ref(&tx));
        (with, world.chain(with, 30))
    };
    world.now += 300 * MINUTE;
    world.restart();
    world.chain_info("alice", rest[29], false);
    world.poll();
    assert_eq!(only!(world, Mined).block, with);
}

/// All that can become of two transactions for one coin: seen, in conflict, replaced, mined, left and mined elsewhere.
fn eventful(watched: &[WatchItem]) -> World {
    let (mut world, fork) = world();
    let (tx, other) = (spend(1), spend(2));
    world.watch(watched);
    world.accept("alice", &tx);
    world.accept("bob", &tx);
    world.accept("carol", &other);
    world.poll();
    world.replace("bob", &tx, &other);
    world.poll();
    let left = world.mined(fork, "", std::slice::from_ref(&tx));
    world.connect_all(&NODES, &[left]);
    world.poll();
    let first = world.mined(fork, "", std::slice::from_ref(&other));
    let second = world.block(first);
    for name in NODES {
        world.reorganize(name, &[left], fork, &[first, second]);
    }
    world.poll();
    world
}

fn findings(world: &World) -> BTreeMap<FindingId, Body> {
    world.found("watch").into_iter().map(|finding| (finding.id, finding.body.clone())).collect()
}

#[test]
fn all_of_it_is_found() {
    let world = eventful(&[item(&spend(1)), WatchItem::Outpoint(outpoint())]);
    let expected = [
        ("conflict", 3),
        ("double-spent", 3),
        ("mined", 3),
        ("reorged-out", 2),
        ("replaced", 2),
        ("seen", 3),
    ];
    assert_eq!(world.words(), BTreeMap::from(expected));
    // One alert for each step of each item, but for the coin, which one transaction spent before the reorg and another after.
    let alerts = world.alerts_of("watch");
    let subjects: BTreeSet<_> = alerts.iter().map(|(_, _, subject)| subject).collect();
    assert_eq!((alerts.len(), subjects.len()), (7, 6), "{alerts:#?}");
    assert!(world.turns.values().all(|turns| *turns == 1), "{:?}", world.turns);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_interleaving_gives_the_same_steps(choices in prop::collection::vec(0_usize..6, 40)) {
        let items = [item(&spend(1)), WatchItem::Outpoint(outpoint())];
        let mut world = eventful(&items);
        let (mut other, _) = World::new();
        other.watch(&items);
        let end = world.batches.iter().map(|(_, at)| *at).max().unwrap();
        for (batch, _) in interleaved(&world.batches, &choices) {
            other.apply(batch, end);
        }
        other.now = world.now;
        other.share(&world);
        other.serve();
        other.poll();
        prop_assert_eq!(findings(&world), findings(&other));
        world.say_all();
        other.say_all();
        for tx in [spend(1), spend(2)] {
            prop_assert_eq!(world.blocks_of(txid(&tx)), other.blocks_of(txid(&tx)));
        }
    }
}
