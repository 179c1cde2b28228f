//! Logs of real nodes, on regtest, from one reorg to one invalid block: Knots 29.4.3 (`alice`) and Core 31.99 (`bob`).
//! Lines of no interest here are left out.

use std::convert::Infallible;

use bmon_analysis::{
    Settings,
    replay::{self, Input, LineCounts, Reading, Report, Told},
    row::Row,
};
use bmon_corelog::Reader;
use bmon_event::{Event, Kind, Txid};
use serde_json::{Value, json};

use crate::rows::{name, regtest};

const LOGS: [(&str, &str); 2] =
    [("alice", include_str!("log/alice.log")), ("bob", include_str!("log/bob.log"))];

/// The blocks that alice has before the reorg, and those that both have after it.
const OLD: [&str; 2] = [
    "4adce3773cef7425cdd619041e8fc73d00e9e9903152708707c1833e60502711",
    "606e696e8e5150c7a28ea1d3ca7a5bcb7bea8a4a3255f536de2536656fef6b80",
];
const NEW: [&str; 3] = [
    "0e0d6aa0d57da265f1698d3cdfae5d8ba71d316fddc4a1ec8dd100b4f3a0f28a",
    "5985d0a3ad45d7733a6961bad7cfef754de379edc3ddfe2610df1618ca73a6fc",
    "05b82654dd89660f7ea8a776949428e1edb32b281349d8b1cd9342c93ad21c98",
];

fn read(log: &str) -> Vec<Told> {
    let mut told = Vec::new();
    Reader::new(0, None).read(log.as_bytes(), None, |event| told.push(Told::Event(event)));
    told
}

fn inputs(logs: &[(&str, &str)]) -> Vec<Input<std::vec::IntoIter<Told>>> {
    logs.iter().map(|(node, log)| Input { node: name(node), told: read(log).into_iter() }).collect()
}

fn report(logs: &[(&str, &str)]) -> Report {
    let keep_none = |_: &[Row]| Ok::<_, Infallible>(());
    let Ok(report) = replay::run(regtest(), inputs(logs), Settings::default(), keep_none);
    report
}

fn json(report: &Report) -> Value {
    serde_json::to_value(report).unwrap()
}

#[test]
fn a_real_reorg_comes_back_exactly() {
    let expected = json!([{
        "node": "alice", "fork_height": 108, "depth": 2, "old": OLD, "new": NEW,
        "duration_us": 759,
        "finished_at": "2026-11-22T12:48:34.003017Z",
    }]);
    assert_eq!(json(&report(&LOGS))["reorgs"], expected);
}

#[test]
fn tip_lines_alone_are_enough_for_it() {
    // The default categories: no line in brackets.
    let plain: Vec<_> = LOGS
        .iter()
        .map(|(node, log)| {
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("Z [")).collect();
            (*node, lines.join("\n") + "\n")
        })
        .collect();
    let plain: Vec<_> = plain.iter().map(|(node, log)| (*node, log.as_str())).collect();
    assert!(plain[0].1.contains("UpdateTip") && !plain[0].1.contains("[validation]"));
    // Only the time differs in nothing: both are those of the tip lines.
    assert_eq!(json(&report(&plain))["reorgs"], json(&report(&LOGS))["reorgs"]);
}

#[test]
fn both_versions_tell_why_a_block_is_invalid() {
    let invalid = json(&report(&LOGS))["invalid_blocks"].clone();
    let expected = |node, at| {
        json!({
            "hash": "6b589d9cb1f5df88bb8299f90a0d000f133bc2123006052acd52fff7f141b251", "height": 115, "node": node,
            "reason": "bad-cb-amount, coinbase pays too much (actual=10000000000 vs limit=5000000000)", "at": at,
        })
    };
    let both =
        [expected("alice", "2026-11-22T12:48:35.931720Z"), expected("bob", "2026-11-22T12:48:35.932760Z")];
    assert_eq!(invalid, json!(both));
}

#[test]
fn rejections_are_listed_by_time_with_the_words_of_each_version() {
    let report = report(&LOGS);
    let codes: Vec<_> = report.rejections.iter().map(|tx| (tx.node.as_str(), tx.code.as_str())).collect();
    let alice = |code| ("alice", code);
    let bob = |code| ("bob", code);
    assert_eq!(codes.iter().filter(|(node, _)| *node == "alice").count(), 3);
    for expected in
        [alice("dust-nonanchor"), alice("scriptpubkey"), bob("dust"), bob("min relay fee not met")]
    {
        assert!(codes.contains(&expected), "{expected:?} in {codes:?}");
    }
    assert!(report.rejections.is_sorted_by_key(|tx| tx.at));
    let txid: Txid = "5ad0fbb5ce9de40f51f49acc41e12ca40148b414270ce9b98ac3689d4266dd1f".parse().unwrap();
    assert_eq!(report.rejections.iter().filter(|tx| tx.txid == txid).count(), 2);
}

/// The same scenario on later days, with `-debug=bench`.
const BENCH_LOGS: [(&str, &str); 2] = [
    ("alice", include_str!("../../../corelog/tests/data/knots-29.4.3-blocks.log")),
    ("bob", include_str!("../../../corelog/tests/data/core-31.99-blocks.log")),
];

#[test]
fn a_block_has_how_long_each_node_took_the_first_time() {
    // Alice connects its own blocks once more in the end.
    let again = BENCH_LOGS[0]
        .1
        .replace("2026-11-22T", "2026-11-23T")
        .replace("- Connect block: 0.2", "- Connect block: 0.1");
    let alice = format!("{}{again}", BENCH_LOGS[0].1);
    let report = report(&[("alice", &alice), BENCH_LOGS[1]]);
    let took: Vec<_> = report
        .blocks
        .iter()
        .map(|block| {
            let total = |node| {
                block.nodes.get(&name(node)).and_then(|stages| stages.processing).map(|took| took.total_us)
            };
            (block.height, total("alice"), total("bob"))
        })
        .filter(|(_, alice, bob)| alice.is_some() || bob.is_some())
        .collect();
    let expected = [
        (Some(105), Some(210), Some(260)),
        (Some(106), Some(80), Some(140)),
        (Some(107), Some(60), Some(120)),
        (Some(108), Some(280), Some(210)),
        (Some(109), Some(260), Some(260)),
    ];
    assert_eq!(took, expected);
    // Bob's log begins among the lines of the first of them.
    let load = |block: usize| json(&report)["blocks"][block]["nodes"]["bob"]["processing"]["load_us"].clone();
    let loads: Vec<_> = (0..report.blocks.len()).map(load).filter(|load| !load.is_null()).collect();
    assert_eq!(loads.len(), 4);
}

#[test]
fn a_block_has_each_nodes_stages() {
    let report = json(&report(&LOGS));
    let blocks = report["blocks"].as_array().unwrap();
    let block = blocks.iter().find(|block| block["hash"] == NEW[0]).unwrap();
    let expected = json!({
        "hash": NEW[0],
        "height": 109,
        "nodes": {
            "alice": {
                "header": "2026-11-22T12:48:34.000680Z",
                "block": null,
                "checked": "2026-11-22T12:48:34.002738Z",
                "connected": "2026-11-22T12:48:34.002874Z",
                "processing": null,
            },
            "bob": {
                "header": null,
                "block": null,
                "checked": "2026-11-22T12:48:33.900549Z",
                "connected": "2026-11-22T12:48:33.900731Z",
                "processing": null,
            },
        },
    });
    assert_eq!(*block, expected);
    let heights: Vec<_> = blocks.iter().map(|block| block["height"].as_u64()).collect();
    assert!(heights.is_sorted());
}

#[test]
fn the_spread_is_over_the_blocks_that_every_node_connected() {
    let spread = report(&LOGS).block_spread;
    let quantiles = spread.quantiles.unwrap();
    assert_eq!(spread.blocks, 7);
    // The first block of the reorg came to alice only with the reorg.
    assert!((quantiles.p99_9 - 0.102_143).abs() < 1e-9, "{quantiles:?}");
    assert_eq!(report(&LOGS[..1]).block_spread.quantiles, None);
}

#[test]
fn the_document_has_its_keys_and_is_the_same_on_every_run() {
    let mut first = report(&LOGS);
    let counts = LineCounts {
        total: 10,
        matched: 7,
        steps_back: 2,
        largest_step_back_us: 1_500_000,
        ..LineCounts::default()
    };
    first.add_reading(&name("bob"), Reading { counts, ..Reading::default() });
    let document = json(&first);
    let mut keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "block_spread",
        "blocks",
        "gaps",
        "invalid_blocks",
        "lines",
        "nodes",
        "rejections",
        "reorgs",
        "vanished_messages",
        "warnings",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&document["lines"]["total"], &document["lines"]["unmatched"]), (&json!(10), &json!(3)));
    let warning = "`bob`: 2 times its time steps back by more than a second, at most by 1.5 s";
    assert_eq!(document["warnings"], json!([warning]));
    let text = |report: &Report| serde_json::to_string(report).unwrap();
    assert_eq!(text(&report(&LOGS)), text(&report(&LOGS)));
}

#[test]
fn every_row_is_given_and_each_node_has_one() {
    let mut rows = Vec::new();
    let keep = |some: &[Row]| {
        rows.extend_from_slice(some);
        Ok::<_, Infallible>(())
    };
    let Ok(report) = replay::run(regtest(), inputs(&LOGS), Settings::default(), keep);
    let nodes: Vec<_> = rows
        .iter()
        .filter_map(|row| if let Row::Node(row) = row { Some((row.node.clone(), row.tip)) } else { None })
        .collect();
    let expected: Vec<_> = report.nodes.iter().map(|node| (node.node.clone(), node.tip)).collect();
    assert_eq!(nodes, expected);
    assert!(nodes.iter().all(|(_, tip)| tip.is_some()));
    let findings = rows.iter().filter(|row| matches!(row, Row::Finding(_))).count();
    assert!(findings >= report.reorgs.len() + report.rejections.len() + report.invalid_blocks.len());
}

#[test]
fn what_cannot_be_kept_ends_the_replay() {
    let refuse = |_: &[Row]| Err("full");
    assert_eq!(replay::run(regtest(), inputs(&LOGS), Settings::default(), refuse), Err("full"));
}

#[test]
fn what_a_replay_does_not_need_changes_nothing() {
    let with_transactions = LOGS.map(|(node, log)| {
        let told = read(log).into_iter().flat_map(|told| {
            let Told::Event(event) = &told else { panic!("a log gives events only") };
            let txid = Txid::from_bytes([7; 32]);
            let kind = Kind::TxAdded { txid, wtxid: None, peer: None, mempool_sequence: None };
            assert!(replay::needs(&event.kind) && !replay::needs(&kind));
            let added = Told::Event(Event { kind, ..event.clone() });
            [told, added]
        });
        Input { node: name(node), told: told.collect::<Vec<_>>().into_iter() }
    });
    let keep_none = |_: &[Row]| Ok::<_, Infallible>(());
    let Ok(with) = replay::run(regtest(), with_transactions.into(), Settings::default(), keep_none);
    assert_eq!(with, report(&LOGS));
}
