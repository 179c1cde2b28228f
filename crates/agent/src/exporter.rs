use std::{io, net::SocketAddr, sync::Arc};

use crate::{
    Agent,
    http::{Listener, PATIENCE, Pages},
    page::{self, Probe},
};

/// Serves the metrics of agents of one process over HTTP, until it is dropped: `GET /metrics` and `GET /metrics/compat`, in
/// the classic text format of Prometheus.
#[derive(Debug)]
pub struct Exporter(Listener);

impl Exporter {
    /// Listens at `address`. The agents must have been told that there will be metrics (`Config::metrics`).
    pub fn start(address: SocketAddr, agents: &[Agent]) -> io::Result<Self> {
        let probes: Vec<Probe> = agents.iter().map(Agent::probe).collect();
        let pages: Pages = Arc::new(move |path| {
            let page = page::ALL.iter().find(|page| page.path == path)?;
            Some(page.text(Probe::views(&probes)))
        });
        Listener::start(address, PATIENCE, &pages).map(Self)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}
