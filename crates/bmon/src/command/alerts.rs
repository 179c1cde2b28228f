//! `bmon alerts`.

mod silence;

use std::path::Path;

use bmon_analysis::alert::AlertState;
use bmon_server::{api::alerts::Reply, notify::NotifierKind};
use clap::{Args, Subcommand};

use self::silence::{Expire, Silence, Silences};
use super::{Query, load, server};
use crate::{
    client::encoded,
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
    /// Those that were not over before this, like `7d` or `2026-05-31T18:00:00Z`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those in this state: `pending`, `firing` or `resolved`
    #[arg(long, value_parser = state)]
    state: Option<AlertState>,
    /// How many alerts
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

#[derive(Subcommand)]
enum Command {
    /// Tell a notifier of an alert `bmon-test`
    Test(Test),
    /// Let no notifier be told of some alerts for a while; run on the server's host
    Silence(Silence),
    /// The silences that last
    Silences(Silences),
    /// End a silence; run on the server's host
    Expire(Expire),
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
        match self.command {
            Some(Command::Test(test)) => return test.run(config),
            Some(Command::Silence(silence)) => return silence.run(config),
            Some(Command::Silences(silences)) => return silences.run(config),
            Some(Command::Expire(expire)) => return expire.run(config),
            None => {}
        }
        let is_history = self.all || self.since.is_some() || self.state.is_some();
        let mut path = format!("alerts?open={}&limit={}", !is_history, self.limit);
        if let Some(since) = &self.since {
            path.push_str(&format!("&since={}", encoded(since)));
        }
        if let Some(state) = self.state {
            path.push_str(&format!("&state={state}"));
        }
        self.query.show(config, &path, |reply| text(reply, is_history))
    }
}

fn state(text: &str) -> std::result::Result<AlertState, String> {
    let known = AlertState::ALL.into_iter().find(|state| state.as_str() == text);
    known.ok_or_else(|| format!("there are {}", list(&AlertState::ALL.map(AlertState::as_str))))
}

fn text(reply: &Reply, is_history: bool) -> String {
    let mut text = String::new();
    for alert in &reply.alerts {
        let over = alert.resolved_at.as_ref().map_or_else(String::new, |at| format!(", over at {at}"));
        let silenced = alert.silenced_by.as_ref().map_or_else(String::new, |silence| {
            format!(", silenced until {} ({})", silence.ends_at, silence.comment)
        });
        text.push_str(&format!(
            "{} {} {} {}: since {}{over}{silenced}\n  {}\n  {}\n",
            alert.severity,
            alert.state,
            alert.network,
            alert.rule,
            alert.active_at,
            alert.summary,
            alert.runbook
        ));
    }
    match (text.is_empty(), is_history) {
        (false, _) => text,
        (true, true) => "no alerts\n".to_owned(),
        (true, false) => {
            "no open alerts; `--all`, `--since` and `--state` show those that are over\n".to_owned()
        }
    }
}
