//! One RPC call at a time to the node, over HTTP.

use std::{fs, io, path::PathBuf, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use ureq::http::StatusCode;

use crate::{
    clock,
    config::{RpcAuth, RpcConfig},
    health::Counters,
};

/// No reply is read beyond this: `getpeerinfo` of 1,000 peers is under 2 MB.
const LARGEST_REPLY: u64 = 32 * 1024 * 1024;
/// The reply of a node that is still starting (`RPC_IN_WARMUP`, `src/rpc/protocol.h@v30`).
const IN_WARMUP: i64 = -28;

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RpcError {
    /// The cookie file cannot be read: the node is not running, or the agent may not read it.
    #[error("failed to read the cookie file `{}`", .0.display())]
    Cookie(PathBuf, #[source] io::Error),
    /// The node did not answer in time.
    #[error("failed to get an answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// No connection, or it broke.
    #[error("failed to reach the node's RPC server")]
    Connection(#[source] ureq::Error),
    /// The node refuses the user or password.
    #[error("failed to log in: the node refuses the user or password")]
    Unauthorised,
    /// The node's whitelist lacks the call.
    #[error("failed to be allowed: the user's `rpcwhitelist` lacks `{0}`")]
    NotWhitelisted(&'static str),
    /// The node is starting.
    #[error("failed, the node is starting: {0}")]
    Starting(String),
    /// The node answered with an error.
    #[error("failed with the node's error {code}: {message}")]
    Node {
        /// The node's number for it (`src/rpc/protocol.h`).
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The reply is not what the call gives.
    #[error("failed to read the reply")]
    Reply(#[source] serde_json::Error),
    /// The reply is not JSON-RPC at all.
    #[error("failed with HTTP status {0}")]
    Status(u16),
}

/// Why a call failed, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The cookie file cannot be read.
    Cookie,
    /// No answer in time.
    Timeout,
    /// No connection.
    Connection,
    /// The user or password is wrong.
    Login,
    /// The whitelist lacks the call.
    Whitelist,
    /// The node is starting.
    Starting,
    /// The node's own error.
    Node,
    /// Not what the call gives.
    Reply,
    /// Not JSON-RPC.
    Status,
}

impl Failure {
    /// Every reason.
    pub(crate) const ALL: [Self; 9] = [
        Self::Cookie,
        Self::Timeout,
        Self::Connection,
        Self::Login,
        Self::Whitelist,
        Self::Starting,
        Self::Node,
        Self::Reply,
        Self::Status,
    ];

    /// The word for it in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Login => "login",
            Self::Whitelist => "whitelist",
            Self::Starting => "starting",
            Self::Node => "node",
            Self::Reply => "reply",
            Self::Status => "status",
        }
    }
}

impl RpcError {
    /// What it is, in a word.
    pub(crate) const fn failure(&self) -> Failure {
        match self {
            Self::Cookie(..) => Failure::Cookie,
            Self::Timeout(_) => Failure::Timeout,
            Self::Connection(_) => Failure::Connection,
            Self::Unauthorised => Failure::Login,
            Self::NotWhitelisted(_) => Failure::Whitelist,
            Self::Starting(_) => Failure::Starting,
            Self::Node { .. } => Failure::Node,
            Self::Reply(_) => Failure::Reply,
            Self::Status(_) => Failure::Status,
        }
    }
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct ErrorObject {
    code: i64,
    message: String,
}

/// The node's RPC server, as seen by one thread.
pub(crate) struct Client {
    config: RpcConfig,
    http: ureq::Agent,
    counters: Counters,
}

impl Client {
    /// A client that counts its calls in `counters`.
    pub(crate) fn new(config: &RpcConfig, counters: Counters) -> Self {
        let http = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            // The node closes idle connections after 30 s (`-rpcservertimeout`) and counts open ones; a new one over
            // loopback costs it less than one that is held.
            .max_idle_connections(0)
            .input_buffer_size(8 * 1024)
            .output_buffer_size(4 * 1024)
            .build()
            .new_agent();
        Self { config: config.clone(), http, counters }
    }

    /// Ends the call that another thread waits for, and all that follow.
    pub(crate) fn interrupter(&self) -> impl FnOnce() + Send + use<> {
        let http = self.http.clone();
        move || http.shutdown()
    }

    /// Calls `method` with `parameters` (a JSON array) and reads its reply.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        parameters: &str,
    ) -> Result<T, RpcError> {
        let timeout = Duration::from_millis(self.config.timeout_ms);
        self.call_for(timeout, method, parameters, |reply| serde_json::from_str(reply))
    }

    /// Calls `method`, waits up to `timeout`, and reads the reply's JSON with `read`.
    pub(crate) fn call_for<T>(
        &self,
        timeout: Duration,
        method: &'static str,
        parameters: &str,
        read: impl FnOnce(&str) -> serde_json::Result<T>,
    ) -> Result<T, RpcError> {
        let start = clock::instant();
        let result = self.exchange(timeout, method, parameters).and_then(|(status, text)| {
            let reply: Reply<'_> =
                serde_json::from_str(&text).map_err(|_| RpcError::Status(status.as_u16()))?;
            match reply {
                Reply { error: Some(error), .. } if error.code == IN_WARMUP => {
                    Err(RpcError::Starting(error.message))
                }
                Reply { error: Some(error), .. } => {
                    Err(RpcError::Node { code: error.code, message: error.message })
                }
                Reply { result, .. } => read(result.map_or("null", RawValue::get)).map_err(RpcError::Reply),
            }
        });
        self.counters.add_rpc(start.elapsed(), result.as_ref().err().map(RpcError::failure));
        result
    }

    fn exchange(
        &self,
        timeout: Duration,
        method: &'static str,
        parameters: &str,
    ) -> Result<(StatusCode, String), RpcError> {
        let failed = |error| match error {
            ureq::Error::Timeout(_) => RpcError::Timeout(timeout),
            error => RpcError::Connection(error),
        };
        let mut response = self
            .http
            .post(&self.config.url)
            .config()
            .timeout_global(Some(timeout))
            .build()
            .header("Authorization", format!("Basic {}", BASE64_STANDARD.encode(self.credentials()?)))
            .content_type("application/json")
            .send(format!(r#"{{"jsonrpc":"1.0","id":"bmon","method":"{method}","params":{parameters}}}"#))
            .map_err(failed)?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Err(RpcError::Unauthorised),
            StatusCode::FORBIDDEN => Err(RpcError::NotWhitelisted(method)),
            status => {
                let text = response.body_mut().with_config().limit(LARGEST_REPLY).read_to_string();
                text.map(|text| (status, text)).map_err(failed)
            }
        }
    }

    /// User and password. The cookie is read for every call: the node writes a new one at every start.
    fn credentials(&self) -> Result<String, RpcError> {
        match &self.config.auth {
            RpcAuth::Cookie(path) => {
                let cookie =
                    fs::read_to_string(path).map_err(|error| RpcError::Cookie(path.clone(), error))?;
                Ok(cookie.trim_end().to_owned())
            }
            RpcAuth::User { name, password } => Ok(format!("{name}:{}", password.reveal())),
        }
    }
}
