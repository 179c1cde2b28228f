//! `bmon slow-nodes`.

use std::path::Path;

use bmon_server::api::{
    Found,
    slow_nodes::{Reply, Slow},
};
use clap::Args;

use super::Query;
use crate::{failure::Result, text::or_dash};

#[derive(Args)]
pub(crate) struct SlowNodes {
    #[command(flatten)]
    query: Query,
    /// How many times
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl SlowNodes {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("slow-nodes?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let drifts = reply.delay_drifts.iter().map(|found| line("bit by bit", found));
    let slow = reply.slow_nodes.iter().map(|found| line("at once", found));
    let text: String = drifts.chain(slow).collect();
    if text.is_empty() { "no node has become slow\n".to_owned() } else { text }
}

fn line(how: &str, found: &Found<Slow>) -> String {
    let Slow { explanation, slowness, over_at } = &found.body;
    let end = over_at.as_ref().map_or_else(|| "open".to_owned(), |at| format!("over {at}"));
    format!(
        "{} {} {}: {} {how}, {end}\n  {explanation}\n",
        found.at,
        found.network,
        or_dash(found.node.clone()),
        slowness.measure.as_str()
    )
}
