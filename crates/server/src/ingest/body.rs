//! Reading a body of bounded size in bounded time.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;

use super::Refusal;

/// A batch is under a megabyte: ten times the time that takes at 1 Mbit/s.
const PATIENCE: Duration = Duration::from_secs(80);

/// How much more than what is wanted is read and thrown away: a connection that is closed while the agent is still
/// sending is reset, and then the agent never learns the answer.
const DRAINED_BYTES: usize = 64 << 20;

/// The body, refused when it is larger than `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    tokio::time::timeout(PATIENCE, collect(body, limit)).await.unwrap_or(Err(Refusal::TooSlow))
}

/// Throws a body away.
pub(super) async fn drain(body: Body) {
    // Whether all of it came or not: it is not wanted.
    let _ = read(body, 0).await;
}

async fn collect(mut body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::Interrupted)?.into_data() else { continue };
        received += data.len();
        if received <= limit {
            bytes.extend_from_slice(&data);
        } else if received > limit + DRAINED_BYTES {
            break;
        }
    }
    if received > limit { Err(Refusal::TooLarge { limit }) } else { Ok(bytes) }
}
