//! What the RPC server of a node answered.

use crate::BlockHash;

/// RPC `getblockchaininfo`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainInfo {
    /// Name of the network as the node gives it.
    pub chain: String,
    /// Height of the active chain.
    pub blocks: u32,
    /// Height of the best header chain.
    pub headers: u32,
    /// Last block of the active chain, `None` if the reply lacks it.
    pub best_block: Option<BlockHash>,
    /// Whether the node is in initial block download, `None` up to 0.15.
    pub initial_block_download: Option<bool>,
    /// The node's own estimate from 0 to 1.
    pub verification_progress: f64,
    /// Size of block and undo files in bytes, `None` up to 0.15.
    pub size_on_disk_bytes: Option<u64>,
    /// Whether the node prunes.
    pub pruned: bool,
    /// The node's warnings, empty when there are none.
    pub warnings: Vec<String>,
}

/// RPC `getnetworkinfo`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkInfo {
    /// Version as an integer, for example 300000 for 30.0.
    pub version: u64,
    /// User agent (BIP 14), for example `/Satoshi:30.0.0/`.
    pub subversion: String,
    /// Version of the P2P protocol.
    pub protocol_version: u64,
    /// Peers.
    pub connections: u32,
    /// Peers that connected to the node, `None` up to 0.20.
    pub connections_in: Option<u32>,
    /// Peers that the node connected to, `None` up to 0.20.
    pub connections_out: Option<u32>,
    /// Minimum relay fee rate in satoshi per 1,000 virtual bytes.
    pub relay_fee_sat_per_kvb: Option<u64>,
    /// Minimum fee rate increment for replacement in satoshi per 1,000 virtual bytes.
    pub incremental_fee_sat_per_kvb: Option<u64>,
    /// The node's warnings, empty when there are none.
    pub warnings: Vec<String>,
}

/// RPC `getmempoolinfo`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MempoolInfo {
    /// Transactions in the mempool.
    pub transactions: u64,
    /// Their virtual size in bytes (BIP 141).
    pub virtual_bytes: u64,
    /// Memory used in bytes.
    pub usage_bytes: u64,
    /// Limit of the memory used in bytes (`-maxmempool`).
    pub max_bytes: u64,
    /// Fee rate needed to enter in satoshi per 1,000 virtual bytes.
    pub min_fee_sat_per_kvb: Option<u64>,
    /// Transactions not yet announced by any peer, `None` up to 0.19.
    pub unbroadcast: Option<u64>,
}

/// RPC `getpeerinfo`, counted: addresses do not leave the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PeerInfo {
    /// Peers that connected to the node.
    pub inbound: u32,
    /// Peers that the node connected to.
    pub outbound: u32,
    /// Smallest known round trip of any peer in microseconds, `None` before the first `pong`.
    pub min_ping_us: Option<u64>,
}

/// One entry of RPC `getchaintips`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainTip {
    /// Last block of the branch.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// Blocks between the branch's end and the active chain, 0 for the active chain.
    pub branch_length: u32,
    /// What the node knows of the branch.
    pub status: TipStatus,
}

/// Status of a branch (RPC help of `getchaintips`, 30.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TipStatus {
    /// The active chain.
    Active,
    /// All blocks are there and valid, but not part of the active chain.
    ValidFork,
    /// All blocks are there, but they were never fully validated.
    ValidHeaders,
    /// Not all blocks are there.
    HeadersOnly,
    /// At least one block of the branch is invalid.
    Invalid,
    /// A word this version of bmon does not know.
    Unknown(String),
}

impl TipStatus {
    /// From the node's word for it.
    pub fn from_word(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "valid-fork" => Self::ValidFork,
            "valid-headers" => Self::ValidHeaders,
            "headers-only" => Self::HeadersOnly,
            "invalid" => Self::Invalid,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The node's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::ValidFork => "valid-fork",
            Self::ValidHeaders => "valid-headers",
            Self::HeadersOnly => "headers-only",
            Self::Invalid => "invalid",
            Self::Unknown(word) => word,
        }
    }
}
