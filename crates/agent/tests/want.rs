//! What the agent does when the server wants something, whoever the server is.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its own functions too")]

mod support;

use std::fs;

use bitcoin::consensus::encode::serialize_hex;
use bmon_agent::{Agent, Config, config::LogConfig};
use bmon_devnet::{Network, Node, NodeConfig, Purse, coin::Lock, exe};
use bmon_event::{
    AgentTime, BlockHash, Event, Kind, NodeTime, OutPoint, Subject, Txid, Want, Wanted,
    event::{AgentHealth, BlockPart, Headers, LogLines, MempoolSpend, MempoolSpends},
};
use serde_json::json;
use support::{Server, config, config_of};
use tempfile::TempDir;

const AT_US: i64 = 1_780_000_000_000_000;

fn subject() -> Subject {
    Subject::Block(BlockHash::from_bytes([0xab; 32]))
}

fn about(block: u8) -> String {
    let (time, hash) = (NodeTime::from_micros(AT_US), BlockHash::from_bytes([block; 32]));
    format!("{time} [validation] NewPoWValidBlock: block hash={hash}")
}

fn want(id: u64) -> String {
    let [from, to] = [AT_US, AT_US].map(AgentTime::from_micros);
    let what = Wanted::LogLines { subject: subject(), from, to };
    serde_json::to_string(&Want { id, within_ms: 60_000, max_bytes: 1 << 40, what }).unwrap()
}

/// A server, and an agent that reads a log of three lines if `with_log`.
fn start(with_log: bool) -> (TempDir, Server, Agent) {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let path = dir.path().join("debug.log");
    fs::write(&path, format!("\n\n\n\n\n{}\n{}\n{}\n", about(1), about(0xab), about(2))).unwrap();
    let log = with_log.then_some(LogConfig { path, poll_ms: 20, first_read_bytes: 0 });
    let agent = Agent::start(Config { log, ..config(dir.path(), &server.url()) }).unwrap();
    (dir, server, agent)
}

fn answer(id: u64) -> impl Fn(&Event) -> Option<Kind> {
    move |event| (event.kind.want() == Some(id)).then(|| event.kind.clone())
}

fn health(event: &Event) -> Option<AgentHealth> {
    match &event.kind {
        Kind::AgentHealth(health) => Some(health.clone()),
        _ => None,
    }
}

#[test]
fn a_want_in_either_answer_is_fulfilled_once_however_often_it_is_said() {
    let (_dir, server, _agent) = start(true);
    for (place, id) in [(0, 7), (1, 8)] {
        server.seen().wants[place] = vec![want(id)];
        let expected = LogLines { want: id, subject: subject(), lines: vec![about(0xab)], problem: None };
        assert_eq!(server.wait_for_event("an answer", answer(id)), Kind::LogLines(expected));
    }
    server.wait_for_batches(5);
    let answers = server.seen().pick(|event| event.kind.want());
    assert_eq!(answers, [7, 8]);
    let told =
        server.wait_for_event("the counters", |event| health(event).filter(|told| told.wants_fulfilled > 0));
    assert!(told.want_log_bytes > 0 && told.wants_refused == 0, "{told:?}");
}

#[test]
fn what_cannot_be_had_is_refused_with_the_reason() {
    let (_dir, server, _agent) = start(false);
    server.seen().wants[1] = vec![want(7), r#"{"id":8,"kind":"coinbase"}"#.to_owned()];
    for (id, words) in [
        (7, "the agent does not read the node's log"),
        (8, "this version of bmon does not know what is wanted"),
    ] {
        let expected = Kind::WantRefused { want: id, reason: words.to_owned() };
        assert_eq!(server.wait_for_event("a refusal", answer(id)), expected);
    }
}

#[test]
fn a_server_that_wants_without_end_gets_few_answers_and_all_events() {
    let (_dir, server, _agent) = start(true);
    let mut ids = 0..;
    for _ in 0..20 {
        let wants = ids.by_ref().take(200).map(want).collect::<Vec<_>>();
        server.seen().wants = [wants.clone(), wants];
        server.wait_for_batches(2);
    }
    let told = server
        .wait_for_event("the counters", |event| health(event).filter(|told| told.wants_refused > 1_000));
    let seen = server.seen();
    let answers = seen.pick(|event| event.kind.want()).len();
    assert!(answers <= 120, "{answers} answers in under two minutes");
    assert_eq!(told.dropped_events, 0);
    let sequences = seen.sequences();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
}

/// A node with a chain of `count` blocks above block 0, their hashes by height, a server, and the node's agent.
fn start_node(count: u32) -> (TempDir, Node, Vec<BlockHash>, Server, Agent) {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let exe = exe::find().unwrap().swap_remove(0);
    let node = Node::start(NodeConfig::new("alice".parse().unwrap(), exe, dir.path().join("node"))).unwrap();
    node.mine(count, Lock::new(0)).unwrap();
    let hash = |height: u32| node.rpc().call::<BlockHash>("getblockhash", json!([height])).unwrap();
    let chain = (0..=count).map(hash).collect();
    let agent = Agent::start(config_of(&node, dir.path(), &server.url())).unwrap();
    (dir, node, chain, server, agent)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn ask(server: &Server, id: u64, max_bytes: u64, what: Wanted) -> Kind {
    let want = Want { id, within_ms: 60_000, max_bytes, what };
    server.seen().wants[1] = vec![serde_json::to_string(&want).unwrap()];
    server.wait_for_event("an answer", answer(id))
}

#[test]
fn headers_are_those_of_a_block_and_of_the_blocks_before_it() {
    let (_dir, node, chain, server, _agent) = start_node(5);
    for (id, height, count, most, expected) in [
        (1, 5, 3, u64::MAX, vec![5, 4, 3]),
        (2, 2, 9, u64::MAX, vec![2, 1, 0]),
        (3, 5, 9, 1_024 + 2 * 112 + 111, vec![5, 4]),
    ] {
        let Kind::Headers(Headers { headers, .. }) =
            ask(&server, id, most, Wanted::Headers { block: chain[height], count })
        else {
            unreachable!("headers were wanted")
        };
        let told: Vec<_> = headers.iter().map(|header| header.block).collect();
        assert_eq!(told, expected.iter().map(|height| chain[*height]).collect::<Vec<_>>());
        for header in headers {
            let raw: String = node.rpc().call("getblockheader", json!([header.block, false])).unwrap();
            assert_eq!(hex(&header.raw), raw);
        }
    }
    let unknown = Wanted::Headers { block: BlockHash::from_bytes([7; 32]), count: 1 };
    let Kind::WantRefused { reason, .. } = ask(&server, 4, u64::MAX, unknown) else {
        unreachable!("there is no such block")
    };
    assert_eq!(reason, "failed with the node's error -5: Block not found");
}

#[test]
fn the_parts_of_a_block_are_the_block() {
    let (_dir, node, chain, server, _agent) = start_node(1);
    let block = chain[1];
    let digits: String = node.rpc().call("getblock", json!([block, 0])).unwrap();
    let (mut got, mut id) = (Vec::new(), 0);
    while got.len() * 2 < digits.len() {
        id += 1;
        let what = Wanted::BlockPart { block, offset: got.len() as u64, bytes: u64::MAX };
        let Kind::BlockPart(BlockPart { offset, size_bytes, bytes, .. }) =
            ask(&server, id, 1_024 + 100, what)
        else {
            unreachable!("a part was wanted")
        };
        assert_eq!((offset, size_bytes), (got.len() as u64, digits.len() as u64 / 2));
        assert!((1..=100).contains(&bytes.len()));
        got.extend(bytes);
    }
    assert_eq!(hex(&got), digits);
    assert!(id > 1);
}

#[test]
fn a_mempool_tells_a_transaction_and_what_spends_a_coin() {
    let (dir, server) = (TempDir::new().unwrap(), Server::start());
    let network = Network::start(1, &exe::find().unwrap()[..1], &dir.path().join("nodes")).unwrap();
    let mut purse = Purse::fill(&network, 2).unwrap();
    let (coin, unspent) = (purse.take().unwrap(), purse.take().unwrap());
    let node = &network.nodes()[0];
    let raw = serialize_hex(&coin.pay(bitcoin::Amount::from_sat(2_000)));
    let txid: Txid = node.rpc().call("sendrawtransaction", json!([raw])).unwrap();
    let _agent = Agent::start(config_of(node, dir.path(), &server.url())).unwrap();

    let told = ask(&server, 1, u64::MAX, Wanted::RawTx { txid });
    let Kind::RawTx(told) = told else { unreachable!("a transaction was wanted: {told:?}") };
    assert_eq!((told.txid, hex(&told.raw)), (txid, raw));
    let outpoints: Vec<OutPoint> =
        [unspent, coin].iter().map(|coin| coin.outpoint.to_string().parse().unwrap()).collect();
    let expected = vec![MempoolSpend { outpoint: outpoints[1], by: txid }];
    let told = ask(&server, 2, u64::MAX, Wanted::MempoolSpends { outpoints: outpoints.clone() });
    assert_eq!(told, Kind::MempoolSpends(MempoolSpends { want: 2, spends: expected, problem: None }));

    let refused = |id, max_bytes, what| match ask(&server, id, max_bytes, what) {
        Kind::WantRefused { reason, .. } => reason,
        other => unreachable!("not a refusal: {other:?}"),
    };
    let unknown = Wanted::RawTx { txid: Txid::from_bytes([7; 32]) };
    assert!(
        refused(3, u64::MAX, unknown)
            .starts_with("failed with the node's error -5: No such mempool transaction")
    );
    assert!(refused(4, 1_024 + 10, Wanted::RawTx { txid }).ends_with("more than an answer may hold"));
    let many = Wanted::MempoolSpends { outpoints: vec![outpoints[0]; 257] };
    assert_eq!(refused(5, u64::MAX, many), "257 coins are asked about, not from 1 to 256");
}
