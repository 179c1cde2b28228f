//! The server, over HTTP: the three calls of its ingest interface. Wants that come with an answer go to the desk.

use std::time::Duration;

use bmon_event::{Epoch, ServerTime};
use serde::Deserialize;
use serde_json::value::RawValue;
use ureq::{
    Body,
    config::ConfigBuilder,
    http::{Response, StatusCode},
    typestate::AgentScope,
};

use crate::{clock, config::ServerConfig, want::Desk};

/// What the server may answer is small.
const LARGEST_ANSWER: u64 = 64 * 1024;

/// The server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// No connection, no answer in time, or the connection broke: it may or may not have done it.
    #[error("failed to reach the server")]
    Unreachable(#[source] ureq::Error),
    /// It cannot do it now.
    #[error("failed, the server is not ready: {0}")]
    NotReady(String),
    /// It refuses this node: the token is wrong, or belongs to another node.
    #[error("failed, the server refuses the token: {0}")]
    Refused(String),
    /// It will never take this batch.
    #[error("failed, the server cannot use the batch: {status} {problem}")]
    Unusable {
        /// HTTP status.
        status: u16,
        /// The server's words.
        problem: String,
    },
    /// The answer is not one of the ingest interface: something else answers at this address.
    #[error("failed to understand the answer with HTTP status {0}: is this the address of a bmon server?")]
    NotAServer(u16),
}

#[derive(Deserialize)]
struct Position {
    sequence: u64,
}

/// The server's stamps of one time exchange.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Stamps {
    #[serde(rename = "received_us")]
    pub(crate) received: ServerTime,
    #[serde(rename = "sent_us")]
    pub(crate) sent: ServerTime,
}

/// What may stand in any answer beside what was asked for.
#[derive(Default, Deserialize)]
struct Aside {
    #[serde(default)]
    wants: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
    hint: Option<String>,
}

/// What keeps one connection warm, for one thread.
pub(crate) fn one_connection(timeout_ms: u64) -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_millis(timeout_ms)))
        .max_idle_connections(1)
        .max_idle_age(Duration::from_mins(1))
        .input_buffer_size(4 * 1024)
}

/// One warm connection to the server, for one thread.
pub(crate) struct Link {
    base: String,
    authorization: String,
    http: ureq::Agent,
    desk: Desk,
}

impl Link {
    /// A link that connects when it is first used.
    pub(crate) fn new(config: &ServerConfig, desk: Desk) -> Self {
        let http = one_connection(config.timeout_ms).output_buffer_size(16 * 1024).build().new_agent();
        let base = format!("{}/ingest/v1", config.url.trim_end_matches('/'));
        Self { base, authorization: format!("Bearer {}", config.token.reveal()), http, desk }
    }

    /// Ends the call that another thread waits for, and all that follow.
    pub(crate) fn interrupter(&self) -> impl FnOnce() + Send + use<> {
        let http = self.http.clone();
        move || http.shutdown()
    }

    /// Delivers the batch. Returns the sequence number up to which the server has everything for good.
    pub(crate) fn deliver(&self, batch: &[u8]) -> Result<u64, LinkError> {
        let request = self.http.post(format!("{}/batches", self.base));
        let request = request.header("Authorization", &self.authorization);
        let answer = request.content_type("application/x-bmon-batch").send(batch);
        self.read::<Position>(answer).map(|position| position.sequence)
    }

    /// Asks how much of this spool the server has.
    pub(crate) fn position(&self, epoch: Epoch) -> Result<u64, LinkError> {
        let request = self.http.get(format!("{}/position?epoch={}", self.base, epoch.0));
        let answer = request.header("Authorization", &self.authorization).call();
        self.read::<Position>(answer).map(|position| position.sequence)
    }

    /// Asks for the server's time.
    pub(crate) fn time(&self) -> Result<Stamps, LinkError> {
        let request = self.http.get(format!("{}/time", self.base));
        self.read(request.header("Authorization", &self.authorization).call())
    }

    fn read<T: for<'de> Deserialize<'de>>(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<T, LinkError> {
        let mut answer = answer.map_err(LinkError::Unreachable)?;
        let status = answer.status();
        // Read to its end even if it is not used: only then can the connection be used again.
        let text = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string();
        let text = text.map_err(LinkError::Unreachable)?;
        if status != StatusCode::OK {
            return Err(failure(status, &text));
        }
        let value = serde_json::from_str(&text).map_err(|_| LinkError::NotAServer(status.as_u16()))?;
        // What was asked for is there, whatever else the answer says.
        let Aside { wants } = serde_json::from_str(&text).unwrap_or_default();
        self.desk.take(&wants, clock::instant());
        Ok(value)
    }
}

fn failure(status: StatusCode, text: &str) -> LinkError {
    let problem = match serde_json::from_str(text) {
        Ok(Problem { error, hint: Some(hint) }) => format!("{error} ({hint})"),
        Ok(Problem { error, hint: None }) => error,
        // A proxy in front of a server that is away.
        Err(_) if status.is_server_error() => format!("HTTP status {status}"),
        // Only the server itself may have a batch dropped, not whatever else answers at its address.
        Err(_) => return LinkError::NotAServer(status.as_u16()),
    };
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => LinkError::Refused(problem),
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => {
            LinkError::Unusable { status: status.as_u16(), problem }
        }
        _ => LinkError::NotReady(problem),
    }
}
