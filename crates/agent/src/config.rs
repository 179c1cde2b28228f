//! What an agent needs to know.
//!
//! No field has a default here: defaults are written once, in the commented default configuration that the binary
//! embeds and merges under the user's. A field of an `Option` type may be left out.

use std::{fmt, path::PathBuf};

use bmon_event::{MetricsAddress, NodeName};
use serde::Deserialize;

pub use crate::loki::Encoding;

/// The configuration of the agent of one node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The node's name, the same in the server's list of tokens.
    pub node: NodeName,
    /// The network's name as `getblockchaininfo` gives it, or the hash of its block 0. Needed only where neither
    /// RPC nor an earlier batch can tell.
    pub network: Option<String>,
    /// The server, for example `http://127.0.0.1:8332`.
    pub server: ServerConfig,
    /// The buffer on disk.
    pub spool: SpoolConfig,
    /// The node's log, absent to not read it.
    pub log: Option<LogConfig>,
    /// The node's RPC server, absent to not call it.
    pub rpc: Option<RpcConfig>,
    /// The node's ZMQ publisher, absent to not listen to it.
    pub zmq: Option<ZmqConfig>,
    /// The node's host.
    pub host: HostConfig,
    /// How often what is asked.
    pub interval: IntervalConfig,
    /// What of the node's log leaves the host only in disguise.
    pub privacy: PrivacyConfig,
    /// Where the lines of the node's logs go, absent to push none.
    pub loki: Option<LokiConfig>,
    /// Whether what is seen is to be shown by an [`crate::Exporter`] too. Only then the calls are made and kept that nothing
    /// else needs.
    pub metrics: bool,
    /// Where others reach that, to be told to the server; `None` if it is not known.
    pub metrics_address: Option<MetricsAddress>,
    /// Added to the host's clock, in microseconds, so that tests can make clocks disagree. `None` is 0.
    pub clock_offset_us: Option<i64>,
}

/// Where batches go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The server's address, for example `http://127.0.0.1:8339`.
    pub url: String,
    /// This node's token.
    pub token: Secret,
    /// How long a request may take, in milliseconds.
    pub timeout_ms: u64,
}

/// Where batches wait for the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpoolConfig {
    /// The directory, this agent's alone; made if it is not there.
    pub dir: PathBuf,
    /// How many bytes it may hold. Beyond, the oldest batches are dropped and reported as a gap.
    pub limit_bytes: u64,
}

/// The node's `debug.log`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// The file. Rotated siblings are looked for beside it, as `debug.log.*`.
    pub path: PathBuf,
    /// How often new lines are looked for, in milliseconds.
    pub poll_ms: u64,
    /// How many of the last bytes of an existing file are read when the agent first meets it.
    pub first_read_bytes: u64,
}

/// The node's RPC server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcConfig {
    /// Its address, for example `http://127.0.0.1:8332`.
    pub url: String,
    /// How to prove who asks.
    pub auth: RpcAuth,
    /// How long a call may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long `getchaintips` may take, in milliseconds: on loaded nodes it takes more than a minute.
    pub chain_tips_timeout_ms: u64,
}

/// How to prove to the node who asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum RpcAuth {
    /// The file that the node writes anew at every start (`-rpccookiefile`).
    Cookie(PathBuf),
    /// A user of the node's `rpcauth`.
    User {
        /// The user's name.
        name: String,
        /// The user's password.
        password: Secret,
    },
}

/// The node's ZMQ publisher.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZmqConfig {
    /// Address of `-zmqpubhashblock`, for example `tcp://127.0.0.1:28332`. Asked of the node (RPC
    /// `getzmqnotifications`) if both addresses are left out.
    pub hashblock: Option<String>,
    /// Address of `-zmqpubsequence`.
    pub sequence: Option<String>,
}

/// The node's host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostConfig {
    /// The node's data directory, whose file system is watched.
    pub data_dir: PathBuf,
    /// The network's directory in it, with `bitcoind.pid` and `.lock`, absent to not look at the node's process.
    pub network_dir: Option<PathBuf>,
}

/// How often what is asked, in milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalConfig {
    /// RPC `getblockchaininfo`.
    pub blockchain_info_ms: u64,
    /// RPC `getnetworkinfo`.
    pub network_info_ms: u64,
    /// RPC `getmempoolinfo`.
    pub mempool_info_ms: u64,
    /// RPC `getpeerinfo`.
    pub peer_info_ms: u64,
    /// RPC `getchaintips`.
    pub chain_tips_ms: u64,
    /// RPC `uptime`.
    pub uptime_ms: u64,
    /// RPC `getdeploymentinfo`.
    pub deployment_info_ms: u64,
    /// The host's CPU, memory, disk and clock.
    pub host_ms: u64,
    /// The exchange of times with the server.
    pub clock_exchange_ms: u64,
    /// The tightest of these exchanges as an event.
    pub clock_sample_ms: u64,
    /// The agent's own counters.
    pub health_ms: u64,
    /// RPC `getnettotals`. This and what follows is asked for `/metrics/compat` only; 0 is never.
    pub compat_net_totals_ms: u64,
    /// RPC `getrpcinfo`.
    pub compat_rpc_info_ms: u64,
    /// RPC `getmemoryinfo`.
    pub compat_memory_info_ms: u64,
    /// RPC `getnetworkhashps`, three times.
    pub compat_network_hash_ps_ms: u64,
    /// RPC `estimatesmartfee`, four times.
    pub compat_smart_fee_ms: u64,
    /// How often it is looked whether there is another tip, of which RPC `getblockstats` is asked.
    pub compat_block_stats_ms: u64,
    /// RPC `getchaintxstats`.
    pub compat_chain_tx_stats_ms: u64,
    /// RPC `getindexinfo`.
    pub compat_index_info_ms: u64,
}

/// What of the node's log leaves the host only in disguise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyConfig {
    /// The key of the hashes that stand for peers' addresses; made if it is not there.
    pub key_file: PathBuf,
    /// Peers' addresses leave the host as they are.
    pub peer_addresses: bool,
}

/// Where the lines of the node's logs go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LokiConfig {
    /// Loki's address, for example `http://127.0.0.1:3100`.
    pub url: String,
    /// How pushes are encoded.
    pub encoding: Encoding,
    /// The tenant, header `X-Scope-OrgID`, absent where Loki has but one.
    pub tenant: Option<String>,
    /// How to prove who pushes, absent where Loki asks nobody.
    pub auth: Option<BasicAuth>,
    /// The directory of the places up to which Loki has the logs, and of what it refused; made if it is not there.
    pub dir: PathBuf,
    /// The file that the node's standard error goes to, absent to leave it.
    pub stderr_log: Option<PathBuf>,
    /// The file that the agent's own log goes to, absent to leave it.
    pub own_log: Option<PathBuf>,
    /// How many bytes of lines are pushed at a time.
    pub batch_bytes: usize,
    /// How long lines wait for others to be pushed with, in milliseconds.
    pub batch_wait_ms: u64,
    /// A longer line is cut, in bytes.
    pub line_max_bytes: usize,
    /// Older lines are not pushed.
    pub max_age_hours: i64,
    /// How long a push may take, in milliseconds.
    pub timeout_ms: u64,
    /// How many bytes of refused entries are kept of each log.
    pub refused_max_bytes: u64,
}

/// A user and a password.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user's name.
    pub name: String,
    /// The user's password.
    pub password: Secret,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(json: &str) -> Result<RpcAuth, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_secret_is_never_shown() {
        let auth = auth(r#"{"user": {"name": "bmon", "password": "hunter2"}}"#).unwrap();
        let shown = format!("{auth:?} {auth:#?}");
        assert!(shown.contains("bmon") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = auth(r#"{"user": {"name": "bmon", "passwort": "x"}}"#).unwrap_err();
        assert!(error.to_string().contains("passwort"), "{error}");
    }
}
