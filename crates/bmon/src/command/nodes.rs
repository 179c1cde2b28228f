//! `bmon nodes`.

use std::path::Path;

use bmon_server::api::nodes::{Node, Reply};
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::{duration, or_dash},
};

#[derive(Args)]
pub(crate) struct Nodes {
    #[command(flatten)]
    query: Query,
}

impl Nodes {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, "nodes", text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let mut table = Table::new(vec![
        ("NODE", Left),
        ("NETWORK", Left),
        ("VERSION", Left),
        ("HEIGHT", Right),
        ("TIP AGE", Right),
        ("IN", Right),
        ("OUT", Right),
        ("MEMPOOL", Right),
        ("CLOCK", Right),
        ("HEARD", Right),
        ("SOURCES", Left),
    ]);
    for node in &reply.nodes {
        let ago = |at_us: i64| duration((reply.now_us - at_us).max(0));
        table.row(vec![
            node.node.to_string(),
            node.network.clone(),
            node.version.clone().unwrap_or_else(|| "-".to_owned()),
            or_dash(node.height),
            node.tip_at_us.map_or_else(|| "-".to_owned(), ago),
            or_dash(node.peers_in),
            or_dash(node.peers_out),
            or_dash(node.mempool_transactions),
            node.clock_bound_us.map_or_else(|| "unknown".to_owned(), |bound| format!("±{}", duration(bound))),
            ago(node.heard_at_us),
            sources(node),
        ]);
    }
    let mut text = table.render();
    for node in &reply.nodes {
        for source in node.sources.iter().filter(|source| !source.working) {
            text.push_str(&format!(
                "{}: {} does not work: {}\n",
                node.node,
                source.source.as_str(),
                source.detail
            ));
        }
        for warning in &node.warnings {
            text.push_str(&format!("{}: the node warns: {warning}\n", node.node));
        }
    }
    text
}

/// The sources by name, those that do not work with a `!`.
fn sources(node: &Node) -> String {
    let name = |source: &bmon_analysis::row::SourceRow| {
        format!("{}{}", source.source.as_str(), if source.working { "" } else { "!" })
    };
    node.sources.iter().map(name).collect::<Vec<_>>().join(" ")
}
