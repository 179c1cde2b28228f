//! Files of old logs on the command line, for every command that reads them.

use std::{path::PathBuf, str::FromStr};

use bmon_event::{AgentTime, Network, NodeName};
use bmon_replay::{Node, Replay, Window};
use clap::Args;

use crate::failure::{Code, Failure, Result};

/// The part of event time that is looked at.
#[derive(Args)]
pub(super) struct Span {
    /// Look at nothing before this time: RFC 3339, or a date or time in UTC
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<AgentTime>,
    /// Look at nothing from this time on
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<AgentTime>,
}

impl Span {
    /// Refuses a part of the time where no files are read.
    pub(super) fn refuse_without_files(&self) -> Result {
        if self.from.is_none() && self.to.is_none() {
            return Ok(());
        }
        let failure = Failure::message(Code::Usage, "use `--from` and `--to`: no file is named");
        Err(failure.hint("they are for old logs: name files, or leave them out"))
    }

    /// Opens the files and looks into them.
    pub(super) fn open(&self, nodes: Vec<NodeFiles>) -> Result<Replay> {
        let window = Window { from: self.from, to: self.to };
        if window.from.zip(window.to).is_some_and(|(from, to)| from >= to) {
            return Err(Failure::message(Code::Usage, "use `--from`: it is not before `--to`"));
        }
        let nodes: Vec<_> = nodes.into_iter().map(|NodeFiles(node)| node).collect();
        Replay::open(&nodes, window).map_err(|error| Failure::new(Code::Usage, error))
    }
}

/// The network of a name in `getblockchaininfo`.
pub(super) fn network(name: &str) -> Result<Network> {
    Network::from_chain(name).ok_or_else(|| {
        Failure::message(Code::Usage, format!("use `--network`: unknown network `{name}`"))
            .hint("one of main, test, testnet4, signet, regtest")
    })
}

/// A node and its files.
#[derive(Clone, Debug)]
pub(super) struct NodeFiles(Node);

impl FromStr for NodeFiles {
    type Err = String;

    fn from_str(s: &str) -> std::result::Result<Self, String> {
        let (name, files) = s.split_once('=').ok_or("expected NAME=FILE[,FILE…]")?;
        let name: NodeName = name.parse().map_err(|error: bmon_event::NodeNameError| error.to_string())?;
        let files: Vec<PathBuf> =
            files.split(',').filter(|file| !file.is_empty()).map(PathBuf::from).collect();
        if files.is_empty() { Err("no file is named".to_owned()) } else { Ok(Self(Node { name, files })) }
    }
}

/// An instant with its offset from UTC, or a date or a date and time in UTC.
fn time(s: &str) -> std::result::Result<AgentTime, jiff::Error> {
    let instant = s.parse::<jiff::Timestamp>().or_else(|_| {
        let in_utc: jiff::civil::DateTime = s.parse()?;
        Ok::<_, jiff::Error>(in_utc.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
    })?;
    Ok(AgentTime::from_micros(instant.as_microsecond()))
}
