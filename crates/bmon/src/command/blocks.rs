//! `bmon blocks`.

use std::{collections::BTreeSet, path::Path};

use bmon_event::NodeName;
use bmon_server::api::blocks::{Block, Reply};
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::{delay, or_dash, short},
};

/// The end of `--help`.
const AFTER_HELP: &str = "\
MINER is the pool that mined it, as far as its coinbase tells: `?` if that shows none that is known, `-` while it was not
read.

What a node's column shows:
  first      it connected the block before all others
  +12.3 ms   it did so later than the first node
  ~12.3 ms   the clocks cannot tell this delay from none
  +12.3 ms?  nothing is known of a clock, so the delay may be the clocks' difference
  invalid    it found the block invalid
  -          it has not connected the block, or nothing was heard of that";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Blocks {
    #[command(flatten)]
    query: Query,
    /// How many blocks
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Blocks {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("blocks?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let nodes: BTreeSet<&NodeName> = reply.blocks.iter().flat_map(everyone).collect();
    let mut header = ["HEIGHT", "BLOCK", "FIRST SEEN", "MINER"]
        .map(|name| (name.to_owned(), if name == "HEIGHT" { Right } else { Left }))
        .to_vec();
    header.extend(nodes.iter().map(|node| (node.to_string(), Right)));
    let mut table = Table::new(header);
    for block in &reply.blocks {
        let mut row = vec![or_dash(block.height), short(&block.block), block.first_at.clone(), miner(block)];
        row.extend(nodes.iter().map(|node| cell(block, node)));
        table.row(row);
    }
    table.render()
}

fn miner(block: &Block) -> String {
    block.miner.as_ref().map_or("-", |miner| miner.pool.as_deref().unwrap_or("?")).to_owned()
}

fn everyone(block: &Block) -> impl Iterator<Item = &NodeName> {
    block.connected.iter().map(|arrival| &arrival.node).chain(&block.missing).chain(&block.invalid_for)
}

fn cell(block: &Block, node: &NodeName) -> String {
    if block.invalid_for.contains(node) {
        return "invalid".to_owned();
    }
    let rank = block.connected.iter().position(|arrival| arrival.node == *node);
    rank.map_or_else(|| "-".to_owned(), |rank| delay(&block.connected[rank], rank))
}
