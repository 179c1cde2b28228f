//! The messages on the wire, as protobuf sees them. What the fields mean is said at the types of the event model that
//! have the same names; here stands only what differs. Hashes are 32 bytes in display order, numbers that can be
//! negative are `sint64`, times are microseconds, an absent optional field is `None`.

/// See [`crate::Batch`].
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Batch {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) network: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) node: String,
    #[prost(fixed64, tag = "4")]
    pub(super) epoch: u64,
    #[prost(uint64, tag = "5")]
    pub(super) sequence: u64,
    #[prost(sint64, tag = "6")]
    pub(super) made_at_us: i64,
    #[prost(message, optional, tag = "7")]
    pub(super) log: Option<LogPosition>,
    #[prost(message, optional, tag = "8")]
    pub(super) zmq: Option<ZmqPosition>,
    #[prost(message, repeated, tag = "9")]
    pub(super) events: Vec<Event>,
    #[prost(message, optional, tag = "10")]
    pub(super) transactions: Option<Transactions>,
    /// Lengths of runs, by turns of `events` and of `transactions`.
    #[prost(uint32, repeated, tag = "11")]
    pub(super) runs: Vec<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LogPosition {
    #[prost(uint64, tag = "1")]
    pub(super) device: u64,
    #[prost(uint64, tag = "2")]
    pub(super) inode: u64,
    #[prost(uint64, tag = "3")]
    pub(super) offset: u64,
    #[prost(uint32, tag = "4")]
    pub(super) head_len: u32,
    #[prost(fixed64, tag = "5")]
    pub(super) head_hash: u64,
    #[prost(uint32, tag = "6")]
    pub(super) tail_len: u32,
    #[prost(fixed64, tag = "7")]
    pub(super) tail_hash: u64,
    #[prost(sint64, optional, tag = "8")]
    pub(super) last_line_us: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ZmqPosition {
    #[prost(sint64, tag = "1")]
    pub(super) alive_until_us: i64,
}

/// `TxAdded` and `TxRemoved` in columns. `flags`, `agent_times_us` and `txids` have one entry for each row, the
/// others one for each row whose flags say so. Times and mempool sequences are differences to the previous entry of
/// their column; the first time of a column is a difference to `made_at_us`, the first mempool sequence to 0.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Transactions {
    /// The source's number, plus the bits of the `transaction` module.
    #[prost(uint32, repeated, tag = "1")]
    pub(super) flags: Vec<u32>,
    #[prost(sint64, repeated, tag = "2")]
    pub(super) agent_times_us: Vec<i64>,
    #[prost(sint64, repeated, tag = "3")]
    pub(super) node_times_us: Vec<i64>,
    /// Hashes one after the other.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) txids: Vec<u8>,
    /// Hashes one after the other.
    #[prost(bytes = "vec", tag = "5")]
    pub(super) wtxids: Vec<u8>,
    #[prost(uint64, repeated, tag = "6")]
    pub(super) peers: Vec<u64>,
    #[prost(sint64, repeated, tag = "7")]
    pub(super) mempool_sequences: Vec<i64>,
    #[prost(string, repeated, tag = "8")]
    pub(super) removal_reasons: Vec<String>,
}

/// See [`crate::Event`].
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    /// 1 log, 2 ZMQ, 3 RPC, 4 host, 5 agent.
    #[prost(uint32, tag = "1")]
    pub(super) source: u32,
    #[prost(sint64, optional, tag = "2")]
    pub(super) node_time_us: Option<i64>,
    #[prost(sint64, tag = "3")]
    pub(super) agent_time_us: i64,
    #[prost(
        oneof = "Kind",
        tags = "10, 11, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 40, 41, 42, 43, 44, 45, 46, 50, 60, 61, 62, 63, 64, 65, 66, 67, 68, 70, 71"
    )]
    pub(super) kind: Option<Kind>,
}

/// See [`crate::Kind`]. Boxed, so that a message of many empty events does not unpack to many times its size.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Kind {
    #[prost(message, boxed, tag = "10")]
    NodeStarted(Box<NodeStarted>),
    #[prost(message, boxed, tag = "11")]
    NodeStopping(Box<NodeStopping>),
    #[prost(message, boxed, tag = "20")]
    HeaderSeen(Box<HeaderSeen>),
    #[prost(message, boxed, tag = "21")]
    BlockReceived(Box<BlockReceived>),
    #[prost(message, boxed, tag = "22")]
    BlockReconstructed(Box<BlockReconstructed>),
    #[prost(message, boxed, tag = "23")]
    BlockValid(Box<BlockValid>),
    #[prost(message, boxed, tag = "24")]
    BlockInvalid(Box<BlockInvalid>),
    #[prost(message, boxed, tag = "25")]
    BlockConnected(Box<BlockConnected>),
    #[prost(message, boxed, tag = "26")]
    BlockDisconnected(Box<BlockDisconnected>),
    #[prost(message, boxed, tag = "27")]
    Tip(Box<Tip>),
    #[prost(message, boxed, tag = "28")]
    BlockProcessed(Box<BlockProcessed>),
    #[prost(message, boxed, tag = "29")]
    CompactBlockMatched(Box<CompactBlockMatched>),
    #[prost(message, boxed, tag = "30")]
    TxRejected(Box<TxRejected>),
    #[prost(message, boxed, tag = "31")]
    TxReplaced(Box<TxReplaced>),
    #[prost(message, boxed, tag = "32")]
    BlockAnnounced(Box<BlockAnnounced>),
    #[prost(message, boxed, tag = "33")]
    BlockRequested(Box<BlockRequested>),
    #[prost(message, boxed, tag = "34")]
    BlockTransactionsRequested(Box<BlockTransactionsRequested>),
    #[prost(message, boxed, tag = "35")]
    TipSettled(Box<TipSettled>),
    #[prost(message, boxed, tag = "40")]
    ChainInfo(Box<ChainInfo>),
    #[prost(message, boxed, tag = "41")]
    NetworkInfo(Box<NetworkInfo>),
    #[prost(message, boxed, tag = "42")]
    MempoolInfo(Box<MempoolInfo>),
    #[prost(message, boxed, tag = "43")]
    PeerInfo(Box<PeerInfo>),
    #[prost(message, boxed, tag = "44")]
    ChainTips(Box<ChainTips>),
    #[prost(message, boxed, tag = "45")]
    Uptime(Box<Uptime>),
    #[prost(message, boxed, tag = "46")]
    Deployments(Box<Deployments>),
    #[prost(message, boxed, tag = "50")]
    Host(Box<HostSample>),
    #[prost(message, boxed, tag = "60")]
    Clock(Box<ClockSample>),
    #[prost(message, boxed, tag = "61")]
    Gap(Box<Gap>),
    #[prost(message, boxed, tag = "62")]
    SourceState(Box<SourceState>),
    #[prost(message, boxed, tag = "63")]
    AgentHealth(Box<AgentHealth>),
    #[prost(message, boxed, tag = "64")]
    LogMessages(Box<LogMessages>),
    #[prost(message, boxed, tag = "65")]
    LogLines(Box<LogLines>),
    #[prost(message, boxed, tag = "66")]
    WantRefused(Box<WantRefused>),
    #[prost(message, boxed, tag = "67")]
    Headers(Box<Headers>),
    #[prost(message, boxed, tag = "68")]
    BlockPart(Box<BlockPart>),
    #[prost(message, boxed, tag = "70")]
    RawTx(Box<RawTx>),
    #[prost(message, boxed, tag = "71")]
    MempoolSpends(Box<MempoolSpends>),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NodeStarted {
    #[prost(string, tag = "1")]
    pub(super) banner: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NodeStopping {}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderSeen {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) height: Option<u32>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) peer: Option<u64>,
    #[prost(bool, tag = "4")]
    pub(super) compact: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockReceived {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) peer: u64,
    #[prost(uint64, optional, tag = "3")]
    pub(super) bytes: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockReconstructed {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(super) prefilled: u32,
    #[prost(uint32, tag = "3")]
    pub(super) from_mempool: u32,
    #[prost(uint32, tag = "4")]
    pub(super) from_extra: u32,
    #[prost(uint32, tag = "5")]
    pub(super) requested: u32,
    #[prost(uint64, optional, tag = "6")]
    pub(super) requested_bytes: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    pub(super) peer: Option<u64>,
    #[prost(uint64, optional, tag = "8")]
    pub(super) message_bytes: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockValid {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockInvalid {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) height: Option<u32>,
    #[prost(string, optional, tag = "3")]
    pub(super) reason: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockConnected {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) height: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockDisconnected {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) height: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Tip {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) height: Option<u32>,
    #[prost(double, optional, tag = "3")]
    pub(super) log2_work: Option<f64>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) transactions: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockProcessed {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(super) height: u32,
    /// Always there.
    #[prost(message, optional, tag = "3")]
    pub(super) processing: Option<Processing>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CompactBlockMatched {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) bytes: u64,
    #[prost(uint64, optional, tag = "3")]
    pub(super) peer: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockAnnounced {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) peer: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockRequested {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) height: Option<u32>,
    #[prost(uint64, tag = "3")]
    pub(super) peer: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockTransactionsRequested {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) peer: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TipSettled {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Processing {
    #[prost(uint64, tag = "1")]
    pub(super) total_us: u64,
    #[prost(uint64, optional, tag = "2")]
    pub(super) load_us: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) connect_us: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) sanity_us: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) forks_us: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    pub(super) transactions_us: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    pub(super) scripts_us: Option<u64>,
    #[prost(uint64, optional, tag = "8")]
    pub(super) undo_us: Option<u64>,
    #[prost(uint64, optional, tag = "9")]
    pub(super) index_us: Option<u64>,
    #[prost(uint64, optional, tag = "10")]
    pub(super) flush_us: Option<u64>,
    #[prost(uint64, optional, tag = "11")]
    pub(super) chainstate_us: Option<u64>,
    #[prost(uint64, optional, tag = "12")]
    pub(super) postprocess_us: Option<u64>,
    #[prost(uint32, optional, tag = "13")]
    pub(super) transactions: Option<u32>,
    #[prost(uint32, optional, tag = "14")]
    pub(super) inputs: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TxRejected {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) txid: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) wtxid: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) peer: Option<u64>,
    #[prost(string, tag = "4")]
    pub(super) code: String,
    #[prost(string, tag = "5")]
    pub(super) detail: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TxReplaced {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) old: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) new: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChainInfo {
    #[prost(string, tag = "1")]
    pub(super) chain: String,
    #[prost(uint32, tag = "2")]
    pub(super) blocks: u32,
    #[prost(uint32, tag = "3")]
    pub(super) headers: u32,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) best_block: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "5")]
    pub(super) initial_block_download: Option<bool>,
    #[prost(double, tag = "6")]
    pub(super) verification_progress: f64,
    #[prost(uint64, optional, tag = "7")]
    pub(super) size_on_disk_bytes: Option<u64>,
    #[prost(bool, tag = "8")]
    pub(super) pruned: bool,
    #[prost(string, repeated, tag = "9")]
    pub(super) warnings: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NetworkInfo {
    #[prost(uint64, tag = "1")]
    pub(super) version: u64,
    #[prost(string, tag = "2")]
    pub(super) subversion: String,
    #[prost(uint64, tag = "3")]
    pub(super) protocol_version: u64,
    #[prost(uint32, tag = "4")]
    pub(super) connections: u32,
    #[prost(uint32, optional, tag = "5")]
    pub(super) connections_in: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) connections_out: Option<u32>,
    #[prost(uint64, optional, tag = "7")]
    pub(super) relay_fee_sat_per_kvb: Option<u64>,
    #[prost(uint64, optional, tag = "8")]
    pub(super) incremental_fee_sat_per_kvb: Option<u64>,
    #[prost(string, repeated, tag = "9")]
    pub(super) warnings: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MempoolInfo {
    #[prost(uint64, tag = "1")]
    pub(super) transactions: u64,
    #[prost(uint64, tag = "2")]
    pub(super) virtual_bytes: u64,
    #[prost(uint64, tag = "3")]
    pub(super) usage_bytes: u64,
    #[prost(uint64, tag = "4")]
    pub(super) max_bytes: u64,
    #[prost(uint64, optional, tag = "5")]
    pub(super) min_fee_sat_per_kvb: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    pub(super) unbroadcast: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PeerInfo {
    #[prost(uint32, tag = "1")]
    pub(super) inbound: u32,
    #[prost(uint32, tag = "2")]
    pub(super) outbound: u32,
    #[prost(uint64, optional, tag = "3")]
    pub(super) min_ping_us: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChainTips {
    #[prost(message, repeated, tag = "1")]
    pub(super) tips: Vec<ChainTip>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChainTip {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(super) height: u32,
    #[prost(uint32, tag = "3")]
    pub(super) branch_length: u32,
    /// The node's word.
    #[prost(string, tag = "4")]
    pub(super) status: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Uptime {
    #[prost(uint64, tag = "1")]
    pub(super) seconds: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Deployments {
    #[prost(message, repeated, tag = "1")]
    pub(super) deployments: Vec<Deployment>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Deployment {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bool, tag = "2")]
    pub(super) active: bool,
    #[prost(uint32, optional, tag = "3")]
    pub(super) height: Option<u32>,
    #[prost(uint32, optional, tag = "4")]
    pub(super) bit: Option<u32>,
    #[prost(string, optional, tag = "5")]
    pub(super) status: Option<String>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) since: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HostSample {
    #[prost(uint64, optional, tag = "1")]
    pub(super) cpu_busy_us: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) cpu_total_us: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) memory_total_bytes: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) memory_available_bytes: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) disk_total_bytes: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    pub(super) disk_free_bytes: Option<u64>,
    #[prost(double, optional, tag = "7")]
    pub(super) load_1m: Option<f64>,
    #[prost(bool, optional, tag = "8")]
    pub(super) clock_synchronised: Option<bool>,
    #[prost(uint64, optional, tag = "9")]
    pub(super) clock_max_error_us: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ClockSample {
    #[prost(sint64, tag = "1")]
    pub(super) at: i64,
    #[prost(sint64, tag = "2")]
    pub(super) offset_min_us: i64,
    #[prost(sint64, tag = "3")]
    pub(super) offset_max_us: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Gap {
    #[prost(uint32, tag = "1")]
    pub(super) source: u32,
    #[prost(sint64, optional, tag = "2")]
    pub(super) from: Option<i64>,
    #[prost(sint64, tag = "3")]
    pub(super) to: i64,
    #[prost(uint64, optional, tag = "4")]
    pub(super) lost: Option<u64>,
    #[prost(string, tag = "5")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SourceState {
    #[prost(uint32, tag = "1")]
    pub(super) source: u32,
    #[prost(bool, tag = "2")]
    pub(super) working: bool,
    #[prost(string, tag = "3")]
    pub(super) detail: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AgentHealth {
    #[prost(string, tag = "1")]
    pub(super) version: String,
    #[prost(sint64, tag = "2")]
    pub(super) started_at_us: i64,
    #[prost(uint64, tag = "3")]
    pub(super) log_bytes: u64,
    #[prost(uint64, tag = "4")]
    pub(super) log_lines: u64,
    #[prost(uint64, tag = "5")]
    pub(super) log_lines_matched: u64,
    #[prost(uint64, tag = "6")]
    pub(super) zmq_messages: u64,
    #[prost(uint64, tag = "7")]
    pub(super) rpc_calls: u64,
    #[prost(uint64, tag = "8")]
    pub(super) rpc_errors: u64,
    #[prost(uint64, tag = "9")]
    pub(super) rpc_time_us: u64,
    #[prost(uint64, tag = "10")]
    pub(super) dropped_events: u64,
    #[prost(uint64, tag = "11")]
    pub(super) spool_batches: u64,
    #[prost(uint64, tag = "12")]
    pub(super) spool_bytes: u64,
    #[prost(uint64, optional, tag = "13")]
    pub(super) resident_bytes: Option<u64>,
    #[prost(uint64, tag = "14")]
    pub(super) wants_fulfilled: u64,
    #[prost(uint64, tag = "15")]
    pub(super) wants_refused: u64,
    #[prost(uint64, tag = "16")]
    pub(super) want_log_bytes: u64,
    #[prost(string, optional, tag = "17")]
    pub(super) metrics_address: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LogMessages {
    #[prost(sint64, tag = "1")]
    pub(super) from: i64,
    #[prost(sint64, tag = "2")]
    pub(super) to: i64,
    #[prost(uint64, tag = "3")]
    pub(super) lines: u64,
    #[prost(uint64, tag = "4")]
    pub(super) unmatched: u64,
    #[prost(message, repeated, tag = "5")]
    pub(super) messages: Vec<MessageCount>,
    #[prost(string, repeated, tag = "6")]
    pub(super) settings: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MessageCount {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) category: String,
    #[prost(uint64, tag = "3")]
    pub(super) lines: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LogLines {
    #[prost(uint64, tag = "1")]
    pub(super) want: u64,
    /// `block HASH` or `tx TXID`.
    #[prost(string, tag = "2")]
    pub(super) subject: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) lines: Vec<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) problem: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Headers {
    #[prost(uint64, tag = "1")]
    pub(super) want: u64,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<RawHeader>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RawHeader {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) block: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) raw: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockPart {
    #[prost(uint64, tag = "1")]
    pub(super) want: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) block: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) size_bytes: u64,
    #[prost(uint64, tag = "4")]
    pub(super) offset: u64,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) bytes: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RawTx {
    #[prost(uint64, tag = "1")]
    pub(super) want: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) txid: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) raw: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MempoolSpends {
    #[prost(uint64, tag = "1")]
    pub(super) want: u64,
    #[prost(message, repeated, tag = "2")]
    pub(super) spends: Vec<MempoolSpend>,
    #[prost(string, optional, tag = "3")]
    pub(super) problem: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MempoolSpend {
    /// Of the coin, as is `vout`.
    #[prost(bytes = "vec", tag = "1")]
    pub(super) txid: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(super) vout: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) by: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WantRefused {
    #[prost(uint64, tag = "1")]
    pub(super) want: u64,
    #[prost(string, tag = "2")]
    pub(super) reason: String,
}
