use std::collections::BTreeMap;

use bmon_event::{AgentTime, BlockHash, Kind, ServerTime, Source, event::PeerInfo};

use super::{absence::Absence, clock_rate::ClockRate, delivery::Delivery, version};
use crate::row::Sighted;

/// A node as part of its network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// When the server last heard of it.
    pub(crate) heard_at: ServerTime,
    /// When its agent made the last batch that came, on the server's clock: of later it has told nothing yet. When the server
    /// heard it, where the agent's clock is not known.
    pub(crate) told_until: ServerTime,
    /// Whether it is in initial block download, `None` while it has not told or cannot (up to 0.15).
    pub(crate) initial_block_download: Option<bool>,
    /// The end of its active chain, `None` while it has not told.
    pub(crate) tip: Option<TipTold>,
    /// Its log has named a tip.
    pub(crate) has_log_tips: bool,
    /// The bits of the block version that soft forks are signalled with, as far as the node knows.
    pub(crate) version_bits: Vec<u32>,
    /// The sources that do not work: since when, and what is wrong.
    pub(crate) broken: BTreeMap<Source, (ServerTime, String)>,
    /// Its version, `None` while it has not told.
    pub(crate) version: Option<String>,
    /// Its log has named its version, which tells more than a user agent does.
    has_banner: bool,
    /// Its peers, `None` while it has not told.
    pub(crate) peers: Option<u32>,
    /// How fast its clock runs.
    pub(crate) clock_rate: ClockRate,
    /// How what its agent tells comes in.
    pub(crate) delivery: Delivery,
    /// When it was not following the network.
    pub(super) absence: Absence,
}

/// The end of an active chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TipTold {
    pub(crate) block: BlockHash,
    /// `None` where it was not told.
    pub(crate) height: Option<u32>,
    /// When it was last told as such.
    last: AgentTime,
}

impl Member {
    /// Notes the end of the active chain as it was told then.
    pub(super) fn note_tip(&mut self, block: BlockHash, height: Option<u32>, sighted: Sighted) {
        match &mut self.tip {
            Some(tip) if tip.block == block => {
                tip.height = tip.height.or(height);
                tip.last = tip.last.max(sighted.at);
            }
            Some(tip) if tip.last > sighted.at => {}
            _ => self.tip = Some(TipTold { block, height, last: sighted.at }),
        }
    }

    /// Notes what the node tells of itself.
    pub(super) fn note_itself(&mut self, kind: &Kind) {
        match kind {
            Kind::NodeStarted { banner } => self.note_banner(banner),
            Kind::NetworkInfo(info) => self.note_user_agent(&info.subversion),
            Kind::PeerInfo(PeerInfo { inbound, outbound, .. }) => {
                self.peers = Some(inbound.saturating_add(*outbound));
            }
            Kind::Clock(sample) => self.clock_rate.note(sample),
            _ => {}
        }
    }

    /// Notes the version that the first line of its log names.
    fn note_banner(&mut self, banner: &str) {
        (self.version, self.has_banner) = (Some(version::of_banner(banner)), true);
    }

    /// Notes the version that its user agent names, unless its log has.
    pub(super) fn note_user_agent(&mut self, agent: &str) {
        if !self.has_banner {
            self.version = Some(version::of_user_agent(agent));
        }
    }

    /// Takes in its version as an earlier engine last knew it.
    pub(super) fn restore_version(&mut self, version: &str) {
        (self.version, self.has_banner) = (Some(version.to_owned()), true);
    }

    /// Notes whether a source works.
    pub(super) fn note_source(&mut self, source: Source, working: bool, detail: &str, at: ServerTime) {
        if working {
            self.broken.remove(&source);
        } else {
            let since = self.broken.get(&source).map_or(at, |(since, _)| *since);
            self.broken.insert(source, (since, detail.to_owned()));
        }
    }

    /// Whether its agent reaches the node and reads its log, so that what it does not tell it has not heard of.
    pub(crate) fn is_read(&self) -> bool {
        [Source::Rpc, Source::Log].iter().all(|source| !self.broken.contains_key(source))
    }

    /// Whether a reply that names `block`, heard at `at`, tells of the tip what was not told otherwise.
    pub(super) fn is_tip_missed(&self, block: BlockHash, at: AgentTime, lateness_us: i64) -> bool {
        self.tip.is_none_or(|tip| tip.block == block || at.micros_since(tip.last) > lateness_us)
    }

    /// The block's height, if it is the tip and its height was told.
    pub(super) fn height_of(&self, block: BlockHash) -> Option<u32> {
        self.tip.filter(|tip| tip.block == block)?.height
    }
}
