//! `bmon double-spends`.

use std::path::Path;

use bmon_analysis::{
    double_spend::{Fate, Unshared},
    finding::DoubleSpend,
};
use bmon_server::api::{Found, double_spends::Reply};
use clap::Args;

use super::Query;
use crate::{failure::Result, text::many};

/// The end of `--help`.
const AFTER_HELP: &str = "\
For each fork, what the branches beside the main chain have and others do not. A double spend pays otherwise than the
transaction in the other branch that spends the same coin, a fee bump pays the same but for the fee. What is unpaid holds the
sender's own change too, which nobody can tell apart. What one branch alone has is told once the fork is decided and every
block was read.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DoubleSpends {
    #[command(flatten)]
    query: Query,
    /// How many forks
    #[arg(long, short = 'n', default_value_t = 10)]
    limit: u32,
}

impl DoubleSpends {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("double-spends?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let forks: Vec<_> = reply.double_spends.iter().map(fork).collect();
    if forks.is_empty() { "no fork has branches that were compared\n".to_owned() } else { forks.concat() }
}

fn fork(found: &Found<DoubleSpend>) -> String {
    let fork = &found.body;
    let state = if fork.winner.is_some() { "decided" } else { "open" };
    let mut text = format!(
        "{} {}: {} after block {}, {state}\n  fork at {}\n",
        found.at,
        found.network,
        counts(fork),
        fork.fork_height,
        fork.fork
    );
    if !fork.missing.is_empty() {
        let missing = u64::try_from(fork.missing.len()).unwrap_or(u64::MAX);
        text.push_str(&format!("  {} not read yet: there may be more\n", many(missing, "block")));
    }
    fork.entries.iter().for_each(|entry| text.push_str(&transaction(entry)));
    if fork.omitted > 0 {
        text.push_str(&format!("  and {} more\n", fork.omitted));
    }
    text
}

fn counts(fork: &DoubleSpend) -> String {
    let unpaid = match fork.double_spends {
        0 => String::new(),
        _ => format!(" ({} sat unpaid)", fork.double_spent_sat),
    };
    let only_here = fork.only_here.map_or_else(String::new, |count| format!(", {count} in no other branch"));
    format!(
        "{}{unpaid}, {}{only_here}",
        many(fork.double_spends.into(), "double spend"),
        many(fork.fee_bumps.into(), "fee bump")
    )
}

fn transaction(entry: &Unshared) -> String {
    let fate = match entry.fate {
        Fate::DoubleSpend => "double spend",
        Fate::FeeBump => "fee bump",
        Fate::OnlyHere => "in no other branch",
    };
    let mut text = format!("  - {} {fate}\n    in {}\n", entry.txid, entry.block);
    for other in &entry.replacements {
        let pays = match (other.pays_the_same, other.unpaid_sat) {
            (true, _) => "pays the same".to_owned(),
            (false, unpaid) => format!("leaves {unpaid} sat unpaid"),
        };
        text.push_str(&format!("  + {} {pays}\n    in {}\n", other.txid, other.block));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(digit: &str) -> String {
        digit.repeat(64)
    }

    fn reply(fork: &serde_json::Value) -> Reply {
        let mut found = json!({
            "id": "00", "revision": 1, "network": "main", "node": null, "at": "then", "at_us": 0,
            "clock_bound_us": 1, "sources": ["log"], "fork": hash("a"), "fork_height": 99,
            "branches": [[hash("b")], [hash("c")]],
        });
        for (key, value) in fork.as_object().unwrap() {
            found[key] = value.clone();
        }
        serde_json::from_value(json!({ "double_spends": [found], "next": null })).unwrap()
    }

    #[test]
    fn a_fork_shows_what_was_spent_twice_and_what_it_left_unpaid() {
        let other = |txid: &str, pays_the_same, unpaid: u64| {
            let (txid, block) = (hash(txid), hash("b"));
            json!([{ "txid": txid, "block": block, "pays_the_same": pays_the_same, "unpaid_sat": unpaid }])
        };
        let entry = |txid: &str, fate, replacements| json!({ "txid": hash(txid), "block": hash("c"), "fate": fate, "replacements": replacements });
        let reply = reply(&json!({
            "winner": hash("b"), "missing": [], "double_spends": 1, "double_spent_sat": 70_000, "fee_bumps": 2,
            "only_here": 1, "omitted": 1, "entries": [
                entry("1", "double-spend", other("2", false, 70_000)), entry("3", "fee-bump", other("4", true, 0)),
                entry("5", "only-here", json!([])),
            ],
        }));
        let [fork, b, c] = ["a", "b", "c"].map(hash);
        let [one, two, three, four, five] = ["1", "2", "3", "4", "5"].map(hash);
        let expected = format!(
            "then main: 1 double spend (70000 sat unpaid), 2 fee bumps, 1 in no other branch after block 99, decided\n  \
             fork at {fork}\n  - {one} double spend\n    in {c}\n  + {two} leaves 70000 sat unpaid\n    in {b}\n  \
             - {three} fee bump\n    in {c}\n  + {four} pays the same\n    in {b}\n  - {five} in no other branch\n    \
             in {c}\n  and 1 more\n"
        );
        assert_eq!(text(&reply), expected);
    }

    #[test]
    fn blocks_that_were_not_read_are_told() {
        let reply = reply(&json!({
            "winner": null, "missing": [hash("c")], "double_spends": 0, "double_spent_sat": 0, "fee_bumps": 0,
            "only_here": null, "entries": [], "omitted": 0,
        }));
        let expected = format!(
            "then main: 0 double spends, 0 fee bumps after block 99, open\n  fork at {}\n  1 block not read yet: there \
             may be more\n",
            hash("a")
        );
        assert_eq!(text(&reply), expected);
        let none = Reply { double_spends: Vec::new(), next: None };
        assert_eq!(text(&none), "no fork has branches that were compared\n");
    }
}
