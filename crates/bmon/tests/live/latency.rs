//! From a log line to the API, and what the agent costs: the figures of `docs/benchmarks.md`.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::support::{LIMIT, Site, network, quantile, setting, wait_for};
use bitcoin::{Amount, consensus::encode::serialize_hex};
use bmon_devnet::{Network, Purse, coin::Lock};
use serde_json::json;

/// A line is in the API long before this, even on a busy machine: what `make test` asserts. The aim, 0.1 s at the 99th
/// percentile on an idle machine, is printed beside the figure.
const MOST: Duration = Duration::from_secs(5);

#[test]
fn a_log_line_is_in_the_api_soon_after_it_was_written() {
    let blocks = setting("BMON_LATENCY_BLOCKS", 10);
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 2);
    // The intervals are the default ones: what the agent costs a node depends on them.
    let watched = &network.nodes()[..1];
    let mut site = Site::with_intervals(&dir.path().join("site"), watched, "");
    site.start_server();
    site.start_agent();
    site.wait_for_sources(watched);

    let mut delays: Vec<_> = (0..blocks).map(|_| delay(&network, &site)).collect();
    delays.sort();
    println!("yardstick: fdatasync of 4 KiB: {:?}", fdatasync(dir.path()));
    println!(
        "log line to API over {blocks} blocks: p50 {:?}, p99 {:?}, max {:?} (aim: p99 under 100 ms)",
        quantile(&delays, 0.5),
        quantile(&delays, 0.99),
        quantile(&delays, 1.0)
    );
    assert!(quantile(&delays, 0.5) < MOST);
    cost(&network, &site);
}

/// The time from the line that says that a new block was connected to the first reply that has it.
#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is real time, beside the clock of the node's log"
)]
fn delay(network: &Network, site: &Site) -> Duration {
    let node = &network.nodes()[0];
    let block = node.mine(1, Lock::new(0)).unwrap()[0];
    let path = format!("blocks/{block}");
    let end = Instant::now() + LIMIT;
    loop {
        let reply = site.try_get(&path);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        // ZMQ tells sooner; what is measured is the log.
        let connected = reply.as_ref().map(|reply| &reply["connected"][0]);
        let from_log = connected.filter(|connected| connected["source"] == "log");
        if let Some(at) = from_log.and_then(|connected| connected["at_us"].as_u64()) {
            return now.saturating_sub(Duration::from_micros(at));
        }
        assert!(Instant::now() < end, "block {block} never came");
    }
}

/// The median of 21 appends of 4 KiB, each synced.
#[expect(clippy::disallowed_methods, reason = "a yardstick measures real time")]
fn fdatasync(dir: &Path) -> Duration {
    use std::io::Write as _;
    let mut file = fs::File::create(dir.join("yardstick")).unwrap();
    let mut times: Vec<_> = (0..21)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[0; 4096]).unwrap();
            file.sync_data().unwrap();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[10]
}

/// Prints memory when idle, CPU at 20 transactions a second, and what the agent costs the node.
fn cost(network: &Network, site: &Site) {
    let seconds = setting("BMON_LATENCY_SECONDS", 5);
    let (agent, server) = (site.agent_pid(), site.server_pid());
    // What is measured is a stretch of time in which nothing happens, then one of steady traffic.
    thread::sleep(Duration::from_secs(seconds.min(20)));
    println!("resident when idle: agent {} kB, server {} kB", resident_kb(agent), resident_kb(server));

    let [watched, other] = network.nodes() else { unreachable!("two nodes were started") };
    let count = u32::try_from(seconds * 20).unwrap();
    let mut purse = Purse::fill(network, count).unwrap();
    let before = (cpu_seconds(agent), cpu_seconds(server), rpc(site), log_bytes(&watched.debug_log()));
    for _ in 0..count {
        thread::sleep(Duration::from_millis(50));
        // Through the other node, so that the watched one has it from a peer, as almost every transaction.
        let tx = purse.take().unwrap().pay(Amount::from_sat(10_000));
        let _: String = other.rpc().call("sendrawtransaction", json!([serialize_hex(&tx)])).unwrap();
    }
    let elapsed = f64::from(count) * 0.05;
    let share = |now: f64, before: f64| (now - before) / elapsed * 100.0;
    println!(
        "CPU at 20 transactions a second: agent {:.2} %, server {:.2} % of one core",
        share(cpu_seconds(agent), before.0),
        share(cpu_seconds(server), before.1)
    );
    let (calls, time_us) = rpc(site);
    let per_minute = |now: f64, before: f64| (now - before) / elapsed * 60.0;
    println!(
        "RPC of the agent: {:.1} calls and {:.1} ms a minute",
        per_minute(calls, before.2.0),
        per_minute(time_us, before.2.1) / 1e3
    );
    for (category, bytes) in log_bytes(&watched.debug_log()) {
        let of_run = bytes - before.3.get(&category).copied().unwrap_or(0);
        let per_day = of_run as f64 / f64::from(count) * 7.0 * 86_400.0 / 1e6;
        println!("log at 7 transactions a second, category {category}: {per_day:.0} MB a day");
    }
}

/// `VmRSS` of a process.
fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// User and system time of a process; the kernel counts them in hundredths of a second.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = |index| fields.split(' ').nth(index).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// RPC calls of the agent, and microseconds it waited for them.
fn rpc(site: &Site) -> (f64, f64) {
    let agent = wait_for("the agent's counters", LIMIT, || {
        let agent = site.get("nodes")["nodes"][0]["agent"].clone();
        agent.is_object().then_some(agent)
    });
    (agent["rpc_calls"].as_f64().unwrap(), agent["rpc_time_us"].as_f64().unwrap())
}

/// Bytes of a log by category, `none` for lines without one.
fn log_bytes(log: &Path) -> BTreeMap<String, u64> {
    let text = fs::read(log).unwrap();
    let mut bytes = BTreeMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let after_time = line.split_once(' ').map_or("", |(_, rest)| rest);
        let category = after_time
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map_or("none", |(name, _)| name);
        *bytes.entry(category.to_owned()).or_default() += line.len() as u64 + 1;
    }
    bytes
}
