//! Where events come from: one folder or file per source, all listed in [`all`].

mod clock;
mod health;
pub(crate) mod host;
pub(crate) mod log;
pub(crate) mod rpc;
mod zmq;

pub(crate) use self::log::is_rotated as log_is_rotated;

use std::sync::{Arc, mpsc::SyncSender};

use bmon_event::{AgentTime, Event, Kind, LogPosition, NodeTime, Positions, Source, ZmqPosition};

use crate::{
    advice::Lacks,
    clock::Clock,
    config::Config,
    health::Counters,
    observed::Observed,
    outbox::Outbox,
    privacy::Privacy,
    spooler::Message,
    stop::Stop,
    want::{Clerk, Desk},
};

/// Something that yields events, in a thread of its own.
pub(crate) trait Reader: Send {
    /// Which source its events come from.
    fn source(&self) -> Source;

    /// Reads until asked to stop. What fails is reported and tried again.
    fn run(self: Box<Self>, context: Context);
}

/// Every reader that `config` asks for, each going on at its position.
pub(crate) fn all(
    config: &Config,
    positions: Positions,
    counters: &Counters,
    outbox: &Arc<Outbox>,
    desk: &Desk,
    privacy: &Privacy,
) -> Vec<Box<dyn Reader>> {
    let mut readers: Vec<Box<dyn Reader>> = Vec::new();
    if let Some(log) = &config.log {
        readers.push(Box::new(log::Log::new(log, positions.log)));
    }
    if let Some(zmq) = &config.zmq {
        let rpc = config.rpc.as_ref().map(|rpc| rpc::Client::new(rpc, counters.clone()));
        readers.push(Box::new(zmq::Zmq::new(zmq, rpc, positions.zmq)));
    }
    if let Some(rpc) = &config.rpc {
        readers.push(Box::new(rpc::Rpc::new(rpc, &config.interval, counters.clone())));
    }
    readers.push(Box::new(host::Host::new(&config.host, &config.interval)));
    readers.push(Box::new(clock::ClockExchange::new(&config.server, &config.interval, desk)));
    readers.push(Box::new(health::Health::new(config, Arc::clone(outbox))));
    readers.push(Box::new(Clerk::new(
        desk.clone(),
        config.log.as_ref(),
        config.rpc.as_ref(),
        counters,
        privacy.clone(),
    )));
    readers
}

/// What a reader is given to work with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    pub(crate) counters: Counters,
    pub(crate) lacks: Lacks,
    pub(crate) observed: Observed,
    pub(crate) outlet: Outlet,
}

/// Some events of one source, and how far it had been read with them included.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) events: Vec<Event>,
    pub(crate) position: Option<Position>,
}

/// How far one source has been read.
#[derive(Clone, Debug)]
pub(crate) enum Position {
    Log(LogPosition),
    Zmq(ZmqPosition),
}

/// The spooler is gone: the agent is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// Where a reader's reports go. The channel is bounded: a reader waits while the spooler is behind.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    source: Source,
    sender: SyncSender<Message>,
    observed: Observed,
    told: Option<(bool, String)>,
}

impl Outlet {
    /// An outlet for the events of `source`, which `observed` is shown too.
    pub(crate) fn new(source: Source, sender: SyncSender<Message>, observed: Observed) -> Self {
        Self { source, sender, observed, told: None }
    }

    /// Hands over a report, in order.
    pub(crate) fn send(&self, report: Report) -> Result<(), Closed> {
        self.observed.note(&report.events);
        self.sender.send(Message::Report(report)).map_err(|_| Closed)
    }

    /// Hands over one event.
    pub(crate) fn tell(&self, now: AgentTime, kind: Kind) -> Result<(), Closed> {
        self.send(Report { events: vec![self.event(now, None, kind)], position: None })
    }

    /// An event of this source.
    pub(crate) fn event(&self, now: AgentTime, node_time: Option<NodeTime>, kind: Kind) -> Event {
        Event { source: self.source, node_time, agent_time: now, kind }
    }

    /// Says whether the source works, if that or the `detail` differs from what was last said.
    pub(crate) fn tell_state(&mut self, now: AgentTime, working: bool, detail: String) -> Result<(), Closed> {
        if self.told.as_ref().is_some_and(|(last, text)| *last == working && *text == detail) {
            return Ok(());
        }
        if working {
            tracing::info!(source = self.source.as_str(), detail, "source works");
        } else {
            tracing::warn!(source = self.source.as_str(), detail, "source does not work");
        }
        self.told = Some((working, detail.clone()));
        // The state of a source is the agent's word, not the source's.
        let kind = Kind::SourceState { source: self.source, working, detail };
        let event = Event { source: Source::Agent, node_time: None, agent_time: now, kind };
        self.send(Report { events: vec![event], position: None })
    }
}

/// Joins what a source reads and what would make it tell more.
pub(crate) fn detail(reads: &str, advice: &str) -> String {
    if advice.is_empty() { reads.to_owned() } else { format!("{reads}; {advice}") }
}
