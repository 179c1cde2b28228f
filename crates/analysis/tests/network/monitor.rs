//! The rules about the monitor itself: what makes each fire, once, and what must leave it quiet.

use bmon_analysis::{
    ServerHealth,
    alert::{AlertState, Severity},
};
use bmon_event::{
    AgentTime, BlockHash, Event, Kind, NodeTime, ServerTime, Source,
    event::{AgentHealth, ClockSample},
};

use crate::{
    rule::{NODES, once, world},
    world::{MINUTE, SECOND, World},
};
use AlertState::{Firing, Pending, Resolved};
use Severity::{Critical, Warning};

/// Whether an alert of a rule about this node and no other fires, and how many ever did.
fn of(name: &str, world: &World, rule: &str) -> (bool, usize) {
    let alerts = world.alerts_of(rule);
    assert!(alerts.iter().all(|(_, _, subject)| subject == name), "{alerts:?}");
    let fired = world.turns.keys().filter(|(id, state)| *state == Firing && world.alerts[id].rule == rule);
    (alerts.iter().any(|(_, state, _)| *state == Firing), fired.count())
}

/// A line of a log, read now and written so much before.
fn line(now: i64, late_us: i64, tip: BlockHash) -> Event {
    let kind = Kind::Tip { block: tip, height: None, log2_work: None, transactions: None };
    let node_time = Some(NodeTime::from_micros(now - late_us));
    Event { source: Source::Log, node_time, agent_time: AgentTime::from_micros(now), kind }
}

/// An exchange of times with a clock that is right, to so much.
fn clock(now: i64, bound_us: i64) -> Event {
    let at = AgentTime::from_micros(now);
    let kind = Kind::Clock(ClockSample { at, offset_min_us: -bound_us, offset_max_us: bound_us });
    Event { source: Source::Agent, node_time: None, agent_time: at, kind }
}

#[test]
fn a_log_that_cannot_be_read_is_told() {
    let (mut world, _) = world();
    let state =
        |working| Kind::SourceState { source: Source::Log, working, detail: "no such file".to_owned() };
    world.tell("carol", Source::Agent, vec![state(false)]);
    world.pass(4 * MINUTE);
    assert_eq!(of("carol", &world, "log-not-read"), (false, 0));
    world.pass(2 * MINUTE);
    assert_eq!(of("carol", &world, "log-not-read"), (true, 1));
    world.tell("carol", Source::Agent, vec![state(true)]);
    world.pass(3 * MINUTE);
    assert_eq!(of("carol", &world, "log-not-read"), (false, 1));
    once(&world);
}

#[test]
fn a_log_that_is_read_late_is_told_and_one_that_is_caught_up_with_is_not() {
    for (minutes, late_us, fired) in [(10, 90 * SECOND, 1), (10, 30 * SECOND, 0), (4, 3 * 60 * MINUTE, 0)] {
        let (mut world, tip) = world();
        for _ in 0..3 * minutes {
            world.deliver_at("carol", world.now, vec![line(world.now, late_us, tip), clock(world.now, 100)]);
            world.pass(20 * SECOND);
        }
        // Then the log is quiet: what was last read of it was old, and is no word of how it is read now.
        world.pass(20 * MINUTE);
        assert_eq!(of("carol", &world, "log-not-read"), (false, fired), "{minutes} {late_us}");
    }
}

#[test]
fn a_log_that_says_nothing_of_a_block_that_the_node_has_is_told() {
    for (grows, fired) in [(false, 1), (true, 0)] {
        let (mut world, tip) = world();
        let mut log_bytes = 1_000;
        let mut health = |world: &mut World, grows: bool| {
            log_bytes += u64::from(grows);
            let health = AgentHealth { log_bytes, ..AgentHealth::default() };
            world.tell("carol", Source::Agent, vec![Kind::AgentHealth(health)]);
            world.pass(10 * SECOND);
        };
        health(&mut world, true);
        // A log that is quiet while nothing happens is as it should be.
        for _ in 0..60 {
            health(&mut world, false);
        }
        let next = world.block(tip);
        world.connect_all(&NODES[..2], &[next]);
        world.chain_info("carol", next, false);
        for _ in 0..60 {
            health(&mut world, grows);
        }
        assert_eq!(of("carol", &world, "log-not-read"), (fired == 1, fired), "{grows}");
    }
}

#[test]
fn an_agent_that_delivers_what_is_old_is_told_unless_it_soon_has_no_more_of_it() {
    for (minutes, behind_us, fired) in [(15, 5 * MINUTE, 1), (15, MINUTE, 0), (8, 2 * 60 * MINUTE, 0)] {
        let (mut world, _) = world();
        for _ in 0..6 * minutes {
            world.deliver_at("carol", world.now - behind_us, vec![clock(world.now, 100)]);
            world.wait(10 * SECOND);
            for name in &NODES[..2] {
                world.log(name, vec![]);
            }
        }
        let fires = fired == 1;
        assert_eq!(of("carol", &world, "spool-filling"), (fires, fired), "{minutes} {behind_us}");
        world.pass(11 * MINUTE);
        assert_eq!(of("carol", &world, "spool-filling"), (false, fired));
    }
}

#[test]
fn a_large_spool_is_told_while_it_is_and_not_once_more_for_one_that_is_silent() {
    let (mut world, _) = world();
    let health = |spool_bytes| Kind::AgentHealth(AgentHealth { spool_bytes, ..AgentHealth::default() });
    world.tell("carol", Source::Agent, vec![health(300 << 20)]);
    world.pass(9 * MINUTE);
    assert_eq!(of("carol", &world, "spool-filling"), (false, 0));
    world.pass(2 * MINUTE);
    assert_eq!(of("carol", &world, "spool-filling"), (true, 1));
    world.tell("carol", Source::Agent, vec![health(20 << 20)]);
    world.pass(11 * MINUTE);
    assert_eq!(of("carol", &world, "spool-filling"), (false, 1));
    once(&world);
}

#[test]
fn a_clock_that_is_not_known_is_told_after_a_while_and_not_of_a_node_that_is_silent() {
    for (bound_us, fired) in [(None, 1), (Some(700_000), 1), (Some(300_000), 0)] {
        let (mut world, _) = world();
        let hear = |world: &mut World, minutes: i64| {
            for _ in 0..6 * minutes {
                let clock = bound_us.map(|bound_us| clock(world.now, bound_us));
                world.deliver_at("dave", world.now, clock.into_iter().collect());
                world.wait(10 * SECOND);
            }
        };
        hear(&mut world, 14);
        assert_eq!(of("dave", &world, "clock-lost"), (false, 0), "{bound_us:?}");
        hear(&mut world, 2);
        assert_eq!(of("dave", &world, "clock-lost"), (fired == 1, fired), "{bound_us:?}");
        world.wait(MINUTE);
        for _ in 0..15 {
            world.wait(MINUTE);
        }
        assert_eq!(of("dave", &world, "clock-lost"), (false, fired), "of one that is silent that is told");
    }
}

#[test]
fn how_the_server_does_is_told_in_every_network() {
    let (mut world, _) = world();
    let since = ServerTime::from_micros(world.now);
    let say = |world: &mut World, behind: bool, failing: bool, us: i64| {
        world.engine.note_server(ServerHealth {
            behind_since: behind.then_some(since),
            failing_notifiers: if failing { vec![("webhook", since)] } else { Vec::new() },
        });
        world.pass(us);
    };
    say(&mut world, true, true, 4 * MINUTE);
    assert_eq!(world.alerts_of("analysis-behind"), [(Warning, Pending, "server".to_owned())]);
    say(&mut world, true, true, 2 * MINUTE);
    assert_eq!(world.alerts_of("analysis-behind"), [(Warning, Firing, "server".to_owned())]);
    assert_eq!(world.alerts_of("notifier-failing"), [(Critical, Firing, "webhook".to_owned())]);
    say(&mut world, false, false, 4 * MINUTE);
    assert_eq!(world.alerts_of("notifier-failing"), [(Critical, Firing, "webhook".to_owned())]);
    say(&mut world, false, false, 2 * MINUTE);
    assert_eq!(world.alerts_of("analysis-behind"), [(Warning, Resolved, "server".to_owned())]);
    assert_eq!(world.alerts_of("notifier-failing"), [(Critical, Resolved, "webhook".to_owned())]);
    once(&world);
}
