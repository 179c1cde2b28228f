//! What it costs to export a million rows: `cargo bench -p bmon-server --bench export`.
//!
//! A process of its own serves a database of transactions as twelve nodes tell of them. Measured are rows a second over HTTP in
//! both formats, the server's memory, and how long commits take meanwhile. `BMON_BENCH_ROWS` sets how many rows there are.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod ground;

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use bmon_analysis::row::{BlockRow, NodeRow, Offset, Row, Sighted, TxChunk, TxColumn, TxIds, TxSeen};
use bmon_event::{AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Txid, Wtxid};
use bmon_server::{Config, Server, database_path};
use bmon_store::{Commit, Store};

use ground::{config, yardstick};

const ROWS: u64 = 1_000_000;
const NODES: u64 = 12;
const START_US: i64 = 1_780_000_000_000_000;
/// Between two transactions.
const PAUSE_US: i64 = 50_000;
/// How often the database is written to meanwhile.
const COMMIT_EVERY: Duration = Duration::from_millis(20);

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().position(|argument| argument == "--serve") {
        Some(place) => serve(Path::new(&arguments[place + 1])),
        None => measure(),
    }
}

fn measure() {
    let rows = env::var("BMON_BENCH_ROWS").map_or(ROWS, |number| number.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(&database_path(directory.path())).unwrap();
    let chunks = rows.div_ceil(NODES * TxChunk::MOST as u64);
    for number in 0..chunks {
        commit(&mut store, &[Row::TxChunk(Box::new(chunk(number)))]);
    }
    commit(&mut store, &(0..NODES).map(node).collect::<Vec<_>>());
    println!("write 4 kB and fdatasync: {:.2} ms", yardstick(directory.path()) * 1e3);
    println!("commits alone: {}", commits(&mut store, || thread::sleep(Duration::from_secs(2))));
    for format in ["csv", "jsonl"] {
        let (mut child, address) = child(directory.path());
        let idle_mb = memory_mb(child.id(), "VmRSS:");
        let mut told = String::new();
        let meanwhile = commits(&mut store, || told = export(address, format));
        println!("{told}");
        let most_mb = memory_mb(child.id(), "VmHWM:");
        println!("memory of the server: {idle_mb:.1} MB before, {most_mb:.1} MB at most");
        println!("commits meanwhile: {meanwhile}");
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

/// How fast a file comes.
fn export(address: SocketAddr, format: &str) -> String {
    let start = Instant::now();
    let url = format!("http://{address}/api/v1/export/txs.{format}");
    let mut file = ureq::get(url).call().unwrap().into_body().into_reader();
    let (mut buffer, mut lines, mut bytes) = (vec![0; 1 << 16], 0, 0);
    loop {
        let count = file.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        bytes += count;
        lines += buffer[..count].split(|byte| *byte == b'\n').count() - 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    let rows = lines - usize::from(format == "csv");
    let megabytes = bytes as f64 / 1e6;
    let (rate, speed) = (rows as f64 / seconds, megabytes / seconds);
    format!("{format}: {rows} rows, {megabytes:.0} MB in {seconds:.1} s: {rate:.0} rows/s, {speed:.1} MB/s")
}

/// How long small commits take while something goes on.
fn commits(store: &mut Store, during: impl FnOnce()) -> String {
    let is_over = AtomicBool::new(false);
    let mut times: Vec<f64> = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut times = Vec::new();
            while !is_over.load(Relaxed) {
                let block = BlockHash::from_bytes(hash(times.len() as u64));
                let start = Instant::now();
                commit(store, &[Row::Block(BlockRow { network: network(), block, height: None })]);
                times.push(start.elapsed().as_secs_f64() * 1e3);
                thread::sleep(COMMIT_EVERY);
            }
            times
        });
        during();
        is_over.store(true, Relaxed);
        writing.join().unwrap()
    });
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    format!("{} of them, {:.2} ms p50, {:.2} ms p99, {:.2} ms at most", times.len(), at(50), at(99), at(100))
}

fn commit(store: &mut Store, rows: &[Row]) {
    store.commit(&Commit { rows, journal_position: 0, accepted: &[] }).unwrap();
}

/// A server on this database, until its standard input ends.
fn serve(data_dir: &Path) {
    // Whenever this runs, the transactions are not too old.
    let config = Config { transaction_retention: Duration::from_hours(1_000_000), ..config(data_dir) };
    let server = Server::start(&config).unwrap();
    println!("{}", server.address());
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    server.stop();
}

fn child(data_dir: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(env::current_exe().unwrap())
        .arg("--serve")
        .arg(data_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (child, address.trim().parse().unwrap())
}

/// Memory of a process, as the kernel tells it under this name.
fn memory_mb(process: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1_024.0 / 1e6
}

fn network() -> Network {
    Network::from_chain("main").unwrap()
}

fn name(number: u64) -> NodeName {
    format!("node-{number}").parse().unwrap()
}

/// A number that looks random (the finaliser of splitmix64).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn hash(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, chunk) in (0..).zip(bytes.chunks_mut(8)) {
        chunk.copy_from_slice(&mix(number.wrapping_mul(4).wrapping_add(index)).to_le_bytes());
    }
    bytes
}

/// Transactions that all nodes accepted, some seconds apart.
fn chunk(number: u64) -> TxChunk {
    let first = number * TxChunk::MOST as u64;
    let numbers: Vec<u64> = (first..first + TxChunk::MOST as u64).collect();
    let ids = |number: &u64| TxIds {
        txid: Txid::from_bytes(hash(*number)),
        wtxid: Some(Wtxid::from_bytes(hash(!*number))),
    };
    let begun_at = ServerTime::from_micros(START_US + first.cast_signed() * PAUSE_US);
    TxChunk {
        id: number + 1,
        network: network(),
        begun_at,
        last_at: begun_at.plus_micros(512 * PAUSE_US),
        is_full: true,
        txs: numbers.iter().map(ids).collect(),
        nodes: (0..NODES).map(|node| column(node, &numbers)).collect(),
        mined: Vec::new(),
    }
}

fn column(node: u64, numbers: &[u64]) -> TxColumn {
    let seen = |number: &u64| {
        let delay_us = (mix(number ^ (node << 50)) % 6_000_000).cast_signed();
        let at = AgentTime::from_micros(START_US + number.cast_signed() * PAUSE_US + delay_us);
        let middle_us = node.cast_signed() * 1_000;
        let offset = Some(Offset { min_us: middle_us - 90, max_us: middle_us + 120 });
        Some(TxSeen { source: Source::Log, sighted: Sighted { at, offset } })
    };
    let accepted = numbers.iter().map(seen).collect();
    TxColumn { node: name(node), accepted, refused: Vec::new(), left: Vec::new() }
}

fn node(number: u64) -> Row {
    Row::Node(Box::new(NodeRow {
        heard_at: ServerTime::from_micros(START_US),
        version: Some("/Satoshi:30.0.0/".to_owned()),
        ..NodeRow::new(network(), name(number))
    }))
}
