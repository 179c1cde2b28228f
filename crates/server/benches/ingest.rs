//! How many batches a second a server makes durable and answers, beside what the disk needs for an `fdatasync`.

mod ground;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bmon_event::{
    AgentTime, Batch, Epoch, Event, Kind, Network, NodeName, NodeTime, Positions, Source, Txid,
};
use bmon_server::{Server, database_path, ingest};
use bmon_store::Store;

use ground::{config, yardstick};

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let sync = yardstick(dir.path());
    println!("write 4 kB and fdatasync: {:.2} ms, {:.0} a second", sync * 1e3, 1.0 / sync);
    for (agents, transactions) in [(1, 7), (1, 1_000), (8, 7), (32, 7), (32, 100)] {
        measure(&dir.path().join(format!("{agents}-{transactions}")), agents, transactions);
    }
}

fn measure(dir: &Path, agents: u64, transactions: u64) {
    let config = config(dir);
    std::fs::create_dir_all(dir).expect("the temporary directory can be written");
    let store = Store::open(&database_path(dir)).expect("a new database can be made");
    for agent in 0..agents {
        let token = ingest::hash_of_token(name(agent).as_str());
        store.set_token(&name(agent), token).expect("the database can be written");
    }
    drop(store);
    let server = Server::start(&config).expect("a server can start on a free port");
    let batches = if transactions > 100 { 300 } else { 2_000 };
    let each = batches / agents;
    let took = time(|| {
        std::thread::scope(|scope| {
            for agent in 0..agents {
                let address = server.address();
                scope.spawn(move || deliver(address, agent, each, transactions));
            }
        });
    });
    let counters = server.counters();
    let syncs = counters.journal_syncs.load(Relaxed);
    let sync_ms = counters.journal_sync_us.load(Relaxed) as f64 / 1e3 / syncs as f64;
    println!(
        "{agents:>2} agents, {transactions:>4} transactions a batch: {:>6.0} batches/s, {:>7.0} transactions/s, \
         {:>4.1} batches a sync, {sync_ms:.2} ms a sync",
        (each * agents) as f64 / took.as_secs_f64(),
        (each * agents * transactions) as f64 / took.as_secs_f64(),
        (each * agents) as f64 / syncs as f64,
    );
    let took = time(|| server.stop());
    println!("   stop, with everything in the database: {:.0} ms", took.as_secs_f64() * 1e3);
    let took = time(|| Server::start(&config).expect("it starts again").stop());
    println!("   start from the journal, and stop: {:.0} ms", took.as_secs_f64() * 1e3);
}

fn deliver(address: SocketAddr, epoch: u64, batches: u64, transactions: u64) {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{address}/ingest/v1/batches");
    for sequence in 1..=batches {
        let body = batch(epoch, sequence, transactions).encode();
        let sent = agent.post(&url).header("Authorization", format!("Bearer {}", name(epoch))).send(&body);
        let answer = sent.and_then(|mut answer| answer.body_mut().read_to_string());
        answer.expect("a good batch is accepted");
    }
}

/// The node of an agent, which is also its token.
fn name(agent: u64) -> NodeName {
    format!("node-{agent}").parse().expect("this is a node name")
}

fn batch(epoch: u64, sequence: u64, transactions: u64) -> Batch {
    let mut number = epoch * 1_000_000_007 + sequence * 1_000_003;
    let at = 1_700_000_000_000_000 + sequence.cast_signed() * 1_000;
    let event = |_| {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) + 1;
            chunk.copy_from_slice(&number.to_le_bytes());
        }
        let txid = Txid::from_bytes(bytes);
        Event {
            source: Source::Log,
            node_time: Some(NodeTime::from_micros(at)),
            agent_time: AgentTime::from_micros(at + 900),
            kind: Kind::TxAdded { txid, wtxid: None, peer: Some(3), mempool_sequence: None },
        }
    };
    Batch {
        network: Network::from_chain("regtest").expect("regtest is known"),
        node: name(epoch),
        epoch: Epoch(epoch),
        sequence,
        made_at: AgentTime::from_micros(at + 1_000),
        positions: Positions::default(),
        events: (0..transactions).map(event).collect(),
        unknown_events: 0,
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
