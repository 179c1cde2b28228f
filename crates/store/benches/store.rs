//! What the store costs: `cargo bench -p bmon-store`. Prints rows a second written, bytes a transaction, and how long
//! the API's queries take beside that many rows.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{fs, hint::black_box, time::Instant};

use bmon_analysis::{
    finding::{Body, Finding, FindingId, RejectedTx},
    row::{BlockSighting, Offset, Row, Sighted, Stage, TxSighting},
};
use bmon_event::{AgentTime, BlockHash, Network, NodeName, Source, Txid, Wtxid};
use bmon_store::{Commit, Reader, Store};

const TRANSACTIONS: u64 = 200_000;
/// Transactions that one commit holds: what three agents deliver in a moment.
const GROUP: u64 = 200;
const BLOCKS: u64 = 2_000;
const NODES: [&str; 3] = ["alice", "bob", "carol"];

/// 32 bytes as evenly spread as a hash.
fn spread(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, chunk) in (1..).zip(bytes.chunks_mut(8)) {
        let mut word = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_mul(2 * index + 1);
        word = (word ^ word >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        chunk.copy_from_slice(&(word ^ word >> 32).to_le_bytes());
    }
    bytes
}

fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

fn sighted(number: u64) -> Sighted {
    let us = 1_780_000_000_000_000 + i64::try_from(number).unwrap() * 140_000;
    Sighted { at: AgentTime::from_micros(us), offset: Some(Offset { min_us: -120, max_us: 95 }) }
}

/// A transaction on every node by log and ZMQ; one in ten is refused by one node.
fn transaction(rows: &mut Vec<Row>, number: u64, nodes: &[NodeName]) {
    let (txid, wtxid) = (Txid::from_bytes(spread(number)), Wtxid::from_bytes(spread(!number)));
    for node in nodes {
        for source in [Source::Log, Source::Zmq] {
            let (node, sighted) = (node.clone(), sighted(number));
            rows.push(Row::TxSighting(TxSighting {
                network: network(),
                txid,
                wtxid: Some(wtxid),
                node,
                source,
                sighted,
            }));
        }
    }
    if number.is_multiple_of(10) {
        let (code, reason) =
            ("min relay fee not met".to_owned(), "min relay fee not met, 100 < 1000".to_owned());
        rows.push(Row::Finding(Box::new(Finding {
            id: FindingId::new(&network(), "rejected-tx", &[&number.to_le_bytes()]),
            revision: 1,
            network: network(),
            node: Some(nodes[0].clone()),
            sighted: sighted(number),
            sources: vec![Source::Log],
            body: Body::RejectedTx(RejectedTx { txid, wtxid: Some(wtxid), code, reason, peer: Some(1) }),
        })));
    }
}

fn block(rows: &mut Vec<Row>, number: u64, nodes: &[NodeName]) {
    for node in nodes {
        for stage in Stage::ALL {
            let (block, node, sighted) =
                (BlockHash::from_bytes(spread(number)), node.clone(), sighted(number * 4_000));
            rows.push(Row::BlockSighting(BlockSighting {
                network: network(),
                block,
                node,
                source: Source::Log,
                stage,
                sighted,
            }));
        }
    }
}

fn write(store: &mut Store, count: u64, add: impl Fn(&mut Vec<Row>, u64)) -> usize {
    let mut written = 0;
    for first in (0..count).step_by(usize::try_from(GROUP).unwrap()) {
        let mut rows = Vec::new();
        (first..(first + GROUP).min(count)).for_each(|number| add(&mut rows, number));
        store.commit(&Commit { rows: &rows, journal_position: first, accepted: &[] }).unwrap();
        written += rows.len();
    }
    written
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bmon.sqlite");
    let mut store = Store::open(&path).unwrap();
    let nodes = NODES.map(|name| name.parse::<NodeName>().unwrap());

    let start = Instant::now();
    let rows = write(&mut store, TRANSACTIONS, |rows, number| transaction(rows, number, &nodes));
    let seconds = start.elapsed().as_secs_f64();
    println!("{rows} rows of {TRANSACTIONS} transactions: {:.0} rows/s", rows as f64 / seconds);
    let size = fs::metadata(&path).unwrap().len();
    println!(
        "{:.0} bytes a transaction with six sightings and a tenth of a refusal",
        size as f64 / TRANSACTIONS as f64
    );
    let start = Instant::now();
    let rows = write(&mut store, BLOCKS, |rows, number| block(rows, number, &nodes));
    println!("{rows} rows of {BLOCKS} blocks: {:.0} rows/s", rows as f64 / start.elapsed().as_secs_f64());

    let reader = Reader::open(&path).unwrap();
    time("50 blocks", |_| reader.blocks(50, None).unwrap().items.len());
    time("one block", |number| {
        reader.block(&BlockHash::from_bytes(spread(number % BLOCKS))).unwrap().unwrap().sightings.len()
    });
    time("one transaction", |number| {
        reader.tx(&Txid::from_bytes(spread(number * 37))).unwrap().unwrap().sightings.len()
    });
    time("a transaction's refusals", |number| {
        reader.findings_about_tx(&Txid::from_bytes(spread(number * 10))).unwrap().len()
    });
    time("50 refusals", |_| reader.findings("rejected-tx", 50, None).unwrap().items.len());
    time("the counts", |_| reader.counts().unwrap().findings.len());
}

/// Prints the mean time of `query` over many runs; each must find something.
fn time(what: &str, query: impl Fn(u64) -> usize) {
    const RUNS: u64 = 1_000;
    let start = Instant::now();
    for number in 0..RUNS {
        assert!(black_box(query(number)) > 0, "{what}");
    }
    println!("{what}: {:.0} µs", start.elapsed().as_secs_f64() / RUNS as f64 * 1e6);
}
