//! A minimal JSON-RPC client for the nodes of a test network.

use std::{
    fs, io,
    net::SocketAddrV4,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use ureq::Agent;

/// Longer than any call takes here: `generatetoaddress` of 200 blocks needs about a second.
const LIMIT: Duration = Duration::from_mins(1);

/// `RPC_IN_WARMUP` (`src/rpc/protocol.h@v30`).
const IN_WARMUP: i64 = -28;

/// Calls one node, with the cookie that it wrote at its last start.
#[derive(Clone, Debug)]
pub struct Rpc {
    agent: Agent,
    address: SocketAddrV4,
    cookie: PathBuf,
}

/// A call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The cookie file could not be read: the node has not started, or has stopped.
    #[error("read the RPC cookie `{}`", path.display())]
    Cookie {
        /// The cookie file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The request or the answer was lost on the way.
    #[error("call `{method}`")]
    Transport {
        /// The method called.
        method: String,
        /// What happened.
        source: Box<ureq::Error>,
    },
    /// The server answered with something that is not JSON-RPC.
    #[error("call `{method}`: HTTP status {status} without a JSON-RPC answer")]
    Status {
        /// The method called.
        method: String,
        /// HTTP status, 401 for a wrong cookie.
        status: u16,
    },
    /// The node refused the call.
    #[error("call `{method}`: error {code}, {message}")]
    Refused {
        /// The method called.
        method: String,
        /// The node's error code (`src/rpc/protocol.h@v30`).
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The answer does not have the shape that the caller expects.
    #[error("read the answer to `{method}`")]
    Shape {
        /// The method called.
        method: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl RpcError {
    /// Whether a node that is still starting can answer so.
    pub fn is_of_a_starting_node(&self) -> bool {
        match self {
            Self::Cookie { .. } | Self::Transport { .. } => true,
            // The cookie of the run before is there until the node writes its own.
            Self::Status { status, .. } => *status == 401 || *status == 503,
            Self::Refused { code, .. } => *code == IN_WARMUP,
            Self::Shape { .. } => false,
        }
    }
}

#[derive(Deserialize)]
struct Reply {
    result: Option<Value>,
    error: Option<ReplyError>,
}

#[derive(Deserialize)]
struct ReplyError {
    code: i64,
    message: String,
}

impl Rpc {
    /// A client for the node whose RPC server is at `address` and whose cookie is in the file `cookie`.
    pub fn new(address: SocketAddrV4, cookie: &Path) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(LIMIT))
            // A kept connection dies with a restart of the node; on loopback a new one costs nothing.
            .max_idle_connections(0)
            .build();
        Self { agent: config.into(), address, cookie: cookie.to_owned() }
    }

    /// Calls `method` with positional `parameters`, a JSON array.
    #[expect(clippy::needless_pass_by_value, reason = "callers write `json!([…])` in place")]
    pub fn call<T: DeserializeOwned>(&self, method: &str, parameters: Value) -> Result<T, RpcError> {
        let cookie = fs::read_to_string(&self.cookie)
            .map_err(|source| RpcError::Cookie { path: self.cookie.clone(), source })?;
        let url = format!("http://{}@{}/", cookie.trim(), self.address);
        let transport = |error| RpcError::Transport { method: method.to_owned(), source: Box::new(error) };
        let request = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": parameters });
        let mut response = self.agent.post(url).send_json(&request).map_err(transport)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(u64::MAX).read_to_vec().map_err(transport)?;
        // An error comes with status 200 or 500, depending on the node's version, and with a JSON body.
        let Ok(reply) = serde_json::from_slice::<Reply>(&body) else {
            return Err(RpcError::Status { method: method.to_owned(), status });
        };
        if let Some(ReplyError { code, message }) = reply.error {
            return Err(RpcError::Refused { method: method.to_owned(), code, message });
        }
        serde_json::from_value(reply.result.unwrap_or(Value::Null))
            .map_err(|source| RpcError::Shape { method: method.to_owned(), source })
    }
}
