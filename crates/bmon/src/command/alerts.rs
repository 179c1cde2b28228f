//! `bmon alerts`.

use std::path::Path;

use bmon_server::{api::alerts::Reply, notify::Alertmanager};
use clap::{Args, Subcommand};

use super::{Query, load};
use crate::failure::{Code, Failure, Result};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Alerts {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    query: Query,
    /// Those that are over too
    #[arg(long)]
    all: bool,
    /// How many alerts
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

#[derive(Subcommand)]
enum Command {
    /// Tell a notifier of an alert `bmon-test`, which ends after a minute
    Test(Test),
}

#[derive(Args)]
struct Test {
    /// Who is told: `alertmanager`
    notifier: String,
}

impl Test {
    fn run(self, config: Option<&Path>) -> Result {
        if self.notifier != Alertmanager::NAME {
            let why = anyhow::anyhow!("find a notifier `{}`", self.notifier);
            return Err(Failure::new(Code::Usage, why).hint("there is `alertmanager`"));
        }
        let url = load(config)?.server.alertmanager;
        if url.is_empty() {
            let why = anyhow::anyhow!("tell Alertmanager: none is named in the configuration");
            return Err(
                Failure::new(Code::Usage, why).hint("give its address as `alertmanager` in table `server`")
            );
        }
        Alertmanager::new(&url).test().map_err(|error| Failure::new(Code::Unreachable, error))?;
        println!("{url} took the alert `bmon-test`; it ends after a minute");
        Ok(())
    }
}

impl Alerts {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        if let Some(Command::Test(test)) = self.command {
            return test.run(config);
        }
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
