//! Alerts: what someone should know now, and whether it is so still.

use std::fmt;

use bmon_event::{Network, NodeName, ServerTime};
use serde::{Deserialize, Serialize};

use crate::finding::{FindingId, as_hex};

/// An alert, from the first time that its condition held to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Names it. Of what it is about and of when it began: the same again later is another alert.
    pub id: AlertId,
    /// 1 when first said; one more each time it is said with other content.
    pub revision: u32,
    /// The network.
    pub network: Network,
    /// The id of the rule.
    pub rule: String,
    /// What it is about, among all that the rule may find in the network: a block, a node.
    pub subject: String,
    /// The node it is about, `None` for the network as a whole.
    pub node: Option<NodeName>,
    /// How loud it is. It may grow while the alert lasts.
    pub severity: Severity,
    /// How it stands.
    pub state: AlertState,
    /// Since when the condition holds, on the server's clock, in microseconds since the Unix epoch.
    pub active_at_us: ServerTime,
    /// When it fired, `None` if it did not, or not yet.
    pub fired_at_us: Option<ServerTime>,
    /// When it ended, `None` while it has not.
    pub resolved_at_us: Option<ServerTime>,
    /// What is so, with the numbers.
    pub summary: String,
    /// The findings that it rests on; empty for what is seen without one.
    pub findings: Vec<FindingId>,
}

/// Names an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub [u8; 16]);

impl AlertId {
    /// The id of the alert of `rule` about `subject` that began at `active_at`.
    pub(crate) fn new(network: &Network, rule: &str, subject: &str, active_at: ServerTime) -> Self {
        let at = active_at.as_micros().to_le_bytes();
        Self(FindingId::new(network, rule, &[subject.as_bytes(), &at]).0)
    }
}

as_hex!(AlertId);

/// How loud an alert is: the words that Prometheus' own rules use as label `severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a line.
    Info,
    /// Someone should look at it today.
    Warning,
    /// Someone should be woken.
    Critical,
}

impl Severity {
    /// Every severity, the quietest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word for it in output, metrics and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// How an alert stands: the words of Prometheus, and of Alertmanager for one that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Its condition holds, and has not held for long enough.
    Pending,
    /// It is so.
    Firing,
    /// It was so, or was about to be.
    Resolved,
}

impl AlertState {
    /// Every state, in the order in which an alert goes through them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Firing, Self::Resolved];

    /// The word for it in output, metrics and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
