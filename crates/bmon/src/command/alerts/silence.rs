//! `bmon alerts silence`, `silences`, `expire`.

use std::path::Path;

use bmon_analysis::rule;
use bmon_event::{Network, NodeName};
use bmon_server::api::{length_us, silences};
use bmon_store::{Matcher, Reader};
use clap::Args;

use super::super::{
    Query,
    beside::{network, now, open},
    load,
};
use crate::{
    config::Config,
    failure::{Code, Failure, Result},
    text::list,
};

/// The end of `--help`.
const AFTER_HELP: &str = "\
An alert that is silenced keeps its state and history, and is shown as silenced. When the silence ends, notifiers are told of what
still fires; of what was over by then nobody is told. Who was told before that an alert fires is told that it is over: what Alertmanager
knows already it goes on with, so silence that there too.";

/// Which alerts are silenced, for how long, and why.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Silence {
    /// Alerts of this network: `main`, `test`, `testnet4`, `signet`, `regtest`, or the hash of block 0; of any by default
    #[arg(long, value_parser = network)]
    network: Option<Network>,
    /// Alerts of this rule; of any by default
    #[arg(long, value_parser = known_rule)]
    rule: Option<String>,
    /// Alerts about this node; by default about any or none
    #[arg(long)]
    node: Option<NodeName>,
    /// How long, like `90m`, `2h` or `7d`
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    length_us: i64,
    /// Why, for others to read
    #[arg(long)]
    comment: String,
}

impl Silence {
    pub(super) fn run(self, config: Option<&Path>) -> Result {
        let Self { network, rule, node, length_us, comment } = self;
        let matcher = Matcher { network, rule, node };
        if matcher == Matcher::default() {
            let failure =
                Failure::message(Code::Usage, "silence every alert: name a network, a rule or a node");
            return Err(failure.hint("for example --rule node-silent --node alice"));
        }
        if comment.trim().is_empty() {
            return Err(Failure::message(Code::Usage, "silence alerts without a word why: give --comment"));
        }
        let config = load(config)?;
        let mut store = open(&config)?;
        if let Some(node) = &matcher.node {
            find_node(&config, node)?;
        }
        let (begins_at, ends_at) = (now(), now().plus_micros(length_us));
        let id = store.silence(&matcher, begins_at, ends_at, comment.trim())?;
        println!("silence {id} lasts until {ends_at}; `bmon alerts expire {id}` ends it sooner");
        Ok(())
    }
}

/// A node that nobody has heard of has no alerts: its name is misspelt.
fn find_node(config: &Config, name: &NodeName) -> Result {
    let nodes = Reader::open(&bmon_server::database_path(&config.server.data_dir))?.nodes()?;
    if nodes.iter().any(|row| row.node == *name) {
        return Ok(());
    }
    let failure =
        Failure::message(Code::NotFound, format!("find node `{name}`: the server has not heard of it"));
    Err(failure.hint("`bmon nodes` lists those it has"))
}

/// Ends a silence.
#[derive(Args)]
pub(super) struct Expire {
    /// Its number, as `bmon alerts silences` shows it
    id: i64,
}

impl Expire {
    pub(super) fn run(self, config: Option<&Path>) -> Result {
        let Self { id } = self;
        if open(&load(config)?)?.expire_silence(id, now())? {
            println!("silence {id} is over");
            return Ok(());
        }
        let failure = Failure::message(Code::NotFound, format!("find silence {id} among those that last"));
        Err(failure.hint("`bmon alerts silences` lists them"))
    }
}

/// The silences.
#[derive(Args)]
pub(super) struct Silences {
    #[command(flatten)]
    query: Query,
    /// Those that are over too
    #[arg(long)]
    all: bool,
}

impl Silences {
    pub(super) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("silences?all={}", self.all), text)
    }
}

fn text(reply: &silences::Reply) -> String {
    let of = |silence: &silences::Silence| {
        let parts = [
            silence.network.as_ref().map(|network| format!("network {network}")),
            silence.rule.as_ref().map(|rule| format!("rule {rule}")),
            silence.node.as_ref().map(|node| format!("node {node}")),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let over = if silence.is_active { "" } else { ", over" };
        format!(
            "{} {}: from {} to {}{over}\n  {}\n",
            silence.id,
            list(&parts),
            silence.begins_at,
            silence.ends_at,
            silence.comment
        )
    };
    let silences: String = reply.silences.iter().map(of).collect();
    if silences.is_empty() { "no silences\n".to_owned() } else { silences }
}

fn known_rule(text: &str) -> std::result::Result<String, String> {
    let ids: Vec<_> = rule::ALL.iter().map(|rule| rule.id).collect();
    if ids.contains(&text) { Ok(text.to_owned()) } else { Err(format!("the rules are {}", list(&ids))) }
}

fn length(text: &str) -> std::result::Result<i64, String> {
    length_us(text).ok_or_else(|| "give minutes, hours or days, like `90m`, `2h` or `7d`".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_silence_says_of_what_until_when_and_why() {
        let silence = |id: i64, is_active: bool, node: Option<&str>| {
            json!({
                "id": id, "is_active": is_active, "network": "main", "rule": null, "node": node, "begins_at": "then",
                "begins_at_us": 0, "ends_at": "later", "ends_at_us": 1, "comment": "maintenance",
            })
        };
        let reply = json!({ "silences": [silence(2, true, Some("alice")), silence(1, false, None)] });
        assert_eq!(
            text(&serde_json::from_value(reply).unwrap()),
            "2 network main, node alice: from then to later\n  maintenance\n\
             1 network main: from then to later, over\n  maintenance\n"
        );
        assert_eq!(text(&silences::Reply { silences: Vec::new() }), "no silences\n");
    }
}
