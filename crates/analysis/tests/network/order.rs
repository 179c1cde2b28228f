//! The state must not depend on the order in which truths arrive.

use std::collections::BTreeMap;

use bitcoin::OutPoint;
use bmon_analysis::finding::{Body, FindingId};
use bmon_event::{Batch, Kind, NodeName, ServerTime, event::TipStatus};
use proptest::prelude::*;

use crate::{
    fork::common,
    world::{SECOND, World, transaction},
};

/// A race, a deep reorg, a refused block and a branch that only `getchaintips` tells of.
fn eventful() -> World {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (mut a, mut b, refused) = (world.chain(fork, 2), world.chain(fork, 3), world.block(fork));
    let spend = |pays| transaction(OutPoint { vout: 1, ..OutPoint::default() }, &[(pays, 5_000_000)]);
    (a[1], b[1]) = (world.mined(a[0], "/AntPool/", &[spend(1)]), world.mined(b[0], "F2Pool", &[spend(2)]));
    b[2] = world.block(b[1]);
    world.connect("alice", &a);
    world.wait(SECOND);
    world.connect_all(&["bob", "carol"], &b[..2]);
    let reason = Some("bad-cb-amount".to_owned());
    world.log("carol", vec![Kind::BlockInvalid { block: refused, height: Some(6), reason }]);
    world.connect_all(&["bob", "carol"], &b[2..]);
    world.reorganize("alice", &a, fork, &b);
    let (unseen, rest) = (world.block(b[0]), world.chain(b[2], 4));
    world.connect_all(&["carol", "alice", "bob"], &rest);
    world.chain_tips("bob", &[(rest[3], TipStatus::Active), (unseen, TipStatus::ValidHeaders)]);
    world.wait(SECOND);
    world
}

/// All batches of the first node, then all of the next.
pub(crate) fn by_node(batches: &[(Batch, ServerTime)], names: &[&str]) -> Vec<(Batch, ServerTime)> {
    let end = batches.iter().map(|(_, at)| *at).max().unwrap_or_default();
    let mut ordered: Vec<_> = batches.iter().map(|(batch, _)| (batch.clone(), end)).collect();
    ordered.sort_by_key(|(batch, _)| names.iter().position(|name| *name == batch.node.as_str()));
    ordered
}

/// What was found of the network in the end.
fn findings(world: &World) -> BTreeMap<FindingId, Body> {
    let of_network = |kind| {
        matches!(kind, "fork" | "stale-block" | "validity-disagreement" | "partition" | "double-spend")
    };
    let findings = world.findings.values().filter(|finding| of_network(finding.body.kind()));
    findings.map(|finding| (finding.id, finding.body.clone())).collect()
}

/// The batches in another order, in which those of each node keep theirs.
pub(crate) fn interleaved(batches: &[(Batch, ServerTime)], choices: &[usize]) -> Vec<(Batch, ServerTime)> {
    let mut queues: BTreeMap<NodeName, Vec<_>> = BTreeMap::new();
    for (batch, at) in batches.iter().rev() {
        queues.entry(batch.node.clone()).or_default().push((batch.clone(), *at));
    }
    let mut ordered = Vec::new();
    for choice in choices.iter().cycle() {
        queues.retain(|_, queue| !queue.is_empty());
        let place = choice % queues.len().max(1);
        let Some(queue) = queues.values_mut().nth(place) else { break };
        ordered.extend(queue.pop());
    }
    ordered
}

#[test]
fn all_of_it_is_found() {
    let world = eventful();
    let count = |kind| world.found(kind).len();
    assert_eq!(
        ["fork", "stale-block", "validity-disagreement", "partition", "reorg", "double-spend"].map(count),
        [2, 4, 0, 0, 1, 1]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_interleaving_gives_the_same_findings(choices in prop::collection::vec(0_usize..6, 40)) {
        let world = eventful();
        let (mut other, _) = World::new();
        let end = world.batches.iter().map(|(_, at)| *at).max().unwrap();
        for (batch, _) in interleaved(&world.batches, &choices) {
            other.apply(batch, end);
        }
        other.now = world.now;
        // What came before it was known to be of use is asked for again.
        other.share(&world);
        other.serve();
        other.wait(SECOND);
        prop_assert_eq!(findings(&world), findings(&other));
    }
}
