//! What is asked of a running server about the nodes' logs is asked of the agents, and only while it is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod fixture;

use std::{net::SocketAddr, sync::atomic::Ordering::Relaxed, thread};

use bmon_event::{AgentTime, Batch, BlockHash, Event, Kind, Source, Subject, Want, Wanted, event::LogLines};
use fixture::{TOKEN, accept, batch, call, config, deliver, start, txid, wait_stored, wait_until};
use serde_json::{Value, json};

/// The block of the first batch.
fn block() -> BlockHash {
    BlockHash::from_bytes(*txid(1, 0xbb).as_bytes())
}

/// What stands under `wants` in an answer.
fn wants(answer: &Value) -> Vec<Want> {
    answer.get("wants").map_or_else(Vec::new, |wants| serde_json::from_value(wants.clone()).unwrap())
}

fn time(address: SocketAddr) -> Value {
    call(address, Some(TOKEN), "/ingest/v1/time", None).unwrap().1
}

/// Batch `sequence`, in which a want is answered.
fn answer(sequence: u64, want: u64, line: &str) -> Batch {
    let subject = Subject::Block(block());
    let kind = Kind::LogLines(LogLines { want, subject, lines: vec![line.to_owned()], problem: None });
    let event = Event { source: Source::Agent, node_time: None, agent_time: AgentTime::default(), kind };
    Batch { events: vec![event], ..batch(sequence) }
}

fn ask(address: SocketAddr) -> Value {
    let (status, reply) = call(address, None, &format!("/api/v1/log-lines/block/{}", block()), None).unwrap();
    assert_eq!(status, 200, "{reply}");
    reply
}

#[test]
fn a_want_stands_in_every_answer_until_it_is_told_and_an_old_answer_in_the_journal_tells_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let address = server.address();
    accept(address, &batch(1));
    wait_stored(dir.path(), 1);
    assert_eq!(wants(&time(address)), []);

    let client = thread::spawn(move || ask(address));
    let mut open = Vec::new();
    wait_until("a want", || {
        open = wants(&time(address));
        !open.is_empty()
    });
    let [Want { id, what: Wanted::LogLines { subject, from, to }, .. }] = open[..] else {
        unreachable!("one thing is asked: {open:?}")
    };
    let seen = batch(1).events[0].time();
    assert_eq!(subject, Subject::Block(block()));
    assert_eq!((seen.micros_since(from), to.micros_since(seen)), (120_000_000, 600_000_000));
    let (_, in_between) = deliver(address, &Batch { events: Vec::new(), ..batch(2) });
    assert_eq!(wants(&in_between).iter().map(|want| want.id).collect::<Vec<_>>(), [id]);

    // Whether its own answer comes before or after it was heard.
    assert_eq!(deliver(address, &answer(3, id, "told")).0, 200);
    let expected = json!([{"node": "alice", "lines": ["told"], "complete": true, "problem": null}]);
    assert_eq!(client.join().unwrap()["nodes"], expected);
    assert_eq!(wants(&time(address)), []);
    accept(address, &answer(4, id, "told again"));
    wait_until("an answer ignored", || server.counters().want_answers_ignored.load(Relaxed) == 1);
    server.stop();

    let server = start(&config(dir.path()));
    let counters = server.counters();
    assert_eq!((counters.want_answers.load(Relaxed), counters.want_answers_ignored.load(Relaxed)), (0, 0));
    let reply = ask(server.address());
    assert_eq!(reply["nodes"][0]["problem"], "the node's agent is away");
}

#[test]
fn a_server_that_stops_lets_nobody_wait_for_an_agent() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let address = server.address();
    accept(address, &batch(1));
    wait_stored(dir.path(), 1);
    let client = thread::spawn(move || ask(address));
    wait_until("a want", || !wants(&time(address)).is_empty());
    server.stop();
    assert_eq!(client.join().unwrap()["nodes"][0]["problem"], "the node's agent did not answer in time");
}
