//! What is watched, and what became of it.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{
    finding::{Body, WatchStep},
    watch::{Standing, WatchItem},
};
use bmon_store::Watched;
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found::Found};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/watch",
    summary: "The watch list, what was put there last first: how it stands with each transaction or coin, and every step, \
              oldest first: `seen`, `conflict`, `replaced`, `mined`, `reorged-out`, `double-spent`. `bmon watch` writes the \
              list on the server's host.",
    parameters: &[],
    example: "/api/v1/watch",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What is watched, what was put there last first.
    pub watched: Vec<WatchedItem>,
}

/// Something that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedItem {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// What: `tx TXID` or `outpoint TXID:VOUT`.
    pub item: WatchItem,
    /// Since when.
    pub added_at: String,
    /// The same in microseconds since the Unix epoch.
    pub added_at_us: i64,
    /// How it stands: `unseen`, `seen`, `conflict`, `replaced`, `mined`, `reorged-out` or `double-spent`.
    pub standing: Standing,
    /// Every step, oldest first.
    pub steps: Vec<Found<WatchStep>>,
}

impl WatchedItem {
    fn new(Watched { network, item, added_at }: Watched, steps: Vec<Found<WatchStep>>) -> Self {
        Self {
            network: network.to_string(),
            item,
            added_at: added_at.to_string(),
            added_at_us: added_at.as_micros(),
            standing: Standing::of(steps.iter().map(|found| &found.body.step)),
            steps,
        }
    }
}

async fn answer(State(api): State<Api>) -> Result<Json<Reply>, Refusal> {
    let read = api.read(|reader| {
        let with_steps =
            |watched: Watched| Ok((watched, reader.watch_steps(&watched.network, &watched.item)?));
        reader.watch_list()?.into_iter().map(with_steps).collect::<Result<Vec<_>, _>>()
    });
    let watched = read.await?.into_iter().map(|(watched, steps)| {
        WatchedItem::new(watched, steps.into_iter().filter_map(|step| Found::new(step, take)).collect())
    });
    Ok(Json(Reply { watched: watched.collect() }))
}

fn take(body: Body) -> Option<WatchStep> {
    match body {
        Body::Watch(found) => Some(*found),
        _ => None,
    }
}
