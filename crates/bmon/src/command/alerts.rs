//! `bmon alerts`.

use std::path::Path;

use bmon_server::api::alerts::Reply;
use clap::Args;

use super::Query;
use crate::failure::Result;

#[derive(Args)]
pub(crate) struct Alerts {
    #[command(flatten)]
    query: Query,
    /// Those that are over too
    #[arg(long)]
    all: bool,
    /// How many alerts
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Alerts {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        let open = !self.all;
        self.query
            .show(config, &format!("alerts?open={open}&limit={}", self.limit), |reply| text(reply, self.all))
    }
}

fn text(reply: &Reply, all: bool) -> String {
    let mut text = String::new();
    for alert in &reply.alerts {
        let over = alert.resolved_at.as_ref().map_or_else(String::new, |at| format!(", over at {at}"));
        text.push_str(&format!(
            "{} {} {} {}: since {}{over}\n  {}\n  {}\n",
            alert.severity,
            alert.state,
            alert.network,
            alert.rule,
            alert.active_at,
            alert.summary,
            alert.runbook
        ));
    }
    match (text.is_empty(), all) {
        (false, _) => text,
        (true, true) => "no alerts\n".to_owned(),
        (true, false) => "no open alerts; `--all` shows those that are over\n".to_owned(),
    }
}
