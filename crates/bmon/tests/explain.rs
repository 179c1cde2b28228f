//! `bmon explain` as a user runs it on old logs. They are those of real nodes of five versions, on regtest.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A block that came to most nodes as a compact block.
const RECONSTRUCTED: &str = "5084386c0b547f6e9e3498cdd155673c6c16c487ba021e2e9e6a1d06546f8227";
/// A block that a reorg disconnects.
const DISCONNECTED: &str = "4adce3773cef7425cdd619041e8fc73d00e9e9903152708707c1833e60502711";
/// A block with a coinbase that pays too much, in a log with the lines of `-debug=bench`.
const INVALID: &str = "5e6b8067b0a333f74bbb9d45b49b0583342c73ed36efff0269de3f84ac56347f";
/// A transaction that another one replaces.
const REPLACED: &str = "0906a20f7d114c49914ef9e8e5cf50f4b65b1a9becc86d6b891d805770d9eaa0";
/// A transaction that is refused.
const REFUSED: &str = "0c0277b570400fbf32f56fc36a8726da0d2d52f58e47911fb8cf5ead225c29e5";

fn log(name: &str) -> String {
    format!("{}/../{name}.log", env!("CARGO_MANIFEST_DIR"))
}

/// `NAME=FILE` of a log of the log reader's tests, or of the engine's.
fn node(name: &str, file: &str) -> String {
    let folder = if file == "alice" { "analysis/tests/engine/log" } else { "corelog/tests/data" };
    format!("{name}={}", log(&format!("{folder}/{file}")))
}

fn bmon(arguments: &[&str], stdin: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bmon")).arg("explain").args(arguments).stdin(stdin).output().unwrap()
}

fn explain(arguments: &[&str]) -> String {
    let output = bmon(arguments, Stdio::null());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
    text(&output.stdout).to_owned()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_person_reads_what_each_node_knew() {
    let blocks = |name, version: &str| node(name, &format!("{version}-blocks"));
    let (core_28, core_31) = (blocks("core-28", "core-28.99"), blocks("core-31", "core-31.99"));
    let (knots, alice) = (blocks("knots", "knots-29.4.3"), node("alice", "alice"));
    let [txs_28, txs_29] =
        ["28.99", "29.99"].map(|version| node("core", &format!("core-{version}-messages")));
    let other = txs_28.replace("core=", "other=");
    let cases: &[&[&str]] = &[
        &["block", RECONSTRUCTED, &core_28, &core_31, &knots, &other, "--network", "regtest"],
        &["block", DISCONNECTED, &alice],
        &["block", INVALID, &knots],
        &["tx", REPLACED, &txs_28],
        &["tx", REFUSED, &txs_29, &other],
    ];
    let found = cases.iter().map(|case| explain(case)).collect::<Vec<_>>().join("\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/explain.expected");
    if env::var_os("BMON_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&path).unwrap(), "`BMON_BLESS=1` writes it again");
    let widest = found.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns");
}

#[test]
fn the_document_has_every_line_as_it_stands_in_the_log() {
    let knots = node("knots", "knots-29.4.3-blocks");
    let document: Value =
        serde_json::from_str(&explain(&["block", RECONSTRUCTED, &knots, "--json"])).unwrap();
    let steps = document["nodes"][0]["steps"].as_array().unwrap();
    let lines: Vec<&str> = steps
        .iter()
        .flat_map(|step| step["lines"].as_array().unwrap())
        .map(|line| line.as_str().unwrap())
        .collect();
    let log = fs::read_to_string(log("corelog/tests/data/knots-29.4.3-blocks")).unwrap();
    // All lines of that log with the block's hash are about it.
    let expected: Vec<_> = log.lines().filter(|line| line.contains(RECONSTRUCTED)).collect();
    assert!(expected.len() > 5, "{expected:?}");
    assert!(expected.iter().all(|line| lines.contains(line)), "{lines:?}");
    assert_eq!(
        (&document["height"], &document["nodes"][0]["bound_us"], &steps[0]["after_us"]),
        (&108.into(), &0.into(), &0.into())
    );
}

#[test]
fn standard_input_and_a_part_of_the_time_are_read_as_by_replay() {
    let arguments = |window: &[&'static str]| [&["tx", REPLACED, "core=-", "--json"], window].concat();
    let steps = |window: &[&'static str]| {
        let stdin = File::open(log("corelog/tests/data/core-28.99-messages")).unwrap();
        let output = bmon(&arguments(window), stdin.into());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), document["nodes"][0]["steps"].as_array().unwrap().len())
    };
    let (code, all) = steps(&[]);
    assert!(code == Some(0) && all > 2, "{code:?}, {all} steps");
    let (code, first) = steps(&["--to", "2026-11-22T14:03:41.01"]);
    assert_eq!((code, first), (Some(0), 1));
    assert_eq!(steps(&["--to", "2026-11-22"]), (Some(1), 0));
}

#[test]
fn a_tip_history_tells_when_a_block_was_the_tip() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bob.csv");
    fs::write(&file, format!("108,{RECONSTRUCTED},1795362288700\n107,{INVALID},1795362288600\n")).unwrap();
    let (bob, knots) = (format!("bob={}", file.display()), node("knots", "knots-29.4.3-blocks"));
    let document: Value =
        serde_json::from_str(&explain(&["block", RECONSTRUCTED, &knots, &bob, "--json"])).unwrap();
    let node = document["nodes"].as_array().unwrap().iter().find(|node| node["node"] == "bob").unwrap();
    let (steps, log) = (node["steps"].as_array().unwrap(), &node["log"]);
    assert_eq!((steps.len(), &steps[0]["text"]), (1, &"tip, at height 108, by its tip history".into()));
    assert_eq!(
        (&steps[0]["at"], &steps[0]["lines"]),
        (&"2026-11-22T15:44:48.700000Z".into(), &Value::Array(vec![]))
    );
    assert_eq!((&log["lines"], &log["from"]), (&2.into(), &"2026-11-22T15:44:48.600000Z".into()));
}

#[test]
fn what_no_log_mentions_is_told_apart_from_wrong_arguments() {
    let core = node("core", "core-28.99-messages");
    let unknown = "ee".repeat(32);
    for (arguments, code, expected) in [
        (&["block", &unknown, &core][..], 1, "no log mentions it"),
        (&["tx", &unknown, &core], 1, "hint: a txid is wanted, not a wtxid"),
        (&["block", "ee", &core], 2, "expected 64 hexadecimal digits"),
        (&["tx", &unknown, "core"], 2, "expected NAME=FILE[,FILE…]"),
        (&["tx", &unknown, "core=missing.log"], 2, "failed to read `missing.log`"),
        (&["tx", &unknown, &core, "--network", "moon"], 2, "unknown network `moon`"),
        (&["tx", &unknown, &core, "--server", "http://127.0.0.1:1"], 2, "cannot be used with"),
        (&["tx", &unknown, "--from", "2026-11-22"], 2, "no file is named"),
        (&["tx", &unknown, "--server", "http://127.0.0.1:1"], 3, "failed to reach the server"),
    ] {
        let output = bmon(arguments, Stdio::null());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    // What was read is shown all the same.
    let output = bmon(&["block", &unknown, &core], Stdio::null());
    assert!(
        text(&output.stdout).contains("its log does not mention it (139 lines"),
        "{}",
        text(&output.stdout)
    );
}

/// Every key of objects in `value`.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    let children: Vec<&Value> = match value {
        Value::Object(object) => {
            found.extend(object.keys().cloned());
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
    let (knots, core) = (node("knots", "knots-29.4.3-blocks"), node("core", "core-31.99-blocks"));
    let page = include_str!("../../../docs/explain.md");
    let mut found = BTreeSet::new();
    keys(
        &serde_json::from_str(&explain(&["block", RECONSTRUCTED, &knots, &core, "--json"])).unwrap(),
        &mut found,
    );
    assert!(found.len() > 18, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/explain.md does not tell of {missing:?}");
}
