//! Files that are sent as they are read, a part at a time, so that their length costs no memory.

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::Refusal;

/// What can be read part by part.
pub(super) trait Parts: Send + 'static {
    /// The next part, `None` at the end. After a failure there is none.
    fn next(&mut self) -> impl Future<Output = Option<Result<String, Refusal>>> + Send;
}

/// What fails at once is refused; what fails later ends the connection before the file's end.
pub(super) async fn body(head: &str, mut parts: impl Parts) -> Result<Body, Refusal> {
    let first = head.to_owned() + &parts.next().await.transpose()?.unwrap_or_default();
    Ok(Body::from_stream(stream::unfold((Some(first), parts), async |(first, mut parts)| {
        let part = match first {
            Some(first) => Ok(first),
            None => parts.next().await?,
        };
        let part = part.map(Bytes::from).map_err(|refusal| std::io::Error::other(refusal.error));
        Some((part, (None, parts)))
    })))
}
