//! Rotated, compressed and overlapping files.

use bmon_event::AgentTime;

use super::*;

#[test]
fn compressed_files_tell_the_same_whatever_their_names() {
    let files = Files::new();
    let bob = files.add("bob.log", BOB);
    let expected =
        told(replay(&[node("alice", &[&files.add("debug.log", ALICE)]), node("bob", &[&bob])]).unwrap());
    assert_eq!(expected["reorgs"].as_array().unwrap().len(), 1);
    let (head, tail) = halves(ALICE);
    let members = [gzip(head), gzip(tail)].concat();
    let frames = [zstandard(head), zstandard(tail)].concat();
    for (name, content) in [
        ("debug.log.gz", gzip(ALICE)),
        ("debug.log.2", gzip(ALICE)),
        ("members.gz", members),
        ("debug.log.zst", zstandard(ALICE)),
        ("frames.zst", frames),
    ] {
        let alice = files.add(name, content);
        assert_eq!(
            told(replay(&[node("alice", &[&alice]), node("bob", &[&bob])]).unwrap()),
            expected,
            "{name}"
        );
    }
}

#[test]
fn rotated_files_are_read_by_their_first_times_in_whatever_order_they_are_named() {
    let files = Files::new();
    let whole = told(replay(&[node("alice", &[&files.add("whole.log", ALICE)])]).unwrap());
    let (old, new) = halves(ALICE);
    let (older, old) = halves(old);
    let older = files.add("debug.log.2.gz", gzip(older));
    let old = files.add("debug.log.1", old);
    let new = files.add("debug.log", new);
    for order in [[&older, &old, &new], [&new, &old, &older], [&old, &new, &older]] {
        let report = replay(&[node("alice", &order.map(PathBuf::as_path))]).unwrap();
        assert_eq!(file_names(&report), ["debug.log.2.gz", "debug.log.1", "debug.log"]);
        assert_eq!(report.nodes[0].files.iter().map(|file| file.lines).sum::<u64>(), report.lines.total);
        assert_eq!(told(report), whole);
    }
}

#[test]
fn files_that_overlap_are_merged_by_time() {
    let files = Files::new();
    let whole = told(replay(&[node("alice", &[&files.add("whole.log", ALICE)])]).unwrap());
    // Every other block of lines with the same time goes to the other file.
    let mut parts = [String::new(), String::new()];
    let (mut part, mut last) = (0, "");
    for line in ALICE.split_inclusive('\n') {
        let time = line.split(' ').next().unwrap();
        if time != last && time.len() == last.len() {
            part = 1 - part;
        }
        last = time;
        parts[part].push_str(line);
    }
    let parts = [files.add("even.log", &parts[0]), files.add("odd.log", &parts[1])];
    let merged = told(replay(&[node("alice", &[&parts[1], &parts[0]])]).unwrap());
    assert_eq!(merged, whole);
}

#[test]
fn a_node_that_is_named_twice_is_one_node() {
    let files = Files::new();
    let whole = told(replay(&[node("alice", &[&files.add("whole.log", ALICE)])]).unwrap());
    let (old, new) = halves(ALICE);
    let (old, new) = (files.add("old", old), files.add("new", new));
    assert_eq!(told(replay(&[node("alice", &[&new]), node("alice", &[&old])]).unwrap()), whole);
}

#[test]
fn only_what_is_within_the_window_is_told_and_every_line_is_counted() {
    let files = Files::new();
    let nodes = [node("alice", &[&files.add("a", ALICE)]), node("bob", &[&files.add("b", BOB)])];
    let whole = replay(&nodes).unwrap();
    let finished = whole.reorgs[0].finished_at.0;
    let until = |to: AgentTime| replay_within(&nodes, Window { from: None, to: Some(to) }).unwrap();
    assert_eq!(until(finished.plus_micros(1)).reorgs, whole.reorgs);
    assert_ne!(until(finished).reorgs, whole.reorgs);
    let after = replay_within(&nodes, Window { from: Some(finished.plus_micros(1)), to: None }).unwrap();
    assert_eq!(after.reorgs, []);
    assert_eq!(after.invalid_blocks, whole.invalid_blocks);
    assert_eq!(after.lines, whole.lines);
    let times =
        after.blocks.iter().flat_map(|block| block.nodes.values()).filter_map(|stages| stages.connected);
    assert!(times.clone().count() > 0 && times.clone().all(|time| time.0 > finished));
}

#[test]
fn the_same_files_give_the_same_report_on_every_run() {
    let files = Files::new();
    let nodes = [
        node("alice", &[&files.add("a", ALICE)]),
        node("bob", &[&files.add("b.gz", gzip(BOB))]),
        node("carol", &[&files.add("c.zst", zstandard(ALICE))]),
    ];
    let report = || serde_json::to_string(&replay(&nodes).unwrap()).unwrap();
    let first = report();
    for _ in 0..20 {
        assert_eq!(report(), first);
    }
}

#[test]
fn lines_are_counted_by_message() {
    let files = Files::new();
    let nodes = [node("alice", &[&files.add("a", ALICE)]), node("bob", &[&files.add("b", BOB)])];
    let lines = replay(&nodes).unwrap().lines;
    assert_eq!(lines.messages.values().sum::<u64>(), lines.matched);
    let told = [ALICE, BOB].concat().matches("Z UpdateTip: ").count() as u64;
    assert_eq!(lines.messages.get("UpdateTip"), Some(&told), "{:?}", lines.messages);
}
