use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use bmon_event::event::Processing;
use proptest::prelude::*;

use super::*;
use crate::Category;

/// The last blocks of a scenario on real nodes: blocks, their relay, a reorg of two, templates and an invalid block.
const RECORDED: [(&str, &str); 5] = [
    ("core 28.99", include_str!("../../tests/data/core-28.99-blocks.log")),
    ("core 29.99", include_str!("../../tests/data/core-29.99-blocks.log")),
    ("core 30.99", include_str!("../../tests/data/core-30.99-blocks.log")),
    ("core 31.99", include_str!("../../tests/data/core-31.99-blocks.log")),
    ("knots 29.4.3", include_str!("../../tests/data/knots-29.4.3-blocks.log")),
];

/// What an assembler makes of a log.
#[derive(Debug, Default, PartialEq)]
struct Found {
    told: Vec<Told>,
    /// The lines that belong to each block.
    lines: BTreeMap<BlockHash, BTreeSet<u64>>,
}

fn assemble<'a>(lines: impl IntoIterator<Item = (u64, &'a str)>) -> Found {
    let (mut assembler, mut found) = (Assembler::new(), Found::default());
    for (place, line) in lines {
        let line = Line::parse(line.as_bytes());
        let Some(message) = Message::parse(&line) else { continue };
        let waiting = assembler.waiting();
        let told = assembler.feed(place, &line, &message, |belongs, block| {
            assert!(
                belongs == place || waiting.is_some_and(|first| first <= belongs),
                "nothing waited for {belongs}"
            );
            found.lines.entry(block).or_default().insert(belongs);
        });
        found.told.extend(told);
    }
    found
}

fn numbered(log: &str) -> impl Iterator<Item = (u64, &str)> {
    (0..).zip(log.lines())
}

fn connected(found: &Found) -> Vec<Connected> {
    let connected = |told: &Told| match told {
        Told::Connected(connected) => Some(*connected),
        Told::Disconnected(_) => None,
    };
    found.told.iter().filter_map(connected).collect()
}

/// Replaces the block of a line that names one by its last digits.
fn short(block: BlockHash) -> String {
    block.to_string().split_off(60)
}

/// The lines that were given to a block which they do not name: what they say without their times and numbers.
fn given(log: &str) -> Vec<String> {
    let lines: Vec<_> = log.lines().collect();
    let mut given: Vec<_> = assemble(numbered(log))
        .lines
        .into_iter()
        .flat_map(|(block, places)| places.into_iter().map(move |place| (place, short(block))))
        .filter_map(|(place, block)| {
            let line = Line::parse(lines[usize::try_from(place).unwrap()].as_bytes());
            let text = String::from_utf8_lossy(line.text).into_owned();
            let head = text.split(['=', ':', '(']).next().unwrap().trim().to_owned();
            let head = if head == "received" { text.split(" (").next().unwrap().to_owned() } else { head };
            let is_of_run = line.category == Some(Category::Bench) || head == "UpdateTip";
            (!is_of_run).then_some(format!("{block} {head}"))
        })
        .collect();
    given.dedup();
    given.sort();
    given.dedup();
    given
}

#[test]
fn every_recorded_block_has_its_own_run_and_no_other() {
    for (version, log) in RECORDED {
        let lines: Vec<_> = log.lines().collect();
        let found = assemble(numbered(log));
        let at = |text: &'static str| {
            lines.iter().enumerate().filter(move |(_, line)| line.contains(text)).map(|(at, _)| at)
        };
        let runs: Vec<_> = at("- Connect block: ").collect();
        assert_eq!(connected(&found).len(), runs.len(), "{version}");
        for (connected, end) in connected(&found).iter().zip(runs) {
            let tip = at("UpdateTip: ").rfind(|tip| *tip < end).unwrap();
            assert!(lines[tip].contains(&format!("best={} height={} ", connected.block, connected.height)));
            let Some(start) = at("- Load block from disk").rfind(|start| *start < end) else {
                // The log begins among the lines of this block.
                assert!(connected.processing.load_us.is_none(), "{version}");
                continue;
            };
            let cached = lines[start - 1].contains("- Using cached block");
            let bench = (start - usize::from(cached)..=end).filter(|at| lines[*at].contains("[bench]"));
            let places: BTreeSet<_> = bench.chain([tip]).map(|at| at as u64).collect();
            assert_eq!(places.len(), 13 + usize::from(cached), "{version}");
            assert!(places.is_subset(&found.lines[&connected.block]), "{version}");
            let processing = connected.processing;
            assert_eq!(
                (processing.durations().count(), processing.transactions.is_some()),
                (12, true),
                "{version}"
            );
        }
    }
}

#[test]
fn a_recorded_reorg_has_the_lines_and_times_of_its_steps() {
    let (_, log) = RECORDED[4];
    let steps: Vec<_> = assemble(numbered(log)).told.into_iter().take(5).collect();
    let told = |told: &Told| match told {
        Told::Connected(told) => {
            format!("+ {} {} {}", short(told.block), told.height, told.processing.total_us)
        }
        Told::Disconnected(told) => format!("- {} {} {}", short(told.block), told.height, told.ms),
    };
    // The log begins with the reorg: the first block that was disconnected is named by the line that follows only.
    assert_eq!(
        steps.iter().map(told).collect::<Vec<_>>(),
        ["- cbf3 106 0.09", "- 0aba 105 0.05", "+ ee78 105 210", "+ 6b73 106 80", "+ 852c 107 60"]
    );
}

#[test]
fn recorded_lines_without_a_block_are_given_to_the_one_that_they_are_about() {
    // `347f` is invalid and sent by two peers and a third; `8e66` comes after it.
    let invalid =
        |found: &[String]| found.iter().filter(|line| line.starts_with("347f")).cloned().collect::<Vec<_>>();
    let twice = [
        "347f Block validation error",
        "347f InvalidChainFound",
        "347f ProcessNewBlock",
        "347f received: block",
        "347f received: cmpctblock",
    ];
    let once = ["347f Block validation error", "347f InvalidChainFound", "347f received: block"];
    let marked = [
        "347f Block validation error",
        "347f InvalidChainFound",
        "347f received: block",
        "347f received: cmpctblock",
    ];
    let expected: [&[&str]; 5] = [&twice, &twice, &twice, &once, &marked];
    for ((version, log), expected) in RECORDED.iter().zip(expected) {
        assert_eq!(invalid(&given(log)), expected, "{version}");
    }
    let others = |version: usize| {
        let given = given(RECORDED[version].1);
        given
            .into_iter()
            .filter(|line| line.starts_with("8e66") || line.starts_with("8227"))
            .collect::<Vec<_>>()
    };
    let headers_then_compact = [
        "8227 received: cmpctblock",
        "8227 received: headers",
        "8e66 received: cmpctblock",
        "8e66 received: headers",
    ];
    assert_eq!(others(3), headers_then_compact);
    assert_eq!(others(4), headers_then_compact);
    // The last block is this node's own.
    assert_eq!(others(1), ["8227 received: cmpctblock", "8227 received: headers"]);
}

const BLOCK: &str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";
const OTHER: &str = "00000000000000000001a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

fn tip(block: &str, height: u32) -> String {
    format!(
        "UpdateTip: new best={block} height={height} version=0x20000000 log2_work=95.1 tx=9 date='2026-01-02T03:04:05Z' progress=1.0 cache=1.0MiB(9txo)"
    )
}

/// A run as 0.19 to 22 write it: no category, no undo data, and callbacks, which are no message. `scale` makes the times
/// those of another block.
fn old_run(block: &str, height: u32, scale: f64) -> Vec<String> {
    let all = |ms: f64| format!("{:.2}ms [1.00s (2.00ms/blk)]", ms * scale);
    vec![
        format!("  - Load block from disk: {:.2}ms [0.01s]", 4.0 * scale),
        format!("    - Sanity checks: {}", all(1.0)),
        format!("    - Fork checks: {}", all(2.0)),
        format!(
            "      - Connect 3 transactions: {:.2}ms (1.000ms/tx, 1.000ms/txin) [1.00s (2.00ms/blk)]",
            10.0 * scale
        ),
        format!("    - Verify 5 txins: {:.2}ms (1.000ms/txin) [1.00s (2.00ms/blk)]", 40.0 * scale),
        format!("    - Index writing: {}", all(7.0)),
        format!("    - Callbacks: {}", all(0.02)),
        format!("  - Connect total: {}", all(51.0)),
        format!("  - Flush: {}", all(5.0)),
        format!("  - Writing chainstate: {}", all(0.5)),
        tip(block, height),
        format!("  - Connect postprocess: {}", all(3.0)),
        format!("- Connect block: {}", all(63.5)),
    ]
}

fn assemble_text(texts: &[String]) -> Found {
    let lines: Vec<_> = texts.iter().map(|text| format!("2020-01-02T03:04:05Z {text}")).collect();
    assemble((0..).zip(lines.iter().map(String::as_str)))
}

#[test]
fn a_run_of_an_old_version_has_its_steps() {
    let found = assemble_text(&old_run(BLOCK, 7, 1.0));
    let processing = Processing {
        total_us: 63_500,
        load_us: Some(4_000),
        connect_us: Some(51_000),
        sanity_us: Some(1_000),
        forks_us: Some(2_000),
        transactions_us: Some(10_000),
        scripts_us: Some(40_000),
        undo_us: None,
        index_us: Some(7_000),
        flush_us: Some(5_000),
        chainstate_us: Some(500),
        postprocess_us: Some(3_000),
        transactions: Some(3),
        inputs: Some(5),
    };
    let block = BLOCK.parse().unwrap();
    assert_eq!(found.told, [Told::Connected(Connected { block, height: 7, processing })]);
    assert_eq!(found.lines[&block].len(), 12);
}

#[test]
fn halves_of_two_blocks_are_no_run() {
    for lost_after in 1..12 {
        let (first, second) = (old_run(OTHER, 6, 10.0), old_run(BLOCK, 7, 1.0));
        let both = [&first[..lost_after], &second[lost_after..]].concat();
        let connected = connected(&assemble_text(&both));
        assert!(connected.is_empty(), "{lost_after}: {connected:?}");
    }
}

#[test]
fn a_clock_that_was_set_back_leaves_no_run() {
    let mut run = old_run(BLOCK, 7, 1.0);
    run[0] = "  - Load block from disk: -3600000.00ms [0.01s]".to_owned();
    run[12] = "- Connect block: -3599940.50ms [1.00s (2.00ms/blk)]".to_owned();
    assert_eq!(assemble_text(&run).told, []);
}

#[test]
fn a_template_and_the_tip_of_a_node_without_bench_lines_are_no_run() {
    let run = old_run(BLOCK, 7, 1.0);
    let template = [&run[1..5], &["CreateNewBlock() packages: 1.00ms (0 packages, 0 updated descendants), validity: 2.00ms (total 3.00ms)".to_owned()]].concat();
    assert_eq!(assemble_text(&template), Found::default());
    assert_eq!(assemble_text(&[&template[..], &[tip(BLOCK, 7), tip(OTHER, 8)]].concat()), Found::default());
    let after = assemble_text(&[&template[..4], &run].concat());
    assert_eq!(after.lines[&BLOCK.parse().unwrap()].first(), Some(&4), "the template's lines are nobody's");
}

#[test]
fn a_block_of_the_background_chain_has_no_run() {
    let mut run = old_run(BLOCK, 7, 1.0);
    run[10] = format!("[background validation] {}", run[10]);
    assert_eq!(assemble_text(&run), Found::default());
    run.remove(10);
    assert_eq!(assemble_text(&run), Found::default());
}

#[test]
fn a_block_that_fails_has_the_lines_before_it_fails() {
    let run = old_run(BLOCK, 7, 1.0);
    let failed = format!("ERROR: ConnectTip: ConnectBlock {OTHER} failed, bad-cb-amount");
    let lines = |lines: &[String]| {
        assemble_text(lines).lines.remove(&OTHER.parse().unwrap()).map(|lines| lines.len())
    };
    assert_eq!(lines(&[&run[..4], slice::from_ref(&failed)].concat()), Some(4));
    assert_eq!(lines(&[&run[1..4], slice::from_ref(&failed)].concat()), None, "a template can begin so too");
    assert_eq!(lines(&[&run[..10], &[failed]].concat()), None, "it did not fail there");
}

#[test]
fn lines_are_nobodys_where_another_thread_may_have_written_what_follows() {
    let header = format!("Saw new header hash={BLOCK} height=7");
    let with = |received: &str, said: &str| {
        let lines = [format!("2024-01-02T03:04:05Z {received}"), format!("2024-01-02T03:04:05Z {said}")];
        assemble((0..).zip(lines.iter().map(String::as_str))).lines.len()
    };
    let received = |command: &str| format!("[net] received: {command} (82 bytes) peer=3");
    assert_eq!(with(&received("headers"), &header), 0, "a miner may have submitted it");
    assert_eq!(with(&received("headers"), &format!("{header} peer=3")), 1);
    assert_eq!(with(&received("headers"), &format!("{header} peer=4")), 0);
    assert_eq!(with(&received("inv"), &format!("{header} peer=3")), 0);
    let thread = |thread: &str, text: &str| format!("[{thread}] {text}");
    assert_eq!(with(&thread("msghand", &received("headers")), &thread("msghand", &header)), 1);
    assert_eq!(with(&thread("msghand", &received("headers")), &thread("httpworker.1", &header)), 0);
    let compact = format!(
        "[cmpctblock] Initialized PartiallyDownloadedBlock for block {BLOCK} using a cmpctblock of size"
    );
    assert_eq!(with(&received("cmpctblock"), &format!("{compact} 82")), 1);
    assert_eq!(with(&received("cmpctblock"), &format!("{compact} 83")), 0);
}

#[test]
fn a_refused_block_is_known_by_the_reason_or_by_its_thread() {
    let refused = |lines: &[&str]| {
        let lines: Vec<_> = lines.iter().map(|line| format!("2024-01-02T03:04:05Z {line}")).collect();
        let found = assemble((0..).zip(lines.iter().map(String::as_str)));
        found.lines.into_values().next().unwrap_or_default().into_iter().collect::<Vec<_>>()
    };
    let checked = format!("[validation] BlockChecked: block hash={BLOCK} state=bad-cb-height, no");
    let accept = "[error] AcceptBlock: bad-cb-height, no";
    let failed = "[error] ProcessNewBlock: AcceptBlock FAILED (bad-cb-height, no)";
    let other = "[error] ProcessNewBlock: AcceptBlock FAILED (high-hash)";
    assert_eq!(refused(&[accept, &checked, failed]), [0, 2]);
    assert_eq!(refused(&[accept, &checked, other]), [0]);
    assert_eq!(refused(&[accept, failed]), [0; 0]);
    let received =
        ["[net] received: block (9 bytes) peer=3".to_owned(), format!("[net] received block {BLOCK} peer=3")];
    let [received, block] = received.map(|line| format!("[msghand] {line}"));
    let [accept, failed] = [accept, failed].map(|line| format!("[msghand] {line}"));
    assert_eq!(refused(&[&received, &block, &accept, &failed]), [0, 2, 3]);
    assert_eq!(refused(&[&received, &block, &accept, &failed.replace("msghand", "httpworker.1")]), [0]);
    let marked = format!("[*] 2024-01-02T03:04:05Z {failed}");
    let lines = [&received, &block, &accept].map(|line| format!("2024-01-02T03:04:05Z {line}"));
    let lines = lines.iter().map(String::as_str).chain([marked.as_str()]);
    assert_eq!(
        assemble((0..).zip(lines)).lines[&BLOCK.parse().unwrap()].len(),
        1,
        "other lines may be left out"
    );
}

#[test]
fn a_start_of_the_node_ends_everything() {
    let run = old_run(BLOCK, 7, 1.0);
    let banner = "Bitcoin Core version v22.0.0 (release build)".to_owned();
    assert_eq!(assemble_text(&[&run[..11], &[banner], &run[11..]].concat()).told, []);
}

/// The lines of the last run of each recorded log, and an old one's.
fn runs() -> Vec<Vec<String>> {
    let of_run = |line: &&str| line.contains("[bench]") || line.contains("UpdateTip");
    let recorded = RECORDED.iter().map(|(_, log)| {
        let lines: Vec<_> = log.lines().filter(of_run).map(str::to_owned).collect();
        let start = lines.iter().rposition(|line| line.contains("- Load block from disk")).unwrap();
        let end = lines.iter().rposition(|line| line.contains("- Connect block: ")).unwrap();
        lines[start - 1..=end].to_vec()
    });
    let old = old_run(BLOCK, 7, 1.0).into_iter().map(|text| format!("2020-01-02T03:04:05Z {text}"));
    recorded.chain([old.collect()]).collect()
}

fn noise() -> impl Strategy<Value = String> {
    const TEXTS: [&str; 6] = [
        "[validation] BlockConnected: block hash=BLOCK block height=6",
        "[net] received: cmpctblock (82 bytes) peer=3",
        "[net] sending inv (37 bytes) peer=3",
        "[mempool] Checking mempool with 0 transactions and 0 inputs",
        "no message that anyone knows",
        "",
    ];
    (prop::sample::select(&TEXTS[..]), any::<bool>()).prop_map(|(text, named)| {
        let thread = if named { "[scheduler] " } else { "" };
        format!("2026-01-02T03:04:05Z {thread}{}", text.replace("BLOCK", OTHER))
    })
}

proptest! {
    #[test]
    fn lines_of_other_threads_change_nothing(
        run in prop::sample::select(runs()),
        noise in prop::collection::vec((any::<prop::sample::Index>(), noise()), 0..40),
        threads in any::<bool>(),
    ) {
        let run: Vec<_> = run.iter().map(|line| if threads { line.clone() } else { line.replace("[msghand] ", "") }).collect();
        let alone = assemble((0..).zip(run.iter().map(String::as_str)));
        prop_assert_eq!(alone.told.len(), 1);
        let mut mixed: Vec<_> = (0_u64..).zip(run).collect();
        for (place, line) in noise {
            mixed.insert(place.index(mixed.len() + 1), (1_000, line));
        }
        let mixed = assemble(mixed.iter().map(|(place, line)| (*place, line.as_str())));
        prop_assert_eq!(mixed, alone);
    }

    #[test]
    fn a_cut_at_either_end_attributes_nothing_wrongly(
        log in prop::sample::select(&RECORDED[..]),
        ends in any::<[prop::sample::Index; 2]>(),
    ) {
        let (whole, lines) = (assemble(numbered(log.1)), log.1.lines().count());
        let [start, end] = ends.map(|end| end.index(lines + 1));
        let part = assemble(numbered(log.1).skip(start.min(end)).take(start.abs_diff(end)));
        for (block, lines) in &part.lines {
            prop_assert!(lines.is_subset(&whole.lines[block]));
        }
        for told in connected(&part) {
            let of_whole = connected(&whole).into_iter().find(|whole| whole.block == told.block).unwrap();
            prop_assert_eq!((told.height, told.processing.total_us), (of_whole.height, of_whole.processing.total_us));
            let known: BTreeSet<_> = of_whole.processing.durations().collect();
            prop_assert!(told.processing.durations().all(|step| known.contains(&step)));
            prop_assert!(told.processing == of_whole.processing || told.processing.load_us.is_none());
        }
    }
}
