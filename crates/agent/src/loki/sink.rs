//! Loki, over HTTP: its push API.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ureq::http::{Response, StatusCode};

use super::push::{Encoding, Push};
use crate::{config::LokiConfig, link::one_connection};

/// How much of Loki's words is kept. It names up to ten entries that it refuses.
const LARGEST_ANSWER: u64 = 8 * 1024;
/// The longest pause that Loki can ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Loki did not take a push.
#[derive(Debug, thiserror::Error)]
pub(super) enum SinkError {
    /// No connection, no answer in time, or the connection broke: it may or may not have taken it.
    #[error("failed to reach Loki")]
    Unreachable(#[source] ureq::Error),
    /// It cannot take it now, or not so much at a time.
    #[error("failed, Loki is not ready: {status} {problem}")]
    NotReady {
        /// HTTP status.
        status: u16,
        /// Loki's words.
        problem: String,
        /// How long it asks to wait.
        pause: Option<Duration>,
    },
    /// It refuses whoever pushes, or is not there.
    #[error("failed, is this the address of Loki, and may the agent push there? {status} {problem}")]
    NotAllowed {
        /// HTTP status.
        status: u16,
        /// Its words.
        problem: String,
    },
    /// It took what it could of the push, and will never take some entry of it.
    #[error("failed, Loki refuses an entry: {0}")]
    Refused(String),
}

/// One warm connection to Loki, for one thread.
pub(super) struct Sink {
    url: String,
    tenant: Option<String>,
    authorization: Option<String>,
    encoding: Encoding,
    http: ureq::Agent,
}

impl Sink {
    /// Connects when it is first used.
    pub(super) fn new(config: &LokiConfig) -> Self {
        // Where lines go is said in the configuration, not by whoever answers.
        let http = one_connection(config.timeout_ms).max_redirects(0).output_buffer_size(64 * 1024);
        let authorization = config.auth.as_ref().map(|auth| {
            format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", auth.name, auth.password.reveal())))
        });
        Self {
            url: format!("{}/loki/api/v1/push", config.url.trim_end_matches('/')),
            tenant: config.tenant.clone(),
            authorization,
            encoding: config.encoding,
            http: http.build().new_agent(),
        }
    }

    /// Ends the push that another thread waits for, and all that follow.
    pub(super) fn interrupter(&self) -> impl FnOnce() + Send + use<> {
        let http = self.http.clone();
        move || http.shutdown()
    }

    /// Pushes, and returns the size of the body once Loki has acknowledged it.
    pub(super) fn push(&self, push: &Push) -> Result<usize, SinkError> {
        let mut request = self.http.post(&self.url).content_type(self.encoding.content_type());
        if let Some(tenant) = &self.tenant {
            request = request.header("X-Scope-OrgID", tenant);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let body = push.encode(self.encoding);
        let mut answer = request.send(body.as_slice()).map_err(SinkError::Unreachable)?;
        let pause = pause(&answer);
        let status = answer.status();
        // Read to its end even if it is not used: only then can the connection be used again.
        let read = answer.body_mut().with_config().limit(LARGEST_ANSWER).lossy_utf8(true).read_to_string();
        if status.is_success() {
            return Ok(body.len());
        }
        let problem = read.unwrap_or_default().trim().to_owned();
        Err(failure(status, problem, pause))
    }
}

/// `Retry-After` in seconds.
fn pause<B>(answer: &Response<B>) -> Option<Duration> {
    let seconds = answer.headers().get("Retry-After")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// What a status means. Only one that speaks of the push itself may have entries given up: 400 of an entry, 413 of its size, 422 as
/// some gateways say 400. A redirection, or what a proxy answers, has nothing to do with it.
fn failure(status: StatusCode, problem: String, pause: Option<Duration>) -> SinkError {
    let number = status.as_u16();
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            SinkError::Refused(format!("{number} {problem}"))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            SinkError::NotReady { status: number, problem, pause }
        }
        status if status.is_server_error() => SinkError::NotReady { status: number, problem, pause },
        _ => SinkError::NotAllowed { status: number, problem },
    }
}
