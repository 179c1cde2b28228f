use bmon_event::AgentTime;
use proptest::prelude::*;

use super::*;
use crate::row::Offset;

fn names() -> Vec<NodeName> {
    // Not in the order of their numbers.
    ["carol", "alice", "bob", "dave"].map(|name| name.parse().unwrap()).to_vec()
}

fn seen(node: u16, at_us: i64, bound_us: Option<i64>) -> Seen {
    let offset = bound_us.map(|bound_us| Offset { min_us: -bound_us, max_us: bound_us });
    let sighted = Sighted { at: AgentTime::from_micros(at_us), offset };
    Seen { node, source: Source::Log, sighted, is_refused: node == 3 }
}

fn spread(things: &[Vec<Seen>]) -> Spread {
    let mut tally = Tally::default();
    for seen in things {
        tally.add(seen);
    }
    tally.spread(&names())
}

fn near(told: Option<f64>, us: f64) -> bool {
    told.is_some_and(|told| (told - us).abs() <= us.abs() * 0.01)
}

#[test]
fn who_was_first_by_how_much_and_whether_that_is_sure() {
    // Carol is always first, for certain once; the clock of dave is not known.
    let sure =
        vec![seen(0, 1_000, Some(10)), seen(1, 2_000, Some(10)), seen(2, 5_000, Some(10)), seen(3, 0, None)];
    let open = vec![seen(0, 1_000, Some(10)), seen(1, 1_020, Some(10)), seen(2, 9_000, Some(10))];
    let spread = spread(&[sure, open]);
    let node = |name: &str| &spread.nodes[&name.parse::<NodeName>().unwrap()];
    assert_eq!((spread.items, node("carol").first, node("carol").surely_first), (2, 2, 1));
    assert_eq!((node("dave").seen, node("dave").clock_unknown, node("dave").refused), (1, 1, 1));
    assert_eq!((node("dave").delays.len(), node("alice").first), (0, 0));
    assert!(near(node("bob").delay().quantile(1.0), 8_000.0));
    let pair = &spread.pairs[&("alice".parse().unwrap(), "carol".parse().unwrap())];
    assert_eq!((pair.first_earlier, pair.second_earlier, pair.open), (0, 1, 1));
    assert!(near(pair.median_us(), -20.0) || near(pair.median_us(), -1_000.0), "{:?}", pair.median_us());
    let reach: Vec<_> = spread.reach.iter().map(|(k, sketch)| (*k, sketch.count())).collect();
    assert_eq!(reach, [(2, 2), (3, 2)]);
}

#[test]
fn a_node_misses_only_what_it_did_not_see_while_it_was_telling() {
    const MINUTE_US: i64 = 60 * SECOND_US;
    let at = |minute: i64, nodes: &[u16]| -> Vec<Seen> {
        nodes.iter().map(|node| seen(*node, minute * MINUTE_US + i64::from(*node), Some(1))).collect()
    };
    // Alice tells in minutes 0, 1, 3 and 9; in minute 2 she tells of nothing, but she is there. From 4 to 8 she may be away.
    let things = [
        at(0, &[0, 1]),
        at(1, &[0, 1]),
        at(1, &[0]),
        at(2, &[0]),
        at(2, &[0]),
        at(3, &[0, 1]),
        at(4, &[0]),
        at(6, &[0]),
        at(8, &[0]),
        at(9, &[0, 1]),
    ];
    let spread = spread(&things);
    let missed = |name: &str| spread.nodes[&name.parse::<NodeName>().unwrap()].missed;
    assert_eq!((missed("alice"), missed("carol")), (3, 0));
}

/// Things seen by some of the nodes within one hour.
fn any_things() -> impl Strategy<Value = Vec<Vec<Seen>>> {
    let thing = (
        0..3_500 * SECOND_US,
        prop::collection::btree_map(0..4_u16, (0..5_000_000_i64, prop::option::of(0..3_000_i64)), 1..5),
    );
    let thing = thing.prop_map(|(start, nodes)| {
        nodes.into_iter().map(|(node, (delay, bound))| seen(node, start + delay, bound)).collect()
    });
    prop::collection::vec(thing, 0..60)
}

proptest! {
    #[test]
    fn what_is_taken_away_was_never_there_and_the_order_is_nothing(
        (kept, shuffled, gone) in any_things().prop_flat_map(|things| (Just(things.clone()), Just(things).prop_shuffle(), any_things())),
    ) {
        let mut tally = Tally::default();
        gone.iter().chain(&shuffled).for_each(|seen| tally.add(seen));
        for seen in &gone {
            tally.remove(seen);
        }
        prop_assert_eq!(tally.spread(&names()), spread(&kept));
    }

    #[test]
    fn two_stretches_merged_are_both(one in any_things(), other in any_things()) {
        let (mut sum, both) = (spread(&one), spread(&[one, other.clone()].concat()));
        sum.merge(&spread(&other));
        // What a node missed depends on what is around it, in one stretch.
        for (name, node) in &mut sum.nodes {
            node.missed = both.nodes[name].missed;
        }
        prop_assert_eq!(sum, both);
    }

    #[test]
    fn the_median_of_two_nodes_is_that_of_their_differences(things in any_things()) {
        for (a, b) in [(1_u16, 2_u16), (0, 1), (2, 3)] {
            let at = |seen: &[Seen], node| seen.iter().find(|seen| seen.node == node && seen.sighted.offset.is_some()).map(|seen| seen.sighted.at);
            let mut differences: Vec<i64> =
                things.iter().filter_map(|seen| Some(at(seen, b)?.micros_since(at(seen, a)?))).collect();
            differences.sort_unstable();
            let (one, other) = (names()[usize::from(a)].clone(), names()[usize::from(b)].clone());
            let (key, sign) = if one < other { ((one, other), 1.0) } else { ((other, one), -1.0) };
            let told = spread(&things).pairs.get(&key).and_then(PairSpread::median_us).map(|us| sign * us);
            let middle = differences.len().checked_sub(1).map(|last| (last / 2, last.div_ceil(2)));
            prop_assert_eq!(told.is_some(), middle.is_some());
            if let (Some(told), Some((low, high))) = (told, middle) {
                prop_assert!(near(Some(told), differences[low] as f64) || near(Some(told), differences[high] as f64));
            }
        }
    }
}
