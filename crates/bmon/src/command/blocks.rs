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

/// What a cell shows: `first`, a delay after the first node, `~` a delay that the clocks cannot tell from none, `?` a delay
/// of unknown error, `invalid`, or `-` for a node that does not have the block.
#[derive(Args)]
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
    let mut header =
        vec![("HEIGHT".to_owned(), Right), ("BLOCK".to_owned(), Left), ("FIRST SEEN".to_owned(), Left)];
    header.extend(nodes.iter().map(|node| (node.to_string(), Right)));
    let mut table = Table::new(header);
    for block in &reply.blocks {
        let mut row = vec![or_dash(block.height), short(&block.block), block.first_at.clone()];
        row.extend(nodes.iter().map(|node| cell(block, node)));
        table.row(row);
    }
    table.render()
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
