//! Sightings of several nodes side by side: who was first, by how much, and whether the clocks can tell.

use bmon_analysis::row::{Offset, Sighted};
use bmon_event::{NodeName, ServerTime, Source};
use serde::{Deserialize, Serialize};

/// When something reached one node, beside the first node it reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The node.
    pub node: NodeName,
    /// Who told: the log where it tells, else the next best source.
    pub source: Source,
    /// When, on the server's clock; on the node's own where `clock_bound_us` is null.
    pub at: String,
    /// The same in microseconds since the Unix epoch.
    pub at_us: i64,
    /// Largest error of `at` in microseconds; null when the node's clock was not compared with the server's.
    pub clock_bound_us: Option<i64>,
    /// Microseconds after the first node; 0 for the first.
    pub delay_us: i64,
    /// Largest error of `delay_us` in microseconds: both nodes' together, 0 for the first node. Null when unknown.
    pub bound_us: Option<i64>,
    /// Whether the node was later for certain, `delay_us` being more than `bound_us`. Null when the bound is unknown.
    pub distinguishable: Option<bool>,
}

/// How far apart nodes had something, of those whose clocks are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// The nodes that are compared.
    pub nodes: usize,
    /// From the first of them to the last, in microseconds.
    pub spread_us: i64,
    /// Largest error of that in microseconds: both nodes' together. What is no larger is not distinguishable from none.
    pub bound_us: i64,
    /// Standard deviation of their times in microseconds: the square root of the variance.
    pub standard_deviation_us: i64,
}

impl Apart {
    /// `None` with fewer than two nodes whose clocks are known.
    pub(super) fn of(arrivals: &[Arrival]) -> Option<Self> {
        let known: Vec<(i64, i64)> =
            arrivals.iter().filter_map(|arrival| Some((arrival.at_us, arrival.clock_bound_us?))).collect();
        let [first, .., last] = known[..] else { return None };
        let after: Vec<f64> = known.iter().map(|(at_us, _)| (at_us - first.0) as f64).collect();
        let mean = after.iter().sum::<f64>() / after.len() as f64;
        let variance = after.iter().map(|us| (us - mean).powi(2)).sum::<f64>() / after.len() as f64;
        #[expect(clippy::cast_possible_truncation, reason = "it is less than the spread")]
        let standard_deviation_us = variance.sqrt().round() as i64;
        let (spread_us, bound_us) = (last.0 - first.0, first.1 + last.1);
        Some(Self { nodes: known.len(), spread_us, bound_us, standard_deviation_us })
    }
}

/// A time on the server's clock as well as it is known, and the largest error of it, `None` when unknown.
pub(super) fn on_server_clock(sighted: Sighted) -> (ServerTime, Option<i64>) {
    let shift = sighted.offset.map_or(0, Offset::middle_us);
    (ServerTime::from_micros(sighted.at.as_micros()).plus_micros(shift), sighted.offset.map(Offset::bound_us))
}

/// The arrivals, earliest first, of sightings of which each node may have one per source.
pub(super) fn arrivals<'a>(sightings: impl Iterator<Item = (&'a NodeName, Source, Sighted)>) -> Vec<Arrival> {
    let mut best: Vec<(&NodeName, Source, Sighted)> = sightings.collect();
    // Sources are declared best first.
    best.sort_by_key(|(node, source, _)| (*node, *source));
    best.dedup_by_key(|(node, ..)| *node);
    best.sort_by_key(|(node, _, sighted)| (on_server_clock(*sighted).0, *node));
    let Some(first) = best.first().map(|(.., sighted)| on_server_clock(*sighted)) else { return Vec::new() };
    let arrival = |(rank, (node, source, sighted)): (usize, (&NodeName, Source, Sighted))| {
        let (at, clock_bound_us) = on_server_clock(sighted);
        let delay_us = at.micros_since(first.0);
        let sum = first.1.zip(clock_bound_us).map(|(first, this)| first + this);
        let bound_us = if rank == 0 { Some(0) } else { sum };
        Arrival {
            node: node.clone(),
            source,
            at: at.to_string(),
            at_us: at.as_micros(),
            clock_bound_us,
            delay_us,
            bound_us,
            distinguishable: bound_us.map(|bound_us| delay_us > bound_us),
        }
    };
    best.into_iter().enumerate().map(arrival).collect()
}

/// Those of `nodes` that have no arrival.
pub(super) fn missing(nodes: impl Iterator<Item = NodeName>, arrivals: &[Arrival]) -> Vec<NodeName> {
    nodes.filter(|node| arrivals.iter().all(|arrival| arrival.node != *node)).collect()
}

#[cfg(test)]
mod tests {
    use bmon_event::AgentTime;

    use super::*;

    fn sighted(us: i64, offset: Option<(i64, i64)>) -> Sighted {
        let offset = offset.map(|(min_us, max_us)| Offset { min_us, max_us });
        Sighted { at: AgentTime::from_micros(us), offset }
    }

    /// Node, delay, bound and whether it can be told apart, of each arrival.
    fn table(sightings: &[(&str, Source, Sighted)]) -> Vec<(String, i64, Option<i64>, Option<bool>)> {
        let names: Vec<NodeName> = sightings.iter().map(|(node, ..)| node.parse().unwrap()).collect();
        let sightings =
            names.iter().zip(sightings).map(|(node, (_, source, sighted))| (node, *source, *sighted));
        let row = |arrival: Arrival| {
            (arrival.node.to_string(), arrival.delay_us, arrival.bound_us, arrival.distinguishable)
        };
        arrivals(sightings).into_iter().map(row).collect()
    }

    #[test]
    fn the_spread_is_of_those_whose_clocks_are_known() {
        let names: Vec<NodeName> = ["a", "b", "c", "d"].map(|name| name.parse().unwrap()).into();
        let times = [(100, Some(2)), (104, Some(3)), (105, None), (112, Some(5))];
        let sightings = names.iter().zip(times);
        let arrivals =
            arrivals(sightings.map(|(name, (us, bound))| {
                (name, Source::Log, sighted(us, bound.map(|bound| (-bound, bound))))
            }));
        let apart = Apart::of(&arrivals).unwrap();
        // Of 0, 4 and 12 the variance is 224/9.
        let expected = Apart { nodes: 3, spread_us: 12, bound_us: 7, standard_deviation_us: 5 };
        assert_eq!(apart, expected);
        assert_eq!(Apart::of(&arrivals[..1]), None);
        assert_eq!(Apart::of(&arrivals[1..3]), None);
    }

    #[test]
    fn delays_are_taken_on_the_servers_clock_with_both_errors() {
        let rows = table(&[
            // Its own clock shows it first, but is 1,000 behind.
            ("late", Source::Log, sighted(100, Some((990, 1010)))),
            ("first", Source::Log, sighted(1000, Some((-10, 10)))),
            ("close", Source::Log, sighted(1015, Some((-10, 10)))),
        ]);
        assert_eq!(
            rows,
            [
                ("first".to_owned(), 0, Some(0), Some(false)),
                ("close".to_owned(), 15, Some(20), Some(false)),
                ("late".to_owned(), 100, Some(20), Some(true)),
            ]
        );
    }

    #[test]
    fn without_an_exchange_the_bound_is_unknown_and_so_is_the_order() {
        let rows =
            table(&[("a", Source::Log, sighted(0, None)), ("b", Source::Log, sighted(5, Some((0, 2))))]);
        assert_eq!(rows[1], ("b".to_owned(), 6, None, None));
    }

    #[test]
    fn the_log_counts_where_it_tells_even_if_another_source_was_earlier() {
        let rows = table(&[
            ("a", Source::Zmq, sighted(1, None)),
            ("a", Source::Log, sighted(2, None)),
            ("b", Source::Zmq, sighted(4, None)),
        ]);
        assert_eq!(rows[1].1, 2);
        assert_eq!(rows.len(), 2);
    }
}
