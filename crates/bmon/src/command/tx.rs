//! `bmon tx`.

use std::path::Path;

use bmon_event::Txid;
use bmon_server::api::tx::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::delay,
};

#[derive(Args)]
pub(crate) struct Tx {
    /// The transaction's id (not the wtxid), 64 hexadecimal digits
    txid: Txid,
    #[command(flatten)]
    query: Query,
}

impl Tx {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("txs/{}", self.txid), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let mut table =
        Table::new(vec![("NODE", Left), ("SEEN AT", Left), ("DELAY", Right), ("SOURCE", Left), ("", Left)]);
    for (rank, arrival) in reply.seen.iter().enumerate() {
        let rejection = reply.rejections.iter().find(|found| found.node.as_ref() == Some(&arrival.node));
        table.row(vec![
            arrival.node.to_string(),
            arrival.at.clone(),
            delay(arrival, rank),
            arrival.source.as_str().to_owned(),
            rejection.map_or_else(String::new, |found| format!("rejected: {}", found.body.reason)),
        ]);
    }
    for node in &reply.missing {
        table.row(vec![node.to_string(), "not seen".into(), "-".into(), String::new(), String::new()]);
    }
    table.render()
}
