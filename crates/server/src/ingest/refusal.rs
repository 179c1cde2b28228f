//! Why a call is refused, and what the answer says.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bmon_event::{DecodeError, NodeName};

/// A call that is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no `Authorization: Bearer` header.
    NoToken,
    /// No node has this token.
    UnknownToken,
    /// The token belongs to another node than the batch names.
    OtherNode { token: NodeName, batch: NodeName },
    /// The body is not a batch.
    NotABatch(DecodeError),
    /// The body is larger than the limit in bytes.
    TooLarge { limit: usize },
    /// The batch is larger than the limit in bytes when unpacked.
    UnpacksTooLarge { limit: usize },
    /// The body did not arrive in time.
    TooSlow,
    /// The connection broke before the body was there.
    Interrupted,
    /// The epoch asked for is not a number.
    BadEpoch,
    /// More batches wait for the journal than may.
    Busy,
    /// The journal is at its bound and the store has not caught up.
    JournalFull,
    /// The journal could not be written.
    JournalFailed,
    /// The token could not be looked up.
    StoreFailed,
    /// The server stops.
    Stopping,
}

/// The kind of a refusal, as counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the refusal with the same name")]
pub enum Reason {
    NoToken,
    UnknownToken,
    OtherNode,
    NotABatch,
    TooLarge,
    TooSlow,
    Interrupted,
    BadEpoch,
    Busy,
    JournalFull,
    JournalFailed,
    StoreFailed,
    Stopping,
}

impl Reason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::NoToken,
        Self::UnknownToken,
        Self::OtherNode,
        Self::NotABatch,
        Self::TooLarge,
        Self::TooSlow,
        Self::Interrupted,
        Self::BadEpoch,
        Self::Busy,
        Self::JournalFull,
        Self::JournalFailed,
        Self::StoreFailed,
        Self::Stopping,
    ];

    /// The word for it in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no-token",
            Self::UnknownToken => "unknown-token",
            Self::OtherNode => "other-node",
            Self::NotABatch => "not-a-batch",
            Self::TooLarge => "too-large",
            Self::TooSlow => "too-slow",
            Self::Interrupted => "interrupted",
            Self::BadEpoch => "bad-epoch",
            Self::Busy => "busy",
            Self::JournalFull => "journal-full",
            Self::JournalFailed => "journal-failed",
            Self::StoreFailed => "store-failed",
            Self::Stopping => "stopping",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::NoToken | Self::UnknownToken => StatusCode::UNAUTHORIZED,
            Self::OtherNode => StatusCode::FORBIDDEN,
            Self::NotABatch | Self::BadEpoch => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow
            | Self::Interrupted
            | Self::Busy
            | Self::JournalFull
            | Self::JournalFailed
            | Self::StoreFailed
            | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::NoToken => "send the node's token as `Authorization: Bearer TOKEN`",
            Self::UnknownToken => {
                "make a token with `bmon server token NAME` and give it to the node's agent"
            }
            Self::OtherNode => "give each agent the token that was made for its node, and the node's name",
            Self::NotABatch => {
                "deliver the bytes of a batch as they were spooled, with a version of bmon that the server knows"
            }
            Self::TooLarge => {
                "deliver smaller batches, or raise `max_batch_bytes` and `max_batch_unpacked_bytes`"
            }
            Self::TooSlow | Self::Interrupted => "try again: the body did not arrive whole",
            Self::BadEpoch => "ask with `?epoch=` and the epoch as a decimal number",
            Self::Busy => "try again: batches arrive faster than they can be stored",
            Self::JournalFull => {
                "try again, and look at the server's log: the database does not keep up with the journal"
            }
            Self::JournalFailed => "try again, and look at the server's log: its disk is full or failing",
            Self::StoreFailed => "try again, and look at the server's log: the database cannot be read",
            Self::Stopping => "try again when the server is up",
        }
    }
}

impl Refusal {
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::NoToken => Reason::NoToken,
            Self::UnknownToken => Reason::UnknownToken,
            Self::OtherNode { .. } => Reason::OtherNode,
            Self::NotABatch(_) => Reason::NotABatch,
            Self::TooLarge { .. } | Self::UnpacksTooLarge { .. } => Reason::TooLarge,
            Self::TooSlow => Reason::TooSlow,
            Self::Interrupted => Reason::Interrupted,
            Self::BadEpoch => Reason::BadEpoch,
            Self::Busy => Reason::Busy,
            Self::JournalFull => Reason::JournalFull,
            Self::JournalFailed => Reason::JournalFailed,
            Self::StoreFailed => Reason::StoreFailed,
            Self::Stopping => Reason::Stopping,
        }
    }

    fn error(&self) -> String {
        match self {
            Self::NoToken => "no token".to_owned(),
            Self::UnknownToken => "unknown token".to_owned(),
            Self::OtherNode { token, batch } => {
                format!("the token belongs to node `{token}`, the batch is of node `{batch}`")
            }
            Self::NotABatch(error) => format!("not a batch: {error}"),
            Self::TooLarge { limit } => format!("body larger than {limit} bytes"),
            Self::UnpacksTooLarge { limit } => format!("batch larger than {limit} bytes when unpacked"),
            Self::TooSlow => "body not received in time".to_owned(),
            Self::Interrupted => "body not received whole".to_owned(),
            Self::BadEpoch => "`epoch` is missing or not a number".to_owned(),
            Self::Busy => "too many batches waiting".to_owned(),
            Self::JournalFull => "journal full".to_owned(),
            Self::JournalFailed => "journal not writable".to_owned(),
            Self::StoreFailed => "database not readable".to_owned(),
            Self::Stopping => "server stopping".to_owned(),
        }
    }
}

/// The body of every refusal.
#[derive(serde::Serialize)]
struct Answer {
    /// What is wrong.
    error: String,
    /// What to do about it.
    hint: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let reason = self.reason();
        (reason.status(), Json(Answer { error: self.error(), hint: reason.hint() })).into_response()
    }
}
