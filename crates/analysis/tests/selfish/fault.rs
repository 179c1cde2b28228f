//! What is made to go wrong with a node is in what it tells, from then on and not before.

use std::collections::BTreeMap;

use bmon_event::{Event, Kind, ServerTime, Txid};

use crate::world::{
    Plan, World,
    fault::{Fault, FaultKind},
    header::Headers,
    relay::Relay,
    telling::{Oddities, Told, tell},
};

const NODE: usize = 1;
const PLAN: Plan = Plan { seed: 7, blocks: 400, nodes: 3, attack: None };

/// What the node tells, and when the server has it.
fn told(fault: Option<FaultKind>) -> (f64, Vec<Told>) {
    let world = World::new(PLAN);
    let from_s = world.end_s() / 2.0;
    let world = match fault {
        Some(kind) => world.with_fault(Fault { node: NODE, from_s, kind }),
        None => world,
    };
    let told = tell(&world, &Headers::of(&world), Oddities::default());
    (from_s, told.into_iter().filter(|told| told.node == NODE).collect())
}

fn second(told: &Told) -> f64 {
    crate::world::second(told.at)
}

/// The headers' own times and how long the blocks took to connect, of the last quarter.
fn late(told: &[Told], from_s: f64) -> (Vec<i64>, Vec<u64>) {
    let late = told.iter().filter(|told| second(told) > from_s * 1.5).flat_map(|told| &told.events);
    let (mut headers, mut connected) = (Vec::new(), Vec::new());
    for Event { agent_time, kind, .. } in late {
        match kind {
            Kind::HeaderSeen { .. } => headers.push(agent_time.as_micros()),
            Kind::BlockProcessed { processing, .. } => connected.push(processing.total_us),
            _ => {}
        }
    }
    (headers, connected)
}

#[test]
fn each_fault_is_in_what_the_node_tells_from_then_on() {
    let (from_s, honest) = told(None);
    let (headers, connected) = late(&honest, from_s);
    let mean = |us: &[i64], usual: &[i64]| {
        let later = us.iter().zip(usual).map(|(us, usual)| us - usual).sum::<i64>();
        later as f64 / us.len() as f64
    };
    let sum = |us: &[u64]| us.iter().sum::<u64>() as f64;
    for (kind, later_s, slower) in [
        (FaultKind::Late { s: 3.0 }, 2.9..3.1, 0.99..1.01),
        (FaultKind::LaterEachWeek { factor: 20.0 }, 0.5..100.0, 0.99..1.01),
        (FaultKind::Slow { factor: 2.0 }, -0.1..0.1, 1.9..2.1),
        (FaultKind::SlowerEachWeek { factor: 20.0 }, -0.1..0.1, 1.5..5.0),
        (FaultKind::Version { factor: 1.5 }, -0.1..0.1, 1.4..1.6),
        (FaultKind::ClockStep { us: 2_000_000 }, 1.9..2.1, 0.99..1.01),
        (FaultKind::ClockDrift { ppm: 100.0 }, 5.0..20.0, 0.99..1.01),
    ] {
        let (_, told) = told(Some(kind));
        let before = |told: &[Told]| {
            let before: Vec<_> = told.iter().filter(|told| second(told) < from_s - 10.0).collect();
            before.iter().map(|told| told.events.clone()).collect::<Vec<_>>()
        };
        if !matches!(kind, FaultKind::Version { .. }) {
            assert_eq!(before(&told), before(&honest), "{kind:?}");
        }
        let (with_fault, connected_then) = late(&told, from_s);
        assert!(later_s.contains(&(mean(&with_fault, &headers) / 1e6)), "{kind:?}");
        assert!(slower.contains(&(sum(&connected_then) / sum(&connected))), "{kind:?}");
    }
}

/// When each transaction comes to the node, of those that come in the last quarter.
fn late_txs(fault: Option<FaultKind>) -> BTreeMap<Txid, f64> {
    let world = World::new(PLAN);
    let (end_s, from_s) = (world.end_s(), world.end_s() / 2.0);
    let world = match fault {
        Some(kind) => world.with_fault(Fault { node: NODE, from_s, kind }),
        None => world,
    };
    let mut relay = Relay::new(&world, 50);
    let events = relay.take(&world, NODE, end_s);
    let in_order = events.windows(2).all(|pair| pair[0].agent_time <= pair[1].agent_time);
    assert!(in_order && events.len() > 2_000, "{}", events.len());
    let late = |Event { agent_time, kind, .. }: &Event| match kind {
        Kind::TxAdded { txid, .. } => {
            let own = ServerTime::from_micros(agent_time.as_micros());
            (crate::world::second(own) > from_s * 1.5).then(|| (*txid, crate::world::second(own)))
        }
        other => unreachable!("{other:?}"),
    };
    events.iter().filter_map(late).collect()
}

#[test]
fn transactions_come_late_far_apart_or_not_at_all() {
    let usual = late_txs(None);
    let after = |kind| {
        let found = late_txs(Some(kind));
        let mut later_s: Vec<f64> =
            found.iter().filter_map(|(txid, at_s)| Some(at_s - usual.get(txid)?)).collect();
        later_s.sort_by(f64::total_cmp);
        (found.len() as f64 / usual.len() as f64, later_s)
    };
    let (part, later_s) = after(FaultKind::TxLate { s: 3.0 });
    assert!((0.98..1.02).contains(&part), "{part}");
    assert!(later_s.iter().all(|later_s| (later_s - 3.0).abs() < 0.02), "{later_s:?}");
    let (_, later_s) = after(FaultKind::TxScatter { share: 0.2, factor: 6.0 });
    let same = later_s.iter().filter(|later_s| later_s.abs() < 0.02).count();
    assert!((0.75..0.85).contains(&(same as f64 / later_s.len() as f64)), "{later_s:?}");
    let (part, later_s) = after(FaultKind::TxMissed { share: 0.5 });
    assert!((0.4..0.6).contains(&part) && later_s.iter().all(|later_s| later_s.abs() < 1e-6), "{part}");
    let (_, later_s) = after(FaultKind::TxLaterEachWeek { factor: 2.0 });
    assert!(later_s.iter().all(|later_s| *later_s > 0.0), "{later_s:?}");
}
