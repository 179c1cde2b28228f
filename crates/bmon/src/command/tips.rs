//! `bmon tips`.

use std::path::Path;

use bmon_analysis::tree::Status;
use bmon_event::NodeName;
use bmon_server::api::tips::{Reply, Tip, Tips as NetworkTips};
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::status,
};

/// The end of `--help`.
const AFTER_HELP: &str = "\
What a node's column shows of the end of a branch:
  active       it is on the node's active chain
  valid        the node found it valid, and it is not on its active chain
  header only  the node has its header, and has told no more
  invalid      the node found it invalid, or a block below it
  -            the node has not told that it knows it";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Tips {
    #[command(flatten)]
    query: Query,
}

impl Tips {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, "tips", text)
    }
}

fn text(reply: &Reply) -> String {
    let networks: Vec<_> = reply.networks.iter().map(network).collect();
    if networks.is_empty() { "no headers are known yet\n".to_owned() } else { networks.join("\n") }
}

fn network(tips: &NetworkTips) -> String {
    use Align::{Left, Right};
    let nodes: Vec<&NodeName> = tips.nodes.iter().map(|at| &at.node).collect();
    let mut header: Vec<_> =
        [("HEIGHT", Right), ("BLOCK", Left), ("BRANCH", Right), ("FORK", Right), ("FIRST SEEN", Left)]
            .map(|(name, align)| (name.to_owned(), align))
            .to_vec();
    header.extend(nodes.iter().map(|node| (node.to_string(), Left)));
    let mut table = Table::new(header);
    for tip in &tips.tips {
        table.row(row(tip, &nodes));
    }
    let mut at = Table::new(vec![("NODE", Left), ("HEIGHT", Right), ("BEHIND", Right), ("TIP", Left)]);
    for node in &tips.nodes {
        at.row(vec![
            node.node.to_string(),
            node.height.to_string(),
            node.blocks_behind.to_string(),
            node.tip.to_string(),
        ]);
    }
    format!("network {}\n{}\n{}", tips.network, table.render(), at.render())
}

fn row(Tip { tip, seen_at }: &Tip, nodes: &[&NodeName]) -> Vec<String> {
    let is_main = tip.branch_length == 0;
    let or_main = |number: u32, main: &str| if is_main { main.to_owned() } else { number.to_string() };
    let mut row = vec![
        tip.height.to_string(),
        tip.block.to_string(),
        or_main(tip.branch_length, "main"),
        or_main(tip.fork_height, "-"),
        seen_at.clone(),
    ];
    row.extend(nodes.iter().map(|node| {
        let known = tip.nodes.iter().find(|of| of.node == **node);
        status(known.map_or(Status::Unknown, |of| of.status)).to_owned()
    }));
    row
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_end_has_its_whole_hash_and_a_column_for_each_node() {
        let (main, side) = ("a".repeat(64), "b".repeat(64));
        let reply: Reply = serde_json::from_value(json!({ "networks": [{
            "network": "main",
            "tips": [
                { "block": main, "height": 101, "branch_length": 0, "fork": main, "fork_height": 101, "seen_at": "now",
                  "seen_at_us": 0, "nodes": [{ "node": "alice", "status": "active" }] },
                { "block": side, "height": 100, "branch_length": 2, "fork": main, "fork_height": 98, "seen_at": "then",
                  "seen_at_us": 0, "nodes": [{ "node": "bob", "status": "header-only" }] },
            ],
            "nodes": [
                { "node": "alice", "tip": main, "height": 101, "blocks_behind": 0 },
                { "node": "bob", "tip": main, "height": 101, "blocks_behind": 0 },
            ],
        }]}))
        .unwrap();
        let wide = " ".repeat(59);
        let expected = format!(
            "network main\n\
             HEIGHT  BLOCK{wide}  BRANCH  FORK  FIRST SEEN  alice   bob\n\
             \x20  101  {main}    main     -  now         active  -\n\
             \x20  100  {side}       2    98  then        -       header only\n\
             \n\
             NODE   HEIGHT  BEHIND  TIP\n\
             alice     101       0  {main}\n\
             bob       101       0  {main}\n"
        );
        assert_eq!(text(&reply), expected);
        assert_eq!(text(&Reply { networks: Vec::new() }), "no headers are known yet\n");
    }
}
