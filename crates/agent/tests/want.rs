//! What the agent does when the server wants something, whoever the server is.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its own functions too")]

mod support;

use std::fs;

use bmon_agent::{Agent, Config, config::LogConfig};
use bmon_event::{
    AgentTime, BlockHash, Event, Kind, NodeTime, Subject, Want, Wanted,
    event::{AgentHealth, LogLines},
};
use support::{Server, config};
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
