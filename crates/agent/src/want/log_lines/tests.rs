use std::{cell::Cell, fs, path::PathBuf, sync::LazyLock};

use bmon_event::{BlockHash, NodeTime};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const SECOND: i64 = 1_000_000;
const START: i64 = 1_780_000_000 * SECOND;

fn block() -> Subject {
    Subject::Block(BlockHash::from_bytes([0xab; 32]))
}

/// A line of another matter.
fn other(us: i64) -> String {
    format!(
        "{} UpdateTip: of no interest to anyone who asks, and some text to fill it\n",
        NodeTime::from_micros(us)
    )
}

/// A line about the block.
fn about(us: i64) -> String {
    let (time, Subject::Block(hash)) = (NodeTime::from_micros(us), block()) else {
        unreachable!("it is a block")
    };
    format!("{time} [validation] NewPoWValidBlock: block hash={hash}\n")
}

fn log(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("debug.log");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn bounds(read_bytes: u64, answer_bytes: u64) -> Bounds {
    Bounds { read_bytes, answer_bytes }
}

/// The same for all.
fn privacy() -> &'static Privacy {
    static PRIVACY: LazyLock<Privacy> = LazyLock::new(|| Privacy::of_key([7; 32]));
    &PRIVACY
}

fn request(path: &Path, from: i64, to: i64) -> Request<'_> {
    let [from, to] = [from, to].map(AgentTime::from_micros);
    Request { path, subject: block(), from, to, bounds: bounds(1 << 30, 1 << 20), privacy: privacy() }
}

/// The lines, and the problem, and the bytes read.
fn fulfil(request: &Request<'_>) -> (Vec<String>, Option<String>, u64) {
    let found = request.fulfil(&|| false);
    let Kind::LogLines(lines) = found.lines.unwrap().into_kind(1, block()) else {
        unreachable!("they are lines")
    };
    (lines.lines, lines.problem, found.read_bytes)
}

/// As [`fulfil`], with only the problem.
fn problem(request: &Request<'_>) -> Option<String> {
    fulfil(request).1
}

/// A log of `seconds` seconds with `lines` lines each, and one about the block in the middle.
fn long(seconds: i64, lines: usize) -> String {
    let mut text = String::from("\n\n\n\n\n");
    for second in 0..seconds {
        let at = START + second * SECOND;
        text.push_str(&other(at).repeat(lines));
        if second == seconds / 2 {
            text.push_str(&about(at));
        }
    }
    text
}

#[test]
fn a_range_is_found_by_reading_little_more_than_it() {
    let text = long(5_000, 40);
    let (_dir, path) = log(&text);
    let middle = START + 2_500 * SECOND;
    let (lines, problem, read) = fulfil(&request(&path, middle, middle));
    assert_eq!((lines, problem), (vec![about(middle).trim_end().to_owned()], None));
    let per_second = text.len() as u64 / 5_000;
    let (slack, glances) = (125 * per_second, 20 * 4 * 1024);
    assert!(text.len() > 19_000_000 && read < slack + glances + 3 * CHUNK as u64, "{read}");
    assert_eq!(fulfil(&request(&path, middle + 100 * SECOND, middle + 101 * SECOND)).0, Vec::<String>::new());
}

#[test]
fn many_lines_of_one_time_hide_none_of_it() {
    let text = format!("{}{}{}", other(START - SECOND), other(START).repeat(10_000), about(START));
    let (_dir, path) = log(&format!("\n\n\n\n\n{text}{}", other(START).repeat(10_000)));
    assert_eq!(fulfil(&request(&path, START, START)).0.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_a_plain_search_finds_is_found(
        steps in prop::collection::vec((prop_oneof![4 => Just(0), 8 => 0..40 * SECOND, 1 => -50 * SECOND..0], 0..10_u8), 1..4000),
        range in (0..40_000_i64, 0..2_000_i64),
    ) {
        let (mut text, mut at, mut newest, mut all) = (String::new(), START, START, Vec::new());
        for (step, what) in steps {
            // Never more than the slack behind what was written before.
            at = (at + step).max(newest - 55 * SECOND);
            newest = newest.max(at);
            match what {
                0 => {
                    text.push_str(&about(at));
                    all.push((at, about(at).trim_end().to_owned()));
                }
                1 => text.push_str("a line without a time, which continues the one before\n"),
                _ => text.push_str(&other(at)),
            }
        }
        let (_dir, path) = log(&text);
        let (from, to) = (START + range.0 * SECOND, START + (range.0 + range.1) * SECOND);
        let found = fulfil(&request(&path, from, to)).0;
        let expected = all.iter().filter(|(at, _)| (from..=to).contains(at));
        // In order, and with nothing between that is not about the block.
        let mut rest = found.iter();
        for (at, line) in expected {
            prop_assert!(rest.any(|found| found == line), "{at} in {from}..={to}");
        }
        prop_assert!(found.iter().all(|line| all.iter().any(|(_, known)| known == line)));
    }
}

#[test]
fn a_clock_that_is_set_back_a_little_hides_nothing_and_one_set_back_far_is_told() {
    let text = |back: i64| {
        let times = [0, 100, 100 - back, 130];
        let lines = times
            .map(|second| format!("{}{}", other(START + second * SECOND), about(START + second * SECOND)));
        format!("\n\n\n\n\n{}", lines.concat())
    };
    let (_dir, path) = log(&text(55));
    let (lines, problem, _) = fulfil(&request(&path, START, START + 90 * SECOND));
    assert_eq!((lines.len(), problem), (4, None));
    let (_dir, path) = log(&text(95));
    let (lines, problem, _) = fulfil(&request(&path, START, START + 90 * SECOND));
    assert!(lines.len() >= 3 && problem.unwrap().starts_with("the log's time goes back by 95 s at "));
}

#[test]
fn a_log_that_begins_within_the_range_is_whole_only_if_the_node_began_it() {
    let lines = format!("{}{}", other(START + SECOND), about(START + 2 * SECOND));
    let (dir, path) = log(&format!("\n\n\n\n\n{lines}"));
    let request = request(&path, START, START + 10 * SECOND);
    assert_eq!(problem(&request), None);
    fs::write(dir.path().join("debug.log.1"), other(START)).unwrap();
    assert!(problem(&request).unwrap().starts_with("the log begins at 2026-05-28T20:26:41.000000Z;"));
    fs::remove_file(dir.path().join("debug.log.1")).unwrap();
    // Shrunk by the node, or rotated and the rest deleted.
    fs::write(&path, &lines[5..]).unwrap();
    let (found, problem, _) = fulfil(&request);
    assert!(
        found.len() == 1 && problem.unwrap().starts_with("the log begins at 2026-05-28T20:26:42.000000Z;")
    );
}

#[test]
fn a_log_without_times_and_an_empty_one_say_so() {
    for text in ["", "\n\n\n\n\n", "UpdateTip: without -logtimestamps\n"] {
        let (_dir, path) = log(text);
        assert_eq!(
            problem(&request(&path, START, START)).as_deref(),
            Some("no line of the log tells a time")
        );
    }
}

#[test]
fn a_log_that_is_rotated_or_cut_while_it_is_read_is_told() {
    let rename = |path: &Path| fs::rename(path, path.with_extension("old")).unwrap();
    let cut = |path: &Path| fs::write(path, "").unwrap();
    for damage in [rename, cut] {
        let (_dir, path) = log(&long(1_000, 10));
        let chunks = Cell::new(0);
        let is_over = || {
            chunks.set(chunks.get() + 1);
            if chunks.get() == 4 {
                damage(&path);
            }
            false
        };
        let found = request(&path, START, START + 1_000 * SECOND).fulfil(&is_over).lines.unwrap();
        assert_eq!(found.problems, ["the log was rotated while it was read"]);
    }
}

#[test]
fn what_is_read_and_what_is_answered_is_bounded() {
    let (_dir, path) = log(&long(2_000, 10));
    let wide = request(&path, START, START + 2_000 * SECOND);
    let (lines, problem, read) = fulfil(&Request { bounds: bounds(300_000, 1 << 20), ..wide });
    assert_eq!((lines.len(), read), (0, 300_000));
    assert!(problem.unwrap().starts_with("the log is read up to 2026-05-28T20:"));

    let text = format!("\n\n\n\n\n{}", about(START).repeat(100));
    let (_dir, path) = log(&text);
    let length = about(START).len() as u64;
    for (room, fit) in [(0, 0), (length - 1, 0), (length, 1), (100 * length - 1, 99)] {
        let request = Request { bounds: bounds(1 << 30, room), ..request(&path, START, START) };
        let (lines, problem, _) = fulfil(&request);
        assert_eq!(
            (lines.len(), problem.as_deref()),
            (fit, Some("there are more lines than an answer may hold"))
        );
    }
    let enough = Request { bounds: bounds(1 << 30, 100 * length), ..request(&path, START, START) };
    let (lines, problem, _) = fulfil(&enough);
    assert_eq!((lines.len(), problem), (100, None));
}

#[test]
fn any_range_that_a_server_can_name_is_looked_at() {
    let (_dir, path) = log(&long(100, 100));
    for (from, to, found) in [(i64::MIN, i64::MAX, 1), (i64::MAX, i64::MIN, 0), (i64::MAX, i64::MAX, 0)] {
        assert_eq!(fulfil(&request(&path, from, to)).0.len(), found, "{from} to {to}");
    }
}

#[test]
fn a_log_that_cannot_be_read_and_a_time_that_is_over_are_errors() {
    let (dir, path) = log(&long(10, 1));
    let over = request(&path, START, START).fulfil(&|| true);
    assert!(matches!(over.lines, Err(LogError::OutOfTime)) && over.read_bytes == 0);
    let missing = dir.path().join("other.log");
    assert!(matches!(request(&missing, START, START).fulfil(&|| false).lines, Err(LogError::Unreadable(_))));
}

#[test]
fn addresses_are_hidden_and_what_is_not_utf_8_is_replaced() {
    let Subject::Block(hash) = block() else { unreachable!("it is a block") };
    let time = NodeTime::from_micros(START);
    let line = format!("{time} [net] received block {hash} peer=7, peeraddr=203.0.113.9:8333\n");
    let (_dir, path) = log(&line);
    let found = fulfil(&request(&path, START, START)).0;
    assert_eq!(found.len(), 1);
    assert!(found[0].contains(" peer=7, peeraddr=ipv4:") && !found[0].contains("203.0.113.9"), "{found:?}");
}

#[test]
fn a_line_that_tells_of_a_wallet_stays() {
    let checked = |state: &str| {
        about(START).replace("NewPoWValidBlock:", "BlockChecked:").replace('\n', &format!(" state={state}\n"))
    };
    let (_dir, path) = log(&format!("{}{}", checked("Valid"), checked("of a wallet")));
    assert_eq!(fulfil(&request(&path, START, START)).0, [checked("Valid").trim_end()]);
}

#[test]
fn a_line_that_may_still_turn_out_to_follow_another_is_not_lost_at_the_end_of_the_log() {
    let time = NodeTime::from_micros(START);
    let (_dir, path) = log(&format!("{time} [bench]   - Load block from disk: 0.02ms\n{}", about(START)));
    assert_eq!(fulfil(&request(&path, START, START)).0, [about(START).trim_end()]);
}

#[test]
fn a_line_before_a_step_back_is_found_however_many_lines_follow_it() {
    let at = |second: i64| START + second * SECOND;
    let many = |second| other(at(second)).repeat(3_000);
    let text = format!("\n\n\n\n\n{}{}{}{}", many(0), about(at(50)), many(-5), many(70));
    let (_dir, path) = log(&text);
    assert_eq!(fulfil(&request(&path, at(50), at(60))).0.len(), 1);
}
