use bmon_event::{AgentTime, NodeTime};

use super::*;

const BLOCK: &str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";
const OTHER: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809";

fn steps(subject: Subject, lines: &[String]) -> Vec<Step> {
    let mut witness = Witness::new("alice".parse().unwrap());
    let line = |(place, text): (usize, &String)| LogLine {
        at: Some(NodeTime::from_micros(i64::try_from(place).unwrap() * 10)),
        raw: text.clone().into_bytes(),
    };
    witness.lines = lines.iter().enumerate().map(line).collect();
    Steps::new(subject, &witness).list
}

fn texts(subject: Subject, lines: &[String]) -> Vec<(String, usize)> {
    steps(subject, lines).into_iter().map(|step| (step.text, step.lines.len())).collect()
}

fn block() -> Subject {
    Subject::Block(BLOCK.parse().unwrap())
}

fn tx() -> Subject {
    Subject::Tx(BLOCK.parse().unwrap())
}

/// Each line makes this step, alone.
fn each(subject: Subject, table: &[(String, &str)]) {
    for (line, expected) in table {
        assert_eq!(texts(subject, std::slice::from_ref(line)), [((*expected).to_owned(), 1)], "{line}");
    }
}

#[test]
fn every_message_of_a_block_has_its_words() {
    each(
        block(),
        &[
            (format!("Saw new header hash={BLOCK} height=7 peer=3"), "header seen from peer 3, height 7"),
            (
                format!("Saw new cmpctblock header hash={BLOCK} height=7 peer=3"),
                "header seen in a compact block from peer 3, height 7",
            ),
            (format!("[net] got inv: block {BLOCK} new peer=3"), "announced by peer 3"),
            (format!("[net] Requesting block {BLOCK} from peer=5"), "requested from peer 5"),
            (format!("[net] received block {BLOCK} peer=5"), "whole block received from peer 5"),
            (
                format!(
                    "[cmpctblock] Successfully reconstructed block {BLOCK} with 1 txn prefilled, 3012 txn from mempool \
                     (incl at least 4 from extra pool) and 2 txn (1204 bytes) requested"
                ),
                "reconstructed: 3,012 from mempool (at least 4 of the extra pool), 1 prefilled, 2 requested (1,204 bytes)",
            ),
            (
                format!("[validation] BlockChecked: block hash={BLOCK} state=bad-cb-amount"),
                "checked: bad-cb-amount",
            ),
            (
                format!("[validation] Enqueuing BlockConnected: block hash={BLOCK} block height=120"),
                "connected at height 120",
            ),
            (
                format!("[validation] Enqueuing BlockDisconnected: block hash={BLOCK} block height=120"),
                "disconnected from height 120",
            ),
            (
                format!("[error] ConnectTip: ConnectBlock {BLOCK} failed, bad-cb-amount"),
                "could not be connected: bad-cb-amount",
            ),
            (
                format!("[validation] header {BLOCK} has prev block invalid: {OTHER}"),
                "header refused: its parent is invalid",
            ),
        ],
    );
}

#[test]
fn every_message_of_a_transaction_has_its_words() {
    each(
        tx(),
        &[
            (
                format!(
                    "[mempoolrej] {BLOCK} (wtxid={OTHER}) from peer=3 was not accepted: min relay fee not met, 12 < 100"
                ),
                "refused: min relay fee not met, 12 < 100, from peer 3",
            ),
            (
                format!(
                    "[mempool] replacing tx {BLOCK} (wtxid={OTHER}) with {OTHER} (wtxid={OTHER}) for 1 additional fees, 2 delta bytes"
                ),
                &format!("replaced by {OTHER}"),
            ),
            (
                format!(
                    "[mempool] replacing tx {OTHER} (wtxid={OTHER}) with {BLOCK} (wtxid={OTHER}) for 1 additional fees, 2 delta bytes"
                ),
                &format!("replaces {OTHER}"),
            ),
            (
                format!(
                    "[validation] Enqueuing TransactionRemovedFromMempool: txid={BLOCK} wtxid={OTHER} reason=expiry"
                ),
                "removed: expiry",
            ),
            (
                format!("[txpackages] stored orphan tx {BLOCK} (wtxid={OTHER}), weight: 5 (mapsz 1 outsz 1)"),
                "kept until its parent comes",
            ),
            (format!("[net] Requesting tx {BLOCK} peer=3"), "requested from peer 3"),
        ],
    );
}

#[test]
fn two_lines_of_one_fact_are_one_step() {
    let compact = [
        format!("Saw new header hash={BLOCK} height=7"),
        format!("Saw new cmpctblock header hash={BLOCK} peer=5"),
    ];
    let expected = "header seen in a compact block from peer 5, height 7".to_owned();
    assert_eq!(texts(block(), &compact), [(expected, 2)]);
    let accepted = [
        format!("[validation] Enqueuing TransactionAddedToMempool: txid={BLOCK} wtxid={OTHER}"),
        format!(
            "[mempool] AcceptToMemoryPool: peer=3: accepted {BLOCK} (wtxid={OTHER}) (poolsz 1 txn, 1 kB)"
        ),
        format!("[validation] TransactionAddedToMempool: txid={BLOCK} wtxid={OTHER}"),
    ];
    assert_eq!(texts(tx(), &accepted), [("entered the mempool, from peer 3".to_owned(), 3)]);
}

#[test]
fn lines_that_do_not_name_the_block_are_steps_too() {
    let lines = [
        "[net] received: cmpctblock (1188 bytes) peer=6",
        "[bench]   - Using cached block",
        "[bench]   - Load block from disk: 0.00ms",
        "[bench]     - Sanity checks: 0.00ms [0.00s (0.00ms/blk)]",
        "[bench] - Connect block: 0.15ms [0.08s (0.68ms/blk)]",
        "Block validation error: bad-cb-amount",
    ];
    let expected = [
        ("message `cmpctblock` of 1,188 bytes from peer 6", 1),
        ("connecting begins, with the block still in memory", 3),
        ("connecting took 0.15 ms", 1),
        ("fails validation: bad-cb-amount", 1),
    ];
    let expected = expected.map(|(text, lines)| (text.to_owned(), lines));
    assert_eq!(texts(block(), &lines.map(str::to_owned)), expected);
}

#[test]
fn a_block_that_is_the_tip_once_more_is_the_tip_again() {
    let tip = format!(
        "UpdateTip: new best={BLOCK} height=7 version=0x20000000 log2_work=4.000000 tx=1234 date='2026-01-02T03:04:05Z' \
         progress=1.000000 cache=0.3MiB(1txo)"
    );
    let expected = [
        "tip, at height 7, 1,234 transactions in the chain",
        "tip again, at height 7, 1,234 transactions in the chain",
    ];
    let found = texts(block(), &[tip.clone(), tip]);
    assert_eq!(found.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_line_that_is_no_step_stands_under_the_step_before_or_for_itself() {
    let sent = format!("[net] SendMessages: sending header {BLOCK} to peer=1");
    let seen = format!("Saw new header hash={BLOCK} height=7");
    assert_eq!(texts(block(), &[seen, sent.clone()]), [("header seen, height 7".to_owned(), 2)]);
    assert_eq!(texts(block(), &[sent]), [("mentioned".to_owned(), 1)]);
}

#[test]
fn what_other_sources_told_stands_among_the_lines_by_time() {
    let mut witness = Witness::new("alice".parse().unwrap());
    let line =
        |us: i64, text: String| LogLine { at: Some(NodeTime::from_micros(us)), raw: text.into_bytes() };
    witness.lines = vec![
        line(10, format!("Saw new header hash={BLOCK} height=7")),
        line(30, format!("[validation] BlockChecked: block hash={BLOCK} state=Valid")),
    ];
    let heard = |source, us| {
        crate::explain::Heard::stage(source, AgentTime::from_micros(us), crate::row::Stage::Connected)
    };
    witness.heard = vec![heard(Source::Log, 5), heard(Source::Zmq, 20), heard(Source::Rpc, 40)];
    let list = Steps::new(block(), &witness).list;
    assert_eq!(
        list.iter().map(|step| step.source).collect::<Vec<_>>(),
        [Source::Log, Source::Zmq, Source::Log, Source::Rpc]
    );
    witness.lines.clear();
    let list = Steps::new(block(), &witness).list;
    assert_eq!(
        list.iter().map(|step| step.source).collect::<Vec<_>>(),
        [Source::Log, Source::Zmq, Source::Rpc]
    );
}

#[test]
fn the_height_is_that_of_the_block_and_of_no_other() {
    let mut witness = Witness::new("alice".parse().unwrap());
    let line = |text: String| LogLine { at: None, raw: text.into_bytes() };
    witness.lines = vec![line(format!(
        "[net] received header {OTHER}: missing prev block {BLOCK}, sending getheaders (9) to end (peer=1)"
    ))];
    assert_eq!(Steps::new(block(), &witness).height, None);
    witness.lines.push(line(format!("Saw new header hash={BLOCK} height=7")));
    assert_eq!(Steps::new(block(), &witness).height, Some(7));
}

#[test]
fn numbers_have_a_comma_between_thousands() {
    let written: Vec<_> = [0_u32, 999, 1_000, 1_234_567].map(thousands).into();
    assert_eq!(written, ["0", "999", "1,000", "1,234,567"]);
}
