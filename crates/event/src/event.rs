//! What a node said, as one typed event.

use crate::{AgentTime, BlockHash, NodeTime, Txid, Wtxid};

/// One thing that one source of one node told. The node and its network are those of the [`crate::Batch`].
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Who told it.
    pub source: Source,
    /// When, by the source's own stamp. `None` when the source has none (ZMQ, RPC, a log line before any time).
    pub node_time: Option<NodeTime>,
    /// When the agent received it. In a replay of old logs, the log's own time.
    pub agent_time: AgentTime,
    /// What it told.
    pub kind: Kind,
}

impl Event {
    /// The best time known for what the event tells, on the clock that node and agent share: the source's own stamp
    /// where it has one.
    pub fn time(&self) -> AgentTime {
        self.node_time.map_or(self.agent_time, NodeTime::on_agent_clock)
    }
}

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The node's `debug.log`.
    Log,
    /// The node's ZMQ publisher.
    Zmq,
    /// The node's RPC server, polled.
    Rpc,
    /// The operating system of the node's host.
    Host,
    /// The agent, about itself.
    Agent,
}

impl Source {
    /// Every source, in the order of their wire numbers.
    pub const ALL: [Self; 5] = [Self::Log, Self::Zmq, Self::Rpc, Self::Host, Self::Agent];

    /// The word for it in output, metrics and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Zmq => "zmq",
            Self::Rpc => "rpc",
            Self::Host => "host",
            Self::Agent => "agent",
        }
    }
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The node started and named its version in its first log line.
    NodeStarted {
        /// Implementation and version as printed, for example `Bitcoin Core version v30.0.0 (release build)`.
        banner: String,
    },
    /// The node began to shut down.
    NodeStopping,

    /// The node saw a header for the first time.
    HeaderSeen {
        /// The block.
        block: BlockHash,
        /// Its height, `None` where the message does not tell (compact block headers up to 29.x).
        height: Option<u32>,
        /// The peer that sent it, `None` where the message does not tell.
        peer: Option<u64>,
        /// Whether it came in a compact block (BIP 152).
        compact: bool,
    },
    /// The node received a whole block.
    BlockReceived {
        /// The block.
        block: BlockHash,
        /// The peer that sent it.
        peer: u64,
    },
    /// The node completed a compact block (BIP 152).
    BlockReconstructed {
        /// The block.
        block: BlockHash,
        /// Transactions that came with the announcement.
        prefilled: u32,
        /// Transactions found in the mempool, those of the extra pool included.
        from_mempool: u32,
        /// Transactions found in the extra pool.
        from_extra: u32,
        /// Transactions that had to be requested.
        requested: u32,
        /// Their size in bytes, `None` up to 29.x.
        requested_bytes: Option<u64>,
    },
    /// The node finished checking a block and found it valid.
    BlockValid {
        /// The block.
        block: BlockHash,
    },
    /// The node found a block invalid.
    BlockInvalid {
        /// The block.
        block: BlockHash,
        /// Its height, `None` where the message does not tell.
        height: Option<u32>,
        /// The node's words, for example `bad-cb-amount`; `None` where the message does not tell.
        reason: Option<String>,
    },
    /// The node added a block to its active chain.
    BlockConnected {
        /// The block.
        block: BlockHash,
        /// Its height, `None` from ZMQ.
        height: Option<u32>,
    },
    /// The node removed a block from its active chain.
    BlockDisconnected {
        /// The block.
        block: BlockHash,
        /// Its height, `None` from ZMQ.
        height: Option<u32>,
    },
    /// The node's active chain now ends here. In a reorg this is said once for each step, with falling heights
    /// while blocks are disconnected.
    Tip {
        /// The last block of the active chain.
        block: BlockHash,
        /// Its height, `None` from ZMQ.
        height: Option<u32>,
        /// Logarithm to base 2 of the chain's total work, `None` where the message does not tell.
        log2_work: Option<f64>,
        /// Transactions in the chain up to here, `None` where the message does not tell.
        transactions: Option<u64>,
    },

    /// A transaction entered the node's mempool.
    TxAdded {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` where the message does not tell.
        wtxid: Option<Wtxid>,
        /// The peer it came from, `None` where the message does not tell.
        peer: Option<u64>,
        /// The mempool's own sequence number (ZMQ `sequence`), `None` elsewhere.
        mempool_sequence: Option<u64>,
    },
    /// A transaction left the node's mempool for another reason than inclusion in a block.
    TxRemoved {
        /// The transaction.
        txid: Txid,
        /// Why, `None` from ZMQ.
        reason: Option<RemovalReason>,
        /// The mempool's own sequence number (ZMQ `sequence`), `None` elsewhere.
        mempool_sequence: Option<u64>,
    },
    /// The node refused a transaction that a peer sent.
    TxRejected {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` where the message does not tell (up to 25).
        wtxid: Option<Wtxid>,
        /// The peer that sent it, `None` where the message does not tell.
        peer: Option<u64>,
        /// The reason's code, for example `min relay fee not met`.
        code: String,
        /// What follows the code in the message; empty when nothing does.
        detail: String,
    },
    /// A transaction took another's place in the mempool (BIP 125).
    TxReplaced {
        /// The transaction that left.
        old: Txid,
        /// The transaction that came, `None` where a package replaced it or the message does not tell.
        new: Option<Txid>,
    },

    /// RPC `getblockchaininfo`.
    ChainInfo(ChainInfo),
    /// RPC `getnetworkinfo`.
    NetworkInfo(NetworkInfo),
    /// RPC `getmempoolinfo`.
    MempoolInfo(MempoolInfo),
    /// RPC `getpeerinfo`, counted.
    PeerInfo(PeerInfo),
    /// RPC `getchaintips`.
    ChainTips(Vec<ChainTip>),
    /// RPC `uptime`.
    Uptime {
        /// Seconds since the node started.
        seconds: u64,
    },

    /// The state of the node's host.
    Host(HostSample),

    /// One time exchange with the server, or none if it could not be reached.
    Clock(ClockSample),
    /// A stretch of time in which a source may have said things that are lost.
    Gap(Gap),
    /// A source began or ceased to work.
    SourceState {
        /// The source.
        source: Source,
        /// Whether it works now.
        working: bool,
        /// What is wrong and what that costs, or what it reads, for a person to read.
        detail: String,
    },
    /// The agent's own counters since it started.
    AgentHealth(AgentHealth),
}

/// Why a transaction left the mempool (`RemovalReasonToString`, `src/kernel/mempool_removal_reason.cpp@v30`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// It was older than `-mempoolexpiry`.
    Expiry,
    /// The mempool was full.
    SizeLimit,
    /// A reorg made it invalid.
    Reorg,
    /// A block holds a transaction that spends the same output.
    Conflict,
    /// Another transaction replaced it.
    Replaced,
    /// A word this version of bmon does not know.
    Unknown(String),
}

impl RemovalReason {
    /// From the node's word for it.
    pub fn from_word(word: &str) -> Self {
        match word {
            "expiry" => Self::Expiry,
            "sizelimit" => Self::SizeLimit,
            "reorg" => Self::Reorg,
            "conflict" => Self::Conflict,
            "replaced" => Self::Replaced,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The node's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Expiry => "expiry",
            Self::SizeLimit => "sizelimit",
            Self::Reorg => "reorg",
            Self::Conflict => "conflict",
            Self::Replaced => "replaced",
            Self::Unknown(word) => word,
        }
    }
}

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

/// State of the node's host. Fields are `None` where the host does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSample {
    /// CPU time of all cores since boot that was not idle, in microseconds.
    pub cpu_busy_us: Option<u64>,
    /// CPU time of all cores since boot, in microseconds.
    pub cpu_total_us: Option<u64>,
    /// Physical memory in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Memory that programs can still get without swapping, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Size in bytes of the file system that holds the node's data directory.
    pub disk_total_bytes: Option<u64>,
    /// Free bytes there for unprivileged users.
    pub disk_free_bytes: Option<u64>,
    /// Load average of one minute.
    pub load_1m: Option<f64>,
    /// Whether the kernel says that its clock is synchronised (`adjtimex`, not `STA_UNSYNC`).
    pub clock_synchronised: Option<bool>,
    /// The kernel's bound on its clock's error in microseconds (`adjtimex`, `maxerror`).
    pub clock_max_error_us: Option<u64>,
}

/// The tightest of the time exchanges with the server since the previous sample. The server's clock minus the
/// agent's lies in [`offset_min_us`, `offset_max_us`]: no symmetry of the path is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// When the exchange ended (the fourth stamp).
    pub at: AgentTime,
    /// Lower bound: the server's stamp on sending less the agent's on receiving, in microseconds.
    pub offset_min_us: i64,
    /// Upper bound: the server's stamp on receiving less the agent's on sending, in microseconds.
    pub offset_max_us: i64,
}

/// A stretch of time for which a source's events may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The source that may have said more.
    pub source: Source,
    /// Start, `None` when it is not known.
    pub from: Option<AgentTime>,
    /// End.
    pub to: AgentTime,
    /// Events known to be missing, `None` when their number is not known.
    pub lost: Option<u64>,
    /// Why, for a person to read.
    pub reason: String,
}

/// The agent's own counters since it started, and what it costs the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentHealth {
    /// Version of bmon.
    pub version: String,
    /// When the agent started, in microseconds of its clock.
    pub started_at_us: i64,
    /// Bytes of `debug.log` read.
    pub log_bytes: u64,
    /// Lines of `debug.log` read.
    pub log_lines: u64,
    /// Lines that are a message bmon knows.
    pub log_lines_matched: u64,
    /// ZMQ messages received.
    pub zmq_messages: u64,
    /// RPC calls made.
    pub rpc_calls: u64,
    /// RPC calls that failed.
    pub rpc_errors: u64,
    /// Time spent waiting for RPC replies, in microseconds.
    pub rpc_time_us: u64,
    /// Events dropped because the spool was full.
    pub dropped_events: u64,
    /// Batches in the spool that the server has not acknowledged.
    pub spool_batches: u64,
    /// Size of the spool on disk in bytes.
    pub spool_bytes: u64,
    /// Resident memory of the agent in bytes, `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
}
