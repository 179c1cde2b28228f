//! `bmon clocks`.

use std::path::Path;

use bmon_server::api::clocks::Reply;
use clap::Args;

use super::Query;
use crate::{failure::Result, text::or_dash};

#[derive(Args)]
pub(crate) struct Clocks {
    #[command(flatten)]
    query: Query,
    /// How many times that a clock was set
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Clocks {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("clocks?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.drifts {
        let drift = &found.body;
        let end = drift.over_at.as_ref().map_or_else(|| "open".to_owned(), |at| format!("over {at}"));
        let node = or_dash(found.node.clone());
        text.push_str(&format!("{} {} {node}: {}, {end}\n", found.at, found.network, drift.drift.explain()));
    }
    for found in &reply.steps {
        let node = or_dash(found.node.clone());
        text.push_str(&format!("{} {} {node}: {}\n", found.at, found.network, found.body.explain()));
    }
    if text.is_empty() { "every clock runs as it should\n".to_owned() } else { text }
}
