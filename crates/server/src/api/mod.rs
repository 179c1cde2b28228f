//! The public HTTP interface: a JSON API, a live stream, metrics, and the page that uses them.
//!
//! Everything is read with GET from the store; nothing here analyses or changes anything. `docs/http-api.md` is
//! rendered from [`ENDPOINTS`].
//!
//! Conventions of every reply: hashes are hexadecimal as Bitcoin Core prints them. An instant stands twice, readable
//! (RFC 3339, UTC, microseconds) and, under the same name with `_us`, in microseconds since the Unix epoch. A number
//! says its unit in its name. Null means unknown. Lists are newest first; `next` leads to older items.

pub mod alerts;
mod arrival;
pub mod block;
pub mod block_times;
pub mod blocks;
pub mod chain;
pub mod clocks;
pub mod deployments;
pub mod double_spends;
mod download;
pub mod export;
mod feed;
pub mod forks;
mod format;
mod found;
pub mod gaps;
pub mod http_sd;
pub mod invalid_blocks;
pub mod lags;
mod live;
pub mod log_lines;
mod main_chain;
mod metrics;
pub mod mined;
pub mod nodes;
mod parameter;
pub mod partitions;
mod parts;
mod raw_block;
mod refusal;
pub mod rejections;
pub mod reorgs;
pub mod selfish_mining;
pub mod silences;
pub mod slow_nodes;
pub mod spread;
pub mod stale_blocks;
mod state;
pub mod status;
pub mod tips;
pub mod tx;
pub mod validity_disagreements;
pub mod vanished_messages;
pub mod version_comparisons;
pub mod watch;
pub mod waterfall;
mod when;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, Uri, header},
    middleware,
    response::Response,
    routing::MethodRouter,
};

pub use self::{
    arrival::{Apart, Arrival},
    found::Found,
    live::{Notices, Topic},
    refusal::Refusal,
    state::Api,
    when::length_us,
};
use crate::page;

/// One address of the API.
#[derive(Debug)]
pub struct Endpoint {
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    /// What it answers, in a sentence.
    pub summary: &'static str,
    /// What may be said after `?`, and what varies in the path.
    pub parameters: &'static [Parameter],
    /// A request whose reply shows the shape; empty where a reply cannot be shown.
    pub example: &'static str,
    /// What answers.
    pub route: fn() -> MethodRouter<Api>,
}

/// Something that a request may say.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means, its range, and what its absence means.
    pub summary: &'static str,
}

/// Every endpoint.
pub const ENDPOINTS: &[&Endpoint] = &[
    &nodes::ENDPOINT,
    &blocks::ENDPOINT,
    &block::ENDPOINT,
    &raw_block::ENDPOINT,
    &tx::ENDPOINT,
    &spread::ENDPOINT,
    &log_lines::ENDPOINT,
    &chain::ENDPOINT,
    &tips::ENDPOINT,
    &reorgs::ENDPOINT,
    &forks::ENDPOINT,
    &stale_blocks::ENDPOINT,
    &download::stale_blocks::CSV,
    &download::stale_blocks::JSONL,
    &validity_disagreements::ENDPOINT,
    &partitions::ENDPOINT,
    &lags::ENDPOINT,
    &rejections::ENDPOINT,
    &invalid_blocks::ENDPOINT,
    &download::invalid_blocks::CSV,
    &download::invalid_blocks::JSONL,
    &gaps::ENDPOINT,
    &vanished_messages::ENDPOINT,
    &alerts::ENDPOINT,
    &silences::ENDPOINT,
    &deployments::ENDPOINT,
    &selfish_mining::ENDPOINT,
    &double_spends::ENDPOINT,
    &export::LIST,
    &export::ENDPOINT,
    &block_times::ENDPOINT,
    &slow_nodes::ENDPOINT,
    &version_comparisons::ENDPOINT,
    &clocks::ENDPOINT,
    &watch::ENDPOINT,
    &status::ENDPOINT,
    &http_sd::ENDPOINT,
    &feed::ENDPOINT,
    &feed::alerts::ENDPOINT,
    &live::ENDPOINT,
    &metrics::ENDPOINT,
];

/// Every endpoint, and the page.
pub fn router(api: Api) -> Router {
    let router = ENDPOINTS
        .iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, (endpoint.route)()));
    router
        .layer(middleware::map_response(never_stored))
        .merge(page::router())
        .fallback(unknown)
        .method_not_allowed_fallback(not_a_get)
        .with_state(api)
}

/// A reply is true for a moment only, and is what it says it is.
async fn never_stored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn unknown(uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(80).collect();
    Refusal::not_found(
        format!("there is nothing at `{path}`"),
        "the page is at `/`, the API under `/api/v1/`",
    )
}

async fn not_a_get() -> Refusal {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal { status, error: "this address is for reading".to_owned(), hint: "use GET" }
}
