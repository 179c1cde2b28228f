//! Each rule: what makes it fire, once, and what must leave it quiet.

use bmon_analysis::{
    alert::{AlertState, Severity},
    rule,
    selfish::SignalName,
};
use bmon_event::{BlockHash, Kind, Source, event::TipStatus};

use crate::{
    fork::common,
    selfish,
    world::{MINUTE, MS, SECOND, World},
};
use AlertState::{Firing, Pending, Resolved};
use Severity::{Critical, Info, Warning};

pub(crate) const NODES: [&str; 3] = ["alice", "bob", "carol"];

pub(crate) fn world() -> (World, BlockHash) {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    (world, fork)
}

/// No alert of this rule, and each of the others came into each state at most once.
fn quiet(world: &World, rule: &str) {
    assert_eq!(world.alerts_of(rule), []);
    once(world);
}

pub(crate) fn once(world: &World) {
    assert!(world.turns.values().all(|turns| *turns == 1), "{:?} {:#?}", world.turns, world.alerts);
}

#[test]
fn a_quiet_network_gives_no_alert() {
    let (mut world, mut tip) = world();
    for _ in 0..20 {
        world.pass(10 * MINUTE);
        tip = world.block(tip);
        world.connect_all(&NODES, &[tip]);
    }
    assert!(world.alerts.is_empty(), "{:#?}", world.alerts);
}

#[test]
fn a_tip_is_old_after_90_minutes_and_louder_after_150() {
    let (mut world, tip) = world();
    world.pass(89 * MINUTE);
    quiet(&world, "tip-old");
    world.pass(2 * MINUTE);
    assert_eq!(world.alerts_of("tip-old"), [(Warning, Firing, tip.to_string())]);
    world.pass(60 * MINUTE);
    assert_eq!(world.alerts_of("tip-old"), [(Critical, Firing, tip.to_string())]);
    let next = world.block(tip);
    world.connect("alice", &[next]);
    world.wait(SECOND);
    assert_eq!(world.alerts_of("tip-old"), [(Critical, Resolved, tip.to_string())]);
    // The others get the block a moment later, which is no time to fire.
    world.connect_all(&NODES[1..], &[next]);
    world.wait(SECOND);
    assert!(
        world.turns.keys().all(|(id, state)| world.alerts[id].rule != "node-tip-old" || *state != Firing)
    );
}

#[test]
fn a_node_whose_tip_alone_is_old_is_told_apart_from_a_network() {
    let (mut world, mut tip) = world();
    for _ in 0..10 {
        world.pass(10 * MINUTE);
        tip = world.block(tip);
        world.connect_all(&NODES[..2], &[tip]);
    }
    world.wait(SECOND);
    quiet(&world, "tip-old");
    assert_eq!(world.alerts_of("node-tip-old"), [(Warning, Firing, "carol".to_owned())]);
    assert_eq!(world.alerts_of("node-lagging"), [(Warning, Firing, "carol".to_owned())]);
    let chain: Vec<_> = (6..=15).map(|height| world.at_height(tip, height)).collect();
    world.connect("carol", &chain);
    world.wait(SECOND);
    assert_eq!(world.alerts_of("node-tip-old"), [(Warning, Resolved, "carol".to_owned())]);
    assert_eq!(world.alerts_of("node-lagging"), [(Warning, Firing, "carol".to_owned())]);
    world.pass(30 * MINUTE);
    assert_eq!(world.alerts_of("node-lagging"), [(Warning, Resolved, "carol".to_owned())]);
    once(&world);
}

#[test]
fn a_node_that_is_new_and_takes_in_old_blocks_has_no_old_tip() {
    let (mut world, genesis) = World::new();
    let chain = world.chain(genesis, 4_200);
    for name in NODES {
        world.chain_info(name, chain[4_199], false);
    }
    world.pass(100 * MINUTE);
    let next = world.block(chain[4_199]);
    world.connect_all(&NODES, &[next]);
    for block in &chain[110..160] {
        world.connect("dave", &[*block]);
        world.wait(SECOND);
    }
    world.chain_info("dave", chain[159], true);
    world.pass(20 * MINUTE);
    let fired: Vec<_> = world
        .alerts
        .values()
        .filter(|alert| alert.rule == "node-tip-old" && alert.fired_at_us.is_some())
        .collect();
    assert!(fired.is_empty(), "{fired:#?}");
}

#[test]
fn a_race_is_told_while_it_is_open() {
    let (mut world, fork) = world();
    let (a, b) = (world.block(fork), world.block(fork));
    world.connect("alice", &[a]);
    world.connect_all(&NODES[1..], &[b]);
    assert_eq!(world.alerts_of("race"), [(Info, Firing, fork.to_string())]);
    let next = world.block(b);
    world.connect_all(&NODES[1..], &[next]);
    assert_eq!(world.alerts_of("race"), [(Info, Resolved, fork.to_string())]);
    once(&world);
}

#[test]
fn a_reorg_is_one_alert_for_all_nodes_the_deeper_the_louder() {
    for (depth, severity) in [(1, Info), (2, Warning), (3, Critical), (5, Critical)] {
        let (mut world, fork) = world();
        let (old, new) = (world.chain(fork, depth), world.chain(fork, depth + 1));
        world.connect_all(&NODES[..2], &old);
        world.connect("carol", &new);
        world.reorganize("alice", &old, fork, &new);
        world.wait(SECOND);
        world.reorganize("bob", &old, fork, &new);
        world.wait(SECOND);
        assert_eq!(world.alerts_of("reorg"), [(severity, Firing, old[0].to_string())]);
        world.pass(11 * MINUTE);
        assert_eq!(world.alerts_of("reorg"), [(severity, Resolved, old[0].to_string())]);
        once(&world);
    }
}

#[test]
fn a_reorg_that_is_told_late_opens_no_alert() {
    let (mut world, fork) = world();
    let (old, new) = (world.chain(fork, 3), world.chain(fork, 4));
    world.connect_all(&NODES, &old);
    let held_back = world.hold_back();
    for name in NODES {
        world.reorganize(name, &old, fork, &new);
    }
    world.release(held_back, 20 * MINUTE);
    assert_eq!(world.found("reorg").len(), 3);
    quiet(&world, "reorg");
}

#[test]
fn a_bad_block_is_one_alert_for_all_nodes() {
    let (mut world, fork) = world();
    let bad = world.block(fork);
    let refused =
        || Kind::BlockInvalid { block: bad, height: Some(6), reason: Some("bad-cb-amount".to_owned()) };
    for name in NODES {
        world.log(name, vec![refused()]);
    }
    assert_eq!(world.alerts_of("bad-block"), [(Warning, Firing, bad.to_string())]);
    quiet(&world, "validity-disagreement");
    world.pass(11 * MINUTE);
    assert_eq!(world.alerts_of("bad-block"), [(Warning, Resolved, bad.to_string())]);
    once(&world);
}

#[test]
fn a_split_is_a_disagreement_and_then_one_partition_and_no_stream_of_reorgs() {
    let (mut world, fork) = world();
    let (lenient, strict) = (world.chain(fork, 40), world.chain(fork, 45));
    let refused =
        Kind::BlockInvalid { block: lenient[0], height: Some(6), reason: Some("bad-version".to_owned()) };
    world.log("carol", vec![refused]);
    world.connect_all(&NODES[..2], &lenient[..1]);
    world.wait(SECOND);
    assert_eq!(world.alerts_of("validity-disagreement"), [(Critical, Firing, lenient[0].to_string())]);
    for (left, right) in lenient[1..].iter().zip(&strict) {
        world.pass(10 * MINUTE);
        world.connect_all(&NODES[..2], &[*left]);
        world.connect("carol", &[*right]);
    }
    assert_eq!(world.alerts_of("partition"), [(Critical, Firing, fork.to_string())]);
    quiet(&world, "reorg");
    quiet(&world, "node-lagging");
    world.connect("carol", &strict[39..]);
    for name in &NODES[..2] {
        world.reorganize(name, &lenient, fork, &strict);
    }
    world.wait(SECOND);
    assert_eq!(world.alerts_of("partition"), [(Critical, Resolved, fork.to_string())]);
    assert_eq!(world.alerts_of("reorg"), [(Critical, Firing, lenient[0].to_string())]);
    world.pass(11 * MINUTE);
    assert_eq!(world.alerts_of("reorg"), [(Critical, Resolved, lenient[0].to_string())]);
    once(&world);
}

#[test]
fn a_silent_node_is_told_after_two_minutes() {
    let (mut world, _) = world();
    world.wait(MINUTE);
    assert!(world.alerts_of("node-silent").iter().all(|(_, state, _)| *state == Pending));
    for name in &NODES[..2] {
        world.log(name, vec![]);
    }
    world.wait(90 * SECOND);
    let firing: Vec<_> = world
        .alerts
        .values()
        .filter(|alert| alert.state == Firing)
        .map(|alert| alert.subject.as_str())
        .collect();
    assert_eq!(firing, ["carol"]);
    world.pass(MINUTE);
    let carol = |world: &World| {
        let of_carol = world.alerts_of("node-silent").into_iter().filter(|(.., subject)| subject == "carol");
        of_carol.map(|(_, state, _)| state).collect::<Vec<_>>()
    };
    // She is heard, which is not enough.
    assert_eq!(carol(&world), [Firing]);
    world.pass(2 * MINUTE);
    assert_eq!(carol(&world), [Resolved]);
}

#[test]
fn a_node_that_its_agent_does_not_reach_is_told() {
    let (mut world, _) = world();
    let state = |working| Kind::SourceState { source: Source::Rpc, working, detail: "refused".to_owned() };
    world.tell("bob", Source::Agent, vec![state(false)]);
    world.pass(MINUTE);
    assert_eq!(world.alerts_of("node-unreachable"), [(Warning, Pending, "bob".to_owned())]);
    world.pass(2 * MINUTE);
    assert_eq!(world.alerts_of("node-unreachable"), [(Warning, Firing, "bob".to_owned())]);
    world.tell("bob", Source::Agent, vec![state(true)]);
    world.pass(2 * MINUTE + SECOND);
    assert_eq!(world.alerts_of("node-unreachable"), [(Warning, Resolved, "bob".to_owned())]);
    once(&world);
}

#[test]
fn what_comes_and_goes_fires_once_and_ends_when_it_has_been_gone_for_the_hold() {
    let (mut world, _) = world();
    let state = |working| Kind::SourceState { source: Source::Rpc, working, detail: "refused".to_owned() };
    // Each time for three minutes, with a minute in between.
    for _ in 0..10 {
        world.tell("bob", Source::Agent, vec![state(false)]);
        world.pass(3 * MINUTE);
        world.tell("bob", Source::Agent, vec![state(true)]);
        world.pass(MINUTE);
    }
    assert_eq!(world.alerts_of("node-unreachable"), [(Warning, Firing, "bob".to_owned())]);
    world.pass(2 * MINUTE);
    assert_eq!(world.alerts_of("node-unreachable"), [(Warning, Resolved, "bob".to_owned())]);
    once(&world);
}

#[test]
fn what_comes_and_goes_faster_than_its_grace_never_fires() {
    let (mut world, _) = world();
    let state = |working| Kind::SourceState { source: Source::Rpc, working, detail: "refused".to_owned() };
    for _ in 0..10 {
        world.tell("bob", Source::Agent, vec![state(false)]);
        world.pass(MINUTE);
        world.tell("bob", Source::Agent, vec![state(true)]);
        world.pass(20 * SECOND);
    }
    assert!(world.alerts_of("node-unreachable").iter().all(|(_, state, _)| *state == Resolved));
    assert!(world.turns.keys().all(|(_, state)| *state != Firing), "{:#?}", world.alerts);
}

#[test]
fn a_node_that_falls_behind_again_and_again_is_told_once() {
    let (mut world, mut tip) = world();
    for _ in 0..4 {
        let mut missed = Vec::new();
        for _ in 0..3 {
            tip = world.block(tip);
            missed.push(tip);
            world.connect_all(&NODES[..2], &[tip]);
            world.pass(6 * MINUTE);
        }
        world.connect("carol", &missed);
        world.pass(2 * MINUTE);
    }
    assert_eq!(world.found("lag").len(), 4);
    assert_eq!(world.alerts_of("node-lagging"), [(Warning, Firing, "carol".to_owned())]);
    once(&world);
}

#[test]
fn a_burst_of_blocks_that_won_a_race_is_told_once() {
    for (within_us, expected) in [(100 * MS, 1), (5 * SECOND, 0)] {
        let (mut world, fork) = selfish::watched();
        selfish::race(&mut world, fork, 2 * SECOND, within_us);
        world.pass(MINUTE);
        let firing = vec![(Critical, Firing, fork.to_string()); expected];
        assert_eq!(world.alerts_of("selfish-mining"), firing);
        world.pass(11 * MINUTE);
        let over = vec![(Critical, Resolved, fork.to_string()); expected];
        assert_eq!(world.alerts_of("selfish-mining"), over);
        once(&world);
    }
}

#[test]
fn a_burst_that_is_told_late_opens_no_alert() {
    let (mut world, fork) = selfish::watched();
    let held_back = world.hold_back();
    selfish::race(&mut world, fork, 2 * SECOND, 100 * MS);
    world.release(held_back, 20 * MINUTE);
    assert_eq!(selfish::found(&world, SignalName::Burst).len(), 1);
    quiet(&world, "selfish-mining");
}

#[test]
fn a_header_of_a_withheld_block_is_no_alert() {
    let (mut world, fork) = world();
    let withheld = world.chain(fork, 2);
    for name in NODES {
        world.chain_tips(name, &[(fork, TipStatus::Active), (withheld[1], TipStatus::HeadersOnly)]);
    }
    world.pass(30 * MINUTE);
    assert!(world.alerts.is_empty(), "{:#?}", world.alerts);
}

#[test]
fn every_rule_has_a_page_and_a_name_of_its_own() {
    let mut ids: Vec<_> = rule::ALL.iter().map(|rule| rule.id).collect();
    for id in &ids {
        let page = format!("{}/../../docs/runbooks/{id}.md", env!("CARGO_MANIFEST_DIR"));
        assert!(
            std::fs::read_to_string(&page).is_ok_and(|text| text.starts_with(&format!("# {id}\n"))),
            "{page}"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rule::ALL.len());
}
