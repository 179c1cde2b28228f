//! How far apart in time nodes saw the same things.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{FromRequestParts, Query, State},
    http::request::Parts,
    routing::get,
};
use bmon_analysis::{
    row::Stage,
    sketch::{RELATIVE_ERROR, Sketch},
    spread::{NodeSpread, PairSpread, Spread},
};
use bmon_event::{NodeName, ServerTime, Source};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Parameter, Refusal, parameter::OfNetwork, when};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/spread",
    summary: "How far apart the nodes of a network saw the same transactions, or reached a stage with the same blocks: of each \
              node how long after the first, of each two nodes who was first, and how long it took until so many had it. \
              Times are corrected by the clocks' offsets; an order that their errors leave open is counted as open. A \
              transaction is counted a minute after it was first heard of. Durations are from sketches, within 1 % of the truth.",
    parameters: &[
        Parameter { name: "of", summary: "`tx` or `block`; `tx` when absent" },
        Parameter {
            name: "stage",
            summary: "with `of=block`: `header`, `block`, `checked` or `connected`; `header` when absent",
        },
        Parameter {
            name: "since",
            summary: "how far back, in minutes, hours or days, like `90m`, `24h`, `7d`; `24h` when absent. Whole hours are told: \
                      the one in which that was is the first",
        },
        Parameter {
            name: "network",
            summary: "the network, as other replies name it; may be absent while the server knows of one only",
        },
    ],
    example: "/api/v1/spread?since=1h",
    route: || get(answer),
};

const HOUR_US: i64 = 3_600_000_000;

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// What was seen.
    pub of: Of,
    /// The stage that blocks had reached; null for transactions.
    pub stage: Option<Stage>,
    /// When the first hour began.
    pub from: String,
    /// The same in microseconds since the Unix epoch.
    pub from_us: i64,
    /// Things that any node saw.
    pub items: u64,
    /// Largest error of each duration below, as a share of it.
    pub relative_error: f64,
    /// The nodes, the one that was first most often at the top.
    pub nodes: Vec<Node>,
    /// How long after the first node so many nodes had seen a thing.
    pub reach: Vec<Reach>,
    /// Each two nodes.
    pub pairs: Vec<Pair>,
    /// Hour by hour, oldest first; hours in which nothing was seen are left out.
    pub hours: Vec<Hour>,
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// Transactions, accepted or refused.
    #[default]
    Tx,
    /// Blocks.
    Block,
}

/// When one node saw things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The node.
    pub node: NodeName,
    /// Things that it saw.
    pub seen: u64,
    /// Of those, how many it refused: it is not late for them.
    pub refused: u64,
    /// Things that it did not see although it saw others of about that minute.
    pub missed: u64,
    /// Things that it saw when its clock was not known, which are compared with nothing.
    pub clock_unknown: u64,
    /// Things that it saw first as far as is known.
    pub first: u64,
    /// Of those, how many it saw first whatever the clocks' errors are.
    pub surely_first: u64,
    /// How long after the first node it saw them.
    pub delay: Durations,
    /// The same by the source that told the time.
    pub sources: Vec<SourceDelay>,
    /// The error of its times.
    pub clock_bound: Durations,
}

/// How long after the first node a node saw things whose time one source told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceDelay {
    /// The source.
    pub source: Source,
    /// How long.
    pub delay: Durations,
}

/// A distribution of durations in microseconds; null when there are none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    /// How many.
    pub count: u64,
    /// Median.
    pub p50_us: Option<i64>,
    /// Nine in ten are not longer.
    pub p90_us: Option<i64>,
    /// 99 in a hundred are not longer.
    pub p99_us: Option<i64>,
    /// The longest.
    pub max_us: Option<i64>,
}

/// How long it took until so many nodes had seen a thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// So many nodes.
    pub nodes: u16,
    /// How long after the first; of the things that so many saw.
    pub delay: Durations,
}

/// When two nodes saw the same things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The one.
    pub first: NodeName,
    /// The other.
    pub second: NodeName,
    /// Things that the one surely saw earlier.
    pub first_earlier: u64,
    /// Things that the other surely saw earlier.
    pub second_earlier: u64,
    /// Things of which the clocks leave open who was earlier: not distinguishable.
    pub open: u64,
    /// Median of the other's time minus the one's in microseconds; below zero if the other was mostly earlier.
    pub median_us: Option<i64>,
}

/// One hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    /// When it began.
    pub at: String,
    /// The same in microseconds since the Unix epoch.
    pub at_us: i64,
    /// Things that any node saw.
    pub items: u64,
    /// How long after the first each node saw them, by node.
    pub nodes: Vec<HourNode>,
}

/// One node in one hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourNode {
    /// The node.
    pub node: NodeName,
    /// How long after the first.
    pub delay: Durations,
}

/// What is asked.
#[derive(Clone, Debug)]
struct Question {
    of: Of,
    stage: Stage,
    since_us: i64,
    network: OfNetwork,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    #[serde(default)]
    of: Of,
    stage: Option<Stage>,
    since: Option<String>,
    network: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Question {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(raw) = Query::<RawQuestion>::try_from_uri(&parts.uri).map_err(|error| {
            let hint = "the parameters are `of` (`tx` or `block`), `stage`, `since` and `network`";
            Refusal::bad_request(error.body_text(), hint)
        })?;
        if raw.of == Of::Tx && raw.stage.is_some() {
            return Err(Refusal::bad_request(
                "`stage` says nothing of transactions",
                "give `of=block` with it",
            ));
        }
        let since_us = raw.since.as_deref().map_or(Ok(24 * HOUR_US), since_us)?;
        let network = OfNetwork::named(raw.network);
        Ok(Self { of: raw.of, stage: raw.stage.unwrap_or(Stage::Header), since_us, network })
    }
}

fn since_us(text: &str) -> Result<i64, Refusal> {
    let refuse =
        || Refusal::bad_request(when::cannot_be("since", text), "give a time like `90m`, `24h` or `7d`");
    when::length_us(text).ok_or_else(refuse)
}

async fn answer(State(api): State<Api>, question: Question) -> Result<Json<Reply>, Refusal> {
    let networks = api.read(bmon_store::Reader::networks).await?;
    let network = question.network.choose(&networks)?;
    let now = api.now();
    let hour = now.plus_micros(-question.since_us).as_micros().div_euclid(HOUR_US);
    let (from, to) = (ServerTime::from_micros(hour * HOUR_US), now.plus_micros(HOUR_US));
    let (of, stage) = (question.of, question.stage);
    let hours = api.read(move |reader| match of {
        Of::Tx => reader.tx_spread(&network, from, to),
        Of::Block => reader.block_spread(&network, stage, from, to),
    });
    let hours = hours.await?;
    let mut spread = Spread::default();
    for (_, hour) in &hours {
        spread.merge(hour);
    }
    Ok(Json(Reply {
        network: network.to_string(),
        of,
        stage: (of == Of::Block).then_some(stage),
        from: from.to_string(),
        from_us: from.as_micros(),
        items: spread.items,
        relative_error: RELATIVE_ERROR,
        nodes: nodes(&spread),
        reach: spread
            .reach
            .iter()
            .map(|(nodes, sketch)| Reach { nodes: *nodes, delay: Durations::new(sketch) })
            .collect(),
        pairs: spread.pairs.iter().map(Pair::new).collect(),
        hours: hours.iter().map(Hour::new).collect(),
    }))
}

fn nodes(spread: &Spread) -> Vec<Node> {
    let order: BTreeSet<_> =
        spread.nodes.iter().map(|(name, node)| (std::cmp::Reverse(node.first), name)).collect();
    order.into_iter().filter_map(|(_, name)| Some(Node::new(name, spread.nodes.get(name)?))).collect()
}

impl Node {
    fn new(name: &NodeName, node: &NodeSpread) -> Self {
        let source = |(source, sketch): (&Source, &Sketch)| SourceDelay {
            source: *source,
            delay: Durations::new(sketch),
        };
        Self {
            node: name.clone(),
            seen: node.seen,
            refused: node.refused,
            missed: node.missed,
            clock_unknown: node.clock_unknown,
            first: node.first,
            surely_first: node.surely_first,
            delay: Durations::new(&node.delay()),
            sources: node.delays.iter().map(source).collect(),
            clock_bound: Durations::new(&node.bounds),
        }
    }
}

impl Pair {
    fn new(((first, second), pair): (&(NodeName, NodeName), &PairSpread)) -> Self {
        Self {
            first: first.clone(),
            second: second.clone(),
            first_earlier: pair.first_earlier,
            second_earlier: pair.second_earlier,
            open: pair.open,
            median_us: pair.median_us().map(whole),
        }
    }
}

impl Hour {
    fn new((at, spread): &(ServerTime, Spread)) -> Self {
        let node = |(name, node): (&NodeName, &NodeSpread)| HourNode {
            node: name.clone(),
            delay: Durations::new(&node.delay()),
        };
        Self {
            at: at.to_string(),
            at_us: at.as_micros(),
            items: spread.items,
            nodes: spread.nodes.iter().map(node).collect(),
        }
    }
}

impl Durations {
    pub(super) fn new(sketch: &Sketch) -> Self {
        let quantile = |q| sketch.quantile(q).map(whole);
        Self {
            count: sketch.count(),
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p99_us: quantile(0.99),
            max_us: quantile(1.0),
        }
    }
}

/// To the microsecond.
#[expect(clippy::cast_possible_truncation, reason = "the longest duration that a sketch tells has 63 bits")]
fn whole(us: f64) -> i64 {
    us.round() as i64
}
