//! `bmon replay` as a user runs it. The logs are those of real nodes, on regtest.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    collections::BTreeSet,
    fs::File,
    path::Path,
    process::{Command, Output, Stdio},
};

use bmon_store::Reader;
use serde_json::Value;

const ALICE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../analysis/tests/engine/log/alice.log");
const BOB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../analysis/tests/engine/log/bob.log");

fn bmon(arguments: &[&str], stdin: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bmon"));
    command.args(["replay", "--network", "regtest"]).args(arguments).stdin(stdin).output().unwrap()
}

fn replay(arguments: &[&str]) -> String {
    let output = bmon(arguments, Stdio::null());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
    text(&output.stdout).to_owned()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn both() -> [String; 2] {
    [format!("alice={ALICE}"), format!("bob={BOB}")]
}

#[test]
fn the_output_is_the_same_on_every_run() {
    let [alice, bob] = both();
    for arguments in [&[&*alice, &*bob][..], &[&*alice, &*bob, "--json"]] {
        let first = replay(arguments);
        for _ in 0..5 {
            assert_eq!(replay(arguments), first);
        }
    }
}

#[test]
fn a_person_reads_what_was_found() {
    let [alice, bob] = both();
    let text = replay(&[&alice, &bob]);
    for expected in [
        "REORG of alice at 2026-11-22T12:48:34.003017Z: 2 deep, fork at 108\n  - 4adce377",
        "INVALID BLOCK of bob at 2026-11-22T12:48:35.932760Z: height 115, bad-cb-amount",
        "FROM THE FIRST NODE'S TIP TO THE LAST'S, 7 BLOCKS\n",
        "min relay fee not met",
    ] {
        assert!(text.contains(expected), "`{expected}` in\n{text}");
    }
    assert!(!text.contains("warning"), "{text}");
}

#[test]
fn standard_input_is_a_log_like_any_other() {
    let [alice, bob] = both();
    let piped = bmon(&["alice=-", &bob, "--json"], File::open(ALICE).unwrap().into());
    let document = |json: &str| {
        let mut document: Value = serde_json::from_str(json).unwrap();
        document["nodes"][0]["files"].take();
        document
    };
    assert_eq!(document(text(&piped.stdout)), document(&replay(&[&alice, &bob, "--json"])));
}

#[test]
fn a_store_has_what_the_report_has() {
    let [alice, bob] = both();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bmon.sqlite");
    let report: Value = {
        let json = replay(&[&alice, &bob, "--json", "--store", path.to_str().unwrap()]);
        serde_json::from_str(&json).unwrap()
    };
    // Once more changes nothing.
    replay(&[&alice, &bob, "--store", path.to_str().unwrap()]);
    let reader = Reader::open(&path).unwrap();
    let nodes = reader.nodes().unwrap();
    let tips: Vec<_> =
        nodes.iter().map(|node| (node.node.to_string(), node.tip.unwrap().to_string())).collect();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let expected =
        report["nodes"].as_array().unwrap().iter().map(|node| (word(&node["node"]), word(&node["tip"])));
    assert_eq!(tips, expected.collect::<Vec<_>>());
    for (kind, key) in
        [("reorg", "reorgs"), ("rejected-tx", "rejections"), ("invalid-block", "invalid_blocks")]
    {
        let stored = reader.findings(kind, 1_000, None).unwrap().items.len();
        assert!(stored > 0 && stored == report[key].as_array().unwrap().len(), "{kind}: {stored}");
    }
    let blocks = reader.blocks(1_000, None).unwrap().items.len();
    assert_eq!(blocks, report["blocks"].as_array().unwrap().len());
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_nothing_is_written() {
    let [alice, _] = both();
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("bmon.sqlite");
    let output = bmon(&[&alice, "bob=missing.log", "--store", store.to_str().unwrap()], Stdio::null());
    assert_eq!(output.status.code(), Some(2));
    let expected = "error: failed to read `missing.log`: No such file or directory (os error 2)\n";
    assert_eq!((text(&output.stderr), text(&output.stdout)), (expected, ""));
    assert!(!Path::new(&store).exists());
}

#[test]
fn wrong_arguments_are_explained() {
    let [alice, _] = both();
    for (arguments, expected) in [
        (&["alice"][..], "expected NAME=FILE[,FILE…]"),
        (&["alice=,"], "no file is named"),
        (&["A!=x"], "is not a node name"),
        (&[&*alice, "--from", "yesterday"], "--from"),
        (&[&*alice, "--from", "2026-11-02", "--to", "2026-11-01"], "it is not before `--to`"),
    ] {
        let output = bmon(arguments, Stdio::null());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}

#[test]
fn a_window_takes_dates_and_times() {
    let [alice, bob] = both();
    let reorgs = |window: &[&str]| {
        let arguments = [&[&*alice, &*bob, "--json"], window].concat();
        let document: Value = serde_json::from_str(&replay(&arguments)).unwrap();
        document["reorgs"].as_array().unwrap().len()
    };
    for (window, expected) in [
        (&["--from", "2026-11-22"][..], 1),
        (&["--to", "2026-11-22"], 0),
        (&["--from", "2026-11-22T12:48:30", "--to", "2026-11-22T12:48:35"], 1),
        (&["--from", "2026-11-22T13:48:34.5+01:00"], 0),
    ] {
        assert_eq!(reorgs(window), expected, "{window:?}");
    }
}

/// Every key of objects in `value`, but not those that are names of nodes or messages.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    let children: Vec<&Value> = match value {
        Value::Object(object) => {
            let is_named = |key: &&String| {
                !["alice", "bob"].contains(&key.as_str()) && !key.starts_with(char::is_uppercase)
            };
            found.extend(object.keys().filter(is_named).cloned());
            object.values().collect()
        }
        Value::Array(array) => array.iter().collect(),
        _ => Vec::new(),
    };
    for child in children {
        keys(child, found);
    }
}

#[test]
fn every_key_of_the_document_is_explained() {
    let [alice, bob] = both();
    let page = include_str!("../../../docs/replay.md");
    let mut found = BTreeSet::new();
    keys(&serde_json::from_str(&replay(&[&alice, &bob, "--json"])).unwrap(), &mut found);
    assert!(found.len() > 40, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/replay.md does not tell of {missing:?}");
}
