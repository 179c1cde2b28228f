//! Runs an engine over events, and keeps its rows as the store does.

use std::collections::BTreeMap;

use bmon_analysis::{
    Engine, Settings,
    finding::{Body, Finding, FindingId, Reorg},
    row::{BlockSighting, Row},
};
use bmon_event::{AgentTime, Batch, Epoch, Event, Network, NodeName, Positions, ServerTime};

use crate::sim::SECOND;

pub(crate) fn regtest() -> Network {
    Network::from_chain("regtest").unwrap()
}

pub(crate) fn name(node: &str) -> NodeName {
    node.parse().unwrap()
}

pub(crate) fn batch(node: &str, sequence: u64, events: Vec<Event>) -> Batch {
    Batch {
        network: regtest(),
        node: name(node),
        epoch: Epoch(7),
        sequence,
        made_at: AgentTime::default(),
        positions: Positions::default(),
        events,
        unknown_events: 0,
    }
}

/// The events in batches of up to `size`, as an agent makes them: it does not wait for more.
pub(crate) fn batches(node: &str, events: &[Event], size: usize) -> Vec<Batch> {
    let bursts = events.chunk_by(|one, next| next.agent_time.micros_since(one.agent_time) < SECOND);
    let batches = bursts.flat_map(|burst| burst.chunks(size));
    (1..).zip(batches).map(|(sequence, events)| batch(node, sequence, events.to_vec())).collect()
}

/// When the server receives a batch that is shipped at once.
pub(crate) fn received(batch: &Batch) -> ServerTime {
    let last = batch.events.iter().map(|event| event.agent_time).max().unwrap_or_default();
    ServerTime::from_micros(last.as_micros() + 1_000)
}

/// Every row said of the batches, in order, with a tick before each batch and one long after the last.
pub(crate) fn run(batches: &[Batch]) -> Vec<Row> {
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    let mut now = ServerTime::default();
    for batch in batches {
        now = now.max(received(batch));
        engine.tick(now, &mut rows);
        engine.apply(batch, received(batch), &mut rows);
    }
    engine.tick(now.plus_micros(100 * SECOND), &mut rows);
    rows
}

/// Every row said of one node's events.
pub(crate) fn rows(events: &[Event]) -> Vec<Row> {
    run(&batches("alice", events, 5))
}

/// The findings as they are in the end, in the order of their times.
pub(crate) fn findings(rows: &[Row]) -> Vec<Finding> {
    let mut findings = BTreeMap::<FindingId, Finding>::new();
    for row in rows {
        let Row::Finding(finding) = row else { continue };
        let last = findings.get(&finding.id).map_or(0, |finding| finding.revision);
        assert_eq!(finding.revision, last + 1, "revisions rise one by one");
        findings.insert(finding.id, Finding::clone(finding));
    }
    let mut findings: Vec<_> = findings.into_values().collect();
    findings.sort_by_key(|finding| finding.sighted.at);
    findings
}

pub(crate) fn reorgs(rows: &[Row]) -> Vec<Reorg> {
    // What took place is staged without how long a node took for it.
    let reorg = |finding: Finding| match finding.body {
        Body::Reorg(reorg) => Some(Reorg { duration_us: reorg.duration_us.filter(|us| *us < 0), ..reorg }),
        _ => None,
    };
    findings(rows).into_iter().filter_map(reorg).collect()
}

pub(crate) fn block_sightings(rows: &[Row]) -> Vec<&BlockSighting> {
    let mut sightings = Vec::new();
    for row in rows {
        if let Row::BlockSighting(sighting) = row {
            sightings.push(sighting);
        }
    }
    sightings
}
