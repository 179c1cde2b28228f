//! What a node said, as one typed event.

use crate::{AgentTime, BlockHash, NodeTime, Txid, Wtxid};

mod agent;
mod answer;
mod block_part;
mod deployment;
mod headers;
mod host;
mod log_lines;
mod log_messages;
mod mempool_spends;
mod processing;
mod raw_tx;
mod removal;
mod rpc;

pub use agent::{AgentHealth, ClockSample, Gap};
pub use block_part::BlockPart;
pub use deployment::Deployment;
pub use headers::{Headers, RawHeader};
pub use host::HostSample;
pub use log_lines::LogLines;
pub use log_messages::{LogMessages, MessageCount};
pub use mempool_spends::{MempoolSpend, MempoolSpends};
pub use processing::Processing;
pub use raw_tx::RawTx;
pub use removal::RemovalReason;
pub use rpc::{ChainInfo, ChainTip, MempoolInfo, NetworkInfo, PeerInfo, TipStatus};

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
    /// A peer announced a block that the node does not have, by its hash alone (`inv`).
    BlockAnnounced {
        /// The block.
        block: BlockHash,
        /// The peer.
        peer: u64,
    },
    /// The node asked a peer for a block, whole or compact.
    BlockRequested {
        /// The block.
        block: BlockHash,
        /// Its height, `None` where the message does not tell.
        height: Option<u32>,
        /// The peer.
        peer: u64,
    },
    /// The node received a whole block.
    BlockReceived {
        /// The block.
        block: BlockHash,
        /// The peer that sent it.
        peer: u64,
        /// Size of the message in bytes, `None` where the log does not tell.
        bytes: Option<u64>,
    },
    /// The node matched a compact block (BIP 152) with its mempool: what it lacks of the block is known.
    CompactBlockMatched {
        /// The block.
        block: BlockHash,
        /// Size of the compact block in bytes.
        bytes: u64,
        /// The peer that sent it, `None` where the log does not tell.
        peer: Option<u64>,
    },
    /// The node asked a peer for the transactions that it lacked of a compact block.
    BlockTransactionsRequested {
        /// The block.
        block: BlockHash,
        /// The peer.
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
        /// The peer whose message completed it, `None` where the log does not tell.
        peer: Option<u64>,
        /// Size in bytes of the message with the requested transactions; `None` without such a message, and where the
        /// log does not tell.
        message_bytes: Option<u64>,
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
    /// The active chain has been changed as far as it will be for now, and ends here. In a reorg it is said once, after
    /// the last step; in initial download never.
    TipSettled {
        /// The last block of the active chain.
        block: BlockHash,
    },

    /// The node finished connecting a block, and told how long each step took.
    BlockProcessed {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
        /// The steps.
        processing: Box<Processing>,
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
    /// RPC `getdeploymentinfo`.
    Deployments(Vec<Deployment>),
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
    /// What the node's log held in a stretch of time.
    LogMessages(LogMessages),

    /// What the node's log says about something, because the server wanted it.
    LogLines(LogLines),
    /// The headers of a block and of blocks before it, because the server wanted them.
    Headers(Headers),
    /// Some bytes of a block, because the server wanted them.
    BlockPart(BlockPart),
    /// A transaction of the node's mempool, because the server wanted it.
    RawTx(RawTx),
    /// Which transactions of the node's mempool spend some coins, because the server wanted to know.
    MempoolSpends(MempoolSpends),
    /// The agent does not fulfil a want.
    WantRefused {
        /// The want's id.
        want: u64,
        /// Why, for a person to read.
        reason: String,
    },
}
