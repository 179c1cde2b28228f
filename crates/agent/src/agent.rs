//! Starts and stops the threads that watch one node.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bmon_event::{Batch, BlockHash, Network, Positions};
use bmon_spool::SpoolError;

use crate::{
    advice::{Advice, Lacks},
    clock::Clock,
    config::Config,
    health::Counters,
    link::Link,
    loki::{Logs, LokiCounters},
    observed::Observed,
    outbox::Outbox,
    page::Probe,
    privacy::Privacy,
    shipper::{Delivery, DeliveryState, Shipper, chain},
    source::{
        self, Context, Outlet,
        rpc::{Client, GET_BLOCK_HASH, RpcError},
    },
    spooler::{self, Gathered, Message, Spooler},
    stop::Stop,
    want::Desk,
};

/// How long to wait before the node is asked again which network it is on.
const RETRY: Duration = Duration::from_secs(1);

/// An agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The spool cannot be opened.
    #[error("open the spool")]
    Spool(#[from] SpoolError),
    /// The configured network is neither known by name nor the hash of a block 0.
    #[error("use network `{0}`: it is neither a network's name nor the hash of its block 0")]
    UnknownNetwork(String),
    /// The key of the hashes that stand for addresses cannot be read or made.
    #[error("read or make the key of hashed addresses, `{}`", path.display())]
    Privacy {
        /// The file of the key.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refuses another thread.
    #[error("start a thread")]
    Thread(#[from] io::Error),
}

/// Watches one node until it is stopped or dropped.
#[derive(Debug)]
pub struct Agent {
    stop: Stop,
    lacks: Lacks,
    delivery: DeliveryState,
    outbox: Arc<Outbox>,
    network: Arc<OnceLock<Network>>,
    probe: Probe,
    threads: Vec<JoinHandle<()>>,
}

/// How an agent fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The node's network, `None` while neither the configuration, an earlier batch, nor the node tells.
    pub network: Option<Network>,
    /// How delivery to the server goes.
    pub delivery: Delivery,
    /// Batches in the spool that the server has not acknowledged.
    pub undelivered_batches: u64,
    /// What the node does not offer.
    pub advice: Vec<Advice>,
}

impl Agent {
    /// Starts to watch the node that `config` describes. Neither the node nor the server needs to be there.
    pub fn start(config: Config) -> Result<Self, AgentError> {
        let privacy = Privacy::open(&config.privacy)
            .map_err(|source| AgentError::Privacy { path: config.privacy.key_file.clone(), source })?;
        let configured = config.network.as_deref().map(parse_network).transpose()?;
        let (outbox, last) = Outbox::open(&config.spool.dir, config.spool.limit_bytes)?;
        let (outbox, delivery) = (Arc::new(outbox), DeliveryState::default());
        let clock = Clock::shifted(config.clock_offset_us.unwrap_or_default());
        let counters = Counters::default();
        let probe = Probe {
            node: config.node.clone(),
            clock,
            started_at: clock.now(),
            counters: counters.clone(),
            outbox: Arc::clone(&outbox),
            delivery: delivery.clone(),
            loki: config.loki.as_ref().map(|_| LokiCounters::default()),
            observed: if config.metrics { Observed::kept() } else { Observed::default() },
        };
        let mut agent = Self {
            stop: Stop::default(),
            lacks: Lacks::default(),
            delivery,
            outbox,
            network: Arc::default(),
            probe,
            threads: Vec::new(),
        };
        let (sender, inbox) = spooler::channel();
        let desk = Desk::new(counters.clone());
        let link = Link::new(&config.server, desk.clone());
        let shipper = agent.shipper(link, sender.clone(), clock, &counters);
        let watch = Watch {
            stop: agent.stop.clone(),
            lacks: agent.lacks.clone(),
            outbox: Arc::clone(&agent.outbox),
            network: Arc::clone(&agent.network),
            config,
            clock,
            counters,
            desk,
            observed: agent.probe.observed.clone(),
            privacy,
            loki: agent.probe.loki.clone().unwrap_or_default(),
        };
        agent.threads.push(named("shipper", move || shipper.run())?);
        agent.threads.push(named("spooler", move || watch.run(configured, last, &sender, &inbox))?);
        Ok(agent)
    }

    /// How the agent fares.
    pub fn status(&self) -> Status {
        Status {
            network: self.network.get().copied(),
            delivery: self.delivery.get(),
            undelivered_batches: self.outbox.backlog().batches,
            advice: self.lacks.advice(),
        }
    }

    /// What its metrics are read from.
    pub(crate) fn probe(&self) -> Probe {
        self.probe.clone()
    }

    /// Whether the agent has ended by itself, because its spool failed or by a defect: it watches nothing any more.
    pub fn has_ended(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Ends every thread. What was seen is in the spool when this returns; what the server does not have yet is
    /// delivered after the next start.
    pub fn stop(self) {
        drop(self);
    }

    fn shipper(
        &self,
        link: Link,
        spooler: SyncSender<Message>,
        clock: Clock,
        counters: &Counters,
    ) -> Shipper {
        self.stop.interrupts(Box::new(link.interrupter()));
        let outbox = Arc::clone(&self.outbox);
        self.stop.interrupts(Box::new(move || outbox.close()));
        Shipper {
            link,
            outbox: Arc::clone(&self.outbox),
            spooler,
            clock,
            counters: counters.clone(),
            state: self.delivery.clone(),
            stop: self.stop.clone(),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop.set();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the agent panicked");
            }
        }
    }
}

/// The thread that finds out the network, starts the sources, and then is the spooler.
struct Watch {
    config: Config,
    clock: Clock,
    counters: Counters,
    stop: Stop,
    lacks: Lacks,
    outbox: Arc<Outbox>,
    network: Arc<OnceLock<Network>>,
    desk: Desk,
    observed: Observed,
    privacy: Privacy,
    loki: LokiCounters,
}

impl Watch {
    fn run(
        self,
        configured: Option<Network>,
        last: Option<Batch>,
        sender: &SyncSender<Message>,
        inbox: &Receiver<Message>,
    ) {
        let earlier = last.as_ref().map(|batch| batch.network);
        let Some(network) = configured.or_else(|| self.ask_network(earlier)) else { return };
        let network = *self.network.get_or_init(|| network);
        let positions = last.map(|batch| batch.positions).unwrap_or_default();
        let spooler = Spooler {
            node: self.config.node.clone(),
            network,
            clock: self.clock,
            counters: self.counters.clone(),
            outbox: Arc::clone(&self.outbox),
            stop: self.stop.clone(),
            positions: positions.clone(),
            spooled: positions.clone(),
            gathered: Gathered::default(),
        };
        thread::scope(|scope| {
            // Sources end when asked to; only then is the spooler told that nothing more will come.
            scope.spawn(|| self.run_sources(positions, sender));
            scope.spawn(|| self.logs(network).run());
            spooler.run(inbox);
        });
    }

    /// What carries the node's logs to Loki.
    fn logs(&self, network: Network) -> Logs<'_> {
        Logs {
            config: &self.config,
            network,
            privacy: self.privacy.clone(),
            clock: self.clock,
            counters: self.loki.clone(),
            stop: self.stop.clone(),
        }
    }

    fn run_sources(&self, positions: Positions, sender: &SyncSender<Message>) {
        thread::scope(|scope| {
            let Self { config, counters, outbox, desk, privacy, .. } = self;
            for reader in source::all(config, positions, counters, outbox, desk, privacy) {
                let context = Context {
                    clock: self.clock,
                    stop: self.stop.clone(),
                    counters: self.counters.clone(),
                    lacks: self.lacks.clone(),
                    observed: self.observed.clone(),
                    outlet: Outlet::new(reader.source(), sender.clone(), self.observed.clone()),
                };
                let thread = thread::Builder::new().name(reader.source().as_str().to_owned());
                if let Err(error) = thread.spawn_scoped(scope, move || reader.run(context)) {
                    tracing::error!(error = &error as &dyn std::error::Error, "failed to start a source");
                }
            }
        });
        let _ = sender.send(Message::Finish);
    }

    /// Asks the node for its block 0. While it does not answer, the network of an `earlier` batch is taken; without
    /// one, this waits. `None` if asked to stop meanwhile.
    fn ask_network(&self, earlier: Option<Network>) -> Option<Network> {
        let client = self.config.rpc.as_ref().map(|rpc| Client::new(rpc, self.counters.clone()));
        if let Some(client) = &client {
            self.stop.interrupts(Box::new(client.interrupter()));
        }
        let mut told = false;
        while !self.stop.is_set() {
            let problem = match &client {
                Some(client) => match genesis(client) {
                    Ok(network) => return Some(network),
                    Err(error) => chain(&error),
                },
                None => "there is no RPC to ask".to_owned(),
            };
            if earlier.is_some() {
                return earlier;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    problem,
                    "waiting to learn the node's network; `network` in the configuration tells too"
                );
            }
            self.stop.wait(RETRY);
        }
        None
    }
}

fn genesis(client: &Client) -> Result<Network, RpcError> {
    client.call::<BlockHash>(GET_BLOCK_HASH, "[0]").map(Network::from_genesis)
}

fn parse_network(text: &str) -> Result<Network, AgentError> {
    let by_genesis = || text.parse().ok().map(Network::from_genesis);
    Network::from_chain(text).or_else(by_genesis).ok_or_else(|| AgentError::UnknownNetwork(text.to_owned()))
}

fn named(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}
