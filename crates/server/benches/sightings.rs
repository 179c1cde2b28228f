//! How many sightings of transactions a second a server takes: `cargo bench -p bmon-server --bench sightings`.
//!
//! A process beside the server holds batches of twelve agents ready and sends them as fast as they are answered. All agents
//! tell of the same transactions, each in its own order. Measured is the time until all batches are durable and answered,
//! and until the engine has taken them in and all that follows is in the database. `BMON_BENCH_SIGHTINGS` sets how many there
//! are.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod ground;
#[path = "../../analysis/benches/traffic/mod.rs"]
mod traffic;

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Command, Stdio},
    sync::atomic::Ordering::Relaxed,
    thread,
    time::{Duration, Instant},
};

use bmon_event::{Batch, NodeName};
use bmon_server::{Server, database_path, ingest};
use bmon_store::Store;

use ground::{config, yardstick};
use traffic::{mix, told};

const AGENTS: u64 = 12;
const SIGHTINGS: u64 = 6_000_000;
/// Sightings of a batch: what an agent gathers while a batch of that size is answered.
const BATCH: u64 = 4_000;
/// What the kernel counts processor time in on Linux (`man 5 proc`).
const TICKS_A_SECOND: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().position(|argument| argument == "--send") {
        Some(place) => send(arguments[place + 1].parse().unwrap()),
        None => receive(),
    }
}

fn each() -> u64 {
    let sightings = env::var("BMON_BENCH_SIGHTINGS").map_or(SIGHTINGS, |number| number.parse().unwrap());
    sightings.div_ceil(AGENTS * BATCH)
}

fn receive() {
    let directory = tempfile::tempdir().unwrap();
    println!("write 4 kB and fdatasync: {:.2} ms", yardstick(directory.path()) * 1e3);
    let config = config(&directory.path().join("server"));
    fs::create_dir_all(&config.data_dir).unwrap();
    let store = Store::open(&database_path(&config.data_dir)).unwrap();
    for agent in 0..AGENTS {
        store.set_token(&name(agent), ingest::hash_of_token(name(agent).as_str())).unwrap();
    }
    drop(store);
    let server = Server::start(&config).unwrap();
    let mut sender = Command::new(env::current_exe().unwrap())
        .args(["--send", &server.address().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(sender.stdout.take().unwrap()).lines();
    assert_eq!(told.next().unwrap().unwrap(), "ready");
    let (start, before) = (Instant::now(), processor_seconds());
    sender.stdin.take().unwrap().write_all(b"go\n").unwrap();
    println!("{}", told.next().unwrap().unwrap());
    let answered = start.elapsed().as_secs_f64();
    let counters = server.counters();
    while counters.journal_stored.load(Relaxed) < counters.journal_last.load(Relaxed) {
        assert!(start.elapsed() < Duration::from_mins(10), "the database does not keep up");
        thread::sleep(Duration::from_millis(5));
    }
    let stored = start.elapsed().as_secs_f64();
    let total = (each() * AGENTS * BATCH) as f64;
    println!("{total} sightings of {} transactions by {AGENTS} agents", each() * BATCH);
    println!("durable and answered: {:.0} sightings/s", total / answered);
    println!("analysed and in the database: {:.0} sightings/s", total / stored);
    println!(
        "processor time of the server: {:.2} µs a sighting",
        (processor_seconds() - before) / total * 1e6
    );
    println!("resident memory of the server: {:.0} MB at most", peak_bytes() as f64 / 1e6);
    assert!(sender.wait().unwrap().success());
    server.stop();
    let bytes = fs::metadata(database_path(&config.data_dir)).unwrap().len() as f64 / (each() * BATCH) as f64;
    println!("database: {bytes:.1} bytes a transaction");
}

fn name(agent: u64) -> NodeName {
    format!("node-{agent}").parse().unwrap()
}

/// Makes all batches, and sends them once it is told to.
fn send(address: SocketAddr) {
    let batches: Vec<Vec<Vec<u8>>> = (0..AGENTS)
        .map(|agent| (1..=each()).map(|sequence| batch(agent, sequence).encode()).collect())
        .collect();
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let before = processor_seconds();
    thread::scope(|scope| {
        for (agent, batches) in (0..).zip(&batches) {
            scope.spawn(move || deliver(address, &name(agent), batches));
        }
    });
    let bytes: usize = batches.iter().flatten().map(Vec::len).sum();
    let seconds = processor_seconds() - before;
    println!("sender: {seconds:.1} s of processor time for {:.0} MB", bytes as f64 / 1e6);
}

fn deliver(address: SocketAddr, node: &NodeName, batches: &[Vec<u8>]) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("http://{address}/ingest/v1/batches");
    for batch in batches {
        loop {
            let sent =
                agent.post(&url).header("Authorization", format!("Bearer {node}")).send(batch.as_slice());
            let mut answer = sent.unwrap();
            let text = answer.body_mut().read_to_string().unwrap();
            if answer.status() == 200 {
                break;
            }
            // As an agent does when the server is busy.
            assert_eq!(answer.status(), 503, "{text}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Every agent tells of the same transactions, some seconds around the time at which they were made.
fn batch(agent: u64, sequence: u64) -> Batch {
    let start_us = 1_780_000_000_000_000 + sequence.cast_signed() * 10_000_000;
    let mut heard: Vec<(i64, u64)> = (0..BATCH)
        .map(|index| {
            let number = (sequence - 1) * BATCH + index;
            let delay_us = mix(number ^ (agent << 50)) % 6_000_000;
            (start_us + (index * 2_500 + delay_us).cast_signed(), number)
        })
        .collect();
    heard.sort_unstable();
    let offset_us = (agent.cast_signed() * 1_000 - 90, agent.cast_signed() * 1_000 + 120);
    told(&name(agent), sequence, start_us, offset_us, heard.into_iter())
}

/// Processor time of this process so far.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS_A_SECOND
}

/// The most memory that this process has had resident.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}
