//! Log messages that are absent since a node's version changed.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::Body;
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/vanished-messages",
    summary: "The log messages that were common at a node and are absent since its version changed, newest first: bmon \
              may not know their new wording.",
    parameters: parameter::LIST,
    example: "/api/v1/vanished-messages?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What vanished, newest first.
    pub vanished_messages: Vec<Found<VanishedMessage>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// A message that is absent. Times are by the clock of the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VanishedMessage {
    /// Its name, as in `docs/log-messages.md`; null where no single message vanished, but many more lines than before
    /// are no message that bmon knows.
    pub message: Option<String>,
    /// The banner of the version that had it.
    pub version_before: String,
    /// The banner of the version that has it not.
    pub version_after: String,
    /// Its lines in the last day of the old version; without a message, those that were none.
    pub lines_before: u64,
    /// Lines of it that were to be expected from the new version while it was watched.
    pub expected: f64,
    /// Share of the old version's lines that were no known message, from 0 to 1.
    pub unmatched_before: f64,
    /// The same of the new version.
    pub unmatched_after: f64,
    /// When the version changed.
    pub watched_from: String,
    /// How far the log was read when this was found.
    pub watched_to: String,
    /// When the message came after all; null while it has not.
    pub came_at: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (vanished_messages, next) = found::page(&api, "vanished-message", list, take).await?;
    Ok(Json(Reply { vanished_messages, next }))
}

fn take(body: Body) -> Option<VanishedMessage> {
    let Body::VanishedMessage(found) = body else { return None };
    Some(VanishedMessage {
        message: found.message,
        version_before: found.version_before,
        version_after: found.version_after,
        lines_before: found.lines_before,
        expected: found.expected,
        unmatched_before: found.unmatched_before,
        unmatched_after: found.unmatched_after,
        watched_from: found.watched_from.to_string(),
        watched_to: found.watched_to.to_string(),
        came_at: found.came_at.map(|at| at.to_string()),
    })
}
