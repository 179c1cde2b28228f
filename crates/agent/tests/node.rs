//! What is learnt of a real node, and what a node's restart, rotation and silence do.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

mod support;

use std::{collections::BTreeMap, fs, path::PathBuf};

use bitcoin::{Amount, consensus::encode::serialize_hex};
use bmon_agent::{
    Agent, Config, Exporter,
    config::{RpcAuth, RpcConfig, Secret, ZmqConfig},
    rpc_whitelist,
};
use bmon_devnet::{Network, Node, NodeConfig, Purse, Rotation, Zmq, coin::Lock, exe};
use bmon_event::{BlockHash, Event, Kind, Source, Txid};
use serde_json::json;
use support::{Seen, Server, config_of, gap, page, wait_until};
use tempfile::TempDir;

fn exes() -> Vec<PathBuf> {
    match exe::find() {
        Ok(found) => found,
        Err(error) => panic!("failed to {error}\nhint: {}", error.hint()),
    }
}

fn node_config(dir: &TempDir) -> NodeConfig {
    NodeConfig::new("alice".parse().unwrap(), exes().swap_remove(0), dir.path().join("alice"))
}

fn mine(node: &Node) -> BlockHash {
    node.mine(1, Lock::new(0)).unwrap()[0]
}

fn connected(event: &Event) -> Option<(Source, BlockHash)> {
    match event.kind {
        Kind::BlockConnected { block, .. } => Some((event.source, block)),
        _ => None,
    }
}

fn wait_for_block(server: &Server, source: Source, block: BlockHash) {
    let what = format!("block {block} from {source:?}");
    server.wait_for_event(&what, |event| (connected(event) == Some((source, block))).then_some(()));
}

/// How often the log told of each block's connection.
fn connected_in_log(seen: &Seen) -> BTreeMap<BlockHash, usize> {
    let mut counts = BTreeMap::new();
    for (_, block) in seen.pick(connected).into_iter().filter(|(source, _)| *source == Source::Log) {
        *counts.entry(block).or_default() += 1;
    }
    counts
}

/// Block 0, which a new node connects before anything else.
fn genesis() -> BlockHash {
    bmon_event::Network::from_chain("regtest").unwrap().genesis
}

/// Whether any of the node's log files tells of the block's connection: what a node writes between copy and
/// truncation of its log is lost there and cannot be read.
fn is_logged(node: &Node, block: BlockHash) -> bool {
    let files = fs::read_dir(node.debug_log().parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let mut logs = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("debug.log"));
    let line = format!("[validation] BlockConnected: block hash={block}");
    logs.any(|path| fs::read_to_string(path).unwrap().contains(&line))
}

/// Every block that can be read in a log was told once, and none twice.
fn assert_each_once(server: &Server, node: &Node, blocks: &[BlockHash]) {
    let counts = connected_in_log(&server.seen());
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    let missing: Vec<_> =
        blocks.iter().filter(|block| is_logged(node, **block) && !counts.contains_key(block)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn state(source: Source, working: bool) -> impl Fn(&Event) -> Option<String> {
    move |event| match &event.kind {
        Kind::SourceState { source: told, working: works, detail }
            if (*told, *works) == (source, working) =>
        {
            Some(detail.clone())
        }
        _ => None,
    }
}

/// Waits until ZMQ works for the `times`th time: the agent says so, and a block comes through.
fn wait_for_zmq(server: &Server, node: &Node, times: usize) -> BlockHash {
    let works = state(Source::Zmq, true);
    server.wait_for("ZMQ", |seen| (seen.pick(&works).len() >= times).then_some(()));
    let block = mine(node);
    wait_for_block(server, Source::Zmq, block);
    block
}

#[test]
fn a_block_and_a_transaction_come_from_every_source_that_tells_of_them() {
    for exe in exes() {
        let (dir, server) = (TempDir::new().unwrap(), Server::start());
        let network = Network::start(1, &[exe], dir.path()).unwrap();
        let node = &network.nodes()[0];
        let mut purse = Purse::fill(&network, 1).unwrap();
        let _agent = Agent::start(config_of(node, dir.path(), &server.url())).unwrap();
        let block = wait_for_zmq(&server, node, 1);
        wait_for_block(&server, Source::Log, block);

        let transaction = purse.take().unwrap().pay(Amount::from_sat(10_000));
        let sent: Txid = node.rpc().call("sendrawtransaction", json!([serialize_hex(&transaction)])).unwrap();
        for source in [Source::Log, Source::Zmq] {
            let sequence = server.wait_for_event("the transaction", |event| match event.kind {
                Kind::TxAdded { txid, mempool_sequence, .. } if (event.source, txid) == (source, sent) => {
                    Some(mempool_sequence)
                }
                _ => None,
            });
            assert_eq!(sequence.is_some(), source == Source::Zmq);
        }
        for method in rpc_whitelist() {
            server.wait_for_event(method, |event| match (&event.kind, method) {
                (Kind::ChainInfo(info), "getblockchaininfo") => {
                    (info.best_block == Some(block)).then_some(())
                }
                (Kind::NetworkInfo(info), "getnetworkinfo") => info.relay_fee_sat_per_kvb.map(drop),
                (Kind::MempoolInfo(info), "getmempoolinfo") => (info.transactions == 1).then_some(()),
                (Kind::ChainTips(tips), "getchaintips") => (tips.len() == 1).then_some(()),
                (Kind::Deployments(deployments), "getdeploymentinfo") => {
                    deployments.iter().any(|deployment| deployment.name == "segwit").then_some(())
                }
                // Some are no events of their own: those after ZMQ's come only when the server wants something
                // (`tests/want.rs`), and the last eight only for metrics (`crates/bmon/tests/live/metrics.rs`).
                (Kind::PeerInfo(_), "getpeerinfo")
                | (Kind::Uptime { .. }, "uptime")
                | (
                    _,
                    "getblockhash"
                    | "getzmqnotifications"
                    | "getblock"
                    | "getblockheader"
                    | "getrawtransaction"
                    | "gettxspendingprevout"
                    | "estimatesmartfee"
                    | "getblockstats"
                    | "getchaintxstats"
                    | "getindexinfo"
                    | "getmemoryinfo"
                    | "getnettotals"
                    | "getnetworkhashps"
                    | "getrpcinfo",
                ) => Some(()),
                _ => None,
            });
        }
        let seen = server.seen();
        assert_eq!(seen.batches[0].network.to_string(), "regtest");
        assert_eq!(seen.pick(gap), []);
    }
}

#[test]
fn a_restarted_node_is_followed_again_and_only_zmq_has_a_gap() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let mut node = Node::start(node_config(&dir)).unwrap();
    let _agent = Agent::start(config_of(&node, dir.path(), &server.url())).unwrap();
    let mut blocks = vec![wait_for_zmq(&server, &node, 1)];
    for kill in [false, true] {
        if kill {
            node.kill().unwrap();
        } else {
            node.stop().unwrap();
        }
        let gaps = server.seen().pick(gap).len();
        node.start_again().unwrap();
        server.wait_for("a gap", |seen| (seen.pick(gap).len() > gaps).then_some(()));
        blocks.push(mine(&node));
        for source in [Source::Log, Source::Zmq] {
            wait_for_block(&server, source, *blocks.last().unwrap());
        }
    }
    let seen = server.seen();
    let gaps = seen.pick(gap);
    assert!(gaps.iter().all(|gap| gap.source == Source::Zmq && gap.from < Some(gap.to)), "{gaps:?}");
    let starts = seen.pick(|event| matches!(event.kind, Kind::NodeStarted { .. }).then_some(()));
    assert_eq!(starts.len(), 3);
}

#[test]
fn what_happens_while_the_agent_is_away_is_read_in_the_log_and_a_gap_in_zmq() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let node = Node::start(node_config(&dir)).unwrap();
    let config = config_of(&node, dir.path(), &server.url());
    let mut blocks = Vec::new();
    for (times, rotation) in (1..).zip([None, Some(Rotation::Rename), Some(Rotation::CopyTruncate)]) {
        let agent = Agent::start(config.clone()).unwrap();
        blocks.push(wait_for_zmq(&server, &node, times));
        wait_for_block(&server, Source::Log, blocks[blocks.len() - 1]);
        agent.stop();
        blocks.push(mine(&node));
        if let Some(rotation) = rotation {
            node.rotate_log(rotation).unwrap();
        }
        wait_until("a log under the old name", || {
            blocks.push(mine(&node));
            node.debug_log().exists()
        });
    }
    let _agent = Agent::start(config).unwrap();
    blocks.push(wait_for_zmq(&server, &node, 4));
    wait_for_block(&server, Source::Log, blocks[blocks.len() - 1]);
    // A gap is told once the next subscription stands; one that never stood makes one gap of two.
    server.wait_for("a gap around every block that ZMQ did not tell of", |seen| {
        let gaps = seen.pick(gap);
        let told = seen.pick(connected);
        let missing = seen.pick(|event| {
            let (source, block) = connected(event)?;
            (source == Source::Log && block != genesis() && !told.contains(&(Source::Zmq, block)))
                .then_some(event.time())
        });
        let in_gap = |time| gaps.iter().any(|gap| gap.from <= Some(time) && time <= gap.to);
        assert!(missing.len() >= 6, "two blocks were mined each of three times that no agent ran");
        missing.into_iter().all(in_gap).then_some(())
    });
    assert_each_once(&server, &node, &blocks);
    let gaps = server.seen().pick(gap);
    assert!(gaps.iter().all(|gap| (gap.source, gap.lost) == (Source::Zmq, None)), "{gaps:?}");
}

#[test]
fn a_log_rotated_under_a_running_agent_is_read_line_by_line() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let node = Node::start(node_config(&dir)).unwrap();
    let _agent = Agent::start(config_of(&node, dir.path(), &server.url())).unwrap();
    server.wait_for_event("the log", state(Source::Log, true));
    let mut blocks = Vec::new();
    for rotation in [Rotation::Rename, Rotation::CopyTruncate, Rotation::Rename, Rotation::CopyTruncate] {
        blocks.push(mine(&node));
        node.rotate_log(rotation).unwrap();
        // A node opens its log anew with the first line after it took the signal.
        wait_until("a log under the old name", || {
            blocks.push(mine(&node));
            node.debug_log().exists()
        });
        wait_for_block(&server, Source::Log, blocks[blocks.len() - 1]);
    }
    assert_each_once(&server, &node, &blocks);
    assert_eq!(server.seen().pick(gap), []);
}

#[test]
fn a_node_that_does_not_answer_is_told_and_the_rest_goes_on() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let node = Node::start(node_config(&dir)).unwrap();
    let mut config = config_of(&node, dir.path(), &server.url());
    config.interval.host_ms = 100;
    let _agent = Agent::start(config).unwrap();
    server.wait_for_event("RPC", state(Source::Rpc, true));
    node.pause().unwrap();
    let detail = server.wait_for_event("silence", state(Source::Rpc, false));
    assert!(detail.contains("failed to get an answer within 1 s"), "{detail}");
    let samples =
        |seen: &mut Seen| seen.pick(|event| matches!(event.kind, Kind::Host(_)).then_some(())).len();
    let before = samples(&mut server.seen());
    server.wait_for("host samples", |seen| (samples(seen) > before + 3).then_some(()));
    node.resume().unwrap();
    let works = state(Source::Rpc, true);
    server.wait_for("recovery", |seen| (seen.pick(&works).len() > 1).then_some(()));
    wait_for_block(&server, Source::Log, mine(&node));
}

#[test]
fn an_rpc_user_that_may_call_only_the_whitelist_is_enough() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let mut config = NodeConfig { zmq: Zmq::Ipc, ..node_config(&dir) };
    // HMAC-SHA256 of the password with the salt (`share/rpcauth/rpcauth.py@v30`).
    let hash = "bd23c19cfc84137d18cfc8dfabb785f6f92ef436845eedd9ad212d7ceacdbb90";
    config.extra_args = vec![
        format!("-rpcauth=bmon:5a17${hash}"),
        format!("-rpcwhitelist=bmon:{}", rpc_whitelist().join(",")),
        "-rpcwhitelistdefault=0".to_owned(),
    ];
    let node = Node::start(config).unwrap();
    let config = config_of(&node, dir.path(), &server.url());
    let auth = RpcAuth::User { name: "bmon".to_owned(), password: Secret::new("hunter2") };
    let rpc = RpcConfig { auth, ..config.rpc.clone().unwrap() };
    let _agent = Agent::start(Config { rpc: Some(rpc), metrics: true, ..config }).unwrap();
    wait_for_zmq(&server, &node, 1);
    let health = server.wait_for_event("some calls", |event| match &event.kind {
        Kind::AgentHealth(health) if health.rpc_calls >= 60 => Some(health.clone()),
        _ => None,
    });
    assert_eq!(health.rpc_errors, 0);
}

#[test]
fn what_a_node_that_is_gone_told_is_left_out_of_the_page_and_the_calls_that_fail_are_counted() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let mut node = Node::start(node_config(&dir)).unwrap();
    mine(&node);
    let config = Config { metrics: true, ..config_of(&node, dir.path(), &server.url()) };
    let agents = [Agent::start(config).unwrap()];
    let exporter = Exporter::start(([127, 0, 0, 1], 0).into(), &agents).unwrap();
    let told = [
        "bitcoin_blocks",
        "bitcoin_difficulty",
        "bitcoin_latest_block_txs",
        "bitcoin_hashps",
        "bitcoin_uptime",
    ];
    let has = |name: &&str| page(&exporter, "/metrics/compat").contains_key(*name);
    wait_until("all of the node", || told.iter().all(has));
    node.kill().unwrap();
    wait_until("nothing of the node", || !told.iter().any(has));
    let failed = &page(&exporter, "/metrics/compat")["bitcoin_exporter_errors_total"];
    assert!(failed.series.values().sum::<f64>() > 0.0);
    node.start_again().unwrap();
    wait_until("all of the node again", || told.iter().all(has));
}

#[test]
fn a_node_that_offers_only_its_log_is_watched_with_advice_what_to_add() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let mut config = node_config(&dir);
    (config.zmq, config.debug) = (Zmq::Off, vec!["validation".to_owned()]);
    let node = Node::start(config).unwrap();
    let config = config_of(&node, dir.path(), &server.url());
    let zmq = Some(ZmqConfig { hashblock: None, sequence: None });
    let agent =
        Agent::start(Config { rpc: None, zmq, network: Some("regtest".to_owned()), ..config }).unwrap();
    let block = mine(&node);
    wait_for_block(&server, Source::Log, block);
    let detail = server.wait_for_event("no ZMQ", state(Source::Zmq, false));
    assert!(detail.contains("zmqpubsequence="), "{detail}");
    let detail = server.wait_for_event("the log", state(Source::Log, true));
    assert!(detail.contains("no `debug=mempoolrej`: no rejected transactions"), "{detail}");
    let lines: Vec<_> = agent.status().advice.into_iter().flat_map(|advice| advice.bitcoin_conf).collect();
    let expected = [
        "debug=mempool",
        "debug=mempoolrej",
        "debug=cmpctblock",
        "debug=bench",
        "zmqpubhashblock=tcp://127.0.0.1:28332",
        "zmqpubsequence=tcp://127.0.0.1:28332",
    ];
    assert_eq!(lines, expected);
}
