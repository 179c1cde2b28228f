//! `bmon vanished-messages`.

use std::path::Path;

use bmon_server::api::vanished_messages::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::or_dash,
};

#[derive(Args)]
pub(crate) struct VanishedMessages {
    #[command(flatten)]
    query: Query,
    /// How many messages
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl VanishedMessages {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("vanished-messages?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let mut table = Table::new(vec![
        ("NODE", Left),
        ("MESSAGE", Left),
        ("SINCE", Left),
        ("LINES BEFORE", Right),
        ("EXPECTED", Right),
        ("CAME AT", Left),
        ("VERSION", Left),
    ]);
    for found in &reply.vanished_messages {
        table.row(vec![
            or_dash(found.node.clone()),
            or_dash(found.body.message.clone()),
            found.body.watched_from.clone(),
            found.body.lines_before.to_string(),
            format!("{:.0}", found.body.expected),
            or_dash(found.body.came_at.clone()),
            found.body.version_after.clone(),
        ]);
    }
    table.render()
}
