//! The findings that rules look at: the last ones, and those that are not over.

use std::collections::BTreeMap;

use bmon_event::ServerTime;

use super::{EVENT_US, MINUTE_US};
use crate::finding::{Body, Finding, FindingId};

/// How long a finding stays that no rule looks at any more: it may yet be revised.
const KEPT_US: i64 = EVENT_US + 50 * MINUTE_US;
/// Most findings. More than this within an hour is no news.
const MOST: usize = 4_096;

/// Findings by id.
#[derive(Debug, Default)]
pub(crate) struct Board {
    findings: BTreeMap<FindingId, Finding>,
}

impl Board {
    /// Takes in a finding, or a revision of one. False if no rule looks at such findings: they are passed over.
    pub(crate) fn put(&mut self, finding: &Finding) -> bool {
        // What was alarming and is no more takes its place too.
        let is_of_interest = is_of_interest(&finding.body) || self.findings.contains_key(&finding.id);
        if is_of_interest {
            self.findings.insert(finding.id, finding.clone());
        }
        is_of_interest
    }

    /// Forgets what is over.
    pub(crate) fn tidy(&mut self, now: ServerTime) {
        self.findings.retain(|_, finding| {
            is_open(&finding.body) || now.micros_since(finding.sighted.on_server_clock()) <= KEPT_US
        });
        while self.findings.len() > MOST {
            let oldest = self.findings.iter().min_by_key(|(_, finding)| finding.sighted.on_server_clock());
            let Some(oldest) = oldest.map(|(id, _)| *id) else { return };
            self.findings.remove(&oldest);
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.findings.values()
    }

    /// Those about something that happened, which happened lately.
    pub(crate) fn lately(&self, now: ServerTime) -> impl Iterator<Item = &Finding> {
        self.iter().filter(move |finding| now.micros_since(finding.sighted.on_server_clock()) <= EVENT_US)
    }
}

const fn is_of_interest(body: &Body) -> bool {
    match body {
        Body::Reorg(_)
        | Body::InvalidBlock(_)
        | Body::Fork(_)
        | Body::ValidityDisagreement(_)
        | Body::Partition(_)
        | Body::Lag(_)
        | Body::VersionBit(_)
        | Body::SelfishMining(_)
        | Body::SlowNode(_)
        | Body::DelayDrift(_)
        | Body::VersionComparison(_)
        | Body::ClockStep(_)
        | Body::ClockDrift(_) => true,
        Body::Watch(found) => found.step.is_alarming(),
        Body::RejectedTx(_)
        | Body::Gap(_)
        | Body::VanishedMessage(_)
        | Body::StaleBlock(_)
        | Body::DeploymentChange(_)
        | Body::DoubleSpend(_)
        | Body::BlockTimes(_) => false,
    }
}

const fn is_open(body: &Body) -> bool {
    match body {
        Body::Fork(fork) => fork.is_race,
        Body::ValidityDisagreement(found) => found.is_open,
        Body::Partition(found) => found.healed_at_us.is_none(),
        Body::VersionBit(found) => found.is_open,
        Body::Lag(found) => found.caught_up_at_us.is_none(),
        Body::SlowNode(found) | Body::DelayDrift(found) => found.over_at_us.is_none(),
        Body::VersionComparison(found) => found.is_alarm,
        Body::ClockDrift(found) => found.over_at_us.is_none(),
        _ => false,
    }
}
