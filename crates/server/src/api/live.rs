//! The live stream: a notice of what changed, after which the client asks for it.
//!
//! Notices carry no data. A client that is slow, or was away, gets one notice of everything that changed since it was
//! last told, so that nothing queues up and nothing is missed however far it lags.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Sse, sse::Event},
    routing::get,
};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::watch;

use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/stream",
    summary: "Server-sent events. `hello` once, `change` with the lists that changed since the last one (`nodes`, \
              `blocks`, `txs`, `reorgs`, `rejections`, `invalid-blocks`, `gaps`, `vanished-messages`, `forks`, \
              `stale-blocks`, `validity-disagreements`, `partitions`, `lags`, `tips`, `alerts`, \
              `deployments`, `double-spends`, `selfish-mining`, `block-times`, `slow-nodes`, `version-comparisons`, \
              `clocks`, `watch`), and `beat` after five seconds without a change, so that a dead connection is noticed.",
    parameters: &[],
    example: "",
    route: || get(answer),
};

/// How long the stream is silent before it says that it is alive.
const BEAT: Duration = Duration::from_secs(5);

/// What may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// `/api/v1/nodes`.
    Nodes,
    /// `/api/v1/blocks` and those under it.
    Blocks,
    /// What is under `/api/v1/txs`.
    Txs,
    /// `/api/v1/reorgs`.
    Reorgs,
    /// `/api/v1/rejections`.
    Rejections,
    /// `/api/v1/invalid-blocks`.
    InvalidBlocks,
    /// `/api/v1/gaps`.
    Gaps,
    /// `/api/v1/vanished-messages`.
    VanishedMessages,
    /// `/api/v1/forks`.
    Forks,
    /// `/api/v1/stale-blocks`.
    StaleBlocks,
    /// `/api/v1/validity-disagreements`.
    ValidityDisagreements,
    /// `/api/v1/partitions`.
    Partitions,
    /// `/api/v1/lags`.
    Lags,
    /// `/api/v1/alerts`.
    Alerts,
    /// `/api/v1/tips`.
    Tips,
    /// `/api/v1/deployments`.
    Deployments,
    /// `/api/v1/double-spends`.
    DoubleSpends,
    /// `/api/v1/selfish-mining`.
    SelfishMining,
    /// `/api/v1/block-times`.
    BlockTimes,
    /// `/api/v1/slow-nodes`.
    SlowNodes,
    /// `/api/v1/version-comparisons`.
    VersionComparisons,
    /// `/api/v1/clocks`.
    Clocks,
    /// `/api/v1/watch`.
    Watch,
}

impl Topic {
    /// Every topic, in the order of their declaration.
    pub const ALL: [Self; 23] = [
        Self::Nodes,
        Self::Blocks,
        Self::Txs,
        Self::Reorgs,
        Self::Rejections,
        Self::InvalidBlocks,
        Self::Gaps,
        Self::VanishedMessages,
        Self::Forks,
        Self::StaleBlocks,
        Self::ValidityDisagreements,
        Self::Partitions,
        Self::Lags,
        Self::Alerts,
        Self::Tips,
        Self::Deployments,
        Self::DoubleSpends,
        Self::SelfishMining,
        Self::BlockTimes,
        Self::SlowNodes,
        Self::VersionComparisons,
        Self::Clocks,
        Self::Watch,
    ];
}

/// How often each topic changed. A subscriber compares with what it saw last: bounded, however slow it is.
#[derive(Clone, Copy, Debug, Default)]
struct Changes {
    of_topic: [u64; Topic::ALL.len()],
    closed: bool,
}

/// Tells every open stream what changed. Clones tell the same streams.
#[derive(Clone, Debug)]
pub struct Notices(watch::Sender<Changes>);

impl Default for Notices {
    fn default() -> Self {
        Self(watch::Sender::new(Changes::default()))
    }
}

impl Notices {
    /// Says that `topic` changed. Call it once what changed can be read from the store. Never waits.
    pub fn publish(&self, topic: Topic) {
        self.0.send_modify(|changes| changes.of_topic[topic as usize] += 1);
    }

    /// Ends every stream, now and later, so that the HTTP server can stop.
    pub fn close(&self) {
        self.0.send_modify(|changes| changes.closed = true);
    }

    /// Streams that are open.
    pub fn subscribers(&self) -> usize {
        self.0.receiver_count()
    }

    pub(super) fn subscribe(&self) -> Subscription {
        let receiver = self.0.subscribe();
        let seen = receiver.borrow().of_topic;
        Subscription { receiver, seen }
    }
}

/// One stream's view of the changes.
#[derive(Debug)]
pub(super) struct Subscription {
    receiver: watch::Receiver<Changes>,
    seen: [u64; Topic::ALL.len()],
}

impl Subscription {
    /// The topics that changed since the last call, as soon as there are any; `None` once the notices are closed.
    pub(super) async fn changed(&mut self) -> Option<Vec<Topic>> {
        loop {
            let Changes { of_topic, closed } = *self.receiver.borrow_and_update();
            if closed {
                return None;
            }
            let pairs = Topic::ALL.into_iter().zip(of_topic.iter().zip(&self.seen));
            let topics: Vec<_> =
                pairs.filter(|(_, (now, seen))| now != seen).map(|(topic, _)| topic).collect();
            self.seen = of_topic;
            if !topics.is_empty() {
                return Some(topics);
            }
            self.receiver.changed().await.ok()?;
        }
    }
}

#[derive(Serialize)]
struct Hello {
    version: &'static str,
    now_us: i64,
}

#[derive(Serialize)]
struct Change {
    changed: Vec<Topic>,
}

#[derive(Serialize)]
struct Beat {
    now_us: i64,
}

async fn answer(State(api): State<Api>, _: Nothing) -> Result<impl IntoResponse, Refusal> {
    Ok(Sse::new(events(api)))
}

fn events(api: Api) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let subscription = api.notices().subscribe();
    stream::unfold((api, subscription, true), async |(api, mut subscription, first)| {
        let event = if first {
            event("hello", &Hello { version: env!("CARGO_PKG_VERSION"), now_us: api.now().as_micros() })
        } else {
            match tokio::time::timeout(BEAT, subscription.changed()).await {
                Ok(changed) => event("change", &Change { changed: changed? }),
                Err(_) => event("beat", &Beat { now_us: api.now().as_micros() }),
            }
        };
        Some((Ok(event), (api, subscription, false)))
    })
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).json_data(data).expect("events have text keys only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_client_is_told_once_of_all_that_changed() {
        let notices = Notices::default();
        notices.publish(Topic::Gaps);
        let mut subscription = notices.subscribe();
        for _ in 0..1000 {
            notices.publish(Topic::Blocks);
            notices.publish(Topic::Nodes);
        }
        assert_eq!(subscription.changed().await, Some(vec![Topic::Nodes, Topic::Blocks]));
        notices.publish(Topic::Reorgs);
        assert_eq!(subscription.changed().await, Some(vec![Topic::Reorgs]));
    }

    #[tokio::test]
    async fn a_waiting_client_is_woken_by_a_change_and_by_the_end() {
        let notices = Notices::default();
        let mut subscription = notices.subscribe();
        let waiting =
            tokio::spawn(async move { (subscription.changed().await, subscription.changed().await) });
        notices.publish(Topic::Txs);
        // The client may be woken once for both, and then learns only of the end.
        notices.close();
        let (first, second) = waiting.await.unwrap();
        assert!(first.is_none() || first == Some(vec![Topic::Txs]));
        assert_eq!(second, None);
        assert_eq!(notices.subscribe().changed().await, None);
    }

    #[test]
    fn topics_are_numbered_as_they_are_listed() {
        for (number, topic) in Topic::ALL.into_iter().enumerate() {
            assert_eq!(topic as usize, number);
        }
    }
}
