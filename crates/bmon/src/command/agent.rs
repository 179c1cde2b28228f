//! `bmon agent`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{local, what_leaves};
use crate::{
    config::Config,
    failure::{Code, Failure, Result},
    interrupt::Interrupt,
};

/// How long the sources have before it is said what they lack.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(crate) struct Agent {
    #[command(subcommand)]
    command: Option<AgentCommand>,
    /// Added to the host's clock, so that tests can watch nodes whose clock is shifted too. Not in the help and not a
    /// setting: outside a test, where node and agent share the host's clock, it makes every time wrong.
    #[arg(long, hide = true, value_name = "US", default_value_t = 0, allow_negative_numbers = true)]
    clock_offset_us: i64,
}

#[derive(Subcommand)]
enum AgentCommand {
    /// Print the bitcoin.conf lines of an RPC user that can do what the agent needs and nothing else
    RpcWhitelist {
        /// The user's name
        #[arg(long, default_value = "bmon")]
        user: String,
    },
    /// Print what would leave the host of the last lines of each node's debug.log: the events for the server, and the
    /// entries for Loki
    WhatLeaves {
        /// How many lines of each log
        #[arg(long, default_value_t = 20)]
        lines: usize,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
}

impl Agent {
    pub(crate) fn run(self, config: &Config) -> Result {
        match self.command {
            Some(AgentCommand::WhatLeaves { lines, json }) => what_leaves::print(config, lines, json),
            Some(AgentCommand::RpcWhitelist { user }) => {
                print!("{}", whitelist(&user));
                Ok(())
            }
            None => watch(config, self.clock_offset_us),
        }
    }
}

fn watch(config: &Config, clock_offset_us: i64) -> Result {
    let interrupt = Interrupt::catch()?;
    let mut agents = Vec::new();
    for (mut agent, token_file) in local::agents(config)? {
        agent.server.token = local::read_secret(&token_file, "the token").map_err(|failure| {
            failure.hint(format!("on the server: bmon server token {} >{}", agent.node, token_file.display()))
        })?;
        agent.clock_offset_us = Some(clock_offset_us);
        agents.push(bmon_agent::Agent::start(agent).map_err(|error| Failure::new(Code::Other, error))?);
    }
    let exporter = local::exporter(config, &agents)?;
    print_advice(&agents, &interrupt);
    let waited = interrupt.wait_unless(|| agents.iter().any(bmon_agent::Agent::has_ended));
    drop(exporter);
    agents.into_iter().for_each(bmon_agent::Agent::stop);
    waited
}

/// Lines of bitcoin.conf for a user that can call what the agent calls. Any whitelist locks out every other user, the
/// cookie included, unless `rpcwhitelistdefault=0` is set (help of `-rpcwhitelistdefault`, 30.0).
fn whitelist(user: &str) -> String {
    format!(
        "# Make the user's rpcauth line with share/rpcauth/rpcauth.py of Bitcoin Core, and give its password to\n\
         # the agent in a file: nodes.rpc_user and nodes.rpc_password_file.\n\
         rpcwhitelist={user}:{}\nrpcwhitelistdefault=0\n",
        bmon_agent::rpc_whitelist().join(",")
    )
}

/// Once the sources have had time to look at the node: prints what it does not offer, what that costs, and the lines of
/// bitcoin.conf that would add it.
pub(super) fn print_advice(agents: &[bmon_agent::Agent], interrupt: &Interrupt) {
    if interrupt.wait_for(LOOK) {
        return;
    }
    for advice in agents.iter().flat_map(|agent| agent.status().advice) {
        eprintln!("{}: {}: {}", advice.source.as_str(), advice.missing, advice.cost);
        for line in &advice.bitcoin_conf {
            eprintln!("    bitcoin.conf: {line}");
        }
    }
}
