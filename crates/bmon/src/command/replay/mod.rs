//! `bmon replay`.

mod progress;
mod text;

use std::{
    io::{self, BufWriter, ErrorKind, Write as _},
    path::PathBuf,
    str::FromStr,
};

use bmon_analysis::{Settings, replay::Report, row::Row};
use bmon_event::{AgentTime, Network, NodeName};
use bmon_replay::{Node, Replay as Files, Window};
use bmon_store::{Commit, Store};
use clap::Args;

use crate::failure::{Code, Failure, Result};

/// The end of `--help`.
const AFTER_HELP: &str = "\
Files:
  debug.log as it is, compressed (gzip, zstd) or rotated (debug.log.1), or `-` for standard input. Their order does
  not matter: the files of a node are read by the first time in each, and merged where they overlap. A file that ends
  in .csv or .csv.gz is a tip history: rows `height,hash,milliseconds` in any order.

Example:
  bmon replay alice=alice/debug.log,alice/debug.log.1.gz bob=bob/debug.log --from 2026-11-01 --to 2026-12-01";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Replay {
    /// A node's name and its files
    #[arg(required = true, value_name = "NAME=FILE[,FILE…]")]
    nodes: Vec<NodeFiles>,
    /// The network that the nodes were on
    #[arg(long, default_value = "main")]
    network: String,
    /// Look at nothing before this time: RFC 3339, or a date or time in UTC
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<AgentTime>,
    /// Look at nothing from this time on
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<AgentTime>,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
    /// Also write blocks, nodes and findings into a server's database (`bmon.sqlite` in its data folder)
    #[arg(long, value_name = "DB")]
    store: Option<PathBuf>,
}

/// A node and its files.
#[derive(Clone, Debug)]
struct NodeFiles(Node);

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

impl Replay {
    pub(crate) fn run(self) -> Result {
        let network = Network::from_chain(&self.network).ok_or_else(|| {
            Failure::message(Code::Usage, format!("use `--network`: unknown network `{}`", self.network))
                .hint("one of main, test, testnet4, signet, regtest")
        })?;
        let nodes: Vec<_> = self.nodes.into_iter().map(|NodeFiles(node)| node).collect();
        let window = Window { from: self.from, to: self.to };
        if window.from.zip(window.to).is_some_and(|(from, to)| from >= to) {
            return Err(Failure::message(Code::Usage, "use `--from`: it is not before `--to`"));
        }
        let files = Files::open(&nodes, window).map_err(|error| Failure::new(Code::Usage, error))?;
        let mut store = self.store.as_deref().map(Store::open).transpose()?;
        let keep = |rows: &[Row]| match &mut store {
            Some(store) => Ok(store.commit(&Commit { rows, journal_position: 0, accepted: &[] })?),
            None => Ok::<_, anyhow::Error>(()),
        };
        let progress = progress::show(files.progress());
        let report = files.run(network, Settings::default(), keep);
        drop(progress);
        print(&report?, self.json)
    }
}

/// Prints the report. A reader that has had enough is no failure.
fn print(report: &Report, json: bool) -> Result {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if json {
        serde_json::to_writer_pretty(&mut out, report).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        out.write_all(text::report(report).as_bytes())
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
