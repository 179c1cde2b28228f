//! The nodes as they are now.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::row::{AgentRow, HostRow, NodeRow, Offset, Sighted, SourceRow};
use bmon_event::{AgentTime, BlockHash, MetricsAddress, NodeName};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, arrival::on_server_clock, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/nodes",
    summary: "Every node as it is now: chain, mempool, peers, clock, host, agent and sources.",
    parameters: &[],
    example: "/api/v1/nodes",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// When the reply was made, on the server's clock.
    pub now: String,
    /// The same in microseconds since the Unix epoch.
    pub now_us: i64,
    /// The nodes, by network and name.
    pub nodes: Vec<Node>,
}

/// A node as it is now. Null means that its agent has not told yet, or cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The node, as its operator named it.
    pub node: NodeName,
    /// When the server last heard of it.
    pub heard_at: String,
    /// The same in microseconds since the Unix epoch.
    pub heard_at_us: i64,
    /// User agent (BIP 14), else the banner of its log.
    pub version: Option<String>,
    /// Last block of its active chain.
    pub tip: Option<BlockHash>,
    /// Height of its active chain.
    pub height: Option<u32>,
    /// When its tip last changed, on the server's clock as well as it is known.
    pub tip_at: Option<String>,
    /// The same in microseconds since the Unix epoch.
    pub tip_at_us: Option<i64>,
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
    /// The server's clock minus the clock of its host, in microseconds: the middle of the interval it lies in.
    pub clock_offset_us: Option<i64>,
    /// Largest error of `clock_offset_us` in microseconds.
    pub clock_bound_us: Option<i64>,
    /// Its host.
    pub host: HostRow,
    /// Its agent; null before the agent told of itself.
    pub agent: Option<Agent>,
    /// The sources, and whether each works.
    pub sources: Vec<SourceRow>,
}

/// An agent's own counters since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Version of bmon.
    pub version: String,
    /// When it started, by its own clock.
    pub started_at: String,
    /// The same in microseconds since the Unix epoch.
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
    /// Resident memory of the agent in bytes; null where the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Wants of the server that it fulfilled.
    pub wants_fulfilled: u64,
    /// Wants of the server that it refused or left aside.
    pub wants_refused: u64,
    /// Bytes of `debug.log` read for wants.
    pub want_log_bytes: u64,
    /// Where it serves its metrics, as it says that others reach it; null where it serves none or does not know.
    pub metrics_address: Option<MetricsAddress>,
}

impl Agent {
    fn new(row: AgentRow) -> Option<Self> {
        // Every agent has a version; a row without one is that of an agent not yet heard.
        let told = !row.version.is_empty();
        told.then_some(Self {
            started_at: AgentTime::from_micros(row.started_at_us).to_string(),
            version: row.version,
            started_at_us: row.started_at_us,
            log_bytes: row.log_bytes,
            log_lines: row.log_lines,
            log_lines_matched: row.log_lines_matched,
            zmq_messages: row.zmq_messages,
            rpc_calls: row.rpc_calls,
            rpc_errors: row.rpc_errors,
            rpc_time_us: row.rpc_time_us,
            dropped_events: row.dropped_events,
            spool_batches: row.spool_batches,
            spool_bytes: row.spool_bytes,
            resident_bytes: row.resident_bytes,
            wants_fulfilled: row.wants_fulfilled,
            wants_refused: row.wants_refused,
            want_log_bytes: row.want_log_bytes,
            metrics_address: row.metrics_address,
        })
    }
}

impl Node {
    fn new(row: NodeRow) -> Self {
        // The clocks' difference now stands for that of the moment at which the tip changed.
        let tip_at = row.tip_at.map(|at| on_server_clock(Sighted { at, offset: row.offset }).0);
        Self {
            network: row.network.to_string(),
            node: row.node,
            heard_at: row.heard_at.to_string(),
            heard_at_us: row.heard_at.as_micros(),
            version: row.version,
            tip: row.tip,
            height: row.height,
            tip_at: tip_at.map(|at| at.to_string()),
            tip_at_us: tip_at.map(bmon_event::ServerTime::as_micros),
            headers: row.headers,
            initial_block_download: row.initial_block_download,
            peers_in: row.peers_in,
            peers_out: row.peers_out,
            mempool_transactions: row.mempool_transactions,
            mempool_virtual_bytes: row.mempool_virtual_bytes,
            mempool_min_fee_sat_per_kvb: row.mempool_min_fee_sat_per_kvb,
            uptime_seconds: row.uptime_seconds,
            warnings: row.warnings,
            chain_tips: row.chain_tips,
            clock_offset_us: row.offset.map(Offset::middle_us),
            clock_bound_us: row.offset.map(Offset::bound_us),
            host: row.host,
            agent: Agent::new(row.agent),
            sources: row.sources,
        }
    }
}

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Json<Reply>, Refusal> {
    let nodes = api.read(bmon_store::Reader::nodes).await?;
    let now = api.now();
    let nodes = nodes.into_iter().map(Node::new).collect();
    Ok(Json(Reply { now: now.to_string(), now_us: now.as_micros(), nodes }))
}
