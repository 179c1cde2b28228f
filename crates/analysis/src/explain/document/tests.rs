use super::*;
use crate::explain::{LogLine, witness::Categories};

const BLOCK: &str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

fn subject() -> Subject {
    Subject::Block(BLOCK.parse().unwrap())
}

/// A node whose log has the header at `at_us`, `None` for one whose log does not.
fn witness(name: &str, at_us: Option<i64>, offset: Option<(i64, i64)>) -> Witness {
    let line = |us: i64| LogLine {
        at: Some(NodeTime::from_micros(us)),
        raw: format!("Saw new header hash={BLOCK} height=7").into_bytes(),
    };
    let time = |us| Some(AgentTime::from_micros(us));
    Witness {
        log: Some(LogRead {
            from: time(0),
            to: time(1_000),
            lines: Some(9),
            is_complete: true,
            categories: None,
        }),
        lines: at_us.into_iter().map(line).collect(),
        offset: offset.map(|(min_us, max_us)| Offset { min_us, max_us }),
        ..Witness::new(name.parse().unwrap())
    }
}

/// Name, delay and its bound of each node.
fn delays(witnesses: Vec<Witness>) -> Vec<(String, Option<i64>, Option<i64>)> {
    let nodes = Explanation::new(subject(), witnesses).nodes;
    nodes.into_iter().map(|node| (node.node.to_string(), node.delay_us, node.bound_us)).collect()
}

#[test]
fn nodes_stand_by_the_servers_clock_with_both_errors() {
    // Alice's own clock shows it first, but is 1,000 behind.
    let alice = witness("alice", Some(100), Some((990, 1_010)));
    let bob = witness("bob", Some(600), Some((-30, 30)));
    let expected = [("bob".to_owned(), Some(0), Some(0)), ("alice".to_owned(), Some(500), Some(40))];
    assert_eq!(delays(vec![alice, bob]), expected);
}

#[test]
fn without_offsets_the_difference_is_unknown_and_said_to_be() {
    let both = || vec![witness("alice", Some(100), Some((0, 0))), witness("bob", Some(300), None)];
    assert_eq!(delays(both()), [("alice".to_owned(), Some(0), Some(0)), ("bob".to_owned(), Some(200), None)]);
    let unknown = Explanation::new(subject(), both()).unknown;
    assert!(unknown.iter().any(|unknown| unknown.contains("clocks")), "{unknown:?}");
    let alone = Explanation::new(subject(), vec![witness("alice", Some(100), None)]);
    assert_eq!((alone.unknown, alone.nodes[0].bound_us, alone.height), (vec![], Some(0), Some(7)));
}

#[test]
fn a_node_that_does_not_know_it_comes_last_and_says_why() {
    let late = Witness {
        log: Some(LogRead {
            from: Some(AgentTime::from_micros(500)),
            to: Some(AgentTime::from_micros(900)),
            lines: Some(3),
            is_complete: true,
            categories: Some(Categories::default()),
        }),
        ..witness("late", None, None)
    };
    let explanation = Explanation::new(subject(), vec![late, witness("alice", Some(100), None)]);
    assert!(explanation.is_known());
    let late = &explanation.nodes[1];
    assert_eq!((late.node.as_str(), late.steps.len(), late.delay_us, late.bound_us), ("late", 0, None, None));
    for expected in
        ["does not mention it (3 lines", "begins at 1970-01-01T00:00:00.000500Z, after alice", "`-debug=net`"]
    {
        assert!(
            late.unknown.iter().any(|unknown| unknown.contains(expected)),
            "{expected}: {:?}",
            late.unknown
        );
    }
}

#[test]
fn steps_are_measured_from_the_first_step_of_all() {
    let mut alice = witness("alice", Some(100), None);
    alice.lines.push(LogLine {
        at: Some(NodeTime::from_micros(450)),
        raw: format!("[validation] BlockChecked: block hash={BLOCK} state=Valid").into_bytes(),
    });
    let explanation = Explanation::new(subject(), vec![alice, witness("bob", Some(80), None)]);
    let after: Vec<Vec<_>> =
        explanation.nodes.iter().map(|node| node.steps.iter().map(|step| step.after_us).collect()).collect();
    assert_eq!(after, [vec![Some(0)], vec![Some(20), Some(370)]]);
}

#[test]
fn a_log_that_was_not_wholly_searched_is_told() {
    let mut alice = witness("alice", Some(100), None);
    alice.log = Some(LogRead { is_complete: false, ..LogRead::default() });
    let explanation = Explanation::new(subject(), vec![alice]);
    assert_eq!(explanation.nodes[0].unknown, ["not all of its log was searched: there may be more lines"]);
}

#[test]
fn nothing_known_is_known_of_a_block_that_nobody_mentions() {
    let explanation = Explanation::new(subject(), vec![witness("alice", None, None)]);
    assert!(!explanation.is_known());
    assert_eq!(
        (explanation.hash.as_str(), explanation.subject, explanation.unknown.len()),
        (BLOCK, "block", 0)
    );
}
