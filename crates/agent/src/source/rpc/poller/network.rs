//! RPC `getnetworkinfo`.

use std::time::Duration;

use bmon_event::{Kind, event::NetworkInfo};
use serde::Deserialize;

use super::{Poller, Warnings};
use crate::{config::IntervalConfig, source::rpc::amount::Sats};

pub(super) struct Network;

#[derive(Deserialize)]
struct Reply {
    version: Option<u64>,
    subversion: Option<String>,
    protocolversion: Option<u64>,
    connections: Option<u32>,
    connections_in: Option<u32>,
    connections_out: Option<u32>,
    #[serde(default)]
    relayfee: Sats,
    #[serde(default)]
    incrementalfee: Sats,
    #[serde(default)]
    warnings: Warnings,
}

impl Poller for Network {
    fn method(&self) -> &'static str {
        "getnetworkinfo"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.network_info_ms)
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        let reply: Reply = serde_json::from_str(reply)?;
        Ok(Kind::NetworkInfo(NetworkInfo {
            version: reply.version.unwrap_or_default(),
            subversion: reply.subversion.unwrap_or_default(),
            protocol_version: reply.protocolversion.unwrap_or_default(),
            connections: reply.connections.unwrap_or_default(),
            connections_in: reply.connections_in,
            connections_out: reply.connections_out,
            relay_fee_sat_per_kvb: reply.relayfee.0,
            incremental_fee_sat_per_kvb: reply.incrementalfee.0,
            warnings: reply.warnings.0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_29_is_read_with_exact_fees() {
        let reply = r#"{"version":290000,"subversion":"/Satoshi:29.0.0/","protocolversion":70016,
            "localservices":"0000000000000c09","connections":3,"connections_in":1,"connections_out":2,
            "networks":[],"relayfee":0.00001000,"incrementalfee":0.00000100,"localaddresses":[],"warnings":[]}"#;
        let Kind::NetworkInfo(info) = Network.read(reply).unwrap() else { panic!("another kind") };
        assert_eq!(
            (info.version, info.subversion.as_str(), info.protocol_version),
            (290_000, "/Satoshi:29.0.0/", 70016)
        );
        assert_eq!((info.connections, info.connections_in, info.connections_out), (3, Some(1), Some(2)));
        assert_eq!((info.relay_fee_sat_per_kvb, info.incremental_fee_sat_per_kvb), (Some(1000), Some(100)));
    }

    #[test]
    fn warnings_up_to_27_are_one_text() {
        let Kind::NetworkInfo(info) = Network.read(r#"{"warnings":"Warning: check your clock"}"#).unwrap()
        else {
            panic!("another kind")
        };
        assert_eq!(info.warnings, ["Warning: check your clock"]);
        assert_eq!((info.connections_in, info.relay_fee_sat_per_kvb), (None, None));
    }
}
