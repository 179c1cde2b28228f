//! Nodes that are slow, by what was measured of weeks of blocks.

mod past;

use std::collections::BTreeSet;

use bmon_analysis::{
    alert::{AlertState, Severity},
    backtest,
    finding::{BlockTimes, Body, Extent, FindingId, Measure, Slowness, VersionComparison},
};
use bmon_event::{BlockHash, Kind, Source, event::PeerInfo};
use proptest::prelude::*;

use self::past::{DAY, NODES, Took, after, blocks, one_version, us, usual};
use crate::{
    order::interleaved,
    world::{MINUTE, World, node},
};

/// The alarms of how nodes do that fired, as rule and subject. In these worlds agents are silent from block to block.
fn alarms(world: &World) -> Vec<(&str, &str)> {
    let fired =
        world.alerts.values().filter(|alert| alert.fired_at_us.is_some() && alert.rule != "node-silent");
    fired.map(|alert| (alert.rule.as_str(), alert.subject.as_str())).collect()
}

/// As long as it takes until all blocks have settled.
fn settle(world: &mut World, tip: BlockHash) -> BlockHash {
    blocks(world, tip, 12, usual)
}

fn slow(world: &World, kind: &str) -> Vec<(String, Slowness)> {
    let found = world.found(kind).into_iter();
    found
        .map(|finding| match &finding.body {
            Body::SlowNode(found) | Body::DelayDrift(found) => {
                (finding.node.as_ref().unwrap().to_string(), (**found).clone())
            }
            other => unreachable!("{other:?}"),
        })
        .collect()
}

/// What was measured of a node in the stretch that was told last.
fn last_times(world: &World, name: &str) -> BlockTimes {
    let times =
        world.findings.values().filter(|finding| finding.node == Some(node(name))).filter_map(|finding| {
            match &finding.body {
                Body::BlockTimes(times) => Some((**times).clone()),
                _ => None,
            }
        });
    times.max_by_key(|times| times.from_height).unwrap()
}

fn late(height: u32, node: usize) -> Took {
    let Took { arrival, processing } = usual(height, node);
    Took { arrival: if node == 2 { arrival + 5e6 } else { arrival }, processing }
}

#[test]
fn a_node_that_becomes_late_is_slow_until_it_is_as_it_was_and_no_other_is() {
    let (mut world, tip) = after(30, one_version, usual);
    let tip = blocks(&mut world, tip, 24, late);
    let tip = blocks(&mut world, tip, 24, late);
    let found = slow(&world, "slow-node");
    let [(name, found)] = &found[..] else { unreachable!("{found:#?}") };
    let Extent::Heights { from, .. } = found.extent else { unreachable!("{found:#?}") };
    assert_eq!((name.as_str(), found.measure, from), ("carol", Measure::Arrival, 30 * DAY - 24));
    assert!(
        (5.8e6..6.5e6).contains(&found.own.now) && (0.9e6..1.1e6).contains(&found.own.usual),
        "{found:#?}"
    );
    let beside = found.to_others;
    assert!(beside.z > 10.0 && (3.0..9.0).contains(&(beside.now / beside.usual)), "{beside:?}");
    assert_eq!((beside.rank.past, beside.rank.as_large), (162, 0));
    // What comes so much later each time is less far apart by ratio.
    let changed: Vec<_> = found.also.iter().filter(|change| change.is_unusual()).collect();
    assert!(
        matches!(changed[..], [scatter] if scatter.measure == Measure::ArrivalScatter && scatter.z < 0.0),
        "{found:#?}"
    );
    let carol = |state| vec![(Severity::Warning, state, "carol arrival".to_owned())];
    assert_eq!(world.alerts_of("slow-node"), carol(AlertState::Firing));
    assert_eq!(alarms(&world), [("slow-node", "carol arrival")]);
    // What has begun is as it was again after two stretches.
    blocks(&mut world, tip, 4 * 24, usual);
    let found = slow(&world, "slow-node");
    assert!(found.len() == 1 && found[0].1.over_at_us.is_some(), "{found:#?}");
    assert_eq!(world.alerts_of("slow-node"), carol(AlertState::Resolved));
}

#[test]
fn what_slows_all_nodes_alike_or_what_makes_the_others_fast_is_no_slow_node() {
    for who in [&[0, 1, 2][..], &[0, 1]] {
        let factor = if who.len() == 3 { 4.0 } else { 0.25 };
        let other = |height, node| {
            let took = usual(height, node);
            let factor = if who.contains(&node) { factor } else { 1.0 };
            Took { processing: took.processing * factor, ..took }
        };
        let (mut world, tip) = after(30, one_version, usual);
        let tip = blocks(&mut world, tip, 48, other);
        settle(&mut world, tip);
        assert_eq!(slow(&world, "slow-node"), []);
        assert_eq!(alarms(&world), []);
    }
}

#[test]
fn a_node_that_takes_long_to_connect_is_told_with_what_else_changed() {
    let other = |height, node| {
        let took = usual(height, node);
        Took { processing: took.processing * if node == 1 { 5.0 } else { 1.0 }, ..took }
    };
    let (mut world, tip) = after(30, one_version, usual);
    world.tell(
        "bob",
        Source::Rpc,
        vec![Kind::PeerInfo(PeerInfo { inbound: 0, outbound: 2, min_ping_us: None })],
    );
    let tip = blocks(&mut world, tip, 24, other);
    settle(&mut world, tip);
    let found = slow(&world, "slow-node");
    let [(name, found)] = &found[..] else { unreachable!("{found:#?}") };
    assert_eq!((name.as_str(), found.measure), ("bob", Measure::Processing));
    assert!((4.0..6.0).contains(&(found.own.now / found.own.usual)), "{found:#?}");
    let changed: Vec<_> = found.also.iter().filter(|change| change.is_unusual()).collect();
    let [peers] = &changed[..] else { unreachable!("{changed:?}") };
    assert_eq!((peers.measure, us(peers.usual), us(peers.now)), (Measure::Peers, 10, 2));
    assert!(found.explain().ends_with("also 2 peers, usually 10"), "{}", found.explain());
}

#[test]
fn every_block_is_measured_once_and_what_nobody_can_tell_is_left_out() {
    let (mut world, tip) = after(8, one_version, usual);
    let first = blocks(&mut world, tip, 6, usual);
    // Carol is started again, and follows ten minutes later.
    world.log(
        "carol",
        vec![Kind::NodeStarted { banner: "Bitcoin Core version v30.1.0 (release build)".to_owned() }],
    );
    let second = blocks(&mut world, first, 18, usual);
    settle(&mut world, second);
    let [alice, bob, carol] = NODES.map(|name| last_times(&world, name));
    assert_eq!((alice.from_height, alice.arrival_us.len()), (7 * DAY, 144));
    for (place, height) in (120..).zip(8 * DAY - 24..8 * DAY) {
        let is_away = height == 8 * DAY - 18;
        let [_, second, third] = [0, 1, 2].map(|node| usual(height, node));
        assert_eq!((alice.arrival_us[place], bob.arrival_us[place]), (Some(0), Some(us(second.arrival))));
        assert_eq!(bob.processing_us[place], Some(us(second.processing)));
        assert_eq!(
            (bob.reconstruction_us[place], bob.requested[place], bob.peers[place]),
            (Some(15_000), Some(0), Some(10))
        );
        let expected = (!is_away).then_some((us(third.arrival), us(third.processing)));
        assert_eq!(carol.arrival_us[place].zip(carol.processing_us[place]), expected, "{height}");
    }
    let versions: Vec<_> = carol.versions.iter().map(|told| (told.height, told.version.as_str())).collect();
    assert_eq!(versions, [(7 * DAY, "Bitcoin Core v30.0.0"), (8 * DAY - 17, "Bitcoin Core v30.1.0")]);
}

#[test]
fn a_clock_that_is_set_makes_no_node_slow() {
    let (mut world, tip) = after(30, one_version, usual);
    let tip = blocks(&mut world, tip, 12, usual);
    world.offsets_us.insert(node("carol"), -2_000_000);
    world.pass(3 * MINUTE);
    let tip = blocks(&mut world, tip, 36, usual);
    settle(&mut world, tip);
    assert_eq!(alarms(&world), [("clock-step", "carol")]);
    let carol = last_times(&world, "carol");
    assert!(carol.arrival_us.iter().flatten().all(|us| *us < 2_500_000), "{carol:?}");
}

/// Connecting takes carol 5 % longer each week from day 40 on.
fn drifting(height: u32, node: usize) -> Took {
    let took = usual(height, node);
    let weeks = (f64::from(height) / f64::from(DAY) - 40.0).max(0.0) / 7.0;
    Took { processing: took.processing * if node == 2 { 1.05_f64.powf(weeks) } else { 1.0 }, ..took }
}

#[test]
fn a_node_that_becomes_slow_bit_by_bit_is_told_with_its_slope_and_is_no_slow_node() {
    let (mut world, tip) = after(90, one_version, drifting);
    let tip = blocks(&mut world, tip, 24, drifting);
    blocks(&mut world, tip, 12, drifting);
    let found = slow(&world, "delay-drift");
    let [(name, found)] = &found[..] else { unreachable!("{found:#?}") };
    assert_eq!((name.as_str(), found.measure, found.over_at_us), ("carol", Measure::Processing, None));
    assert!((1.04..1.06).contains(&found.factor_a_week.unwrap()), "{found:#?}");
    assert!((1.2..1.5).contains(&(found.own.now / found.own.usual)), "{found:#?}");
    assert_eq!(found.to_others.rank.as_large, 0);
    assert_eq!(
        world.alerts_of("delay-drift"),
        [(Severity::Warning, AlertState::Firing, "carol processing".to_owned())]
    );
    assert_eq!(alarms(&world).len(), 1, "{:#?}", alarms(&world));
    assert_eq!(slow(&world, "slow-node"), []);
}

#[test]
fn a_node_that_stays_as_it_is_for_months_is_not_told_of() {
    let (mut world, tip) = after(90, one_version, usual);
    let tip = blocks(&mut world, tip, 24, usual);
    settle(&mut world, tip);
    assert_eq!(alarms(&world), []);
    assert!(slow(&world, "delay-drift").is_empty() && slow(&world, "slow-node").is_empty());
}

fn comparison(world: &World, measure: Measure) -> VersionComparison {
    let found = world.found("version-comparison").into_iter().find_map(|finding| match &finding.body {
        Body::VersionComparison(found) if found.measure == measure => Some((**found).clone()),
        _ => None,
    });
    found.unwrap()
}

/// Carol comes to another version on day 20, which takes 7 % longer to connect a block than the one before, if `is_slower`. Her
/// host is twice as slow as the others' all the while.
fn upgraded(is_slower: bool) -> World {
    let version = |node: usize, day: u32| {
        if node == 2 && day >= 20 { "Bitcoin Core v30.99.0-1a2b3c4d5e6f" } else { one_version(node, day) }
    };
    let took = move |height: u32, node: usize| {
        let took = usual(height, node);
        let factor = if is_slower && height >= 20 * DAY { 2.14 } else { 2.0 };
        Took { processing: took.processing * if node == 2 { factor } else { 1.0 }, ..took }
    };
    let (mut world, tip) = after(30, version, took);
    let tip = blocks(&mut world, tip, 24, took);
    blocks(&mut world, tip, 12, took);
    world
}

#[test]
fn a_version_that_is_7_percent_slower_than_the_one_before_is_told() {
    let world = upgraded(true);
    let found = comparison(&world, Measure::Processing);
    assert_eq!(found.version, "Bitcoin Core v30.99.0-1a2b3c4d5e6f");
    assert_eq!((found.nodes, found.other_nodes), (vec![node("carol")], vec![node("alice"), node("bob")]));
    assert_eq!((found.from_height, found.to_height, found.pairs.pairs()), (20 * DAY, 30 * DAY - 1, 10 * DAY));
    assert!((2.05..2.25).contains(&found.ratio) && found.p < 1e-100, "{} {}", found.ratio, found.p);
    let before = found.before.unwrap();
    assert_eq!((before.from_height, before.to_height, before.blocks), (6 * DAY, 20 * DAY - 1, 14 * DAY));
    assert!((1.05..1.09).contains(&(found.ratio / before.ratio)) && before.p < 1e-9, "{before:?}");
    assert!(found.is_alarm, "{before:?}");
    let subject = "processing Bitcoin Core v30.99.0-1a2b3c4d5e6f".to_owned();
    assert_eq!(world.alerts_of("version-comparison"), [(Severity::Info, AlertState::Firing, subject)]);
    assert_eq!(alarms(&world).len(), 1, "{:#?}", alarms(&world));
}

#[test]
fn a_version_on_a_slower_host_is_compared_and_is_no_alarm() {
    let world = upgraded(false);
    let found = comparison(&world, Measure::Processing);
    let before = found.before.unwrap();
    assert!((1.9..2.1).contains(&found.ratio) && found.p < 1e-100 && before.p > 1e-3, "{before:?}");
    assert!(!found.is_alarm && alarms(&world).is_empty());
    assert!(!comparison(&world, Measure::Arrival).is_alarm);
}

#[test]
fn a_backtest_of_what_was_measured_finds_what_was_found_live() {
    let (mut world, tip) = after(30, one_version, usual);
    let tip = blocks(&mut world, tip, 48, late);
    settle(&mut world, tip);
    let records =
        || world.findings.values().filter(|finding| finding.body.kind() == "block-times").cloned().collect();
    let fired = backtest::run("slow-node", records(), Vec::new()).unwrap();
    let live = world.found("slow-node");
    assert_eq!((fired.len(), live.len()), (1, 1));
    assert_eq!((fired[0].id, &fired[0].body), (live[0].id, &live[0].body));
    assert_eq!(backtest::run("delay-drift", records(), Vec::new()), Some(Vec::new()));
    assert_eq!(backtest::run("reorg", records(), Vec::new()), None);
}

#[test]
fn a_backtest_of_versions_tells_of_those_that_were_an_alarm() {
    for is_slower in [true, false] {
        let world = upgraded(is_slower);
        let records = world.findings.values().filter(|finding| finding.body.kind() == "block-times");
        let fired = backtest::run("version-comparison", records.cloned().collect(), Vec::new()).unwrap();
        assert_eq!(fired.len(), usize::from(is_slower), "{fired:#?}");
        for finding in &fired {
            let Body::VersionComparison(found) = &finding.body else { unreachable!("{finding:?}") };
            assert!(found.is_alarm && found.measure == Measure::Processing);
        }
    }
}

/// What was measured and found in the end, but for when that was.
fn in_the_end(world: &World) -> Vec<(FindingId, Body)> {
    let kinds = ["block-times", "slow-node", "version-comparison"];
    let found = world.findings.values().filter(|finding| kinds.contains(&finding.body.kind()));
    let timeless = |body: &Body| match body.clone() {
        Body::SlowNode(found) => Body::SlowNode(Box::new(Slowness { over_at_us: None, ..*found })),
        body => body,
    };
    found.map(|finding| (finding.id, timeless(&finding.body))).collect()
}

/// What one has that the other has not, as JSON, shortened.
fn differences(one: &[(FindingId, Body)], other: &[(FindingId, Body)]) -> Vec<String> {
    let lines = |found: &[(FindingId, Body)]| -> BTreeSet<String> {
        let json = |body: &Body| serde_json::to_value(body).unwrap();
        let fields = |(id, body): &(FindingId, Body)| match json(body) {
            serde_json::Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| format!("{id} {name}: {value}")).collect::<Vec<_>>()
            }
            other => unreachable!("{other}"),
        };
        found.iter().flat_map(fields).collect()
    };
    lines(one).symmetric_difference(&lines(other)).map(|line| line.chars().take(400).collect()).collect()
}

#[test]
fn a_restart_between_two_stretches_changes_nothing() {
    let run = |is_restarted: bool| {
        let (mut world, tip) = after(30, one_version, usual);
        let before = world.batches.len();
        let mut tip = blocks(&mut world, tip, 40, late);
        if is_restarted {
            world.restart();
            world.engine.set_catching_up(true);
            for (batch, at) in &world.batches[before..] {
                world.engine.apply(batch, *at, &mut Vec::new());
            }
            world.engine.set_catching_up(false);
        }
        tip = blocks(&mut world, tip, 40, late);
        settle(&mut world, tip);
        in_the_end(&world)
    };
    let (undisturbed, restarted) = (run(false), run(true));
    assert!(undisturbed.iter().any(|(_, body)| matches!(body, Body::SlowNode(_))));
    assert_eq!(differences(&undisturbed, &restarted), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]
    #[test]
    fn any_interleaving_gives_the_same_numbers(choices in prop::collection::vec(0_usize..6, 40)) {
        let (mut world, tip) = after(10, one_version, usual);
        let (mut other, _) = after(10, one_version, usual);
        let tip = blocks(&mut world, tip, 30, late);
        settle(&mut world, tip);
        let end = world.batches.iter().map(|(_, at)| *at).max().unwrap();
        // A server that was away meanwhile gets all of it at once, and waits until it has.
        other.restart();
        other.share(&world);
        for (batch, _) in interleaved(&world.batches, &choices) {
            other.apply(batch, end);
        }
        other.now = world.now;
        other.serve();
        other.pass(11 * MINUTE);
        let found = in_the_end(&world);
        prop_assert!(found.iter().any(|(_, body)| matches!(body, Body::SlowNode(_))));
        prop_assert_eq!(differences(&found, &in_the_end(&other)), Vec::<String>::new());
    }
}
