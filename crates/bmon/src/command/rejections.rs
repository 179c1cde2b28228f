//! `bmon rejections`.

use std::path::Path;

use bmon_server::api::rejections::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::or_dash,
};

#[derive(Args)]
pub(crate) struct Rejections {
    #[command(flatten)]
    query: Query,
    /// How many rejections
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Rejections {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("rejections?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::Left;
    let mut table = Table::new(vec![("AT", Left), ("NODE", Left), ("TXID", Left), ("REASON", Left)]);
    for found in &reply.rejections {
        let reason = found.body.reason.clone();
        table.row(vec![found.at.clone(), or_dash(found.node.clone()), found.body.txid.to_string(), reason]);
    }
    table.render()
}
