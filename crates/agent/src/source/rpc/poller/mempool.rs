//! RPC `getmempoolinfo`.

use std::time::Duration;

use bmon_event::{Kind, event::MempoolInfo};
use serde::Deserialize;

use super::Poller;
use crate::{config::IntervalConfig, source::rpc::amount::Sats};

pub(super) struct Mempool;

#[derive(Deserialize)]
struct Reply {
    size: Option<u64>,
    bytes: Option<u64>,
    usage: Option<u64>,
    maxmempool: Option<u64>,
    #[serde(default)]
    mempoolminfee: Sats,
    unbroadcastcount: Option<u64>,
}

impl Poller for Mempool {
    fn method(&self) -> &'static str {
        "getmempoolinfo"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.mempool_info_ms)
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        let reply: Reply = serde_json::from_str(reply)?;
        Ok(Kind::MempoolInfo(MempoolInfo {
            transactions: reply.size.unwrap_or_default(),
            virtual_bytes: reply.bytes.unwrap_or_default(),
            usage_bytes: reply.usage.unwrap_or_default(),
            max_bytes: reply.maxmempool.unwrap_or_default(),
            min_fee_sat_per_kvb: reply.mempoolminfee.0,
            unbroadcast: reply.unbroadcastcount,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_30_is_read() {
        let reply = r#"{"loaded":true,"size":2,"bytes":282,"usage":2400,"total_fee":0.00002820,"maxmempool":300000000,
            "mempoolminfee":0.00000100,"minrelaytxfee":0.00000100,"incrementalrelayfee":0.00000100,
            "unbroadcastcount":1,"fullrbf":true}"#;
        let expected = MempoolInfo {
            transactions: 2,
            virtual_bytes: 282,
            usage_bytes: 2400,
            max_bytes: 300_000_000,
            min_fee_sat_per_kvb: Some(100),
            unbroadcast: Some(1),
        };
        assert_eq!(Mempool.read(reply).unwrap(), Kind::MempoolInfo(expected));
    }
}
