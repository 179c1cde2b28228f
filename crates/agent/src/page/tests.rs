use std::{collections::BTreeMap, env, fs, path::Path, time::Duration};

use bmon_event::{
    AgentTime, Event, Kind, NodeTime, Source, Txid,
    event::{ChainInfo, ChainTip, ClockSample, HostSample, MempoolInfo, NetworkInfo, TipStatus},
};
use bmon_metric::read::read;

use super::*;
use crate::{
    health::{Backlog, DropReason},
    source::{
        host::{Process, Traffic},
        rpc::{BlockStats, Failure, Memory, NetTotals, Replies, TxIndex},
    },
};

const NOW_US: i64 = 1_750_000_000_250_000;

fn replies() -> Replies {
    Replies {
        difficulty: Some(126_411_437_451_912.2),
        net_totals: Some(NetTotals { totalbytesrecv: Some(9_007_199_254), totalbytessent: Some(12_345) }),
        active_calls: Some(3),
        memory: Some(Memory {
            used: Some(288),
            free: Some(261_856),
            total: Some(262_144),
            locked: Some(262_144),
            chunks_used: Some(9),
            chunks_free: Some(1),
        }),
        hash_ps: BTreeMap::from([("120", 9.05e20), ("1", 1.5e21), ("-1", 8.75e20)]),
        fees: BTreeMap::from([("2", 12_345), ("3", 8_000), ("5", 4_000), ("20", 1_000)]),
        block: Some(BlockStats {
            blockhash: None,
            height: Some(900_000),
            total_size: Some(1_700_123),
            total_weight: Some(3_993_210),
            txs: Some(4_021),
            ins: Some(9_000),
            outs: Some(10_000),
            total_out: Some(123_456_789_012),
            totalfee: Some(2_500_001),
        }),
        transactions: Some(1_200_000_000),
        tx_index: Some(TxIndex { synced: true, best_block_height: 899_999 }),
    }
}

fn host() -> HostSample {
    HostSample {
        cpu_busy_us: Some(1_500_000),
        cpu_total_us: Some(8_000_000),
        memory_total_bytes: Some(16 << 30),
        memory_available_bytes: Some(9 << 30),
        disk_total_bytes: Some(1 << 40),
        disk_free_bytes: Some(1 << 38),
        load_1m: Some(0.75),
        clock_synchronised: Some(true),
        clock_max_error_us: Some(1_500),
    }
}

fn polled(observed: &Observed) {
    let chain = ChainInfo {
        blocks: 900_000,
        headers: 900_001,
        verification_progress: 0.999_998,
        size_on_disk_bytes: Some(750_000_000_000),
        ..ChainInfo::default()
    };
    let network = NetworkInfo {
        version: 300_000,
        protocol_version: 70_016,
        connections: 11,
        connections_in: Some(1),
        connections_out: Some(10),
        warnings: vec!["test build".to_owned()],
        ..NetworkInfo::default()
    };
    let mempool = MempoolInfo {
        transactions: 40_000,
        virtual_bytes: 20_000_000,
        usage_bytes: 120_000_000,
        max_bytes: 300_000_000,
        min_fee_sat_per_kvb: Some(1_000),
        unbroadcast: Some(2),
    };
    let block = bmon_event::Network::from_chain("main").unwrap().genesis;
    let tip = ChainTip { block, height: 0, branch_length: 0, status: TipStatus::Active };
    observed.update(|seen| {
        for (method, kind) in [
            ("getblockchaininfo", Kind::ChainInfo(chain)),
            ("getnetworkinfo", Kind::NetworkInfo(network)),
            ("getmempoolinfo", Kind::MempoolInfo(mempool)),
            ("getchaintips", Kind::ChainTips(vec![tip.clone(), tip])),
            ("uptime", Kind::Uptime { seconds: 86_400 }),
        ] {
            seen.note_polled(method, Some(&kind));
        }
    });
}

fn told(observed: &Observed) {
    let event = |source, node_us: Option<i64>, us: i64, kind| Event {
        source,
        node_time: node_us.map(|us| NodeTime::from_micros(NOW_US + us)),
        agent_time: AgentTime::from_micros(NOW_US + us),
        kind,
    };
    let state = |source, working| Kind::SourceState { source, working, detail: String::new() };
    let added =
        || Kind::TxAdded { txid: Txid::from_bytes([0; 32]), wtxid: None, peer: None, mempool_sequence: None };
    let at = AgentTime::from_micros(NOW_US);
    let clock = ClockSample { at, offset_min_us: -1_000, offset_max_us: 2_000 };
    let mut late = event(Source::Log, Some(-30_000), -10_000, Kind::NodeStopping);
    late.node_time = Some(NodeTime::from_micros(NOW_US - 30_000));
    observed.note(&[
        event(Source::Agent, None, -9_000_000, state(Source::Zmq, true)),
        event(Source::Agent, None, -9_000_000, state(Source::Rpc, false)),
        event(Source::Zmq, None, -3_000_000, added()),
        event(Source::Zmq, None, -2_000_000, added()),
        late,
        event(Source::Host, None, -1_000, Kind::Host(host())),
        event(Source::Agent, None, 0, Kind::Clock(clock)),
    ]);
}

/// A node of which everything is known.
fn view(node: &str, is_alone: bool) -> View {
    let observed = Observed::kept();
    polled(&observed);
    told(&observed);
    observed.update(|seen| {
        seen.replies = replies();
        seen.traffic = Some(Traffic { received_bytes: 5_000, sent_bytes: 6_000 });
        seen.process = Some(Process {
            cpu_us: Some(3_600_000_000),
            resident_bytes: Some(2 << 30),
            open_files: Some(180),
            max_open_files: Some(1_024),
        });
        seen.took.insert(("uptime", String::new()), Duration::from_micros(1_500));
        seen.took.insert(("getblockstats", String::new()), Duration::from_millis(10));
    });
    let counters = Counters::default();
    counters.add_log(5_000, 60, 40);
    counters.add_zmq(7);
    counters.add_rpc(Duration::from_millis(2), None);
    counters.add_rpc(Duration::from_millis(3), Some(Failure::Timeout));
    counters.add_dropped(DropReason::SpoolFull, 12);
    counters.add_delivered(900);
    counters.add_want(true, 64);
    let started_at = AgentTime::from_micros(NOW_US - 60_000_000);
    let mut health = counters.read(started_at, Backlog { batches: 3, bytes: 4_096 });
    health.version = "0.0.0".to_owned();
    health.resident_bytes = Some(10_000_000);
    View {
        node: node.parse().unwrap(),
        is_alone,
        now: AgentTime::from_micros(NOW_US),
        health,
        work: counters.work(),
        delivers: true,
        loki: Some(LokiCounts {
            entries: 70_000,
            bytes: 1_500_000,
            pushes: 60,
            failures: 2,
            withheld: 5,
            cut: 1,
            refused: 4,
            forgotten: 0,
            gaps: 1,
            newest_us: NOW_US - 2_000_000,
        }),
        seen: observed.get(),
    }
}

/// Compares with a file, or writes it when `BMON_BLESS` is set.
fn compare(file: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    if env::var_os("BMON_BLESS").is_some() {
        fs::write(&path, page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page, "{file}; BMON_BLESS=1 writes it again");
}

#[test]
fn the_pages_of_known_input_are_what_they_were() {
    for (page, file) in ALL.iter().zip(["metrics.txt", "metrics-compat.txt"]) {
        compare(file, &page.text(vec![view("alice", true)]));
    }
}

#[test]
fn everything_declared_is_on_its_page_with_the_type_the_help_and_the_labels_it_declares() {
    for page in ALL {
        let read = read(&page.text(vec![view("alice", true)])).unwrap();
        assert_eq!(read.len(), page.declared().count());
        for declared in page.declared() {
            let name = format!("{}{}", declared.name, if declared.counter { "_total" } else { "" });
            let metric = &read[&name];
            let is_reserved = name.ends_with("_total") || name.ends_with("_count");
            let kind = match (declared.counter, is_reserved) {
                (true, _) => "counter",
                (false, true) => "untyped",
                (false, false) => "gauge",
            };
            assert_eq!((metric.kind.as_str(), metric.help.as_str()), (kind, declared.help), "{name}");
            for labels in metric.series.keys() {
                let mut expected = declared.labels.to_vec();
                expected.sort_unstable();
                assert_eq!(labels.iter().map(|(label, _)| label).collect::<Vec<_>>(), expected, "{name}");
            }
        }
    }
}

#[test]
fn several_nodes_are_told_apart_and_what_they_share_is_told_once() {
    let views = || vec![view("alice", false), view("bob", false)];
    let compat = read(&ALL[1].text(views())).unwrap();
    for (name, metric) in &compat {
        let nodes: Vec<_> = metric
            .series
            .keys()
            .map(|labels| labels.iter().find(|(label, _)| label == "node").map(|(_, node)| node.as_str()))
            .collect();
        assert!(nodes.contains(&Some("alice")) && nodes.contains(&Some("bob")), "{name}");
        assert!(!nodes.contains(&None), "{name}");
    }
    let own = read(&ALL[0].text(views())).unwrap();
    assert_eq!(own["bmon_agent_host_load1"].series.len(), 1);
    assert_eq!(own["bmon_agent_disk_free_bytes"].series.len(), 2);
}

#[test]
fn what_is_not_known_is_left_out() {
    let mut nothing = view("alice", true);
    nothing.seen = Seen::default();
    let compat = read(&ALL[1].text(vec![nothing])).unwrap();
    let names: Vec<_> = compat.keys().map(String::as_str).collect();
    let expected = [
        "bitcoin_exporter_errors_total",
        "bitcoin_exporter_process_time_total",
        "bitcoin_warnings_total",
        "bitcoind_exporter_scrape_time",
    ];
    assert_eq!(names, expected);
    assert_eq!(ALL[0].text(Vec::new()), "");
}

#[test]
fn a_block_is_not_the_latest_while_the_node_says_nothing_of_its_chain() {
    let mut view = view("alice", true);
    assert!(ALL[1].text(vec![view.clone()]).contains("\nbitcoin_latest_block_height "));
    view.seen.note_polled("getblockchaininfo", None);
    assert!(!ALL[1].text(vec![view]).contains("bitcoin_latest_block_"));
}

/// What a dashboard would show of one call's reply, beside what it shows of a node of which only the chain is known.
fn shown(method: &str, parameters: &str, reply: &str) -> BTreeMap<String, f64> {
    let mut view = view("alice", true);
    view.seen = Seen::default();
    view.seen.note_polled("getblockchaininfo", Some(&Kind::ChainInfo(ChainInfo::default())));
    let page = |view: &View| read(&ALL[1].text(vec![view.clone()])).unwrap();
    let without = page(&view);
    crate::source::rpc::keep_reply(&mut view.seen.replies, method, parameters, reply);
    let mut with = page(&view);
    with.retain(|name, _| !without.contains_key(name));
    with.into_iter().map(|(name, metric)| (name, *metric.series.values().next().unwrap())).collect()
}

fn assert_shown(method: &str, parameters: &str, reply: &str, expected: &[(&str, f64)]) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    assert_eq!(shown(method, parameters, reply), expected, "{method} {parameters}");
}

#[test]
fn bytes_of_the_network_are_bytes() {
    let reply = r#"{"totalbytesrecv":7758691,"totalbytessent":6414,"timemillis":1750000000000,
        "uploadtarget":{"timeframe":86400,"target":0,"target_reached":false,"serve_historical_blocks":true}}"#;
    let (received, sent) = (7_758_691.0, 6_414.0);
    let expected = [
        ("bitcoin_total_bytes_recv", received),
        ("bitcoin_total_bytes_sent", sent),
        ("bitcoind_total_bytes_recv", received),
        ("bitcoind_total_bytes_sent", sent),
    ];
    assert_shown("getnettotals", "[]", reply, &expected);
}

#[test]
fn the_call_that_asks_is_no_active_call() {
    let reply = r#"{"active_commands":[{"method":"waitfornewblock","duration":5},{"method":"getrpcinfo","duration":19}],
        "logpath":"/data/debug.log"}"#;
    assert_shown("getrpcinfo", "[]", reply, &[("bitcoin_rpc_active", 1.0)]);
}

#[test]
fn locked_memory_is_bytes_and_chunks() {
    let reply = r#"{"locked":{"used":77984,"free":184160,"total":262144,"locked":262144,"chunks_used":2423,"chunks_free":6}}"#;
    let values = [
        ("used", 77_984.0),
        ("free", 184_160.0),
        ("total", 262_144.0),
        ("locked", 262_144.0),
        ("chunks_used", 2_423.0),
        ("chunks_free", 6.0),
    ];
    let names: Vec<(String, f64)> = ["bitcoin_meminfo", "bitcoind_memory"]
        .iter()
        .flat_map(|prefix| values.map(|(name, value)| (format!("{prefix}_{name}"), value)))
        .collect();
    let expected: Vec<(&str, f64)> = names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_shown("getmemoryinfo", r#"["stats"]"#, reply, &expected);
}

#[test]
fn the_latest_blocks_amounts_are_bitcoin() {
    let reply = r#"{"blockhash":"00","height":900000,"ins":5000,"outs":6100,"total_out":310512345678,"total_size":1700000,
        "total_weight":3993000,"totalfee":2812345,"txs":3000}"#;
    let expected = [
        ("bitcoin_latest_block_height", 900_000.0),
        ("bitcoin_latest_block_inputs", 5_000.0),
        ("bitcoin_latest_block_outputs", 6_100.0),
        ("bitcoin_latest_block_value", 3_105.123_456_78),
        ("bitcoin_latest_block_size", 1_700_000.0),
        ("bitcoin_latest_block_weight", 3_993_000.0),
        ("bitcoin_latest_block_fee", 0.028_123_45),
        ("bitcoin_latest_block_txs", 3_000.0),
    ];
    assert_shown("getblockstats", "", reply, &expected);
}

#[test]
fn transactions_are_counted_from_block_0_or_not_at_all() {
    let reply = r#"{"time":1750000000,"txcount":1212121212,"window_block_count":4320,"txrate":5.5}"#;
    assert_shown("getchaintxstats", "[]", reply, &[("bitcoin_txcount", 1_212_121_212.0)]);
    assert_shown("getchaintxstats", "[]", r#"{"time":1750000000}"#, &[]);
}

#[test]
fn a_node_without_the_index_has_one_that_is_not_complete() {
    let reply = r#"{"txindex":{"synced":true,"best_block_height":899999},"coinstatsindex":{"synced":false}}"#;
    let names = ["bitcoind_txindex_synced", "bitcoind_txindex_best_height"];
    assert_shown("getindexinfo", "[]", reply, &[(names[0], 1.0), (names[1], 899_999.0)]);
    assert_shown("getindexinfo", "[]", "{}", &[(names[0], 0.0), (names[1], 0.0)]);
}

#[test]
fn hash_rates_are_hashes_a_second() {
    for (parameters, name) in
        [("[120]", "bitcoin_hashps"), ("[1]", "bitcoin_hashps_1"), ("[-1]", "bitcoin_hashps_neg1")]
    {
        let expected = [(name, 8.764_321e20), ("bitcoind_mining_hashrate", 8.764_321e20)];
        assert_shown("getnetworkhashps", parameters, "876432100000000000000", &expected);
    }
}

#[test]
fn fee_rates_are_bitcoin_on_one_dashboard_and_satoshi_on_the_other() {
    let reply = r#"{"feerate":0.00012345,"blocks":2}"#;
    for blocks in ["2", "5", "20"] {
        let name = format!("bitcoin_est_smart_fee_{blocks}");
        let expected = [(name.as_str(), 0.000_123_45), ("bitcoind_smart_fee", 12.345)];
        assert_shown("estimatesmartfee", &format!("[{blocks}]"), reply, &expected);
    }
    assert_shown("estimatesmartfee", "[3]", reply, &[("bitcoin_est_smart_fee_3", 0.000_123_45)]);
    let none = r#"{"errors":["Insufficient data or no feerate found"],"blocks":2}"#;
    assert_shown("estimatesmartfee", "[2]", none, &[]);
}
