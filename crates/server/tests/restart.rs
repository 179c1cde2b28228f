//! What a server knows after it stopped, was killed, or lost the end of a file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod fixture;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bmon_event::Batch;
use bmon_server::{Config, Server, ServerError};
use bmon_spool::{Limits, Spool};
use bmon_store::{Commit, Store};
use fixture::{
    EPOCH, TOKEN, accept, batch, call, config, large, position, start, stored, wait_stored, wait_until,
};

/// A data directory with ten batches in it, after a stop.
fn stopped() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    (1..=10).for_each(|sequence| accept(server.address(), &batch(sequence)));
    server.stop();
    assert_eq!(stored(dir.path()), (10, 30), "a stop writes what was accepted");
    dir
}

/// Checks that a server on `dir` goes on behind the ten batches.
fn goes_on(dir: &Path) {
    let server = start(&config(dir));
    assert_eq!(position(server.address(), EPOCH), 10);
    wait_stored(dir, 10);
    accept(server.address(), &batch(10));
    accept(server.address(), &batch(11));
    wait_stored(dir, 11);
    let counters = server.counters();
    assert_eq!(
        (counters.batches.load(Relaxed), counters.repeats.load(Relaxed), counters.jumps.load(Relaxed)),
        (1, 1, 0)
    );
}

fn newest_segment(dir: &Path) -> PathBuf {
    let paths = fs::read_dir(dir.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "seg")).max().unwrap()
}

fn remove_database(dir: &Path) {
    for name in ["bmon.sqlite", "bmon.sqlite-wal", "bmon.sqlite-shm"] {
        let _ = fs::remove_file(dir.join(name));
    }
}

#[test]
fn a_restart_after_a_stop_goes_on_where_it_was() {
    goes_on(stopped().path());
}

#[test]
fn a_database_that_is_gone_is_made_again_from_the_journal() {
    let dir = stopped();
    remove_database(dir.path());
    goes_on(dir.path());
}

#[test]
fn a_journal_that_is_gone_loses_nothing_that_is_stored_and_gives_no_number_twice() {
    let dir = stopped();
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    goes_on(dir.path());
    goes_on_from(dir.path(), 11);
}

fn goes_on_from(dir: &Path, last: u64) {
    let server = start(&config(dir));
    assert_eq!(position(server.address(), EPOCH), last);
    accept(server.address(), &batch(last + 1));
    wait_stored(dir, last + 1);
}

#[test]
fn half_a_record_at_the_end_of_the_journal_is_cut_off() {
    let dir = stopped();
    let mut segment = fs::File::options().append(true).open(newest_segment(dir.path())).unwrap();
    segment.write_all(&[9; 33]).unwrap();
    goes_on(dir.path());
}

#[test]
fn a_torn_last_record_that_the_store_lacks_is_asked_for_again() {
    let dir = stopped();
    let segment = newest_segment(dir.path());
    let length = fs::metadata(&segment).unwrap().len();
    fs::File::options().write(true).open(&segment).unwrap().set_len(length - 1).unwrap();
    remove_database(dir.path());
    let server = start(&config(dir.path()));
    assert_eq!(position(server.address(), EPOCH), 9);
    accept(server.address(), &batch(10));
    wait_stored(dir.path(), 10);
}

#[test]
fn damage_in_the_journal_costs_only_what_it_hits() {
    let dir = stopped();
    remove_database(dir.path());
    let segment = newest_segment(dir.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[40] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let server = start(&config(dir.path()));
    assert_eq!(server.counters().journal_damaged.load(Relaxed), 1);
    assert_eq!(position(server.address(), EPOCH), 10);
    wait_stored(dir.path(), 9);
}

#[test]
fn batches_larger_than_a_lowered_limit_stay_readable_in_the_journal() {
    let dir = stopped();
    remove_database(dir.path());
    let lowered = Config { max_batch_unpacked_bytes: 1, ..config(dir.path()) };
    let server = start(&lowered);
    assert_eq!(server.counters().journal_damaged.load(Relaxed), 0);
    wait_stored(dir.path(), 10);
}

#[test]
fn a_whole_record_that_is_not_understood_is_passed_over_only_if_it_is_stored() {
    let dir = stopped();
    let limits = Limits { total_bytes: u64::MAX, segment_bytes: u64::MAX };
    let (mut journal, _) = Spool::open(&dir.path().join("journal"), limits).unwrap();
    assert_eq!(journal.append(b"12345678 not a batch").unwrap().sequence, 11);
    drop(journal);
    let refused = Server::start(&config(dir.path()));
    assert!(matches!(refused, Err(ServerError::Record { sequence: 11, .. })), "{refused:?}");
    let mut store = Store::open(&bmon_server::database_path(dir.path())).unwrap();
    assert_eq!(store.journal_position().unwrap(), 10, "nothing is passed over");
    store.commit(&Commit { rows: &[], journal_position: 11, accepted: &[] }).unwrap();
    drop(store);
    let server = start(&config(dir.path()));
    assert_eq!(server.counters().journal_damaged.load(Relaxed), 1);
    accept(server.address(), &batch(11));
}

#[test]
fn a_copy_made_while_the_server_runs_is_as_good() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&config(dir.path()));
    (1..=10).for_each(|sequence| accept(server.address(), &batch(sequence)));
    wait_stored(dir.path(), 10);
    let copy = tempfile::tempdir().unwrap();
    copy_dir(dir.path(), copy.path());
    goes_on(copy.path());
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Delivers until accepted: the journal may be full until the store has caught up.
fn insist(address: SocketAddr, batch: &Batch) {
    wait_until("the batch is accepted", || {
        let (status, answer) = fixture::deliver(address, batch);
        assert!(status == 200 || answer["error"] == "journal full", "{status} {answer}");
        status == 200
    });
}

#[test]
fn the_journal_keeps_its_bound_and_frees_only_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { journal_max_bytes: 400_000, ..config(dir.path()) };
    let server = start(&config);
    for sequence in 1..=30 {
        insist(server.address(), &large(sequence, 1_400));
        assert!(server.counters().journal_bytes.load(Relaxed) <= 400_000);
    }
    assert!(server.counters().journal_released_early.load(Relaxed) > 10);
    server.stop();
    let server = start(&config);
    assert_eq!((position(server.address(), EPOCH), server.counters().journal_damaged.load(Relaxed)), (30, 0));
}

#[test]
fn batches_older_than_the_horizon_are_freed_once_they_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let config =
        Config { journal_horizon: Duration::ZERO, journal_max_bytes: 1_000_000, ..config(dir.path()) };
    let server = start(&config);
    for sequence in 1..=10 {
        accept(server.address(), &large(sequence, 1_400));
        wait_until("the batch is stored", || server.counters().journal_stored.load(Relaxed) == sequence);
    }
    assert!(server.counters().journal_bytes.load(Relaxed) < 200_000);
    assert_eq!(server.counters().journal_released_early.load(Relaxed), 0);
}

const DIR: &str = "BMON_SERVER_KILL_DIR";

/// A server in a process of its own.
struct Killable {
    child: Child,
    address: SocketAddr,
}

impl Killable {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills_at_any_moment_lose_nothing_and_double_nothing", "--nocapture"])
            .env(DIR, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            said.find_map(|line| line.unwrap().strip_prefix("listening ").map(|at| at.parse().unwrap()));
        Self { child, address: address.unwrap() }
    }
}

/// In the child: a server until the parent closes its end, or kills.
fn serve(dir: &Path) {
    let server = start(&config(dir));
    println!("listening {}", server.address());
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn kills_at_any_moment_lose_nothing_and_double_nothing() {
    if let Some(dir) = std::env::var_os(DIR) {
        return serve(dir.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let acknowledged = AtomicU64::new(0);
    for round in 1..=12 {
        let Killable { mut child, address } = Killable::start(dir.path());
        let from = position(address, EPOCH);
        let before = acknowledged.load(Relaxed);
        assert!(from == before || from == before + 1, "acknowledged {before}, accepted {from}");
        acknowledged.store(from, Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                wait_until("enough is acknowledged", || acknowledged.load(Relaxed) >= from + round);
                child.kill().unwrap();
            });
            for sequence in from + 1.. {
                let body = batch(sequence).encode();
                match call(address, Some(TOKEN), "/ingest/v1/batches", Some(&body)) {
                    Ok((status, answer)) => assert_eq!(status, 200, "{answer}"),
                    Err(_) => break,
                }
                acknowledged.store(sequence, Relaxed);
            }
        });
        child.wait().unwrap();
    }
    let server = start(&config(dir.path()));
    let accepted = position(server.address(), EPOCH);
    assert!(accepted >= acknowledged.load(Relaxed) && accepted > 78);
    wait_stored(dir.path(), accepted);
    server.stop();
    assert_journal_is(dir.path(), accepted);
}

/// Checks that the journal holds each batch once, in order.
fn assert_journal_is(dir: &Path, batches: u64) {
    let limits = Limits { total_bytes: u64::MAX, segment_bytes: u64::MAX };
    let (journal, _) = Spool::open(&dir.join("journal"), limits).unwrap();
    let records: Result<Vec<_>, _> = journal.iter_from(0).collect();
    let sequences = records
        .unwrap()
        .into_iter()
        .map(|record| Batch::decode(&record.payload[8..], 1 << 20).unwrap().sequence);
    assert!(sequences.eq(1..=batches));
}
