//! What the ingest calls answer, to good and to bad input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod fixture;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;

use bmon_event::Batch;
use bmon_server::ingest::Reason;
use fixture::{EPOCH, TOKEN, accept, batch, call, config, deliver, position, start, wait_stored};
use serde_json::json;

#[test]
fn a_batch_is_accepted_once_and_repeats_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let address = server.address();
    assert_eq!(position(address, EPOCH), 0);
    for sequence in 1..=3 {
        accept(address, &batch(sequence));
        assert_eq!(position(address, EPOCH), sequence);
    }
    accept(address, &batch(2));
    accept(address, &batch(3));
    wait_stored(dir.path(), 3);
    let counters = server.counters();
    assert_eq!((counters.batches.load(Relaxed), counters.repeats.load(Relaxed)), (3, 2));
    assert_eq!((counters.events.load(Relaxed), counters.jumps.load(Relaxed)), (12, 0));
    assert_eq!((counters.journal_last.load(Relaxed), counters.journal_stored.load(Relaxed)), (3, 3));
}

#[test]
fn a_jump_ahead_is_accepted_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    accept(server.address(), &batch(1));
    accept(server.address(), &batch(5));
    assert_eq!((position(server.address(), EPOCH), server.counters().jumps.load(Relaxed)), (5, 1));
}

#[test]
fn epochs_have_positions_of_their_own_and_an_unknown_one_is_at_0() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    accept(server.address(), &batch(4));
    assert_eq!(position(server.address(), EPOCH), 4);
    assert_eq!(position(server.address(), u64::MAX), 0);
    accept(server.address(), &Batch { epoch: bmon_event::Epoch(u64::MAX), ..batch(1) });
    assert_eq!(position(server.address(), u64::MAX), 1);
}

#[test]
fn the_time_is_told_with_two_stamps_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let (status, answer) = call(server.address(), Some(TOKEN), "/ingest/v1/time", None).unwrap();
    let (received, sent) = (answer["received_us"].as_i64().unwrap(), answer["sent_us"].as_i64().unwrap());
    assert_eq!(status, 200);
    assert!(1_700_000_000_000_000 < received && received <= sent && sent < received + 1_000_000, "{answer}");
}

/// What is sent and what is answered.
struct Bad {
    token: Option<&'static str>,
    body: Vec<u8>,
    status: u16,
    error: &'static str,
    reason: Reason,
}

fn bad(token: Option<&'static str>, body: Vec<u8>, status: u16, error: &'static str, reason: Reason) -> Bad {
    Bad { token, body, status, error, reason }
}

fn bad_deliveries() -> Vec<Bad> {
    let good = batch(9).encode();
    let token = Some(TOKEN);
    let frame = "not a batch: not a complete zstd frame";
    let bomb = zstd::bulk::compress(&vec![0; 50_000_000], 3).unwrap();
    let garbage_inside = zstd::bulk::compress(b"\xff\xff\xff garbage", 3).unwrap();
    let other = Batch { node: "bob".parse().unwrap(), ..batch(9) };
    vec![
        bad(None, good.clone(), 401, "no token", Reason::NoToken),
        bad(Some(""), good.clone(), 401, "no token", Reason::NoToken),
        bad(Some("a wrong token"), good.clone(), 401, "unknown token", Reason::UnknownToken),
        bad(Some("a wrong token"), vec![0; 5_000_000], 401, "unknown token", Reason::UnknownToken),
        bad(token, Vec::new(), 400, frame, Reason::NotABatch),
        bad(token, b"garbage".to_vec(), 400, frame, Reason::NotABatch),
        bad(token, good[..good.len() - 1].to_vec(), 400, frame, Reason::NotABatch),
        bad(token, [good.as_slice(), b"x"].concat(), 400, frame, Reason::NotABatch),
        bad(
            token,
            garbage_inside,
            400,
            "not a batch: not a protobuf message of this schema",
            Reason::NotABatch,
        ),
        bad(token, vec![0; 100_001], 413, "body larger than 100000 bytes", Reason::TooLarge),
        bad(token, vec![7; 5_000_000], 413, "body larger than 100000 bytes", Reason::TooLarge),
        bad(token, bomb, 413, "batch larger than 400000 bytes when unpacked", Reason::TooLarge),
        bad(token, fixture::large(9, 5_000).encode(), 413, "body larger than 100000 bytes", Reason::TooLarge),
        bad(
            token,
            other.encode(),
            403,
            "the token belongs to node `alice`, the batch is of node `bob`",
            Reason::OtherNode,
        ),
    ]
}

#[test]
fn bad_deliveries_are_refused_by_name_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let address = server.address();
    accept(address, &batch(1));
    let mut sequence = 1;
    for Bad { token, body, status, error, reason } in bad_deliveries() {
        let refused = |reason| server.counters().refused().find(|(known, _)| *known == reason).unwrap().1;
        let before = refused(reason);
        let (answered, answer) = call(address, token, "/ingest/v1/batches", Some(&body)).unwrap();
        assert_eq!((answered, answer["error"].as_str()), (status, Some(error)), "{answer}");
        assert!(!answer["hint"].as_str().unwrap().is_empty());
        assert_eq!(refused(reason), before + 1, "{reason:?}");
        assert_eq!(position(address, EPOCH), sequence, "after: {error}");
        sequence += 1;
        accept(address, &batch(sequence));
    }
    wait_stored(dir.path(), sequence);
    assert_eq!(server.counters().batches.load(Relaxed), sequence);
}

#[test]
fn bad_questions_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let epoch = "`epoch` is missing or not a number";
    for (token, path, status, error) in [
        (None, "/ingest/v1/position?epoch=1", 401, "no token"),
        (Some("wrong"), "/ingest/v1/position?epoch=1", 401, "unknown token"),
        (None, "/ingest/v1/time", 401, "no token"),
        (Some(TOKEN), "/ingest/v1/position", 400, epoch),
        (Some(TOKEN), "/ingest/v1/position?epoch=", 400, epoch),
        (Some(TOKEN), "/ingest/v1/position?epoch=-1", 400, epoch),
        (Some(TOKEN), "/ingest/v1/position?epoch=18446744073709551616", 400, epoch),
    ] {
        let (answered, answer) = call(server.address(), token, path, None).unwrap();
        assert_eq!((answered, answer["error"].as_str()), (status, Some(error)), "{path}");
    }
}

#[test]
fn a_token_set_while_the_server_runs_works_at_once_and_ends_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let server = start(&config);
    let store = bmon_store::Store::open(&bmon_server::database_path(dir.path())).unwrap();
    let new = bmon_server::ingest::hash_of_token("new");
    store.set_token(&"alice".parse().unwrap(), new).unwrap();
    let (status, _) = deliver(server.address(), &batch(1));
    assert_eq!(status, 401);
    let answer = call(server.address(), Some("new"), "/ingest/v1/batches", Some(&batch(1).encode())).unwrap();
    assert_eq!(answer, (200, json!({ "sequence": 1 })));
}

#[test]
fn a_sender_that_hangs_up_in_the_middle_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let body = batch(1).encode();
    let head = format!(
        "POST /ingest/v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() / 2]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    // Whatever is answered to half a request, the connection ends.
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(position(server.address(), EPOCH), 0);
    accept(server.address(), &batch(1));
}

#[test]
fn many_agents_at_once_share_syncs_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    let address = server.address();
    std::thread::scope(|scope| {
        for epoch in 0..8 {
            scope.spawn(move || {
                for sequence in 1..=20 {
                    // Batches of different epochs say different things.
                    let said = batch(epoch * 20 + sequence);
                    let delivered = Batch { epoch: bmon_event::Epoch(epoch), sequence, ..said };
                    accept(address, &delivered);
                }
            });
        }
    });
    for epoch in 0..8 {
        assert_eq!(position(address, epoch), 20);
    }
    wait_stored(dir.path(), 160);
    let counters = server.counters();
    assert_eq!((counters.batches.load(Relaxed), counters.jumps.load(Relaxed)), (160, 0));
    assert!(counters.journal_syncs.load(Relaxed) <= 160);
}
