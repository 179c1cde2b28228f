//! RPC `getpeerinfo`, counted: addresses do not leave the host.

use std::time::Duration;

use bmon_event::{Kind, event::PeerInfo};
use serde::Deserialize;

use super::Poller;
use crate::config::IntervalConfig;

pub(super) struct Peers;

#[derive(Deserialize)]
struct Peer {
    inbound: Option<bool>,
    /// Seconds.
    minping: Option<f64>,
}

impl Poller for Peers {
    fn method(&self) -> &'static str {
        "getpeerinfo"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.peer_info_ms)
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        let peers: Vec<Peer> = serde_json::from_str(reply)?;
        let inbound = peers.iter().filter(|peer| peer.inbound == Some(true)).count();
        let pings = peers.iter().filter_map(|peer| peer.minping);
        let min_ping = pings.filter(|seconds| (0.0..3600.0).contains(seconds)).min_by(f64::total_cmp);
        Ok(Kind::PeerInfo(PeerInfo {
            inbound: u32::try_from(inbound).unwrap_or(u32::MAX),
            outbound: u32::try_from(peers.len() - inbound).unwrap_or(u32::MAX),
            min_ping_us: min_ping
                .and_then(|seconds| Duration::from_secs_f64(seconds).as_micros().try_into().ok()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_counted_by_direction() {
        let reply = r#"[{"id":0,"addr":"127.0.0.1:1","inbound":false,"minping":0.000215},
            {"id":1,"inbound":true,"minping":0.1},{"id":2,"inbound":true}]"#;
        let expected = PeerInfo { inbound: 2, outbound: 1, min_ping_us: Some(215) };
        assert_eq!(Peers.read(reply).unwrap(), Kind::PeerInfo(expected));
        assert_eq!(Peers.read("[]").unwrap(), Kind::PeerInfo(PeerInfo::default()));
    }
}
