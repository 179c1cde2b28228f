//! `bmon deployments`.

use std::path::Path;

use bmon_server::api::deployments::Reply;
use clap::Args;

use super::Query;
use crate::{failure::Result, text::or_dash};

#[derive(Args)]
pub(crate) struct Deployments {
    #[command(flatten)]
    query: Query,
    /// How many changes
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Deployments {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("deployments?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.version_bits {
        let (bit, when) = (&found.body, if found.body.is_open { "unknown" } else { "no more" });
        text.push_str(&format!(
            "{} bit {} {when}: in {} of {} blocks up to height {}\n",
            found.at, bit.bit, bit.blocks, bit.window, bit.height
        ));
    }
    for found in &reply.deployments {
        let change = &found.body;
        text.push_str(&format!(
            "{} {}: {} is {}, was {}, since height {}\n",
            found.at,
            or_dash(found.node.clone()),
            change.deployment,
            change.now,
            change.before.as_deref().unwrap_or("unknown"),
            or_dash(change.since_height)
        ));
    }
    if text.is_empty() { "no changes\n".to_owned() } else { text }
}
