//! What the store costs: `cargo bench -p bmon-store`. Prints how fast it is written, bytes a transaction beside those of plain
//! tables, and how long the API's queries take. `BMON_BENCH_SIGHTINGS` sets how many sightings of transactions there are.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod plain;
mod traffic;
mod way;

use std::{env, fs, hint::black_box, path::Path, time::Instant};

use bmon_analysis::{
    finding::{Body, Finding, FindingId, RejectedTx},
    row::{BlockSighting, Offset, Row, Sighted, Stage, TxChunk, TxSpread},
    spread::{Spread, Tally},
};
use bmon_event::{AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Txid};
use bmon_store::{Commit, Reader, Store};

use self::{
    plain::Plain,
    traffic::{Random, START_US, chunk, count, nodes, sightings, txid},
};

const SIGHTINGS: u64 = 3_000_000;
/// Chunks of which the plain tables are made: their size grows in proportion.
const PLAIN_CHUNKS: u64 = 200;
/// Chunks that one commit holds.
const GROUP: u64 = 4;
const BLOCKS: u64 = 2_000;
const HOUR_US: i64 = 3_600_000_000;
/// Of 20 transactions a second.
const CHUNKS_AN_HOUR: u64 = 140;
const REFUSALS: u64 = 20_000;

fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

fn sighted(number: u64) -> Sighted {
    let us = START_US + number.cast_signed() * 150_000;
    Sighted { at: AgentTime::from_micros(us), offset: Some(Offset { min_us: -120, max_us: 95 }) }
}

fn hash(number: u64) -> BlockHash {
    BlockHash::from_bytes(*txid(number | 1 << 60).as_bytes())
}

fn refusal(number: u64, node: &NodeName) -> Row {
    let (code, reason) = ("min relay fee not met".to_owned(), "min relay fee not met, 100 < 1000".to_owned());
    Row::Finding(Box::new(Finding {
        id: FindingId::new(&network(), "rejected-tx", &[&number.to_le_bytes()]),
        revision: 1,
        network: network(),
        node: Some(node.clone()),
        sighted: sighted(number),
        sources: vec![Source::Log],
        body: Body::RejectedTx(RejectedTx { txid: txid(number), wtxid: None, code, reason, peer: Some(1) }),
    }))
}

/// Every stage of a block at every node, by log.
fn block(number: u64, nodes: &[NodeName]) -> Vec<Row> {
    let stages = nodes.iter().flat_map(|node| Stage::ALL.map(|stage| (node, stage)));
    let row = |(node, stage): (&NodeName, Stage)| {
        Row::BlockSighting(BlockSighting {
            network: network(),
            block: hash(number),
            node: node.clone(),
            source: Source::Log,
            stage,
            sighted: sighted(number * 4_000),
        })
    };
    stages.map(row).collect()
}

fn commit(store: &mut Store, rows: &[Row]) -> u64 {
    store.commit(&Commit { rows, journal_position: 0, accepted: &[] }).unwrap();
    rows.len() as u64
}

fn main() {
    let wanted = env::var("BMON_BENCH_SIGHTINGS").map_or(SIGHTINGS, |number| number.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let (path, nodes) = (directory.path().join("bmon.sqlite"), nodes());
    let transactions = write_transactions(Store::open(&path).unwrap(), &path, wanted, &nodes);
    write_plain(&directory.path().join("plain.sqlite"), &nodes);

    let mut store = Store::open(&path).unwrap();
    let start = Instant::now();
    let rows: u64 = (0..BLOCKS).map(|number| commit(&mut store, &block(number, &nodes))).sum();
    println!("{rows} rows of {BLOCKS} blocks: {:.0} rows/s", rows as f64 / start.elapsed().as_secs_f64());
    let start = Instant::now();
    let rows: u64 = (0..BLOCKS).map(|number| commit(&mut store, &way::steps(number, &nodes))).sum();
    println!("{rows} rows of their steps: {:.0} rows/s", rows as f64 / start.elapsed().as_secs_f64());
    let refusals: Vec<Row> = (0..REFUSALS).map(|number| refusal(number, &nodes[0])).collect();
    let start = Instant::now();
    let rows: u64 = refusals.chunks(500).map(|rows| commit(&mut store, rows)).sum();
    println!("{rows} refusals: {:.0} rows/s", rows as f64 / start.elapsed().as_secs_f64());
    query(&path, transactions);
}

/// Writes chunks, and the spread of each hour, until there are as many sightings as wanted. How many transactions they have.
fn write_transactions(mut store: Store, path: &Path, wanted: u64, nodes: &[NodeName]) -> u64 {
    let (mut chunks, mut told, mut seconds, mut tally) = (0, 0, 0.0, Tally::default());
    while told < wanted {
        let group: Vec<TxChunk> = (chunks..chunks + GROUP).map(|number| chunk(number, nodes)).collect();
        told += group.iter().map(sightings).sum::<u64>();
        for chunk in &group {
            count(chunk, &mut tally);
        }
        let mut rows: Vec<Row> = group.into_iter().map(|chunk| Row::TxChunk(Box::new(chunk))).collect();
        if chunks % CHUNKS_AN_HOUR == 0 {
            rows.push(hour(chunks / CHUNKS_AN_HOUR, &std::mem::take(&mut tally), nodes));
        }
        let start = Instant::now();
        commit(&mut store, &rows);
        seconds += start.elapsed().as_secs_f64();
        chunks += GROUP;
    }
    let transactions = chunks * TxChunk::MOST as u64;
    let rate = told as f64 / seconds;
    println!(
        "{told} sightings of {transactions} transactions by {} nodes: {rate:.0} sightings/s written",
        nodes.len()
    );
    // Closing it brings all into the file.
    drop(store);
    let bytes = fs::metadata(path).unwrap().len() as f64 / transactions as f64;
    println!("{bytes:.1} bytes a transaction, index included");
    transactions
}

/// The spread of an hour.
fn hour(number: u64, tally: &Tally, nodes: &[NodeName]) -> Row {
    let begun_at = ServerTime::from_micros(START_US).plus_micros(number.cast_signed() * HOUR_US);
    Row::TxSpread(Box::new(TxSpread { network: network(), begun_at, spread: tally.spread(nodes) }))
}

fn write_plain(path: &Path, nodes: &[NodeName]) {
    let mut plain = Plain::open(path);
    let chunks: Vec<TxChunk> = (0..PLAIN_CHUNKS).map(|number| chunk(number, nodes)).collect();
    let start = Instant::now();
    for chunk in &chunks {
        plain.write(chunk);
    }
    let rate = chunks.iter().map(sightings).sum::<u64>() as f64 / start.elapsed().as_secs_f64();
    let bytes = plain.bytes(path) as f64 / (PLAIN_CHUNKS * TxChunk::MOST as u64) as f64;
    println!(
        "yardstick, a row for each sighting: {rate:.0} sightings/s written, {bytes:.1} bytes a transaction"
    );
}

fn query(path: &Path, transactions: u64) {
    let reader = Reader::open(path).unwrap();
    let mut random = Random(7);
    let any: Vec<Txid> = (0..200).map(|_| txid(random.next() % transactions)).collect();
    time("50 blocks", |_| reader.blocks(50, None).unwrap().items.len());
    time("one block", |number| reader.block(&hash(number % BLOCKS)).unwrap().unwrap().sightings.len());
    time("one block's way through every node", |number| {
        let block = reader.block(&hash(number % BLOCKS)).unwrap().unwrap();
        reader.block_steps(&block.row).unwrap().len()
    });
    time("one transaction, anywhere", |number| {
        reader.tx(&any[usize::try_from(number).unwrap()]).unwrap().unwrap().nodes.len()
    });
    time("one of the last transactions", |number| {
        reader.tx(&txid(transactions - 1 - number)).unwrap().unwrap().nodes.len()
    });
    let (from, to) = (ServerTime::from_micros(START_US), ServerTime::from_micros(START_US + 24 * HOUR_US));
    time("24 hours of spread", |_| {
        let mut spread = Spread::default();
        reader.tx_spread(&network(), from, to).unwrap().iter().for_each(|(_, hour)| spread.merge(hour));
        spread.pairs.values().filter(|pair| pair.median_us().is_some()).count()
    });
    time("24 hours of what is of one node each, as at a start", |_| {
        let mut nodes = 0;
        reader.tx_hours(from, to, |hour| nodes += hour.spread.nodes.len()).unwrap();
        nodes
    });
    time("24 hours of spread of blocks", |_| {
        reader.block_spread(&network(), Stage::Header, from, to).unwrap().len()
    });
    time("a transaction's refusals", |number| reader.findings_about_tx(&txid(number)).unwrap().len());
    time("50 refusals", |_| reader.findings("rejected-tx", 50, None).unwrap().items.len());
    time("the counts", |_| reader.counts().unwrap().findings.len());
}

/// Prints the mean time of `query` over many runs; each must find something.
fn time(what: &str, query: impl Fn(u64) -> usize) {
    const RUNS: u64 = 200;
    let start = Instant::now();
    for number in 0..RUNS {
        assert!(black_box(query(number)) > 0, "{what}");
    }
    println!("{what}: {:.0} µs", start.elapsed().as_secs_f64() / RUNS as f64 * 1e6);
}
