//! Blocks that are held back for a known time arrive, as the API says, when they were let go: never earlier than the
//! bound of the clocks allows, and as soon after it as at a node that nothing is held from. With a node whose clock is
//! wrong, and whose agent's clock is wrong by the same, that is so too.
//!
//! A miner, and behind a relay each: a node that nothing is held from, of which it is so known too when blocks were let
//! go, one that messages are held from, and two such with clocks half a second ahead and behind. A run is a new connection
//! for each, another delay for each, and a few blocks; in every third run the node stands still for the delay instead.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use bitcoin::{Amount, Transaction, consensus::encode::serialize_hex};
use bmon_devnet::{
    Network, Node, Purse, Relay,
    coin::Lock,
    exe,
    relay::{Carrier, Release},
};
use bmon_event::ServerTime;
use serde_json::{Value, json};

use crate::support::{LIMIT, Random, Site, of_source, quantile, setting, wait_for};

/// How much longer it may take from release to arrival than for the undelayed node's slowest block in the same run, in
/// milliseconds: in `make test`, where other tests take the processors from nodes for long. `make soak-delay` sets 50.
const MORE_MS: u64 = 2_000;

/// Delays are below this.
const LONGEST_MS: u64 = 2_000;

/// The first comes over a new connection, for which the node has not asked for compact blocks; the second has a
/// transaction that the node may have to ask for.
const BLOCKS_A_RUN: usize = 3;

/// How far the clock of each node behind a relay is off. Nothing is held from the first.
const OFFSETS_US: [i64; 4] = [0, 0, 500_000, -500_000];

/// The first that a node does with a block, and the last.
const STAGES: [&str; 2] = ["header", "connected"];

/// A node behind a relay.
struct Behind<'a> {
    node: &'a Node,
    relay: Relay,
}

/// How one run holds blocks back.
struct Plan {
    /// Of each node behind a relay.
    delays: Vec<Duration>,
    /// Whether it is the nodes that stand still, and not the relay that holds.
    is_stopped: bool,
}

/// A block that was mined, and when each node behind a relay went on, if it stood still.
struct Block {
    hash: String,
    /// A time before it was there.
    mined: ServerTime,
    resumed: Vec<Option<ServerTime>>,
}

/// When one node came to one stage with one block, beside when it could have.
#[derive(Clone, Copy)]
struct Arrival {
    /// From the release of the bytes to the arrival, on the server's clock.
    took_us: i64,
    bound_us: i64,
    /// What the bytes were a part of.
    carrier: Carrier,
}

/// A thread that only sleeps: how late it wakes is what the machine itself adds to any time.
struct Stalls {
    longest_us: Arc<AtomicI64>,
}

/// All arrivals of one node, by stage.
type Arrivals = [Vec<Arrival>; STAGES.len()];

#[test]
fn a_block_that_was_held_back_arrives_when_it_was_released_whatever_the_nodes_clock() {
    let runs = setting("BMON_DELAY_RUNS", 3);
    let mut random = Random::seeded();
    let dir = tempfile::tempdir().unwrap();
    let network = Network::start_apart(configs(dir.path())).unwrap();
    let [miner, rest @ ..] = network.nodes() else { unreachable!("five nodes were started") };
    let mut purse = Purse::fill_at(miner, u32::try_from(runs).unwrap()).unwrap();
    let behind: Vec<_> = rest.iter().map(|node| Behind::new(node, miner)).collect();
    connect(miner, &behind);
    network.wait_for_tip(&[0, 1, 2, 3, 4], miner.best_block().unwrap()).unwrap();
    let site = watched(dir.path(), &network);

    let mut all: Vec<Arrivals> = behind.iter().map(|_| Arrivals::default()).collect();
    let (mut right, stalls) = (0, Stalls::watch());
    for run in 1..=runs {
        let plan = Plan::draw(&mut random, run);
        let arrivals = one_run(&site, miner, &behind, &plan, &mut purse);
        let faults = faults(&behind, &arrivals);
        let stall_us = stalls.take_longest_us();
        for fault in &faults {
            println!("run {run}: {fault}; a thread that only sleeps woke up to {stall_us} µs late");
        }
        right += u64::from(faults.is_empty());
        for (all, node) in all.iter_mut().zip(arrivals) {
            all.iter_mut().zip(node).for_each(|(all, stage)| all.extend(stage));
        }
    }
    print_table(&behind, &all);
    println!("right in {right} of {runs} runs");
    assert_eq!(right, runs);
}

/// The miner and the nodes behind relays, all with the transport that a relay can read.
fn configs(dir: &Path) -> Vec<bmon_devnet::NodeConfig> {
    let exes = exe::find().unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
    let mut configs = Network::configs(1 + OFFSETS_US.len(), &exes, &dir.join("nodes"));
    for (config, offset_us) in configs.iter_mut().zip([0].into_iter().chain(OFFSETS_US)) {
        config.extra_args.push("-v2transport=0".to_owned());
        config.clock_offset_us = offset_us;
    }
    configs
}

/// A server, an agent for the nodes with the host's clock, and one for each other.
fn watched(dir: &Path, network: &Network) -> Site {
    let (right, shifted) = network.nodes().split_at(3);
    let mut site = Site::new(&dir.join("site"), right);
    site.start_server();
    site.start_agent();
    for node in shifted {
        site.start_shifted_agent(node);
    }
    site.wait_for_sources(network.nodes());
    wait_for("a comparison of every clock", LIMIT, || {
        let reply = site.try_get("nodes")?;
        let nodes = reply["nodes"].as_array()?;
        nodes.iter().all(|node| node["clock_bound_us"].is_i64()).then_some(())
    });
    site
}

impl<'a> Behind<'a> {
    fn new(node: &'a Node, miner: &Node) -> Self {
        Self { node, relay: Relay::start(miner.p2p_address()).unwrap() }
    }
}

/// New connections to the miner, through which nothing is held yet.
fn connect(miner: &Node, behind: &[Behind]) {
    for Behind { relay, .. } in behind {
        relay.cut();
        relay.hold(Duration::ZERO);
    }
    for Behind { node, relay } in behind {
        relay.connect(node, miner).unwrap();
    }
}

impl Plan {
    fn draw(random: &mut Random, run: u64) -> Self {
        let drawn = (1..OFFSETS_US.len()).map(|_| Duration::from_millis(random.below(LONGEST_MS)));
        let delays = [Duration::ZERO].into_iter().chain(drawn).collect();
        Self { delays, is_stopped: run.is_multiple_of(3) }
    }
}

fn one_run(site: &Site, miner: &Node, behind: &[Behind], plan: &Plan, purse: &mut Purse) -> Vec<Arrivals> {
    connect(miner, behind);
    let mut arrivals: Vec<Arrivals> = behind.iter().map(|_| Arrivals::default()).collect();
    for number in 0..BLOCKS_A_RUN {
        let payment = (number == 1).then(|| purse.take().unwrap().pay(Amount::from_sat(10_000)));
        let mine = || mine(miner, payment.as_ref());
        let block = if plan.is_stopped { stopped(behind, plan, mine) } else { held(behind, plan, mine) };
        let reply = wait_for(&format!("block {} in every log", block.hash), LIMIT, || {
            let reply = site.try_get(&format!("blocks/{}", block.hash))?;
            let is_there = |node: &Node| STAGES.iter().all(|stage| corrected(&reply, node, stage).is_some());
            behind.iter().all(|behind| is_there(behind.node)).then_some(reply)
        });
        for (index, arrivals) in arrivals.iter_mut().enumerate() {
            for (stage, arrivals) in STAGES.iter().zip(arrivals) {
                let let_go = let_go(&behind[index].relay, &block, index, stage);
                assert!(
                    let_go.at.micros_since(block.mined) >= micros(plan.delays[index]),
                    "held for too short"
                );
                arrivals.push(arrival(&reply, &behind[index], stage, let_go));
            }
        }
    }
    arrivals
}

/// Mines a block, with `payment` if there is one: its hash, and a time before it was there.
fn mine(miner: &Node, payment: Option<&Transaction>) -> (String, ServerTime) {
    if let Some(payment) = payment {
        let _: String = miner.rpc().call("sendrawtransaction", json!([serialize_hex(payment)])).unwrap();
    }
    let before = now();
    (miner.mine(1, Lock::new(0)).unwrap()[0].to_string(), before)
}

/// Mines while the relays hold back what the miner sends.
fn held(behind: &[Behind], plan: &Plan, mine: impl FnOnce() -> (String, ServerTime)) -> Block {
    for (Behind { relay, .. }, delay) in behind.iter().zip(&plan.delays) {
        relay.hold(*delay);
    }
    let (hash, mined) = mine();
    Block { hash, mined, resumed: vec![None; behind.len()] }
}

/// Mines while nodes stand still.
fn stopped(behind: &[Behind], plan: &Plan, mine: impl FnOnce() -> (String, ServerTime)) -> Block {
    let stopped = || behind.iter().zip(&plan.delays).skip(1);
    stopped().for_each(|(behind, _)| behind.node.pause().unwrap());
    let (hash, mined) = mine();
    let resumed = thread::scope(|scope| {
        let threads: Vec<_> = stopped()
            .map(|(behind, delay)| {
                scope.spawn(|| {
                    // The stretch of time is what is tested.
                    thread::sleep(*delay);
                    let at = now();
                    behind.node.resume().unwrap();
                    at
                })
            })
            .collect();
        threads.into_iter().map(|thread| Some(thread.join().unwrap())).collect::<Vec<_>>()
    });
    Block { hash, mined, resumed: [None].into_iter().chain(resumed).collect() }
}

/// What let the node at `index` come to the stage, and when: the header is in whatever tells of the block, all of it there
/// with the last message that the node asked for.
fn let_go(relay: &Relay, block: &Block, index: usize, stage: &str) -> Release {
    let releases = relay.releases(block.hash.parse().unwrap());
    let release = match stage {
        "header" => releases.first(),
        _ => releases.iter().rfind(|release| release.carrier != Carrier::Headers),
    };
    let Release { carrier, at } = *release.unwrap();
    Release { carrier, at: block.resumed[index].map_or(at, |resumed| resumed.max(at)) }
}

fn arrival(reply: &Value, Behind { node, .. }: &Behind, stage: &str, let_go: Release) -> Arrival {
    let (at_us, bound_us) = corrected(reply, node, stage).unwrap();
    let mut uncorrected = of_source(reply, node.name(), "log").filter(|sighting| sighting["stage"] == stage);
    let node_at_us = uncorrected.next().unwrap()["node_at_us"].as_i64().unwrap();
    let unexplained_us = node_at_us - at_us - node.config().clock_offset_us;
    assert!(unexplained_us.abs() <= bound_us, "clock of {}: {unexplained_us} ± {bound_us}", node.name());
    Arrival { took_us: at_us - let_go.at.as_micros(), bound_us, carrier: let_go.carrier }
}

/// When the node came to the stage by its log, on the server's clock, and the bound; `None` while that is not known.
fn corrected(reply: &Value, node: &Node, stage: &str) -> Option<(i64, i64)> {
    let stage = reply["stages"].as_array()?.iter().find(|found| found["stage"] == stage)?;
    let is_of_log = |found: &&Value| found["node"] == node.name().as_str() && found["source"] == "log";
    let arrival = stage["nodes"].as_array()?.iter().find(is_of_log)?;
    arrival["at_us"].as_i64().zip(arrival["clock_bound_us"].as_i64())
}

/// What is wrong in one run. The 99th percentile of a run's few blocks is the slowest.
fn faults(behind: &[Behind], arrivals: &[Arrivals]) -> Vec<String> {
    let more_us = i64::try_from(setting("BMON_DELAY_MORE_MS", MORE_MS)).unwrap() * 1_000;
    let mut faults = Vec::new();
    for (Behind { node, .. }, arrivals_of_node) in behind.iter().zip(arrivals) {
        for (index, stage) in STAGES.iter().enumerate() {
            let most_us = quantile(&sorted(&arrivals[0][index], |arrival| arrival.took_us), 0.99) + more_us;
            for Arrival { took_us, bound_us, .. } in &arrivals_of_node[index] {
                if *took_us < -bound_us || *took_us > most_us {
                    let name = node.name();
                    faults.push(format!(
                        "{stage} at {name} {took_us} µs after its release, not -{bound_us} to {most_us}"
                    ));
                }
            }
        }
    }
    faults
}

impl Stalls {
    /// Until this is dropped.
    fn watch() -> Self {
        let longest_us = Arc::new(AtomicI64::new(0));
        let watched = Arc::downgrade(&longest_us);
        thread::spawn(move || {
            const SLEEP: Duration = Duration::from_millis(1);
            while let Some(longest_us) = watched.upgrade() {
                let before = now();
                thread::sleep(SLEEP);
                longest_us.fetch_max(now().micros_since(before) - micros(SLEEP), Ordering::Relaxed);
            }
        });
        Self { longest_us }
    }

    /// How late it woke at most since the last call.
    fn take_longest_us(&self) -> i64 {
        self.longest_us.swap(0, Ordering::Relaxed)
    }
}

fn print_table(behind: &[Behind], arrivals: &[Arrivals]) {
    println!("arrival minus release: p50, p99, max; bound: p50, max, all in ms; by which message");
    for (Behind { node, .. }, arrivals) in behind.iter().zip(arrivals) {
        let (name, offset_ms) = (node.name(), node.config().clock_offset_us / 1_000);
        for (stage, arrivals) in STAGES.iter().zip(arrivals) {
            let took = sorted(arrivals, |arrival| arrival.took_us as f64 / 1e3);
            let bound = sorted(arrivals, |arrival| arrival.bound_us as f64 / 1e3);
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|q| quantile(&took, q));
            let [bound_p50, bound_max] = [0.5, 1.0].map(|q| quantile(&bound, q));
            println!(
                "{name:6} {offset_ms:4} ms {stage:9} {p50:7.3} {p99:7.3} {max:7.3}   {bound_p50:6.3} {bound_max:6.3}   {:?}",
                carriers(arrivals)
            );
        }
    }
}

/// How often which message let a node come to the stage.
fn carriers(arrivals: &[Arrival]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for arrival in arrivals {
        *counts.entry(format!("{:?}", arrival.carrier)).or_default() += 1;
    }
    counts
}

fn sorted<T: PartialOrd>(arrivals: &[Arrival], value: impl Fn(&Arrival) -> T) -> Vec<T> {
    let mut values: Vec<_> = arrivals.iter().map(value).collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap()
}

/// By the host's clock, which is the server's.
#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> ServerTime {
    ServerTime::from_micros(micros(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()))
}
