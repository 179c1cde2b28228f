//! `bmon forks`.

use std::path::Path;

use bmon_server::api::{
    Found,
    forks::{Branch, Fork, Reply},
};
use clap::Args;

use super::Query;
use crate::{failure::Result, text::list};

/// The end of `--help`.
const AFTER_HELP: &str = "\
Every fork is drawn from the last block that all branches share upwards, the branch that was seen first on top. Of a branch
at most six blocks are named, each with the pool that mined it, where its coinbase tells. What nodes make of its first
block stands below them: `active` is on the node's chain, `valid` was found so and is not on it, `header only` says that the
node has told no more.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Forks {
    #[command(flatten)]
    query: Query,
    /// How many forks
    #[arg(long, short = 'n', default_value_t = 10)]
    limit: u32,
}

impl Forks {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("forks?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let forks: Vec<_> = reply.forks.iter().map(fork).collect();
    if forks.is_empty() { "no forks\n".to_owned() } else { forks.join("\n") }
}

fn fork(found: &Found<Fork>) -> String {
    let fork = &found.body;
    let mut text = format!(
        "{} {}: {} of {} branches after block {}, {}\n  {:>8}  {}\n",
        found.at,
        found.network,
        if fork.is_race { "race" } else { "fork" },
        fork.branches.len(),
        fork.fork_height,
        outcome(fork),
        fork.fork_height,
        fork.fork,
    );
    for (place, branch) in fork.branches.iter().enumerate() {
        let is_last = place + 1 == fork.branches.len();
        draw(&mut text, fork, branch, is_last);
    }
    text
}

fn outcome(fork: &Fork) -> String {
    match (&fork.decided_at, fork.is_race, fork.winner) {
        (Some(at), _, _) => format!("decided {at}"),
        (None, true, _) => "open: the next block decides".to_owned(),
        (None, false, Some(_)) => "decided by work".to_owned(),
        (None, false, None) => "open".to_owned(),
    }
}

fn draw(text: &mut String, fork: &Fork, Branch { branch, seen_at }: &Branch, is_last: bool) {
    let has_won = fork.winner.is_some() && branch.blocks.first().copied() == fork.winner;
    let (turn, trunk) = if is_last { ("└─", "  ") } else { ("├─", "│ ") };
    let won = if has_won { ", won" } else { "" };
    let plural = if branch.length == 1 { "" } else { "s" };
    text.push_str(&format!("  {turn} {} block{plural}{won}, first seen {seen_at}\n", branch.length));
    let mut miners = branch.miners.iter();
    for (block, height) in branch.blocks.iter().zip(fork.fork_height + 1..) {
        let miner = miners.next().and_then(Option::as_deref);
        let miner = miner.map_or_else(String::new, |pool| format!("  {pool}"));
        text.push_str(&format!("  {trunk}{height:>8}  {block}{miner}\n"));
    }
    let named = u32::try_from(branch.blocks.len()).unwrap_or(u32::MAX);
    let more = branch.length.saturating_sub(named);
    if more > 0 {
        text.push_str(&format!("  {trunk}{:>8}  and {more} more\n", ""));
    }
    for (word, nodes) in [
        ("active", &branch.active_at),
        ("valid", &branch.valid_at),
        ("invalid", &branch.invalid_at),
        ("header only", &branch.header_only_at),
    ] {
        if !nodes.is_empty() {
            text.push_str(&format!("  {trunk}{:>8}  {word} at {}\n", "", list(nodes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn branch(blocks: &[char], length: u32, nodes: [&[&str]; 4]) -> serde_json::Value {
        let blocks: Vec<_> = blocks.iter().map(|digit| hash(*digit)).collect();
        let miners: Vec<_> = blocks.iter().map(|block| (*block == hash('d')).then_some("ViaBTC")).collect();
        let [active, valid, invalid, header_only] = nodes;
        json!({
            "blocks": blocks, "length": length, "miners": miners, "seen_at": "2026-05-28T20:00:00.000000Z", "seen_at_us": 0,
            "active_at": active, "valid_at": valid, "invalid_at": invalid, "header_only_at": header_only,
        })
    }

    fn reply(fork: &serde_json::Value) -> Reply {
        let mut found = json!({
            "id": "00", "revision": 1, "network": "main", "node": null, "at": "2026-05-28T20:10:00.000000Z",
            "at_us": 0, "clock_bound_us": 1, "sources": ["log"], "fork": hash('a'), "fork_height": 99,
        });
        for (key, value) in fork.as_object().unwrap() {
            found[key] = value.clone();
        }
        serde_json::from_value(json!({ "forks": [found], "next": null })).unwrap()
    }

    #[test]
    fn a_decided_fork_shows_the_winner_and_who_followed_what() {
        let reply = reply(&json!({
            "is_race": false, "winner": hash('c'), "decided_at": "2026-05-28T20:09:00.000000Z", "decided_at_us": 0,
            "branches": [
                branch(&['b'], 9, [&[], &["alice"], &["bob"], &[]]),
                branch(&['c', 'd'], 2, [&["alice", "bob"], &[], &[], &["carol"]]),
            ],
        }));
        let expected = format!(
            "2026-05-28T20:10:00.000000Z main: fork of 2 branches after block 99, decided 2026-05-28T20:09:00.000000Z\n\
             \x20       99  {}\n\
             \x20 ├─ 9 blocks, first seen 2026-05-28T20:00:00.000000Z\n\
             \x20 │      100  {}\n\
             \x20 │           and 8 more\n\
             \x20 │           valid at alice\n\
             \x20 │           invalid at bob\n\
             \x20 └─ 2 blocks, won, first seen 2026-05-28T20:00:00.000000Z\n\
             \x20        100  {}\n\
             \x20        101  {}  ViaBTC\n\
             \x20             active at alice, bob\n\
             \x20             header only at carol\n",
            hash('a'),
            hash('b'),
            hash('c'),
            hash('d'),
        );
        assert_eq!(text(&reply), expected);
    }

    #[test]
    fn a_race_says_that_it_is_one() {
        let reply = reply(&json!({
            "is_race": true, "winner": null, "decided_at": null, "decided_at_us": null,
            "branches": [branch(&['b'], 1, [&["alice"], &[], &[], &[]]), branch(&['c'], 1, [&["bob"], &[], &[], &[]])],
        }));
        let text = text(&reply);
        assert!(text.contains("race of 2 branches after block 99, open: the next block decides\n"), "{text}");
        assert!(!text.contains("won"), "{text}");
        assert_eq!(super::text(&Reply { forks: Vec::new(), next: None }), "no forks\n");
    }
}
