//! What the node replies, as far as it is shown. Every field may be missing.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use crate::source::rpc::amount::Sats;

/// The last reply to each call, nothing where the last one failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replies {
    /// Of `getblockchaininfo`, which is polled anyway; absent on chains with another proof of work.
    pub(crate) difficulty: Option<f64>,
    pub(crate) net_totals: Option<NetTotals>,
    /// Calls that the node works on, the one that asks included.
    pub(crate) active_calls: Option<u64>,
    pub(crate) memory: Option<Memory>,
    /// Hashes a second, by the number of blocks that they are estimated from.
    pub(crate) hash_ps: BTreeMap<&'static str, f64>,
    /// Fee rates in satoshi per 1,000 virtual bytes, by the number of blocks.
    pub(crate) fees: BTreeMap<&'static str, u64>,
    pub(crate) block: Option<BlockStats>,
    /// Transactions in the chain.
    pub(crate) transactions: Option<u64>,
    pub(crate) tx_index: Option<TxIndex>,
}

/// RPC `getnettotals`: bytes since the node started.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct NetTotals {
    pub(crate) totalbytesrecv: Option<u64>,
    pub(crate) totalbytessent: Option<u64>,
}

/// RPC `getrpcinfo`.
#[derive(Deserialize)]
pub(super) struct RpcInfo {
    #[serde(default)]
    active_commands: Vec<IgnoredAny>,
}

impl RpcInfo {
    #[expect(clippy::unnecessary_wraps, reason = "as the other replies are read")]
    pub(super) fn active(self) -> Option<u64> {
        Some(self.active_commands.len() as u64)
    }
}

/// RPC `getmemoryinfo`.
#[derive(Deserialize)]
pub(super) struct MemoryInfo {
    #[serde(default)]
    pub(super) locked: Memory,
}

/// The node's pool of locked memory, in bytes and chunks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Memory {
    pub(crate) used: Option<u64>,
    pub(crate) free: Option<u64>,
    pub(crate) total: Option<u64>,
    pub(crate) locked: Option<u64>,
    pub(crate) chunks_used: Option<u64>,
    pub(crate) chunks_free: Option<u64>,
}

/// RPC `estimatesmartfee`. Without an estimate the node gives the reasons and no rate.
#[derive(Deserialize)]
pub(super) struct Fee {
    /// In bitcoin per 1,000 virtual bytes, which is read as satoshi.
    #[serde(default)]
    pub(super) feerate: Sats,
}

/// RPC `getblockstats`. Amounts are in satoshi; neither counts the coinbase.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct BlockStats {
    pub(crate) blockhash: Option<String>,
    pub(crate) height: Option<u64>,
    pub(crate) total_size: Option<u64>,
    pub(crate) total_weight: Option<u64>,
    pub(crate) txs: Option<u64>,
    pub(crate) ins: Option<u64>,
    pub(crate) outs: Option<u64>,
    pub(crate) total_out: Option<u64>,
    pub(crate) totalfee: Option<u64>,
}

/// RPC `getchaintxstats`. From 29.0 on without a count where the chain began with a snapshot that is not checked yet.
#[derive(Deserialize)]
pub(super) struct TxStats {
    pub(super) txcount: Option<u64>,
}

/// RPC `getindexinfo`, by the names of the indexes that the node has.
#[derive(Deserialize)]
pub(super) struct IndexInfo {
    #[serde(default)]
    pub(super) txindex: TxIndex,
}

/// The index of transactions; the default is that of a node that has none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct TxIndex {
    #[serde(default)]
    pub(crate) synced: bool,
    #[serde(default)]
    pub(crate) best_block_height: u64,
}
