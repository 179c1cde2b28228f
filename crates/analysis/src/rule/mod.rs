//! The rules, one in each file: they turn what is found, and what is not heard, into alerts. A rule says which conditions
//! hold now, as a function of what is known and of the time. What becomes of them is the same for all and stands in
//! `alarm.rs`: a condition that held for the rule's grace fires, one that has not held for its hold is over.
//!
//! A rule about something that happened holds for a while after it happened, on the event's own time: so what is told late
//! opens no alert, and a journal that is read again opens none a second time. A rule's id is its file's name in kebab-case.

pub(crate) mod alarm;
mod analysis_behind;
mod bad_block;
pub(crate) mod board;
mod clock_drift;
mod clock_lost;
mod clock_step;
mod delay_drift;
mod log_not_read;
mod node_lagging;
mod node_silent;
mod node_tip_old;
mod node_unreachable;
mod notifier_failing;
mod partition;
mod race;
mod reorg;
mod selfish_mining;
mod slow_node;
mod spool_filling;
mod tip_old;
mod unknown_version_bit;
mod validity_disagreement;
mod version_comparison;
mod watch;

use bmon_event::{BlockHash, NodeName, ServerTime};

use self::board::Board;
use crate::{alert::Severity, finding::FindingId, network::NetworkState, server_health::ServerHealth};

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
/// How long an alert about something that happened lasts.
const EVENT_US: i64 = 10 * MINUTE_US;
/// Age from which on a tip is old: under honest mining 0.012 % of blocks take so long, some six a year.
const OLD_US: i64 = 90 * MINUTE_US;

/// A rule as it is registered.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Its id: the same word in alerts, URLs, metrics, docs and runbooks.
    pub id: &'static str,
    /// What it tells, in one sentence.
    pub about: &'static str,
    /// When it is how loud, in one sentence.
    pub loudness: &'static str,
    /// How long its condition must hold before it fires, in microseconds.
    pub grace_us: i64,
    /// How long its condition must not hold before an alert that fired is over, in microseconds (`keep_firing_for` of
    /// Prometheus): more than 0 where it comes and goes at a threshold, and no finding has waited already.
    pub hold_us: i64,
    /// The conditions that hold.
    conditions: fn(&Ground<'_>) -> Vec<Condition>,
}

/// Every rule.
pub const ALL: &[Declaration] = &[
    tip_old::DECLARATION,
    node_tip_old::DECLARATION,
    race::DECLARATION,
    reorg::DECLARATION,
    bad_block::DECLARATION,
    validity_disagreement::DECLARATION,
    partition::DECLARATION,
    selfish_mining::DECLARATION,
    node_lagging::DECLARATION,
    node_silent::DECLARATION,
    node_unreachable::DECLARATION,
    unknown_version_bit::DECLARATION,
    slow_node::DECLARATION,
    delay_drift::DECLARATION,
    version_comparison::DECLARATION,
    clock_step::DECLARATION,
    clock_drift::DECLARATION,
    watch::DECLARATION,
    log_not_read::DECLARATION,
    spool_filling::DECLARATION,
    clock_lost::DECLARATION,
    analysis_behind::DECLARATION,
    notifier_failing::DECLARATION,
];

/// What a rule judges by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) network: &'a NetworkState,
    /// The end of the main chain, `None` while it is not known.
    pub(crate) main: Option<BlockHash>,
    pub(crate) board: &'a Board,
    pub(crate) server: &'a ServerHealth,
    pub(crate) now: ServerTime,
}

/// Something that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Tells it from others of the same rule and network.
    pub(crate) subject: String,
    pub(crate) node: Option<NodeName>,
    pub(crate) severity: Severity,
    /// Since when.
    pub(crate) since: ServerTime,
    /// What holds, with numbers that do not change by themselves.
    pub(crate) summary: String,
    pub(crate) findings: Vec<FindingId>,
}

/// Names as a list for a person to read.
fn list<'a>(names: impl IntoIterator<Item = &'a NodeName>) -> String {
    let names: Vec<_> = names.into_iter().map(NodeName::as_str).collect();
    names.join(", ")
}

/// `1 block`, `2 blocks`.
fn blocks(count: u32) -> String {
    format!("{count} block{}", if count == 1 { "" } else { "s" })
}
