//! What the sources last told, kept for the pages of metrics: the same events that go to the server, and the replies that
//! only `/metrics/compat` needs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bmon_event::{
    AgentTime, Event, Kind, Source,
    event::{ChainInfo, ClockSample, HostSample, MempoolInfo, NetworkInfo},
};

use crate::source::{
    host::{Process, Traffic},
    rpc::Replies,
};

/// Shared by the sources of one agent and whoever shows its metrics. Where nobody does, nothing is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed(Option<Arc<Mutex<Seen>>>);

/// What was last told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) host: Option<HostSample>,
    /// Of the host's network interfaces, `None` where the system does not tell.
    pub(crate) traffic: Option<Traffic>,
    /// The node's process, `None` while it is not known.
    pub(crate) process: Option<Process>,
    pub(crate) clock: Option<ClockSample>,
    pub(crate) sources: BTreeMap<Source, SourceSeen>,
    /// The last reply to each call that is polled, by its name. One that fails is taken out.
    pub(crate) polled: BTreeMap<&'static str, Kind>,
    pub(crate) replies: Replies,
    /// How long the last call of each kind took.
    pub(crate) took: BTreeMap<(&'static str, String), Duration>,
    /// How often the node was asked about its network and had a warning to give.
    pub(crate) warned: u64,
}

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceSeen {
    /// Whether it works, `None` before it said so.
    pub(crate) working: Option<bool>,
    /// When its last event was received.
    pub(crate) heard_at: Option<AgentTime>,
    /// How long after the source's own stamp, `None` for a source without stamps.
    pub(crate) lag_us: Option<i64>,
    /// Transactions that it said entered the mempool.
    pub(crate) added: PerSecond,
}

impl Observed {
    /// Keeps what is told.
    pub(crate) fn kept() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether anything is kept.
    pub(crate) const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// What was told until now.
    pub(crate) fn get(&self) -> Seen {
        let mut copy = Seen::default();
        self.update(|seen| copy = seen.clone());
        copy
    }

    /// Changes what is kept, if anything is.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Seen)) {
        if let Some(seen) = &self.0 {
            change(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Notes events that a source reports.
    pub(crate) fn note(&self, events: &[Event]) {
        if !events.is_empty() {
            self.update(|seen| events.iter().for_each(|event| seen.note(event)));
        }
    }
}

impl Seen {
    fn note(&mut self, event: &Event) {
        let source = self.sources.entry(event.source).or_default();
        source.heard_at = Some(event.agent_time);
        let stamped = event.node_time.map(|time| event.agent_time.micros_since(time.on_agent_clock()));
        source.lag_us = stamped.or(source.lag_us);
        match &event.kind {
            Kind::TxAdded { .. } => source.added.add(event.agent_time),
            Kind::Host(sample) => self.host = Some(sample.clone()),
            Kind::Clock(sample) => self.clock = Some(*sample),
            Kind::SourceState { source, working, .. } => {
                self.sources.entry(*source).or_default().working = Some(*working);
            }
            _ => {}
        }
    }

    /// Notes how a polled call went.
    pub(crate) fn note_polled(&mut self, method: &'static str, reply: Option<&Kind>) {
        match reply {
            Some(kind) => {
                if let Kind::NetworkInfo(info) = kind {
                    self.warned += u64::from(!info.warnings.is_empty());
                }
                self.polled.insert(method, kind.clone());
            }
            None => drop(self.polled.remove(method)),
        }
    }

    fn find<T>(&self, read: impl Fn(&Kind) -> Option<T>) -> Option<T> {
        self.polled.values().find_map(read)
    }

    pub(crate) fn chain(&self) -> Option<ChainInfo> {
        self.find(|kind| if let Kind::ChainInfo(info) = kind { Some(info.clone()) } else { None })
    }

    pub(crate) fn network(&self) -> Option<NetworkInfo> {
        self.find(|kind| if let Kind::NetworkInfo(info) = kind { Some(info.clone()) } else { None })
    }

    pub(crate) fn mempool(&self) -> Option<MempoolInfo> {
        self.find(|kind| if let Kind::MempoolInfo(info) = kind { Some(info.clone()) } else { None })
    }

    pub(crate) fn chain_tips(&self) -> Option<usize> {
        self.find(|kind| if let Kind::ChainTips(tips) = kind { Some(tips.len()) } else { None })
    }

    pub(crate) fn uptime_seconds(&self) -> Option<u64> {
        self.find(|kind| if let Kind::Uptime { seconds } = kind { Some(*seconds) } else { None })
    }

    /// Transactions that entered the mempool in a second, over the last ten; `None` where neither ZMQ nor the log tells.
    pub(crate) fn transactions_per_second(&self, now: AgentTime) -> Option<f64> {
        let works =
            |source: &&Source| self.sources.get(source).is_some_and(|source| source.working == Some(true));
        let source = [Source::Zmq, Source::Log].iter().find(works)?;
        self.sources.get(source).map(|source| source.added.rate(now))
    }
}

/// Seconds over which a rate is taken.
const WINDOW: i64 = 10;

/// How much of something there was in each of the last seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct PerSecond(BTreeMap<i64, u64>);

impl PerSecond {
    /// Counts one.
    pub(crate) fn add(&mut self, at: AgentTime) {
        let second = at.as_micros().div_euclid(1_000_000);
        *self.0.entry(second).or_default() += 1;
        self.0.retain(|known, _| *known >= second - WINDOW);
    }

    /// How many in a second, over the last whole seconds.
    fn rate(&self, now: AgentTime) -> f64 {
        let second = now.as_micros().div_euclid(1_000_000);
        self.0.range(second - WINDOW..second).map(|(_, count)| count).sum::<u64>() as f64 / WINDOW as f64
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::{NodeTime, Txid};

    use super::*;

    fn event(source: Source, node_us: Option<i64>, at_us: i64, kind: Kind) -> Event {
        let (node_time, agent_time) = (node_us.map(NodeTime::from_micros), AgentTime::from_micros(at_us));
        Event { source, node_time, agent_time, kind }
    }

    fn added(at_us: i64) -> Event {
        let kind = Kind::TxAdded {
            txid: Txid::from_bytes([0; 32]),
            wtxid: None,
            peer: None,
            mempool_sequence: None,
        };
        event(Source::Zmq, None, at_us, kind)
    }

    #[test]
    fn a_source_is_as_late_as_its_last_stamped_event() {
        let observed = Observed::kept();
        let tip = || Kind::NodeStopping;
        observed
            .note(&[event(Source::Log, Some(1_000), 4_000, tip()), event(Source::Log, None, 5_000, tip())]);
        let log = observed.get().sources[&Source::Log].clone();
        assert_eq!((log.lag_us, log.heard_at), (Some(3_000), Some(AgentTime::from_micros(5_000))));
        assert_eq!(log.working, None);
    }

    #[test]
    fn a_rate_is_of_the_last_ten_whole_seconds() {
        let observed = Observed::kept();
        let events: Vec<_> = (0..30_000_000).step_by(250_000).map(added).collect();
        observed.note(&events);
        let at = AgentTime::from_micros(29_900_000);
        assert_eq!(observed.get().transactions_per_second(at), None);
        let detail = String::new();
        let works = Kind::SourceState { source: Source::Zmq, working: true, detail };
        observed.note(&[event(Source::Agent, None, 0, works)]);
        assert_eq!(observed.get().transactions_per_second(at), Some(4.0));
        let quiet = AgentTime::from_micros(60_000_000);
        assert_eq!(observed.get().transactions_per_second(quiet), Some(0.0));
    }

    #[test]
    fn a_call_that_fails_is_forgotten_and_nothing_is_kept_for_nobody() {
        let (observed, nobody) = (Observed::kept(), Observed::default());
        for observed in [&observed, &nobody] {
            observed.update(|seen| seen.note_polled("uptime", Some(&Kind::Uptime { seconds: 5 })));
        }
        assert_eq!((observed.get().uptime_seconds(), nobody.get().uptime_seconds()), (Some(5), None));
        observed.update(|seen| seen.note_polled("uptime", None));
        assert_eq!(observed.get().uptime_seconds(), None);
    }
}
