//! `bmon reorgs`.

use std::path::Path;

use bmon_server::api::reorgs::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    text::{duration, or_dash},
};

#[derive(Args)]
pub(crate) struct Reorgs {
    #[command(flatten)]
    query: Query,
    /// How many reorgs
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Reorgs {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("reorgs?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.reorgs {
        let fork = or_dash(found.body.fork_height);
        let took = found.body.duration_us.map_or_else(String::new, |us| format!(", took {}", duration(us)));
        let (at, node, depth) = (&found.at, or_dash(found.node.clone()), found.body.depth);
        text.push_str(&format!("{at} {node}: {depth} deep, fork at {fork}{took}\n"));
        found.body.old.iter().for_each(|block| text.push_str(&format!("  - {block}\n")));
        found.body.new.iter().for_each(|block| text.push_str(&format!("  + {block}\n")));
    }
    if text.is_empty() { "no reorgs\n".to_owned() } else { text }
}
