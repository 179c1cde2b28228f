//! What reaches the server when the server, or the way to it, fails.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its own functions too")]

mod support;

use bmon_agent::{
    Agent, AgentError, Config, Delivery, Exporter,
    config::{LogConfig, SpoolConfig},
};
use bmon_event::{Event, Kind, Source};
use support::{Fault, Server, config, gap, page, wait_until};
use tempfile::TempDir;

fn start(config: &Config) -> Agent {
    Agent::start(config.clone()).unwrap()
}

/// Every batch was taken once, none is missing.
fn assert_contiguous(server: &Server) {
    let sequences = server.seen().sequences();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
}

#[test]
fn what_happens_before_the_server_is_there_is_delivered_later() {
    let (dir, address) = (TempDir::new().unwrap(), Server::free_address());
    let agent = start(&config(dir.path(), &format!("http://{address}")));
    wait_until("a backlog", || agent.status().undelivered_batches >= 3);
    assert!(matches!(agent.status().delivery, Delivery::Waiting(_)));
    let server = Server::start_at(address);
    server.wait_for_batches(5);
    wait_until("a working delivery", || agent.status().delivery == Delivery::Working);
    assert_contiguous(&server);
}

#[test]
fn the_agents_metrics_are_there_while_the_server_is_not() {
    let (dir, address) = (TempDir::new().unwrap(), Server::free_address());
    let config = config(dir.path(), &format!("http://{address}"));
    let agents = [start(&Config { metrics: true, ..config })];
    let exporter = Exporter::start(([127, 0, 0, 1], 0).into(), &agents).unwrap();
    let value =
        |name: &str| page(&exporter, "/metrics").get(name).map(|metric| metric.series.values().sum::<f64>());
    wait_until("a backlog", || value("bmon_agent_spool_batches") >= Some(3.0));
    assert_eq!(value("bmon_agent_delivery_working"), Some(0.0));
    assert_eq!(value("bmon_agent_delivered_batches_total"), Some(0.0));
    assert!(value("bmon_agent_disk_free_bytes") > Some(0.0));
    let server = Server::start_at(address);
    server.wait_for_batches(3);
    wait_until("deliveries", || value("bmon_agent_delivered_batches_total") >= Some(3.0));
    wait_until("a working delivery", || value("bmon_agent_delivery_working") == Some(1.0));
}

#[test]
fn a_server_that_is_not_ready_gets_the_same_bytes_again() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    server.seen().faults = [Fault::Status(503), Fault::Status(503), Fault::Status(500)].into();
    let _agent = start(&config(dir.path(), &server.url()));
    server.wait_for_batches(3);
    let seen = server.seen();
    assert!(seen.deliveries[..4].windows(2).all(|pair| pair[0] == pair[1]));
    assert_ne!(seen.deliveries[3], seen.deliveries[4]);
    drop(seen);
    assert_contiguous(&server);
}

#[test]
fn a_batch_whose_answer_is_lost_is_repeated_and_counts_once() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    server.seen().faults = [Fault::LoseAnswer, Fault::LoseAnswer].into();
    let _agent = start(&config(dir.path(), &server.url()));
    server.wait_for_batches(4);
    let seen = server.seen();
    assert!(seen.deliveries[0] == seen.deliveries[1] && seen.deliveries[1] == seen.deliveries[2]);
    drop(seen);
    assert_contiguous(&server);
}

#[test]
fn a_refused_token_loses_nothing() {
    for status in [401, 403] {
        let (dir, server) = (TempDir::new().unwrap(), Server::start());
        server.seen().always = Some(Fault::Status(status));
        let config = config(dir.path(), &server.url());
        let agent = start(&config);
        wait_until("a refusal", || matches!(agent.status().delivery, Delivery::Refused(_)));
        let Delivery::Refused(reason) = agent.status().delivery else { unreachable!("it was just seen") };
        assert!(reason.contains("told to (ask the test)"), "{reason}");
        wait_until("a backlog", || agent.status().undelivered_batches >= 3);
        agent.stop();
        server.seen().always = None;
        let _agent = start(&config);
        server.wait_for_batches(4);
        assert_contiguous(&server);
    }
}

#[test]
fn a_batch_that_the_server_cannot_use_is_counted_as_a_gap_and_passed_over() {
    for status in [400, 413] {
        let (dir, server) = (TempDir::new().unwrap(), Server::start());
        server.seen().faults = [Fault::Status(status)].into();
        let _agent = start(&config(dir.path(), &server.url()));
        let gap = server.wait_for_event("a gap", gap);
        assert_eq!(gap.source, Source::Agent);
        let seen = server.seen();
        assert!(!seen.sequences().contains(&1) && seen.sequences().contains(&2));
        let refused = bmon_event::Batch::decode(&seen.deliveries[0], 1 << 30).unwrap();
        assert_eq!(gap.lost, Some(refused.events.len() as u64));
        assert_eq!(gap.from, refused.events.iter().map(bmon_event::Event::time).min());
        assert!(gap.reason.contains(&status.to_string()), "{}", gap.reason);
    }
}

#[test]
fn another_server_at_the_address_makes_nothing_be_dropped() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    server.seen().always = Some(Fault::Status(404));
    let agent = start(&config(dir.path(), &server.url()));
    wait_until("a backlog", || agent.status().undelivered_batches >= 3);
    assert_ne!(agent.status().delivery, Delivery::Working);
}

#[test]
fn a_restarted_agent_goes_on_behind_what_the_server_has() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let config = config(dir.path(), &server.url());
    let agent = start(&config);
    server.wait_for_batches(5);
    agent.stop();
    let _agent = start(&config);
    server.wait_for_batches(5);
    let seen = server.seen();
    assert_eq!(seen.deliveries.len(), seen.batches.len());
    drop(seen);
    assert_contiguous(&server);
}

/// The last blocks of a real node, with `-debug=bench`: the lines of a block do not name it, but `UpdateTip` among them
/// does.
const BLOCKS: &str = include_str!("../../corelog/tests/data/core-30.99-blocks.log");

#[test]
fn an_agent_that_is_restarted_among_the_lines_of_a_block_tells_how_long_it_took() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let mut config = config(dir.path(), &server.url());
    let path = dir.path().join("debug.log");
    config.log = Some(LogConfig { path: path.clone(), poll_ms: 1, first_read_bytes: 1 << 20 });
    let tips: Vec<_> = BLOCKS.match_indices("Connect postprocess").map(|(place, _)| place).collect();
    let cut = tips[2] + BLOCKS[tips[2]..].find('\n').unwrap() + 1;
    let tip = BLOCKS[..cut].rsplit_once("new best=").unwrap().1[..64].parse().unwrap();
    std::fs::write(&path, &BLOCKS[..cut]).unwrap();
    let agent = start(&config);
    server.wait_for_event("the tip", |event| {
        matches!(event.kind, Kind::Tip { block, .. } if block == tip).then_some(())
    });
    agent.stop();
    std::fs::write(&path, BLOCKS).unwrap();
    let _agent = start(&config);
    let processed = |event: &Event| match &event.kind {
        Kind::BlockProcessed { block, processing, .. } => Some((*block, processing.load_us.is_some())),
        _ => None,
    };
    server.wait_for("every block", |seen| (seen.pick(processed).len() >= tips.len()).then_some(()));
    let told = server.seen().pick(processed);
    // The log begins among the lines of the first.
    assert_eq!(told.iter().map(|(_, whole)| *whole).collect::<Vec<_>>(), [false, true, true, true, true]);
    assert_eq!(told[2].0, tip);
}

#[test]
fn a_full_spool_drops_the_oldest_and_says_how_much() {
    let (dir, address) = (TempDir::new().unwrap(), Server::free_address());
    let mut config = config(dir.path(), &format!("http://{address}"));
    config.spool = SpoolConfig { limit_bytes: 40_000, ..config.spool };
    (config.interval.host_ms, config.interval.health_ms) = (1, 1);
    let agent = start(&config);
    let oldest = dir.path().join("spool/00000000000000000001.seg");
    wait_until("a batch", || oldest.exists());
    wait_until("a batch dropped", || !oldest.exists());
    let server = Server::start_at(address);
    let told = server.wait_for_event("a gap", gap);
    assert_eq!((told.source, told.from < Some(told.to)), (Source::Agent, true));
    wait_until("an empty spool", || agent.status().undelivered_batches <= 1);
    // The counters are told once more after the last loss.
    server.wait_for_batches(3);
    agent.stop();
    let seen = server.seen();
    let lost: u64 = seen.pick(gap).iter().filter_map(|gap| gap.lost).sum();
    let counted = seen.pick(|event| match &event.kind {
        Kind::AgentHealth(health) => Some(health.dropped_events),
        _ => None,
    });
    assert_eq!(counted.last(), Some(&lost));
    assert!(lost > 0 && !seen.sequences().contains(&1));
}

#[test]
fn batches_that_neither_side_has_are_a_gap() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let mut config = config(dir.path(), &server.url());
    config.spool = SpoolConfig { limit_bytes: 40_000, ..config.spool };
    (config.interval.host_ms, config.interval.health_ms) = (1, 1);
    let agent = start(&config);
    let oldest = dir.path().join("spool/00000000000000000001.seg");
    wait_until("a batch", || oldest.exists());
    wait_until("a batch released", || !oldest.exists());
    agent.stop();
    // As if an old copy of its data had been restored.
    server.seen().batches.truncate(1);
    let _agent = start(&config);
    let gap = server.wait_for_event("a gap", gap);
    assert_eq!((gap.source, gap.lost), (Source::Agent, None));
    assert!(gap.reason.starts_with("batches 2 to "), "{}", gap.reason);
}

#[test]
fn an_old_copy_of_a_spool_is_not_used() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    server.seen().position = Some(1_000_000);
    let agent = start(&config(dir.path(), &server.url()));
    wait_until("a refusal", || matches!(agent.status().delivery, Delivery::Refused(_)));
    assert!(server.seen().deliveries.is_empty());
}

#[test]
fn the_clock_exchange_bounds_the_offset_of_a_shifted_clock() {
    const SHIFT_US: i64 = -7_000_000;
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let config = Config { clock_offset_us: Some(SHIFT_US), ..config(dir.path(), &server.url()) };
    let _agent = start(&config);
    let sample = server.wait_for_event("a clock sample", |event| match event.kind {
        Kind::Clock(sample) => Some(sample),
        _ => None,
    });
    assert!((sample.offset_min_us..=sample.offset_max_us).contains(&-SHIFT_US), "{sample:?}");
    assert!(sample.offset_max_us - sample.offset_min_us < 1_000_000, "{sample:?}");
}

#[test]
fn an_agent_stops_at_once_although_the_server_hangs() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    server.seen().always = Some(Fault::Hang);
    let mut config = config(dir.path(), &server.url());
    config.server.timeout_ms = 600_000;
    let agent = start(&config);
    wait_until("a delivery in flight", || agent.status().undelivered_batches >= 2);
    agent.stop();
}

#[test]
fn a_spool_in_use_and_an_unknown_network_are_errors_at_start() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let config = config(dir.path(), &server.url());
    let _agent = start(&config);
    assert!(matches!(Agent::start(config.clone()), Err(AgentError::Spool(_))));
    let unknown = Config { network: Some("bitcoin".to_owned()), ..config };
    let error = Agent::start(unknown).unwrap_err();
    assert!(error.to_string().contains("`bitcoin`"), "{error}");
}
