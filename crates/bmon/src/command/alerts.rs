//! `bmon alerts`.

use std::path::Path;

use bmon_server::{api::alerts::Reply, notify::NotifierKind};
use clap::{Args, Subcommand};

use super::{Query, load, server};
use crate::{
    failure::{Code, Failure, Result},
    text::list,
};

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
    /// Tell a notifier of an alert `bmon-test`
    Test(Test),
}

#[derive(Args)]
struct Test {
    /// Who is told: `alertmanager` or `webhook`
    #[arg(value_parser = notifier)]
    notifier: NotifierKind,
}

impl Test {
    fn run(self, config: Option<&Path>) -> Result {
        let kind = self.notifier;
        let settings = load(config)?.server;
        let (named, links) = (server::notifiers(&settings)?, server::links(&settings)?);
        let Some((_, target)) = named.into_iter().find(|(named, _)| *named == kind) else {
            let why = anyhow::anyhow!("tell a notifier: no `{kind}` is named in the configuration");
            let hint = format!("give its address as `{kind}` in table `server`");
            return Err(Failure::new(Code::Usage, why).hint(hint));
        };
        let then = kind.at(&target, &links).test().map_err(|error| Failure::new(Code::Unreachable, error))?;
        println!("{} took the alert `bmon-test`; {then}", target.shown());
        Ok(())
    }
}

fn notifier(text: &str) -> std::result::Result<NotifierKind, String> {
    let known = NotifierKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| format!("there are {}", list(&NotifierKind::ALL.map(NotifierKind::as_str))))
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
