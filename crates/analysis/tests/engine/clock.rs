//! What becomes of a node whose clock is set.

use bmon_analysis::row::{NodeRow, Offset, Row};
use bmon_event::{AgentTime, Event, Kind, Source, event::ClockSample};

use crate::{
    rows::rows,
    sim::{SECOND, Sim, Voices},
};

const MINUTE: i64 = 60 * SECOND;

fn exchange(sim: &mut Sim, offset_us: i64) {
    let agent_time = AgentTime::from_micros(sim.now);
    let sample = ClockSample { at: agent_time, offset_min_us: offset_us, offset_max_us: offset_us + 100 };
    let kind = Kind::Clock(sample);
    sim.events.push(Event { source: Source::Agent, node_time: None, agent_time, kind });
}

/// The node as it was last said.
fn node(sim: &Sim) -> NodeRow {
    let rows = rows(&sim.events);
    let last = rows.into_iter().rev().find_map(|row| match row {
        Row::Node(row) => Some(*row),
        _ => None,
    });
    last.unwrap()
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_tip_and_the_offset() {
    let mut sim = Sim::new(Voices::ALL);
    exchange(&mut sim, 0);
    sim.extend(3);
    sim.wait(-60 * MINUTE);
    exchange(&mut sim, 60 * MINUTE);
    sim.extend(1);
    let told = node(&sim);
    assert_eq!((told.tip, told.height), (Some(sim.tip()), Some(sim.height())));
    assert!(told.tip_at.is_some_and(|at| at.as_micros() <= sim.now + SECOND));
    // Old times may be heard for a while.
    assert_eq!(told.offset, None);
    for _ in 0..21 {
        sim.wait(MINUTE);
        exchange(&mut sim, 60 * MINUTE);
    }
    let (min_us, max_us) = (60 * MINUTE, 60 * MINUTE + 100);
    assert_eq!(node(&sim).offset, Some(Offset { min_us, max_us }));
}
