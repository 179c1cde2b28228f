//! A node as it is now: what its own replies, its host and its agent last told.

use std::collections::BTreeMap;

use bmon_event::{
    AgentTime, BlockHash, Event, Kind, Network, NodeName, ServerTime, Source,
    event::{AgentHealth, ChainInfo, HostSample, MempoolInfo, NetworkInfo, PeerInfo},
};

use super::chain::Step;
use crate::{
    row::{AgentRow, HostRow, NodeRow, Offset, SourceRow},
    settings::Settings,
};

/// The health of one node.
#[derive(Debug)]
pub(crate) struct Node {
    row: NodeRow,
    /// The row as it was last said.
    said: Option<NodeRow>,
    /// When RPC last told the user agent: an older log line does not take it back.
    version_at: Option<AgentTime>,
    /// CPU time in use and in all at the last sample, in microseconds.
    cpu_us: Option<(u64, u64)>,
    sources: BTreeMap<Source, SourceRow>,
    chain_warnings: Vec<String>,
    network_warnings: Vec<String>,
}

impl Node {
    pub(crate) fn new(network: Network, node: NodeName) -> Self {
        let row = NodeRow::new(network, node);
        Self {
            row,
            said: None,
            version_at: None,
            cpu_us: None,
            sources: BTreeMap::new(),
            chain_warnings: Vec::new(),
            network_warnings: Vec::new(),
        }
    }

    /// Takes in what one event tells of the node as a whole.
    pub(crate) fn apply(&mut self, event: &Event, settings: &Settings) {
        match &event.kind {
            Kind::NodeStarted { banner } if self.version_at.is_none_or(|told| told < event.time()) => {
                self.row.version = Some(banner.clone());
            }
            Kind::ChainInfo(info) => self.chain_info(info, event.time(), settings),
            Kind::NetworkInfo(info) => self.network_info(info, event.time()),
            Kind::MempoolInfo(info) => self.mempool_info(info),
            Kind::PeerInfo(PeerInfo { inbound, outbound, .. }) => {
                (self.row.peers_in, self.row.peers_out) = (Some(*inbound), Some(*outbound));
            }
            Kind::ChainTips(tips) => self.row.chain_tips = u32::try_from(tips.len()).ok(),
            Kind::Uptime { seconds } => self.row.uptime_seconds = Some(*seconds),
            Kind::Host(sample) => self.host(sample),
            Kind::AgentHealth(health) => self.row.agent = agent_row(health),
            Kind::SourceState { source, working, detail } => {
                let state = SourceRow { source: *source, working: *working, detail: detail.clone() };
                self.sources.insert(*source, state);
                self.row.sources = self.sources.values().cloned().collect();
            }
            _ => {}
        }
    }

    /// Takes in what became of the active chain.
    pub(crate) fn follow(&mut self, step: &Step) {
        if let Step::Tip { block, height, at } = *step
            && self.row.tip_at.is_none_or(|tip_at| tip_at <= at || self.row.tip == Some(block))
        {
            self.tip(block, height, at);
        }
    }

    /// Forgets the times of what was told, which the clock may pass for the second time: what is told next is newer.
    pub(crate) const fn clock_was_set(&mut self) {
        (self.row.tip_at, self.version_at) = (None, None);
    }

    /// The row, if it has changed since it was last said, or if its `heard_at` has become too old.
    pub(crate) fn news(
        &mut self,
        heard_at: ServerTime,
        offset: Option<Offset>,
        settings: &Settings,
    ) -> Option<NodeRow> {
        self.row.offset = offset;
        self.row.heard_at = self.row.heard_at.max(heard_at);
        if let Some(said) = &mut self.said {
            let refresh = self.row.heard_at.micros_since(said.heard_at) >= settings.heard_refresh_us;
            let said_at = std::mem::replace(&mut said.heard_at, self.row.heard_at);
            if !refresh && *said == self.row {
                said.heard_at = said_at;
                return None;
            }
        }
        self.said = Some(self.row.clone());
        self.said.clone()
    }

    fn chain_info(&mut self, info: &ChainInfo, at: AgentTime, settings: &Settings) {
        self.row.headers = Some(info.headers);
        self.row.initial_block_download = info.initial_block_download;
        self.chain_warnings.clone_from(&info.warnings);
        self.merge_warnings();
        // Log and ZMQ are exact and may run ahead of a reply; the poll only tells what they have missed.
        let is_missed = |tip_at: AgentTime| at.micros_since(tip_at) > settings.lateness_us;
        if let Some(block) = info.best_block
            && (self.row.tip == Some(block) || self.row.tip_at.is_none_or(is_missed))
        {
            self.tip(block, Some(info.blocks), at);
        }
    }

    fn tip(&mut self, block: BlockHash, height: Option<u32>, at: AgentTime) {
        if self.row.tip == Some(block) {
            self.row.height = self.row.height.or(height);
            self.row.tip_at = self.row.tip_at.min(Some(at)).or(Some(at));
        } else {
            (self.row.tip, self.row.height, self.row.tip_at) = (Some(block), height, Some(at));
        }
    }

    fn network_info(&mut self, info: &NetworkInfo, at: AgentTime) {
        (self.row.version, self.version_at) = (Some(info.subversion.clone()), Some(at));
        self.row.peers_in = info.connections_in.or(self.row.peers_in);
        self.row.peers_out = info.connections_out.or(self.row.peers_out);
        self.network_warnings.clone_from(&info.warnings);
        self.merge_warnings();
    }

    /// Both replies carry the same warnings, and either may be polled alone.
    fn merge_warnings(&mut self) {
        self.row.warnings.clone_from(&self.chain_warnings);
        let others = self.network_warnings.iter().filter(|warning| !self.chain_warnings.contains(warning));
        self.row.warnings.extend(others.cloned());
    }

    const fn mempool_info(&mut self, info: &MempoolInfo) {
        self.row.mempool_transactions = Some(info.transactions);
        self.row.mempool_virtual_bytes = Some(info.virtual_bytes);
        self.row.mempool_min_fee_sat_per_kvb = info.min_fee_sat_per_kvb;
    }

    fn host(&mut self, sample: &HostSample) {
        let cpu_us = sample.cpu_busy_us.zip(sample.cpu_total_us);
        let cpu_busy = self.cpu_us.zip(cpu_us).and_then(|(before, now)| busy_share(before, now));
        self.cpu_us = cpu_us;
        self.row.host = HostRow {
            cpu_busy,
            load_1m: sample.load_1m,
            memory_total_bytes: sample.memory_total_bytes,
            memory_available_bytes: sample.memory_available_bytes,
            disk_total_bytes: sample.disk_total_bytes,
            disk_free_bytes: sample.disk_free_bytes,
            clock_synchronised: sample.clock_synchronised,
            clock_max_error_us: sample.clock_max_error_us,
        };
    }
}

/// Share of CPU time in use between two samples of (in use, in all). `None` if no time passed, or the host booted.
fn busy_share(before: (u64, u64), now: (u64, u64)) -> Option<f64> {
    let busy = now.0.checked_sub(before.0)?;
    let total = now.1.checked_sub(before.1).filter(|total| *total > 0)?;
    Some((busy as f64 / total as f64).min(1.0))
}

fn agent_row(health: &AgentHealth) -> AgentRow {
    AgentRow {
        version: health.version.clone(),
        started_at_us: health.started_at_us,
        log_bytes: health.log_bytes,
        log_lines: health.log_lines,
        log_lines_matched: health.log_lines_matched,
        zmq_messages: health.zmq_messages,
        rpc_calls: health.rpc_calls,
        rpc_errors: health.rpc_errors,
        rpc_time_us: health.rpc_time_us,
        dropped_events: health.dropped_events,
        spool_batches: health.spool_batches,
        spool_bytes: health.spool_bytes,
        resident_bytes: health.resident_bytes,
        wants_fulfilled: health.wants_fulfilled,
        wants_refused: health.wants_refused,
        want_log_bytes: health.want_log_bytes,
        metrics_address: health.metrics_address.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Node {
        let regtest = Network::from_chain("regtest").unwrap();
        Node::new(regtest, "alice".parse().unwrap())
    }

    fn event(at: i64, kind: Kind) -> Event {
        Event { source: Source::Rpc, node_time: None, agent_time: AgentTime::from_micros(at), kind }
    }

    fn news(node: &mut Node, heard: i64) -> Option<NodeRow> {
        node.news(ServerTime::from_micros(heard), None, &Settings::default())
    }

    fn chain_info(block: u8, blocks: u32) -> Kind {
        let best_block = Some(BlockHash::from_bytes([block; 32]));
        Kind::ChainInfo(ChainInfo { best_block, blocks, ..ChainInfo::default() })
    }

    #[test]
    fn a_row_is_said_when_it_changed_or_when_it_has_become_old() {
        let (mut node, settings) = (node(), Settings::default());
        assert!(news(&mut node, 0).is_some());
        assert!(news(&mut node, 10).is_none());
        node.apply(&event(11, Kind::Uptime { seconds: 5 }), &settings);
        assert_eq!(news(&mut node, 11).unwrap().uptime_seconds, Some(5));
        node.apply(&event(12, Kind::Uptime { seconds: 5 }), &settings);
        assert!(news(&mut node, 12).is_none());
        assert!(news(&mut node, 1_000_010).is_none());
        assert!(news(&mut node, 1_000_011).is_some());
    }

    #[test]
    fn the_cpu_share_is_that_between_two_samples() {
        let (mut node, settings) = (node(), Settings::default());
        for (busy, total, share) in [
            (100, 1_000, None),
            (150, 1_200, Some(0.25)),
            (150, 1_200, None),
            (10, 100, None),
            (60, 150, Some(1.0)),
        ] {
            let sample =
                HostSample { cpu_busy_us: Some(busy), cpu_total_us: Some(total), ..HostSample::default() };
            node.apply(&event(0, Kind::Host(sample)), &settings);
            assert_eq!(node.row.host.cpu_busy, share);
        }
    }

    #[test]
    fn a_poll_does_not_take_back_a_newer_tip_but_tells_what_was_missed() {
        let (mut node, settings) = (node(), Settings::default());
        let (block, at) = (BlockHash::from_bytes([8; 32]), AgentTime::from_micros(100));
        node.follow(&Step::Tip { block, height: Some(8), at });
        node.apply(&event(101, chain_info(7, 7)), &settings);
        assert_eq!((node.row.tip, node.row.height, node.row.tip_at), (Some(block), Some(8), Some(at)));
        node.apply(&event(20_000_000, chain_info(9, 9)), &settings);
        assert_eq!(node.row.height, Some(9));
    }

    #[test]
    fn an_old_start_does_not_take_back_the_user_agent() {
        let (mut node, settings) = (node(), Settings::default());
        let user_agent = NetworkInfo { subversion: "/Satoshi:30.0.0/".to_owned(), ..NetworkInfo::default() };
        node.apply(&event(100, Kind::NetworkInfo(user_agent)), &settings);
        node.apply(&event(99, Kind::NodeStarted { banner: "old".to_owned() }), &settings);
        assert_eq!(node.row.version.as_deref(), Some("/Satoshi:30.0.0/"));
        node.apply(&event(101, Kind::NodeStarted { banner: "new".to_owned() }), &settings);
        assert_eq!(node.row.version.as_deref(), Some("new"));
    }
}
