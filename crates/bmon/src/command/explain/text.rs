//! The explanation for people: at most 100 columns wide.

use bmon_analysis::explain::{Explanation, Node, Step};
use bmon_event::Source;

use crate::text::{after_first, broken, or_dash, signed};

/// Columns of a line.
const WIDTH: usize = 100;

/// Lines shown of a step; the JSON document has all.
const LISTED: usize = 8;

/// Blanks before the second and later lines of a step's text: room for a hash beside them.
const HANGING: usize = 30;

/// Before every log line.
const QUOTE: &str = "      | ";

pub(super) fn explanation(explanation: &Explanation) -> String {
    let mut text = format!("{} {}\n", explanation.subject, explanation.hash);
    text.push_str(&summary(explanation));
    for node in &explanation.nodes {
        text.push('\n');
        text.push_str(&self::node(node));
    }
    if !explanation.unknown.is_empty() {
        text.push('\n');
    }
    explanation.unknown.iter().for_each(|unknown| text.push_str(&wrapped("note: ", unknown, 6)));
    text
}

/// What is known of the subject itself, and by how many nodes.
fn summary(explanation: &Explanation) -> String {
    let known = explanation.nodes.iter().filter(|node| !node.steps.is_empty()).count();
    let mut parts = vec![format!("known to {known} of {} nodes", explanation.nodes.len())];
    parts.extend(explanation.height.map(|height| format!("height {height}")));
    parts.extend(explanation.network.as_ref().map(|network| format!("network {network}")));
    let mut text = wrapped("", &parts.join(", "), 0);
    let wtxid = explanation.wtxid.map(|wtxid| wtxid.to_string()).filter(|wtxid| *wtxid != explanation.hash);
    if let Some(wtxid) = wtxid {
        text.push_str(&format!("wtxid {wtxid}\n"));
    }
    text
}

fn node(node: &Node) -> String {
    let delay = match (node.delay_us, node.bound_us) {
        (None, _) if node.steps.is_empty() => "nothing known".to_owned(),
        (None, _) => "without times".to_owned(),
        (Some(delay_us), bound_us) => after_first(delay_us, bound_us),
    };
    let version = node.version.as_ref().map_or_else(String::new, |version| format!("; {version}"));
    let mut text = wrapped("", &format!("{}: {delay}{version}", node.node), 2);
    node.steps.iter().for_each(|step| text.push_str(&self::step(step)));
    node.unknown.iter().for_each(|unknown| text.push_str(&wrapped("  note: ", unknown, 8)));
    text
}

fn step(step: &Step) -> String {
    let after = or_dash(step.after_us.map(signed));
    let head = match step.at {
        Some(at) => format!("  {} {after:>9}  ", at.0),
        None => "  ".to_owned(),
    };
    let by = if step.source == Source::Log {
        String::new()
    } else {
        format!(" (told by {})", step.source.as_str())
    };
    let mut text = wrapped(&head, &format!("{}{by}", step.text), HANGING);
    for line in step.lines.iter().take(LISTED) {
        text.push_str(&quoted(line));
    }
    if let Some(more @ 1..) = step.lines.len().checked_sub(LISTED) {
        text.push_str(&format!("{QUOTE}and {more} more lines: `--json` has all\n"));
    }
    text
}

/// A log line, broken at blanks where it is too long.
fn quoted(line: &str) -> String {
    let mut text = String::new();
    for part in broken(&printable(line), WIDTH - QUOTE.len()) {
        text.push_str(&format!("{QUOTE}{part}\n"));
    }
    text
}

/// A sentence behind `head`, broken at blanks, with `indent` blanks before what follows.
fn wrapped(head: &str, sentence: &str, indent: usize) -> String {
    let parts = broken(&printable(sentence), WIDTH - indent.max(head.chars().count()));
    format!("{head}{}\n", parts.join(&format!("\n{:indent$}", "")))
}

/// Text of a node without what a terminal would obey.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            printable.extend(letter.escape_default());
        } else {
            printable.push(letter);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_at_blanks_and_nothing_of_it_is_lost() {
        let line = format!("Saw new header hash={} height=7 {}", "0a".repeat(32), "word ".repeat(30));
        let quoted = quoted(&line);
        assert!(
            quoted.lines().all(|part| part.starts_with(QUOTE) && part.chars().count() <= WIDTH),
            "{quoted}"
        );
        let words: Vec<_> = quoted.lines().flat_map(|part| part[QUOTE.len()..].split_whitespace()).collect();
        assert_eq!(words, line.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn a_terminal_obeys_nothing_that_stands_in_a_log() {
        assert_eq!(quoted("a\u{1b}[2Jb\tc\u{9b}d"), format!("{QUOTE}a\\u{{1b}}[2Jb\\tc\\u{{9b}}d\n"));
    }

    #[test]
    fn of_many_lines_the_first_are_shown_and_the_others_counted() {
        let step = Step {
            at: None,
            after_us: None,
            source: Source::Zmq,
            message: None,
            text: "connected".to_owned(),
            lines: vec!["x".to_owned(); LISTED + 2],
        };
        let text = self::step(&step);
        assert!(text.starts_with("  connected (told by zmq)\n"), "{text}");
        assert!(text.ends_with("      | and 2 more lines: `--json` has all\n"), "{text}");
        assert_eq!(text.lines().count(), 1 + LISTED + 1);
    }
}
