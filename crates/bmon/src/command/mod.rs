//! The subcommands, one per file.

mod agent;
mod alerts;
mod backtest;
mod beside;
mod block;
mod block_times;
mod blocks;
mod clocks;
mod companions;
mod config;
mod demo;
mod deployments;
mod double_spends;
mod explain;
mod export;
mod files;
mod forks;
mod gaps;
mod invalid_blocks;
mod lags;
mod local;
mod nodes;
mod partitions;
mod progress;
mod rejections;
mod reorgs;
mod replay;
mod run;
mod selfish_mining;
mod server;
mod slow_nodes;
mod spread;
mod stack;
mod staged;
mod stale_blocks;
mod tips;
mod tx;
mod validity_disagreements;
mod vanished_messages;
mod version_comparisons;
mod watch;
mod watch_list;
mod what_leaves;

use std::{
    io::{self, BufWriter, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, Parser, Subcommand};

use crate::{
    client::Client,
    config::{Config, address::Shape},
    failure::{Code, Failure, Result},
};

/// The end of `--help`.
const AFTER_HELP: &str = "\
Exit codes:
  0  success
  1  what was asked for is not there, `demo --once` missed something it staged, or `stack render` kept a changed file
  2  wrong arguments or configuration
  3  the server or a node could not be reached, or refused
  4  anything else

Start with `bmon demo` to see it work on nodes of its own, or with `bmon run` beside your bitcoind.";

/// Bitcoin network monitor: what many nodes saw, side by side.
#[derive(Parser)]
#[command(version, about, after_help = AFTER_HELP, infer_subcommands = false)]
pub(crate) struct Arguments {
    /// Configuration file; `bmon config default` prints one with every setting
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Log what happens to stderr (`RUST_LOG` says more)
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start three real nodes on regtest, watch them, and show the page until Ctrl-C
    Demo(demo::Demo),
    /// Watch the nodes of this machine: agent and server in one process
    Run(run::Run),
    /// Watch the nodes of this machine for a server elsewhere
    Agent(agent::Agent),
    /// Take in what agents deliver and show it
    Server(server::Server),
    /// The nodes that are watched
    Nodes(nodes::Nodes),
    /// The latest blocks, and when each node had them
    Blocks(blocks::Blocks),
    /// A block's way through each node, step by step: announced by whom, completed from what, checked, connected
    Block(block::Block),
    /// When each node saw a transaction
    Tx(tx::Tx),
    /// How far apart nodes saw the same transactions or blocks
    Spread(spread::Spread),
    /// What someone should know now
    Alerts(alerts::Alerts),
    /// Where the chain ends now, with every branch, and what each end is to each node
    Tips(tips::Tips),
    /// The latest forks of the chain: who followed which branch, and which one won
    Forks(forks::Forks),
    /// What the branches of the latest forks confirmed differently: what was spent twice
    DoubleSpends(double_spends::DoubleSpends),
    /// Be told of every step of a transaction or coin
    #[command(name = "watch")]
    WatchList(watch_list::WatchList),
    /// The latest blocks that were left behind
    StaleBlocks(stale_blocks::StaleBlocks),
    /// The latest times at which nodes followed different chains and went on to do so
    Partitions(partitions::Partitions),
    /// The latest blocks that some nodes found valid and others invalid
    ValidityDisagreements(validity_disagreements::ValidityDisagreements),
    /// The latest times at which a node was behind the others for long
    Lags(lags::Lags),
    /// The latest reorgs
    Reorgs(reorgs::Reorgs),
    /// The latest transactions that nodes refused
    Rejections(rejections::Rejections),
    /// The latest blocks that nodes found invalid
    InvalidBlocks(invalid_blocks::InvalidBlocks),
    /// The latest stretches of time for which something may be missing
    Gaps(gaps::Gaps),
    /// The latest log messages that are absent since a node's version changed
    VanishedMessages(vanished_messages::VanishedMessages),
    /// What the signals of selfish mining say, with the chance of it if all miners are honest
    SelfishMining(selfish_mining::SelfishMining),
    /// The latest times at which a node became slow with blocks or transactions, how unusual that is, and what else changed
    SlowNodes(slow_nodes::SlowNodes),
    /// How every two versions that nodes run compare in the same blocks
    VersionComparisons(version_comparisons::VersionComparisons),
    /// The latest times at which a clock was set, or ran at another speed than the server's
    Clocks(clocks::Clocks),
    /// How nodes did with the latest blocks, 144 heights at a time
    BlockTimes(block_times::BlockTimes),
    /// The latest soft forks that came into another state, and bits that miners set and no node knows
    Deployments(deployments::Deployments),
    /// A whole table as CSV or JSON lines
    Export(export::Export),
    /// When a rule about delays would have fired over one's own history
    Backtest(backtest::Backtest),
    /// Find the same things in old logs, without a server
    Replay(replay::Replay),
    /// What each node knew of a block or a transaction, step by step, with its log lines
    #[command(subcommand)]
    Explain(explain::Explain),
    /// What is run around bmon: Prometheus, Alertmanager, Loki, Grafana
    #[command(subcommand)]
    Stack(stack::Stack),
    /// Show the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

impl Command {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        match self {
            Self::Demo(command) => command.run(load(config)?),
            Self::Run(command) => command.run(&load(config)?),
            Self::Agent(command) => command.run(&load(config)?),
            Self::Server(command) => command.run(&load(config)?),
            Self::Nodes(command) => command.run(config),
            Self::Blocks(command) => command.run(config),
            Self::Block(command) => command.run(config),
            Self::Tx(command) => command.run(config),
            Self::Spread(command) => command.run(config),
            Self::Alerts(command) => command.run(config),
            Self::Tips(command) => command.run(config),
            Self::Forks(command) => command.run(config),
            Self::DoubleSpends(command) => command.run(config),
            Self::WatchList(command) => command.run(config),
            Self::StaleBlocks(command) => command.run(config),
            Self::Partitions(command) => command.run(config),
            Self::ValidityDisagreements(command) => command.run(config),
            Self::Lags(command) => command.run(config),
            Self::Reorgs(command) => command.run(config),
            Self::Rejections(command) => command.run(config),
            Self::InvalidBlocks(command) => command.run(config),
            Self::Gaps(command) => command.run(config),
            Self::VanishedMessages(command) => command.run(config),
            Self::SelfishMining(command) => command.run(config),
            Self::SlowNodes(command) => command.run(config),
            Self::VersionComparisons(command) => command.run(config),
            Self::Clocks(command) => command.run(config),
            Self::BlockTimes(command) => command.run(config),
            Self::Deployments(command) => command.run(config),
            Self::Export(command) => command.run(config),
            Self::Backtest(command) => command.run(config),
            Self::Replay(command) => command.run(),
            Self::Explain(command) => command.run(config),
            Self::Stack(command) => command.run(&load(config)?),
            Self::Config(command) => command.run(config),
        }
    }
}

fn load(path: Option<&Path>) -> Result<Config> {
    Config::load(path).map_err(|error| {
        Failure::new(Code::Usage, error).hint("`bmon config default` prints every setting with its default")
    })
}

/// The client of the server named, or of the configuration's.
fn client(server: Option<&str>, config: Option<&Path>) -> Result<Client> {
    Ok(match server {
        Some(server) => {
            Shape::SERVER
                .check(server)
                .map_err(|error| Failure::new(Code::Usage, anyhow::anyhow!("use `--server`: it {error}")))?;
            Client::new(server)
        }
        None => Client::new(&load(config)?.agent.server),
    })
}

/// Prints a document that may be large: as JSON, or as `text` makes it. A reader that has had enough is no failure.
fn print<T: serde::Serialize>(document: &T, json: bool, text: impl FnOnce(&T) -> String) -> Result {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if json {
        serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        out.write_all(text(document).as_bytes())
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Options of every command that asks a server.
#[derive(Args)]
pub(crate) struct Query {
    /// Address of the server; by default the configuration's `agent.server`
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Print the API's JSON instead of a table
    #[arg(long)]
    json: bool,
}

impl Query {
    /// Prints the reply to GET `path` as it is. A reader that has had enough is no failure.
    fn pass(&self, config: Option<&Path>, path: &str) -> Result {
        let mut reply = client(self.server.as_deref(), config)?.read(path)?;
        match io::copy(&mut reply, &mut io::stdout().lock()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Prints the reply to GET `path`: as JSON, or as `text` makes it.
    fn show<T>(&self, config: Option<&Path>, path: &str, text: impl FnOnce(&T) -> String) -> Result
    where
        T: serde::de::DeserializeOwned,
    {
        let reply: serde_json::Value = client(self.server.as_deref(), config)?.get(path)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&reply)?);
        } else {
            print!("{}", text(&serde_json::from_value(reply)?));
        }
        Ok(())
    }
}
