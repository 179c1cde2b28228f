//! Agents and a server in one process: what `run` and `demo` have in common.

use std::{fs, net::SocketAddr};

use bmon_agent::{Agent, Exporter};
use bmon_server::Server;

use super::{local, server};
use crate::{config::Config, failure::Result};

/// A server, and an agent for each node. They speak over loopback as if they were apart.
pub(super) struct Watch {
    server: Server,
    agents: Vec<Agent>,
    exporter: Option<Exporter>,
}

impl Watch {
    /// Starts everything. Each node gets a new token, which nobody but the two sides ever sees.
    pub(super) fn start(config: &Config) -> Result<Self> {
        fs::create_dir_all(&config.server.data_dir)?;
        let mut wanted = local::agents(config)?;
        for (agent, token_file) in &mut wanted {
            local::write_token(token_file, &server::new_token(config, &agent.node)?)?;
            agent.server.token = local::read_secret(token_file, "the token")?;
        }
        let server = server::start(config)?;
        let url = format!("http://{}", server.address());
        let mut watch = Self { server, agents: Vec::new(), exporter: None };
        for (mut agent, _) in wanted {
            agent.server.url.clone_from(&url);
            watch.agents.push(Agent::start(agent)?);
        }
        watch.exporter = local::exporter(config, &watch.agents)?;
        Ok(watch)
    }

    /// Where the page is.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The agents.
    pub(super) fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// Whether one of them has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.server.has_ended() || self.agents.iter().any(Agent::has_ended)
    }

    /// Ends the agents first, so that the server takes what they still have.
    pub(super) fn stop(self) {
        drop(self.exporter);
        self.agents.into_iter().for_each(Agent::stop);
        self.server.stop();
    }
}
