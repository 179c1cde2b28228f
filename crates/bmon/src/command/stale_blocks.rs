//! `bmon stale-blocks`.

use std::path::Path;

use bmon_analysis::finding::NodeStatus;
use bmon_server::api::stale_blocks::{Reply, StaleBlock};
use clap::Args;

use super::Query;
use crate::{failure::Result, text::status};

#[derive(Args)]
pub(crate) struct StaleBlocks {
    #[command(flatten)]
    query: Query,
    /// How many stale blocks
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
    /// Print every one as CSV instead: height, hash and header, the highest first
    #[arg(long, conflicts_with_all = ["json", "limit"])]
    csv: bool,
    /// With `--csv`: the network, where the server knows of several
    #[arg(long, requires = "csv")]
    network: Option<String>,
}

impl StaleBlocks {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        if self.csv {
            let network = self.network.map(|network| format!("?network={network}")).unwrap_or_default();
            return self.query.pass(config, &format!("stale-blocks.csv{network}"));
        }
        self.query.show(config, &format!("stale-blocks?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.stale_blocks {
        let block = &found.body.block;
        text.push_str(&format!(
            "{} {}: block {}, {}\n",
            found.at,
            found.network,
            block.height,
            word(&found.body)
        ));
        text.push_str(&format!("  {}\n", block.block));
        text.push_str(&format!("  in its place {}\n", block.replaced_by));
        text.push_str(&format!("  fork at {} {}\n", block.fork_height, block.fork));
        text.push_str(&format!("  {}\n", nodes(&block.nodes)));
    }
    if text.is_empty() { "no stale blocks\n".to_owned() } else { text }
}

fn word(block: &StaleBlock) -> &'static str {
    match (block.block.is_stale, block.is_invalid) {
        (false, _) => "not stale any more",
        (true, true) => "invalid",
        (true, false) => "stale",
    }
}

fn nodes(statuses: &[NodeStatus]) -> String {
    let of_node = |of: &NodeStatus| format!("{} {}", of.node, status(of.status));
    let nodes: Vec<_> = statuses.iter().map(of_node).collect();
    if nodes.is_empty() { "known to no node".to_owned() } else { nodes.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stale_block_says_what_replaced_it_and_who_knows_it() {
        let [block, other, fork] = ["a", "b", "c"].map(|digit| digit.repeat(64));
        let reply: Reply = serde_json::from_value(json!({ "stale_blocks": [{
            "id": "00", "revision": 1, "network": "main", "node": null, "at": "then", "at_us": 0,
            "clock_bound_us": 1, "sources": ["log"], "block": block, "height": 100, "header": "00",
            "replaced_by": other, "fork": fork, "fork_height": 99, "is_stale": true, "is_invalid": false,
            "nodes": [{ "node": "alice", "status": "header-only" }, { "node": "bob", "status": "valid" }],
        }], "next": null }))
        .unwrap();
        let expected = format!(
            "then main: block 100, stale\n  {block}\n  in its place {other}\n  fork at 99 {fork}\n  \
             alice header only, bob valid\n"
        );
        assert_eq!(text(&reply), expected);
        assert_eq!(text(&Reply { stale_blocks: Vec::new(), next: None }), "no stale blocks\n");
    }
}
