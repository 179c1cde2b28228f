//! `bmon validity-disagreements`.

use std::path::Path;

use bmon_server::api::validity_disagreements::Reply;
use clap::Args;

use super::Query;
use crate::{failure::Result, text::list};

#[derive(Args)]
pub(crate) struct ValidityDisagreements {
    #[command(flatten)]
    query: Query,
    /// How many blocks
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl ValidityDisagreements {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("validity-disagreements?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.validity_disagreements {
        let block = &found.body;
        let end = if block.is_open { "open" } else { "over" };
        text.push_str(&format!(
            "{} {}: block {}, {end}\n  {}\n",
            found.at, found.network, block.height, block.block
        ));
        for verdict in &block.invalid_at {
            let reason = verdict.reason.as_deref().unwrap_or("no reason told");
            text.push_str(&format!("  invalid at {}: {reason}\n", verdict.node));
        }
        let valid = if block.valid_at.is_empty() { "no node".to_owned() } else { list(&block.valid_at) };
        text.push_str(&format!("  valid at {valid}\n"));
    }
    if text.is_empty() { "no validity disagreements\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_disagreement_says_who_refused_the_block_why_and_who_did_not() {
        let block = "a".repeat(64);
        let found = |invalid_at, valid_at: &[&str], is_open: bool| {
            json!({
                "id": "00", "revision": 1, "network": "main", "node": null, "at": "then", "at_us": 0,
                "clock_bound_us": 1, "sources": ["log"], "block": block, "height": 100, "invalid_at": invalid_at,
                "valid_at": valid_at, "is_open": is_open,
            })
        };
        let verdicts =
            json!([{ "node": "carol", "reason": "bad-blk-sigops" }, { "node": "dave", "reason": null }]);
        let reply = json!({
            "validity_disagreements": [found(&verdicts, &["alice", "bob"], true), found(&json!([]), &[], false)],
            "next": null,
        });
        let expected = format!(
            "then main: block 100, open\n  {block}\n  invalid at carol: bad-blk-sigops\n  invalid at dave: no reason \
             told\n  valid at alice, bob\nthen main: block 100, over\n  {block}\n  valid at no node\n"
        );
        assert_eq!(text(&serde_json::from_value(reply).unwrap()), expected);
        let none = Reply { validity_disagreements: Vec::new(), next: None };
        assert_eq!(text(&none), "no validity disagreements\n");
    }
}
