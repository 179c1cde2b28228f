//! How the spread of an hour stands in one value of the database: a zstd frame around a protobuf message, in which names and
//! sketches are spelt out, so that it can be read without anything else. A number once given to a field is never used for
//! another.

use std::{collections::BTreeMap, io::Read as _};

use bmon_analysis::{
    sketch,
    spread::{NodeSpread, PairSpread, Spread},
};
use prost::Message;

use crate::{StoreError, code};

const LEVEL: i32 = 3;
/// The most that a frame may unpack to: many times what 1,000 nodes take.
const UNPACKED_BYTES: u64 = 64 << 20;

#[derive(Clone, PartialEq, prost::Message)]
struct Body {
    #[prost(uint64, tag = "1")]
    items: u64,
    #[prost(message, repeated, tag = "2")]
    nodes: Vec<Node>,
    #[prost(message, repeated, tag = "3")]
    pairs: Vec<Pair>,
    #[prost(message, repeated, tag = "4")]
    reach: Vec<Reach>,
}

/// [`Body`] without what is of several nodes, which is most of it.
#[derive(Clone, PartialEq, prost::Message)]
struct OfNodes {
    #[prost(uint64, tag = "1")]
    items: u64,
    #[prost(message, repeated, tag = "2")]
    nodes: Vec<Node>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Node {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    seen: u64,
    #[prost(uint64, tag = "3")]
    refused: u64,
    #[prost(uint64, tag = "4")]
    missed: u64,
    #[prost(uint64, tag = "5")]
    clock_unknown: u64,
    #[prost(uint64, tag = "6")]
    first: u64,
    #[prost(uint64, tag = "7")]
    surely_first: u64,
    #[prost(message, optional, tag = "8")]
    bounds: Option<Sketch>,
    #[prost(message, repeated, tag = "9")]
    delays: Vec<Delays>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Delays {
    /// The source's number.
    #[prost(uint32, tag = "1")]
    source: u32,
    #[prost(message, optional, tag = "2")]
    sketch: Option<Sketch>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(string, tag = "1")]
    first: String,
    #[prost(string, tag = "2")]
    second: String,
    #[prost(uint64, tag = "3")]
    first_earlier: u64,
    #[prost(uint64, tag = "4")]
    second_earlier: u64,
    #[prost(uint64, tag = "5")]
    open: u64,
    #[prost(message, optional, tag = "6")]
    second_later: Option<Sketch>,
    #[prost(message, optional, tag = "7")]
    first_later: Option<Sketch>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Reach {
    #[prost(uint32, tag = "1")]
    nodes: u32,
    #[prost(message, optional, tag = "2")]
    sketch: Option<Sketch>,
}

/// The buckets that are not empty: the number of each less that of the one before, and how many values it has.
#[derive(Clone, PartialEq, prost::Message)]
struct Sketch {
    #[prost(uint64, tag = "1")]
    zeros: u64,
    #[prost(uint32, repeated, tag = "2")]
    steps: Vec<u32>,
    #[prost(uint32, repeated, tag = "3")]
    counts: Vec<u32>,
}

pub(crate) fn encode(spread: &Spread) -> Vec<u8> {
    let body = Body {
        items: spread.items,
        nodes: spread.nodes.iter().map(|(name, node)| Node::new(name.as_str(), node)).collect(),
        pairs: spread
            .pairs
            .iter()
            .map(|((one, other), pair)| Pair::new(one.as_str(), other.as_str(), pair))
            .collect(),
        reach: spread
            .reach
            .iter()
            .map(|(k, sketch)| Reach { nodes: u32::from(*k), sketch: wrap(sketch) })
            .collect(),
    };
    zstd::bulk::compress(&body.encode_to_vec(), LEVEL)
        .expect("compressing memory into memory only fails without memory")
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Spread, StoreError> {
    unpack(bytes)
        .and_then(|unpacked| Body::decode(unpacked.as_slice()).ok())
        .ok_or_else(damaged)?
        .into_spread()
}

/// The same without pairs and reach.
pub(crate) fn decode_nodes(bytes: &[u8]) -> Result<Spread, StoreError> {
    let body =
        unpack(bytes).and_then(|unpacked| OfNodes::decode(unpacked.as_slice()).ok()).ok_or_else(damaged)?;
    Body { items: body.items, nodes: body.nodes, ..Body::default() }.into_spread()
}

fn damaged() -> StoreError {
    StoreError::Value { column: "tx_spread.body", value: "bytes of another format".to_owned() }
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    zstd::Decoder::new(bytes).ok()?.take(UNPACKED_BYTES).read_to_end(&mut unpacked).ok()?;
    Some(unpacked)
}

impl Body {
    fn into_spread(self) -> Result<Spread, StoreError> {
        let mut spread = Spread { items: self.items, ..Spread::default() };
        for node in self.nodes {
            let (name, node) = (code::node_name(node.name.clone())?, node.into_spread()?);
            spread.nodes.insert(name, node);
        }
        for pair in self.pairs {
            let names = (code::node_name(pair.first.clone())?, code::node_name(pair.second.clone())?);
            spread.pairs.insert(names, pair.into_spread());
        }
        for Reach { nodes, sketch } in self.reach {
            spread.reach.insert(u16::try_from(nodes).unwrap_or(u16::MAX), unwrap(sketch));
        }
        Ok(spread)
    }
}

impl Node {
    fn new(name: &str, node: &NodeSpread) -> Self {
        let delays = node.delays.iter().map(|(source, sketch)| Delays {
            source: u32::from(code::small_source_code(*source)),
            sketch: wrap(sketch),
        });
        Self {
            name: name.to_owned(),
            seen: node.seen,
            refused: node.refused,
            missed: node.missed,
            clock_unknown: node.clock_unknown,
            first: node.first,
            surely_first: node.surely_first,
            bounds: wrap(&node.bounds),
            delays: delays.collect(),
        }
    }

    fn into_spread(self) -> Result<NodeSpread, StoreError> {
        let mut delays = BTreeMap::new();
        for Delays { source, sketch } in self.delays {
            delays.insert(code::source(i64::from(source))?, unwrap(sketch));
        }
        Ok(NodeSpread {
            seen: self.seen,
            refused: self.refused,
            missed: self.missed,
            clock_unknown: self.clock_unknown,
            first: self.first,
            surely_first: self.surely_first,
            delays,
            bounds: unwrap(self.bounds),
        })
    }
}

impl Pair {
    fn new(first: &str, second: &str, pair: &PairSpread) -> Self {
        Self {
            first: first.to_owned(),
            second: second.to_owned(),
            first_earlier: pair.first_earlier,
            second_earlier: pair.second_earlier,
            open: pair.open,
            second_later: wrap(&pair.second_later),
            first_later: wrap(&pair.first_later),
        }
    }

    fn into_spread(self) -> PairSpread {
        PairSpread {
            first_earlier: self.first_earlier,
            second_earlier: self.second_earlier,
            open: self.open,
            second_later: unwrap(self.second_later),
            first_later: unwrap(self.first_later),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a message in a message may be absent")]
fn wrap(sketch: &sketch::Sketch) -> Option<Sketch> {
    let (zeros, buckets) = sketch.parts();
    let (mut wrapped, mut last) = (Sketch { zeros, ..Sketch::default() }, 0);
    for (bucket, count) in buckets {
        wrapped.steps.push(u32::from(bucket) - std::mem::replace(&mut last, u32::from(bucket)));
        wrapped.counts.push(count);
    }
    Some(wrapped)
}

fn unwrap(sketch: Option<Sketch>) -> sketch::Sketch {
    let Sketch { zeros, steps, counts } = sketch.unwrap_or_default();
    let buckets = steps.iter().zip(&counts).scan(0_u32, |last, (step, count)| {
        *last = last.saturating_add(*step);
        Some((u16::try_from(*last).unwrap_or(u16::MAX), *count))
    });
    sketch::Sketch::from_parts(zeros, &buckets.collect())
}

#[cfg(test)]
mod tests {
    use bmon_analysis::{
        row::{Offset, Sighted},
        spread::{Seen, Tally},
    };
    use bmon_event::{AgentTime, NodeName, Source};
    use proptest::prelude::*;

    use super::*;

    fn any_spread() -> impl Strategy<Value = Spread> {
        let seen = (0..5_u16, any::<bool>(), 0..3_000_000_000_i64, prop::option::of(0..9_000_i64));
        let seen = seen.prop_map(|(node, is_log, at, bound)| Seen {
            node,
            source: if is_log { Source::Log } else { Source::Zmq },
            sighted: Sighted {
                at: AgentTime::from_micros(at),
                offset: bound.map(|bound| Offset { min_us: -bound, max_us: bound }),
            },
            is_refused: !is_log,
        });
        prop::collection::vec(prop::collection::vec(seen, 1..6), 0..20).prop_map(|things| {
            let names: Vec<NodeName> = ["e", "d", "c", "b", "a"].map(|name| name.parse().unwrap()).to_vec();
            let mut tally = Tally::default();
            for mut seen in things {
                seen.sort_by_key(|seen| seen.node);
                seen.dedup_by_key(|seen| seen.node);
                tally.add(&seen);
            }
            tally.spread(&names)
        })
    }

    proptest! {
        #[test]
        fn a_spread_is_read_as_it_was_written(spread in any_spread()) {
            prop_assert_eq!(decode(&encode(&spread)).unwrap(), spread);
        }

        #[test]
        fn damaged_bytes_are_an_error_and_never_a_panic(spread in any_spread(), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&spread);
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        }
    }
}
