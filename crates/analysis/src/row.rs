//! What the engine asks the store to keep.
//!
//! A row is whole for its key and may be said again: the store replaces, or where the row is a *first* time keeps the
//! earlier one. Nothing is ever incremented, so a row that is written twice changes nothing.

mod block_step;
mod tx;

use bmon_event::{
    AgentTime, BlockHash, MetricsAddress, Network, NodeName, ServerTime, Source, event::Processing,
};
use serde::{Deserialize, Serialize};

pub use self::block_step::{Announcement, BlockStep, Reconstruction, Step};
pub(crate) use self::tx::keep;
pub use self::tx::{TxChunk, TxColumn, TxIds, TxLeft, TxNode, TxSeen, TxSpread};

use crate::{
    alert::Alert,
    finding::{Finding, NodeStatus},
    pool::Miner,
};

/// One thing to keep.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A node as it is now.
    Node(Box<NodeRow>),
    /// A block exists. Key: network, block.
    Block(BlockRow),
    /// A node reached a stage with a block. Key: network, block, node, source, stage; the earliest time stays.
    BlockSighting(BlockSighting),
    /// How long a node took to connect a block. Key: network, block, node; the earliest time stays.
    BlockProcessing(Box<BlockProcessing>),
    /// How a block came into a node, step by step. Key: network, block, node, source, step; the earliest time stays.
    BlockStep(Box<BlockStep>),
    /// What nodes told of some transactions. Key: id; the last said stays.
    TxChunk(Box<TxChunk>),
    /// How far apart nodes saw the transactions of an hour. Key: network, hour; the last said stays.
    TxSpread(Box<TxSpread>),
    /// A block's header. Key: network, block.
    Header(HeaderRow),
    /// The ends of a network's branches as they are now. Key: network.
    Tips(Box<TipsRow>),
    /// Who mined a block. Key: network, block.
    Miner(MinerRow),
    /// The bytes of a block that was left behind. Key: network, block.
    RawBlock(RawBlockRow),
    /// Something that an analysis found. Key: id; the highest revision stays, of equal ones the first.
    Finding(Box<Finding>),
    /// An alert. Key: id; the highest revision stays.
    Alert(Box<Alert>),
}

/// A block as far as any node told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockRow {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// Its height, `None` while no node told it; a later row with a height fills it in.
    pub height: Option<u32>,
}

/// A block's header, and where in the tree it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRow {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// The header's bytes: 80, or 164 from Knots 29.4 on its own chain.
    pub raw: Vec<u8>,
}

/// The ends of a network's branches as they are now: what `getchaintips` would tell of all nodes together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipsRow {
    /// The network.
    pub network: Network,
    /// The end of the main chain, then that of every branch off it, the highest first.
    pub tips: Vec<Tip>,
    /// Where each node is that has told, by name.
    pub nodes: Vec<NodeTip>,
}

/// The end of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// Blocks that the main chain does not have, 0 for its own end.
    pub branch_length: u32,
    /// The last block that the main chain has too.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// When the first node told of the block, on the server's clock, in microseconds since the Unix epoch. The miner's own
    /// time where no node told of it when it came, or that is forgotten.
    pub seen_at_us: ServerTime,
    /// What the block is to each node that knows it, by name.
    pub nodes: Vec<NodeStatus>,
}

/// The end of a node's active chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTip {
    /// The node.
    pub node: NodeName,
    /// The block.
    pub tip: BlockHash,
    /// Its height.
    pub height: u32,
    /// Blocks of the main chain that the node has not connected.
    pub blocks_behind: u32,
}

/// Who mined a block, as far as its coinbase tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerRow {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// Who mined it, by the table of pools of the server that read it.
    pub miner: Miner,
}

/// A whole block, as it is serialised with its witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBlockRow {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// What a node had done with a block. In the order in which a node goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It saw the header.
    Header,
    /// It had the whole block, received or reconstructed.
    Block,
    /// It had checked it, valid or not.
    Checked,
    /// It was added to the active chain: the stage that the block tables show.
    Connected,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 4] = [Self::Header, Self::Block, Self::Checked, Self::Connected];

    /// The word for it in output and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Block => "block",
            Self::Checked => "checked",
            Self::Connected => "connected",
        }
    }
}

/// When, by the clock of node and agent, and where that clock stood against the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighted {
    /// The time on the clock that node and agent share, in microseconds since the Unix epoch.
    pub at: AgentTime,
    /// Server's clock minus that clock, at that time; `None` when there was no time exchange near enough.
    pub offset: Option<Offset>,
}

impl Sighted {
    /// The instant on the server's clock in microseconds since the Unix epoch, as well as it is known: the middle of what
    /// it may be, or the node's own time where nothing is known of its clock.
    pub const fn on_server_clock(&self) -> ServerTime {
        let shift = match self.offset {
            Some(offset) => offset.middle_us(),
            None => 0,
        };
        ServerTime::from_micros(self.at.plus_micros(shift).as_micros())
    }

    /// An instant that the server's own clock showed.
    pub const fn by_server(at: ServerTime) -> Self {
        Self { at: AgentTime::from_micros(at.as_micros()), offset: Some(Offset { min_us: 0, max_us: 0 }) }
    }
}

/// An interval that holds the server's clock minus the clock of a node and its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Lower bound in microseconds.
    pub min_us: i64,
    /// Upper bound in microseconds.
    pub max_us: i64,
}

impl Offset {
    /// The middle of the interval in microseconds: the correction that is applied.
    pub const fn middle_us(self) -> i64 {
        self.min_us.midpoint(self.max_us)
    }

    /// Half of the interval's width in microseconds, rounded up: the bound on the error of the correction.
    pub const fn bound_us(self) -> i64 {
        (self.max_us - self.min_us + 1) / 2
    }
}

/// When one source of one node first told of one stage of one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockSighting {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// The node.
    pub node: NodeName,
    /// Who told.
    pub source: Source,
    /// What the node had done with the block.
    pub stage: Stage,
    /// When.
    pub sighted: Sighted,
}

/// How long a node took to connect a block, when it did so first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockProcessing {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// The node.
    pub node: NodeName,
    /// When it was done.
    pub sighted: Sighted,
    /// The steps.
    pub processing: Processing,
}

/// A node as it is now. `None` means that its agent has not told yet, or cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// The network.
    pub network: Network,
    /// The node.
    pub node: NodeName,
    /// When the server last heard of it.
    pub heard_at: ServerTime,
    /// User agent (BIP 14) from RPC, else the banner of the log.
    pub version: Option<String>,
    /// Last block of its active chain.
    pub tip: Option<BlockHash>,
    /// Height of its active chain.
    pub height: Option<u32>,
    /// When its tip last changed.
    pub tip_at: Option<AgentTime>,
    /// Height of its best header chain.
    pub headers: Option<u32>,
    /// Whether it is in initial block download.
    pub initial_block_download: Option<bool>,
    /// Peers that connected to it.
    pub peers_in: Option<u32>,
    /// Peers that it connected to.
    pub peers_out: Option<u32>,
    /// Transactions in its mempool.
    pub mempool_transactions: Option<u64>,
    /// Their virtual size in bytes.
    pub mempool_virtual_bytes: Option<u64>,
    /// Fee rate needed to enter its mempool in satoshi per 1,000 virtual bytes.
    pub mempool_min_fee_sat_per_kvb: Option<u64>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// The node's own warnings.
    pub warnings: Vec<String>,
    /// Branches that `getchaintips` lists, the active one included.
    pub chain_tips: Option<u32>,
    /// Server's clock minus this host's, now.
    pub offset: Option<Offset>,
    /// Its host.
    pub host: HostRow,
    /// Its agent.
    pub agent: AgentRow,
    /// The sources, and whether each works.
    pub sources: Vec<SourceRow>,
}

impl NodeRow {
    /// A node of which nothing was told yet.
    pub fn new(network: Network, node: NodeName) -> Self {
        Self {
            network,
            node,
            heard_at: ServerTime::default(),
            version: None,
            tip: None,
            height: None,
            tip_at: None,
            headers: None,
            initial_block_download: None,
            peers_in: None,
            peers_out: None,
            mempool_transactions: None,
            mempool_virtual_bytes: None,
            mempool_min_fee_sat_per_kvb: None,
            uptime_seconds: None,
            warnings: Vec::new(),
            chain_tips: None,
            offset: None,
            host: HostRow::default(),
            agent: AgentRow::default(),
            sources: Vec::new(),
        }
    }
}

/// The host of a node. Fields are `None` where it does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostRow {
    /// Share of CPU time in use between the last two samples, from 0 to 1.
    pub cpu_busy: Option<f64>,
    /// Load average of one minute.
    pub load_1m: Option<f64>,
    /// Physical memory in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Memory still available in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Size of the data directory's file system in bytes.
    pub disk_total_bytes: Option<u64>,
    /// Free bytes there.
    pub disk_free_bytes: Option<u64>,
    /// Whether the kernel says that its clock is synchronised.
    pub clock_synchronised: Option<bool>,
    /// The kernel's bound on its clock's error in microseconds.
    pub clock_max_error_us: Option<u64>,
}

/// The agent's own counters since it started (see [`bmon_event::event::AgentHealth`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is that of AgentHealth with the same name")]
pub struct AgentRow {
    pub version: String,
    pub started_at_us: i64,
    pub log_bytes: u64,
    pub log_lines: u64,
    pub log_lines_matched: u64,
    pub zmq_messages: u64,
    pub rpc_calls: u64,
    pub rpc_errors: u64,
    pub rpc_time_us: u64,
    pub dropped_events: u64,
    pub spool_batches: u64,
    pub spool_bytes: u64,
    pub resident_bytes: Option<u64>,
    pub wants_fulfilled: u64,
    pub wants_refused: u64,
    pub want_log_bytes: u64,
    pub metrics_address: Option<MetricsAddress>,
}

/// One source of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRow {
    /// The source.
    pub source: Source,
    /// Whether it works now.
    pub working: bool,
    /// What it reads, or what is wrong and what that costs.
    pub detail: String,
}
