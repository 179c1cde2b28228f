//! `bmon invalid-blocks`.

use std::path::Path;

use bmon_server::api::invalid_blocks::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::or_dash,
};

#[derive(Args)]
pub(crate) struct InvalidBlocks {
    #[command(flatten)]
    query: Query,
    /// How many invalid blocks
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl InvalidBlocks {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("invalid-blocks?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let mut table =
        Table::new(vec![("AT", Left), ("NODE", Left), ("HEIGHT", Right), ("BLOCK", Left), ("REASON", Left)]);
    for found in &reply.invalid_blocks {
        table.row(vec![
            found.at.clone(),
            or_dash(found.node.clone()),
            or_dash(found.body.height),
            found.body.block.to_string(),
            or_dash(found.body.reason.clone()),
        ]);
    }
    table.render()
}
