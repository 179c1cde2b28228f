//! The agent's own pages of metrics, of real nodes: everything that the dashboards of other exporters read is there, with the
//! node's own values, and Prometheus's own tool finds nothing wrong with either page.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use bitcoin::{Amount, consensus::encode::serialize_hex};
use bmon_devnet::{Network, Node, NodeConfig, Purse, coin::Lock, exe};
use bmon_metric::read::{self, Metric};
use serde_json::{Value, json};

use crate::support::{self, LIMIT, Site, wait_for};

/// What Grafana's dashboard 11274 reads, as `jvstein/bitcoin-prometheus-exporter` names it, by prefix.
const DASHBOARD_11274: &[(&str, &[&str])] = &[
    (
        "bitcoin",
        &[
            "blocks",
            "difficulty",
            "peers",
            "conn_in",
            "conn_out",
            "uptime",
            "txcount",
            "num_chaintips",
            "total_bytes_recv",
            "total_bytes_sent",
            "size_on_disk",
            "verification_progress",
            "server_version",
            "protocol_version",
            "rpc_active",
            "hashps",
            "hashps_1",
            "hashps_neg1",
            "est_smart_fee_2",
            "est_smart_fee_3",
            "est_smart_fee_5",
            "est_smart_fee_20",
            "warnings_total",
            "exporter_errors_total",
            "exporter_process_time_total",
        ],
    ),
    ("bitcoin_mempool", &["bytes", "size", "usage", "minfee", "unbroadcast"]),
    ("bitcoin_latest_block", &["height", "weight", "size", "txs", "inputs", "outputs", "value", "fee"]),
    ("bitcoin_meminfo", &["used", "free", "total", "locked", "chunks_used", "chunks_free"]),
];

/// What Grafana's dashboard 21351 reads, as `Primexz/bitcoind-exporter` names it, by prefix.
const DASHBOARD_21351: &[(&str, &[&str])] = &[
    ("bitcoind_blockchain", &["blocks", "headers", "verification_progress", "size_on_disk"]),
    (
        "bitcoind",
        &[
            "smart_fee",
            "txindex_synced",
            "txindex_best_height",
            "exporter_scrape_time",
            "mining_hashrate",
            "total_connections",
            "connections_in",
            "connections_out",
            "total_bytes_recv",
            "total_bytes_sent",
            "transactions_per_second",
        ],
    ),
    ("bitcoind_memory", &["used", "free", "total", "locked", "chunks_used", "chunks_free"]),
    ("bitcoind_mempool", &["usage", "max", "transaction_count"]),
];

/// The calls of `/metrics/compat` as often as the others here.
const OFTEN: &[&str] = &[
    "compat_net_totals_ms = 500",
    "compat_rpc_info_ms = 500",
    "compat_memory_info_ms = 500",
    "compat_network_hash_ps_ms = 500",
    "compat_smart_fee_ms = 500",
    "compat_block_stats_ms = 500",
    "compat_chain_tx_stats_ms = 500",
    "compat_index_info_ms = 500",
];

type Page = BTreeMap<String, Metric>;

fn names() -> BTreeSet<String> {
    let tables = [DASHBOARD_11274, DASHBOARD_21351].concat();
    tables
        .iter()
        .flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}_{name}")))
        .collect()
}

/// A server, and an agent with pages of metrics.
struct Watched {
    site: Site,
    url: String,
}

impl Watched {
    fn new(dir: &Path, nodes: &[Node]) -> Self {
        let mut site = Site::new(dir, nodes);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        site.set("agent", &format!("metrics_listen = '127.0.0.1:{port}'"));
        for line in OFTEN {
            site.set("agent.interval", line);
        }
        site.start_server();
        site.start_agent();
        Self { site, url: format!("http://127.0.0.1:{port}") }
    }

    fn text(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        wait_for(&url, LIMIT, || ureq::get(&url).call().ok()?.body_mut().read_to_string().ok())
    }

    fn page(&self, path: &str) -> Page {
        let text = self.text(path);
        read::read(&text).unwrap_or_else(|refusal| panic!("{path}: {refusal:?} in {text}"))
    }

    /// `/metrics/compat` as soon as it shows the block of this height and all else that there is.
    fn compat(&self, height: f64) -> Page {
        wait_for(&format!("block {height} and {} names", names().len()), LIMIT, || {
            let page = self.page("/metrics/compat");
            let is_complete = names().iter().all(|name| page.contains_key(name));
            let shown = ["bitcoin_blocks", "bitcoin_latest_block_height", "bitcoind_txindex_best_height"]
                .map(|name| page.get(name).map(only));
            (is_complete && shown == [Some(height); 3]).then_some(page)
        })
    }

    fn check(&self, path: &str) {
        let text = self.text(path);
        let mut tool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`scripts/setup --tests` installs promtool");
        tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = tool.wait_with_output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{path}: {said}");
    }
}

/// The value of a metric that has one series without a label.
fn only(metric: &Metric) -> f64 {
    let series: Vec<_> = metric.series.iter().collect();
    let [(labels, value)] = series.as_slice() else { panic!("one series in {series:?}") };
    assert!(labels.is_empty(), "{labels:?}");
    **value
}

fn with_label(metric: &Metric, name: &str, value: &str) -> f64 {
    let label = (name.to_owned(), value.to_owned());
    let (_, value) = metric.series.iter().find(|(labels, _)| labels.contains(&label)).unwrap();
    *value
}

/// A node with the index of transactions that has seen enough of them to estimate fees; the last block has four.
fn busy_node(dir: &Path, exe: &Path) -> Network {
    let config = Network::configs(1, &[exe.to_owned()], dir).pop().unwrap();
    let config = NodeConfig { extra_args: vec!["-txindex=1".to_owned()], ..config };
    let network = Network::start_from(vec![config]).unwrap();
    let node = &network.nodes()[0];
    let mut purse = Purse::fill_at(node, 125).unwrap();
    for _ in 0..30 {
        for _ in 0..4 {
            send(node, &mut purse);
        }
        node.mine(1, Lock::new(0)).unwrap();
    }
    send(node, &mut purse);
    network
}

fn send(node: &Node, purse: &mut Purse) {
    let transaction = purse.take().unwrap().pay(Amount::from_sat(5_000));
    let _: String = node.rpc().call("sendrawtransaction", json!([serialize_hex(&transaction)])).unwrap();
}

/// What the node itself says, with numbers as they stand in its replies.
fn asked(node: &Node, method: &str, parameters: Value) -> Value {
    node.rpc().call(method, parameters).unwrap()
}

fn is(page: &Page, name: &str, expected: &Value) {
    let (shown, expected) = (only(&page[name]), expected.as_f64().unwrap());
    assert!((shown - expected).abs() <= expected.abs() * 1e-12, "{name}: {shown}, the node says {expected}");
}

/// Everything that stands still while nothing happens is what the node says.
fn assert_values(page: &Page, node: &Node) {
    let chain = asked(node, "getblockchaininfo", json!([]));
    is(page, "bitcoin_difficulty", &chain["difficulty"]);
    is(page, "bitcoin_size_on_disk", &chain["size_on_disk"]);
    is(page, "bitcoind_blockchain_headers", &chain["headers"]);
    let mempool = asked(node, "getmempoolinfo", json!([]));
    is(page, "bitcoin_mempool_size", &mempool["size"]);
    is(page, "bitcoin_mempool_bytes", &mempool["bytes"]);
    is(page, "bitcoin_mempool_minfee", &mempool["mempoolminfee"]);
    is(page, "bitcoind_mempool_max", &mempool["maxmempool"]);
    is(page, "bitcoin_server_version", &asked(node, "getnetworkinfo", json!([]))["version"]);
    is(page, "bitcoin_txcount", &asked(node, "getchaintxstats", json!([]))["txcount"]);
    let memory = asked(node, "getmemoryinfo", json!([]))["locked"].clone();
    is(page, "bitcoin_meminfo_total", &memory["total"]);
    is(page, "bitcoind_memory_locked", &memory["locked"]);
    is(page, "bitcoin_hashps", &asked(node, "getnetworkhashps", json!([])));
    is(page, "bitcoin_hashps_neg1", &asked(node, "getnetworkhashps", json!([-1])));
    let fee = asked(node, "estimatesmartfee", json!([2]))["feerate"].clone();
    is(page, "bitcoin_est_smart_fee_2", &fee);
    let sat_per_vb = with_label(&page["bitcoind_smart_fee"], "blocks", "2");
    assert!((sat_per_vb - fee.as_f64().unwrap() * 1e5).abs() < 1e-6, "{sat_per_vb}, the node says {fee}");
    assert_block(page, node, &chain["bestblockhash"]);
}

/// The latest block as its transactions say, not as `getblockstats` does.
fn assert_block(page: &Page, node: &Node, hash: &Value) {
    let block = asked(node, "getblock", json!([hash, 2]));
    let transactions = block["tx"].as_array().unwrap();
    is(page, "bitcoin_latest_block_txs", &block["nTx"]);
    let sum = |of: &dyn Fn(&Value) -> f64| transactions.iter().skip(1).map(of).sum::<f64>();
    let outputs = |transaction: &Value| {
        transaction["vout"].as_array().unwrap().iter().map(|output| output["value"].as_f64().unwrap()).sum()
    };
    let expected = [
        ("value", sum(&outputs)),
        ("size", sum(&|transaction| transaction["size"].as_f64().unwrap())),
        ("weight", sum(&|transaction| transaction["weight"].as_f64().unwrap())),
        ("fee", sum(&|transaction| transaction["fee"].as_f64().unwrap())),
        ("inputs", sum(&|transaction| transaction["vin"].as_array().unwrap().len() as f64)),
    ];
    for (name, expected) in expected {
        let shown = only(&page[&format!("bitcoin_latest_block_{name}")]);
        assert!((shown - expected).abs() < 1e-9, "{name}: {shown}, its transactions say {expected}");
    }
    assert!(only(&page["bitcoin_latest_block_fee"]) > 0.0);
}

fn assert_own(page: &Page) {
    let of_node = |name: &str| with_label(&page[name], "node", "alice");
    assert!(of_node("bmon_agent_node_open_files") > 10.0);
    assert!(of_node("bmon_agent_node_max_open_files") > of_node("bmon_agent_node_open_files"));
    assert!(of_node("bmon_agent_node_resident_memory_bytes") > 1e6);
    assert!(
        only(&page["bmon_agent_host_cpu_seconds_total"])
            > only(&page["bmon_agent_host_cpu_busy_seconds_total"])
    );
    assert!(only(&page["bmon_agent_resident_memory_bytes"]) > 1e6);
    assert!(of_node("bmon_agent_delivered_batches_total") > 0.0);
    assert!(of_node("bmon_agent_log_lines_total") > of_node("bmon_agent_log_lines_matched_total"));
    let working = &page["bmon_agent_source_working"];
    assert!(["log", "zmq", "rpc", "host"].iter().all(|source| with_label(working, "source", source) > 0.0));
    let failed: f64 = page["bmon_agent_rpc_errors_total"].series.values().sum();
    let dropped: f64 = page["bmon_agent_dropped_events_total"].series.values().sum();
    assert!(failed + dropped < 1.0, "{failed} calls failed, {dropped} events were dropped");
    println!(
        "{} RPC calls took {} s",
        of_node("bmon_agent_rpc_calls_total"),
        of_node("bmon_agent_rpc_seconds_total")
    );
}

#[test]
fn dashboards_of_other_exporters_find_every_name_with_the_nodes_own_values() {
    for exe in exe::find().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        let network = busy_node(&dir.path().join("nodes"), &exe);
        let node = &network.nodes()[0];
        let watched = Watched::new(&dir.path().join("site"), network.nodes());
        watched.site.wait_for_sources(network.nodes());
        node.mine(1, Lock::new(1)).unwrap();
        let height = asked(node, "getblockcount", json!([])).as_f64().unwrap();
        watched.compat(height);
        // A whole round later nothing is from before the last block.
        let calls = || with_label(&watched.page("/metrics")["bmon_agent_rpc_calls_total"], "node", "alice");
        let before = calls();
        wait_for("a round of calls", LIMIT, || (calls() > before + 80.0).then_some(()));
        let page = watched.compat(height);
        assert_eq!(page.keys().cloned().collect::<BTreeSet<_>>(), names());
        assert_values(&page, node);
        watched.check("/metrics/compat");
        watched.check("/metrics");
        assert_own(&watched.page("/metrics"));
        assert_eq!(
            ureq::get(format!("{}/other", watched.url)).call().unwrap_err().to_string(),
            "http status: 404"
        );
    }
}

#[test]
fn of_several_nodes_beside_one_agent_each_has_its_label() {
    let dir = tempfile::tempdir().unwrap();
    let network = support::network(&dir.path().join("nodes"), 2);
    let watched = Watched::new(&dir.path().join("site"), network.nodes());
    let nodes = |page: &Page, name: &str| -> Vec<String> {
        let labels = page.get(name).map(|metric| metric.series.keys().flatten().cloned().collect::<Vec<_>>());
        labels
            .unwrap_or_default()
            .into_iter()
            .filter(|(name, _)| name == "node")
            .map(|(_, node)| node)
            .collect()
    };
    wait_for("both nodes", LIMIT, || {
        let page = watched.page("/metrics/compat");
        ["bitcoin_peers", "bitcoin_latest_block_size", "bitcoin_meminfo_used", "bitcoind_total_bytes_sent"]
            .iter()
            .all(|name| nodes(&page, name) == ["alice", "bob"])
            .then_some(())
    });
    watched.check("/metrics/compat");
    watched.check("/metrics");
}
