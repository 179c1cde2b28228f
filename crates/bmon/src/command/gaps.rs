//! `bmon gaps`.

use std::path::Path;

use bmon_server::api::gaps::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::or_dash,
};

#[derive(Args)]
pub(crate) struct Gaps {
    #[command(flatten)]
    query: Query,
    /// How many gaps
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Gaps {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("gaps?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let mut table = Table::new(vec![
        ("NODE", Left),
        ("SOURCE", Left),
        ("FROM", Left),
        ("TO", Left),
        ("LOST", Right),
        ("REASON", Left),
    ]);
    for found in &reply.gaps {
        table.row(vec![
            or_dash(found.node.clone()),
            found.body.source.as_str().to_owned(),
            or_dash(found.body.from.clone()),
            found.body.to.clone(),
            found.body.lost.map_or_else(|| "unknown".to_owned(), |lost| lost.to_string()),
            found.body.reason.clone(),
        ]);
    }
    table.render()
}
