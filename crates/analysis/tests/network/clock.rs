//! Clocks that are set or drift: each raises its own alarm, and no other.

use bmon_analysis::{
    alert::{AlertState, Severity},
    finding::{Body, ClockDrift, ClockStep},
};

use crate::{
    fork::common,
    world::{MINUTE, SECOND, World, node},
};

const NODES: [&str; 3] = ["alice", "bob", "carol"];

fn watched() -> World {
    let (mut world, genesis) = World::new();
    common(&mut world, genesis);
    world.pass(15 * MINUTE);
    world
}

fn steps(world: &World) -> Vec<(&str, ClockStep)> {
    let step = |body: &Body| match body {
        Body::ClockStep(step) => step.clone(),
        other => unreachable!("{other:?}"),
    };
    let found = world.found("clock-step").into_iter();
    found.map(|finding| (finding.node.as_ref().unwrap().as_str(), step(&finding.body))).collect()
}

fn drift(world: &World) -> ClockDrift {
    match world.only("clock-drift") {
        Body::ClockDrift(found) => found,
        other => unreachable!("{other:?}"),
    }
}

/// So many minutes in which the clock of carol gains as much.
fn run(world: &mut World, minutes: i64, ppm: i64) {
    for _ in 0..minutes * 3 {
        *world.offsets_us.entry(node("carol")).or_default() -= 20 * ppm;
        world.pass(20 * SECOND);
    }
}

#[test]
fn a_clock_that_is_set_is_told_with_its_bounds_and_is_over_after_a_while() {
    for by_us in [2_000_000, -2_000_000, 150_000] {
        let mut world = watched();
        world.offsets_us.insert(node("carol"), -by_us);
        world.pass(MINUTE);
        let found = steps(&world);
        let [("carol", step)] = &found[..] else { unreachable!("{found:?}") };
        assert!(
            step.least_us <= by_us && by_us <= step.most_us && step.most_us - step.least_us <= 400,
            "{step:?}"
        );
        let carol = |state| vec![(Severity::Warning, state, "carol".to_owned())];
        assert_eq!(world.alerts_of("clock-step"), carol(AlertState::Pending));
        world.pass(2 * MINUTE);
        assert_eq!(world.alerts_of("clock-step"), carol(AlertState::Firing));
        world.pass(9 * MINUTE);
        assert_eq!(world.alerts_of("clock-step"), carol(AlertState::Resolved));
        world.pass(60 * MINUTE);
        assert_eq!((steps(&world).len(), world.found("clock-drift").len()), (1, 0));
        assert_eq!(world.alerts_of("clock-drift"), []);
    }
}

#[test]
fn a_clock_that_is_brought_right_by_little_is_not_told() {
    let mut world = watched();
    world.offsets_us.insert(node("carol"), -90_000);
    world.pass(60 * MINUTE);
    assert_eq!((steps(&world), world.found("clock-drift").len()), (Vec::new(), 0));
}

#[test]
fn that_all_clocks_are_set_at_once_is_told_as_the_servers() {
    let mut world = watched();
    for name in NODES {
        world.offsets_us.insert(node(name), 3_000_000);
    }
    world.pass(3 * MINUTE);
    assert_eq!(steps(&world).len(), 3);
    let fired = world.alerts.values().filter(|alert| alert.fired_at_us.is_some());
    let fired: Vec<_> =
        fired.map(|alert| (alert.rule.as_str(), alert.subject.as_str(), alert.summary.as_str())).collect();
    let [("clock-step", "server", summary)] = &fired[..] else { unreachable!("{fired:?}") };
    assert!(summary.contains("set by +3.000 s"), "{summary}");
}

#[test]
fn a_clock_that_drifts_faster_than_it_may_is_told_until_it_runs_right() {
    let mut world = watched();
    run(&mut world, 60, 90);
    assert_eq!(world.found("clock-drift").len(), 0);
    run(&mut world, 30, 250);
    let found = drift(&world);
    assert!(100.0 < found.least_ppm && found.most_ppm < 251.0 && found.over_at_us.is_none(), "{found:?}");
    let states = |world: &World| {
        world.alerts_of("clock-drift").into_iter().map(|(_, state, _)| state).collect::<Vec<_>>()
    };
    assert_eq!(states(&world), [AlertState::Firing]);
    run(&mut world, 7 * 60, 0);
    assert!(drift(&world).over_at_us.is_some());
    assert_eq!(states(&world), [AlertState::Resolved]);
    assert_eq!(world.alerts_of("clock-step"), []);
}

#[test]
fn a_clock_that_nobody_sets_right_is_told_after_some_hours() {
    let mut world = watched();
    run(&mut world, 5 * 60, -25);
    assert_eq!(world.found("clock-drift").len(), 0);
    run(&mut world, 60, -25);
    let found = drift(&world);
    assert!(found.gained_us <= -500_000 && found.most_ppm > -25.1 && found.least_ppm < -24.9, "{found:?}");
}

#[test]
fn a_drift_that_began_before_a_restart_goes_on() {
    let mut world = watched();
    run(&mut world, 60, 250);
    let revision = world.found("clock-drift")[0].revision;
    world.restart();
    run(&mut world, 60, 250);
    assert_eq!(world.found("clock-drift")[0].revision, revision);
    run(&mut world, 7 * 60, 0);
    assert!(drift(&world).over_at_us.is_some());
}
