//! `bmon tx`.

use std::path::Path;

use bmon_event::{NodeName, Txid};
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
        table.row(vec![
            arrival.node.to_string(),
            arrival.at.clone(),
            delay(arrival, rank),
            arrival.source.as_str().to_owned(),
            fate(reply, &arrival.node),
        ]);
    }
    for node in &reply.missing {
        let fate = fate(reply, node);
        table.row(vec![node.to_string(), "not seen".into(), "-".into(), String::new(), fate]);
    }
    table.render()
}

/// What became of the transaction at a node.
fn fate(reply: &Reply, node: &NodeName) -> String {
    let rejection = reply.rejections.iter().find(|found| found.node.as_ref() == Some(node));
    let told = reply.nodes.iter().find(|told| told.node == *node);
    let left = told.and_then(|told| told.left.as_ref());
    let rejected = rejection.map(|found| format!("rejected: {}", found.body.reason));
    let left = left.map(|left| match (&left.reason, left.by) {
        (_, Some(by)) => format!("replaced by {by}"),
        (Some(reason), None) => format!("left: {reason}"),
        (None, None) => "left".to_owned(),
    });
    [rejected, left].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
