//! Nodes that are slow with transactions, by what was measured of weeks of hours.

use bmon_analysis::{
    backtest,
    finding::{Body, Extent, Finding, Measure, Slowness},
    row::TxSpread,
    sketch::Sketch,
    spread::{NodeSpread, Spread},
};
use bmon_event::{BlockHash, Kind, ServerTime, Source, Txid};

use crate::{
    fork::common,
    world::{MINUTE, MS, SECOND, World, network, node},
};

const NODES: [&str; 3] = ["alice", "bob", "carol"];
const HOUR: i64 = 60 * MINUTE;
/// Transactions of an hour.
const TXS: u32 = 120;

/// How long after it was sent a node told of a transaction, in microseconds; `None` if it did not.
type Took = Option<i64>;

/// A number between −1 and 1 that looks random.
fn noise(of: u64) -> f64 {
    let mut bits = of.wrapping_add(1);
    for _ in 0..3 {
        bits = (bits ^ (bits >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (bits >> 12) as f64 / (1_u64 << 51) as f64 - 1.0
}

/// Some four seconds, a tenth more or less on some days, and one in a hundred not at all.
#[expect(clippy::cast_possible_truncation, reason = "small")]
fn usual(hour: i64, tx: u32, node: usize) -> Took {
    let day = 1.0 + 0.1 * noise((hour.cast_unsigned() / 24) << 3 | node as u64);
    let of_tx = noise(hour.cast_unsigned() << 20 | u64::from(tx) << 3 | node as u64);
    (tx % 97 != 5 + u32::try_from(node).unwrap()).then_some((4e6 * day * of_tx.exp()) as i64)
}

/// That as an earlier engine told it.
fn told(begun_at: ServerTime, took: impl Fn(u32, usize) -> Took) -> TxSpread {
    let mut spread = Spread { items: TXS.into(), ..Spread::default() };
    for (which, name) in NODES.iter().enumerate() {
        let first = |tx| (0..NODES.len()).filter_map(|node| took(tx, node)).min();
        let times: Vec<i64> = (0..TXS).filter_map(|tx| Some(took(tx, which)? - first(tx)?)).collect();
        let (mut delay, mut bounds) = (Sketch::default(), Sketch::default());
        for us in &times {
            delay.add(*us);
            bounds.add(100);
        }
        let seen = times.len() as u64;
        let (delays, missed) = ([(Source::Log, delay)].into(), u64::from(TXS) - seen);
        spread.nodes.insert(node(name), NodeSpread { seen, missed, delays, bounds, ..NodeSpread::default() });
    }
    TxSpread { network: network(), begun_at, spread }
}

/// A world after so many days of such hours, at the beginning of an hour that is the first of a stretch of four.
fn after(days: i64, took: impl Fn(i64, u32, usize) -> Took) -> (World, BlockHash) {
    let (mut world, genesis) = World::new();
    let tip: BlockHash = common(&mut world, genesis);
    world.now = (world.now / (24 * HOUR) + 1) * 24 * HOUR;
    let begin = world.now / HOUR;
    for hour in begin..begin + days * 24 {
        let begun_at = ServerTime::from_micros(hour * HOUR);
        world.tx_hours.insert(begun_at, told(begun_at, |tx, node| took(hour, tx, node)));
    }
    // So that the last of them is over.
    world.now += days * 24 * HOUR + HOUR;
    restart(&mut world, tip);
    world.now -= HOUR;
    (world, tip)
}

/// Nodes say again where the chain ends, as they do each minute.
fn restart(world: &mut World, tip: BlockHash) {
    world.restart();
    for name in NODES {
        world.log(name, vec![Kind::Tip { block: tip, height: None, log2_work: None, transactions: None }]);
    }
}

/// So many hours in which nodes tell of transactions.
fn hours(world: &mut World, count: i64, took: impl Fn(i64, u32, usize) -> Took) {
    for hour in world.now / HOUR..world.now / HOUR + count {
        let mut told = Vec::new();
        for tx in 0..TXS {
            let first = hour * HOUR + i64::from(tx) * 25 * SECOND;
            let at = |node| Some((first + took(hour, tx, node)?, NODES[node], tx));
            told.extend((0..NODES.len()).filter_map(at));
        }
        told.sort_unstable();
        for (at, name, tx) in told {
            world.now = at;
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&hour.to_le_bytes());
            bytes[8..12].copy_from_slice(&tx.to_le_bytes());
            let txid = Txid::from_bytes(bytes);
            world.log(name, vec![Kind::TxAdded { txid, wtxid: None, peer: None, mempool_sequence: None }]);
        }
        world.now = (hour + 1) * HOUR - MINUTE;
        world.wait(MINUTE);
    }
}

fn slow(world: &World, kind: &str) -> Vec<(String, Slowness)> {
    world.found(kind).into_iter().map(slowness).collect()
}

fn slowness(finding: &Finding) -> (String, Slowness) {
    match &finding.body {
        Body::SlowNode(found) | Body::DelayDrift(found) => {
            (finding.node.as_ref().unwrap().to_string(), (**found).clone())
        }
        other => unreachable!("{other:?}"),
    }
}

/// Carol takes three times as long.
fn late(hour: i64, tx: u32, node: usize) -> Took {
    usual(hour, tx, node).map(|us| if node == 2 { us * 3 } else { us })
}

#[test]
fn a_node_to_which_transactions_come_late_is_slow_until_it_is_as_it_was_and_no_other_is() {
    let (mut world, _) = after(30, usual);
    let begun = world.now;
    hours(&mut world, 4, late);
    // An hour is over an hour after it ended.
    assert_eq!(slow(&world, "slow-node"), []);
    hours(&mut world, 1, late);
    world.wait(SECOND);
    let found = slow(&world, "slow-node");
    let [(name, found)] = &found[..] else { unreachable!("{found:#?}") };
    let [from_us, to_us] = [begun, begun + 4 * HOUR].map(ServerTime::from_micros);
    assert_eq!((name.as_str(), found.measure), ("carol", Measure::TxArrival));
    assert_eq!(found.extent, Extent::Hours { from_us, to_us });
    assert!((0.8e6..1.1e6).contains(&found.own.usual) && (7e6..8.5e6).contains(&found.own.now), "{found:#?}");
    assert!((4.0..5.0).contains(&(found.to_others.now / found.to_others.usual)), "{found:#?}");
    assert_eq!((found.to_others.rank.past, found.to_others.rank.as_large), (163, 0));
    assert!(found.also.iter().all(|change| !change.is_unusual()), "{found:#?}");
    let alerts = || world.alerts_of("slow-node").into_iter().map(|(.., subject)| subject).collect::<Vec<_>>();
    assert_eq!(alerts(), ["carol tx-arrival"]);
    // One stretch more is late, and two are as it was.
    hours(&mut world, 12, usual);
    world.wait(SECOND);
    let found = slow(&world, "slow-node");
    assert!(found.len() == 1 && found[0].1.over_at_us.is_some(), "{found:#?}");
    assert_eq!(slow(&world, "delay-drift"), []);
}

#[test]
fn delays_far_apart_and_transactions_that_do_not_come_are_told_as_what_they_are() {
    // Of carol's transactions one in five takes twenty times as long; bob does not get half of his.
    let other = |hour: i64, tx: u32, node: usize| {
        let us = usual(hour, tx, node)?;
        let is_missed = node == 1 && noise(hour.cast_unsigned() << 20 | u64::from(tx)) > 0.0;
        (!is_missed).then_some(if node == 2 && tx % 5 == 1 { us * 20 } else { us })
    };
    let (mut world, _) = after(30, usual);
    hours(&mut world, 5, other);
    world.wait(SECOND);
    let mut found: Vec<_> =
        slow(&world, "slow-node").into_iter().map(|(name, found)| (name, found.measure)).collect();
    found.sort();
    let expected = [("bob", Measure::TxMissed), ("carol", Measure::TxScatter)];
    assert_eq!(found, expected.map(|(name, measure)| (name.to_owned(), measure)));
    let said = world.alerts_of("slow-node");
    let subjects: Vec<_> = said.iter().map(|(.., subject)| subject.as_str()).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
}

#[test]
fn what_all_nodes_do_alike_few_transactions_and_clocks_that_are_not_known_are_no_slow_node() {
    let (mut world, _) = after(30, usual);
    hours(&mut world, 5, |hour, tx, node| usual(hour, tx, node).map(|us| us * 3));
    world.wait(SECOND);
    assert_eq!(slow(&world, "slow-node"), []);
    let (mut world, _) = after(30, usual);
    hours(&mut world, 5, |hour, tx, node| late(hour, tx, node).filter(|_| tx < 90));
    world.wait(SECOND);
    assert_eq!(slow(&world, "slow-node"), []);
}

#[test]
fn a_restart_goes_on_from_the_hours_that_were_told() {
    let (mut world, tip) = after(30, usual);
    hours(&mut world, 3, late);
    restart(&mut world, tip);
    hours(&mut world, 2, late);
    world.wait(SECOND);
    // The hours that were not over yet are counted anew from the transactions that were told.
    let found = slow(&world, "slow-node");
    assert!(
        matches!(&found[..], [(name, found)] if name == "carol" && found.measure == Measure::TxArrival),
        "{found:#?}"
    );
    restart(&mut world, tip);
    world.wait(MS);
    assert_eq!(slow(&world, "slow-node").len(), 1);
}

#[test]
fn what_becomes_late_bit_by_bit_is_a_drift_and_a_backtest_finds_the_same() {
    let begin = (1_700_000_000 / 86_400 + 1) * 24;
    let drifting = move |hour: i64, tx: u32, node: usize| {
        let weeks = ((hour - begin) as f64 / 168.0 - 8.0).max(0.0);
        let us = usual(hour, tx, node)?;
        #[expect(clippy::cast_possible_truncation, reason = "small")]
        let late = (us as f64 * 1.1_f64.powf(weeks)) as i64;
        Some(if node == 2 { late } else { us })
    };
    let (mut world, _) = after(112, drifting);
    hours(&mut world, 25, drifting);
    world.wait(SECOND);
    let found = slow(&world, "delay-drift");
    let [(name, found)] = &found[..] else { unreachable!("{found:#?}") };
    assert_eq!((name.as_str(), found.measure), ("carol", Measure::TxArrival));
    assert!(found.factor_a_week.is_some_and(|factor| (1.06..1.16).contains(&factor)), "{found:#?}");
    let told = backtest::run("delay-drift", Vec::new(), world.tx_hours.values().cloned().collect()).unwrap();
    let told: Vec<_> = told.iter().map(slowness).collect();
    let [(name, before)] = &told[..] else { unreachable!("{told:#?}") };
    assert_eq!((name.as_str(), before.measure), ("carol", Measure::TxArrival));
    assert!(before.extent != found.extent && before.own.now < found.own.now, "{before:#?}");
}
