//! What the transactions of the last hours cost the engine: `cargo bench -p bmon-analysis --bench transactions`.
//!
//! A hundred nodes hear of 20 transactions a second each, the same ones, and deliver every ten seconds. What is said is
//! thrown away. Transactions are in mind until the hour after that in which they were first seen is over, so that there are
//! the most just before an hour ends. Times are the processor's. `cargo test` does the same with few nodes.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

#[expect(dead_code, reason = "what other benchmarks measure")]
mod measure;
mod traffic;

use bmon_analysis::{Engine, Settings, row::Row};
use bmon_event::{Batch, NodeName, ServerTime};

use measure::{is_measured, processor_seconds, resident_mb};
use traffic::{mix, told};

const NODES: u64 = 100;
const FEW_NODES: u64 = 3;
/// Transactions a second.
const RATE: u64 = 20;
/// From one delivery of a node to the next, in seconds.
const PAUSE: u64 = 10;
const SECOND_US: u64 = 1_000_000;
/// When an hour begins.
const START_US: u64 = 1_780_002_000_000_000;

fn main() {
    let (nodes, hours) = if is_measured() { (NODES, 2) } else { (FEW_NODES, 1) };
    let names: Vec<NodeName> = (0..nodes).map(|node| format!("node-{node}").parse().unwrap()).collect();
    let (mut engine, before) = (Engine::new(Settings::default()), resident_mb("VmRSS"));
    let (mut seconds, mut rows) = (0.0, 0_usize);
    for step in 0..hours * 3_600 / PAUSE {
        let batches: Vec<Batch> = (0..).zip(&names).map(|(node, name)| batch(node, name, step)).collect();
        let now = ServerTime::from_micros((START_US + (step + 1) * PAUSE * SECOND_US).cast_signed());
        let start = processor_seconds();
        let mut out = Vec::new();
        for batch in &batches {
            engine.apply(batch, now, &mut out);
        }
        engine.tick(now, &mut out);
        seconds += processor_seconds() - start;
        rows += out.iter().filter(|row| matches!(row, Row::TxChunk(_))).count();
        if (step + 1) % (3_600 / PAUSE) == 0 {
            let hours = (step + 1) * PAUSE / 3_600;
            let told = (step + 1) * PAUSE * RATE * nodes;
            println!(
                "{told} sightings of {nodes} nodes in {hours} h: {:.0} MB resident, {:.2} us a sighting, {rows} chunks said",
                resident_mb("VmRSS") - before,
                seconds / told as f64 * 1e6,
            );
        }
    }
    assert!(rows > 0 && engine.counters().forgotten_transactions == 0);
}

/// What a node heard of in ten seconds, each transaction up to six seconds after it was made.
fn batch(node: u64, name: &NodeName, step: u64) -> Batch {
    let made_at_us = START_US + (step + 1) * PAUSE * SECOND_US;
    let heard = (step * PAUSE * RATE..(step + 1) * PAUSE * RATE).map(|number| {
        let at_us = START_US + number * SECOND_US / RATE + mix(number ^ (node << 40)) % (6 * SECOND_US);
        (at_us.cast_signed(), number)
    });
    let offset_us = (-90 - node.cast_signed(), 120);
    told(name, step + 1, made_at_us.cast_signed(), offset_us, heard)
}
