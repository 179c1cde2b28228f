//! The calls that are made again and again: one file each, all listed in [`ALL`].

mod blockchain;
mod chain_tips;
mod deployments;
mod mempool;
mod network;
mod peers;
mod uptime;

use std::{str::FromStr, time::Duration};

use bmon_event::Kind;
use serde::Deserialize;

use super::Replies;
use crate::config::{IntervalConfig, RpcConfig};

/// One RPC call that takes no parameters and becomes one event.
pub(super) trait Poller: Sync {
    /// The call's name.
    fn method(&self) -> &'static str;

    /// How often it is made.
    fn interval(&self, intervals: &IntervalConfig) -> Duration;

    /// Whether every node offers it. One that does not is no failure then.
    fn is_everywhere(&self) -> bool {
        true
    }

    /// How long it may take.
    fn timeout(&self, config: &RpcConfig) -> Duration {
        Duration::from_millis(config.timeout_ms)
    }

    /// Reads the JSON of the reply. What a node leaves out is absent; only a reply of another shape is an error.
    fn read(&self, reply: &str) -> serde_json::Result<Kind>;

    /// Keeps what `/metrics/compat` shows of the reply and the event does not tell.
    fn keep_aside(&self, _reply: &str, _replies: &mut Replies) {}
}

/// Every poller, in the order in which they first call.
pub(super) const ALL: [&dyn Poller; 7] = [
    &blockchain::BlockchainInfo,
    &network::Network,
    &mempool::Mempool,
    &peers::Peers,
    &chain_tips::ChainTips,
    &deployments::Deployments,
    &uptime::Uptime,
];

/// A node's warnings: one text up to 27, possibly empty; a list of texts from 28 on.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "WarningsReply")]
struct Warnings(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum WarningsReply {
    One(String),
    Many(Vec<String>),
    Other(serde::de::IgnoredAny),
}

impl From<WarningsReply> for Warnings {
    fn from(reply: WarningsReply) -> Self {
        Self(match reply {
            WarningsReply::One(text) if text.is_empty() => Vec::new(),
            WarningsReply::One(text) => vec![text],
            WarningsReply::Many(texts) => texts,
            WarningsReply::Other(_) => Vec::new(),
        })
    }
}

/// A text as a typed value, `None` if it is absent or not one.
fn word<T: FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_its_own_name() {
        let mut methods: Vec<_> = ALL.iter().map(|poller| poller.method()).collect();
        methods.sort_unstable();
        methods.dedup();
        assert_eq!(methods.len(), ALL.len());
    }
}
