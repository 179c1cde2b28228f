//! Walks through whole tables: each item once and in order, wherever they stop.

use std::{fmt::Debug, ops::ControlFlow};

use bmon_analysis::{
    alert::{Alert, AlertId, AlertState, Severity},
    finding::FindingId,
    row::{BlockSighting, Row, Stage, TxLeft, TxSeen, TxSpread},
    spread::{Seen, Spread, Tally},
};
use bmon_event::{Network, ServerTime, Source};
use bmon_store::{Reader, StoreError, Stretch, Visit};

use crate::{
    Place, commit,
    row::{
        at, block, block_sighting, hash, header, invalid_block, miner, name, network, node, rejection,
        tx_chunk, txid,
    },
};

const HOUR_US: i64 = 3_600_000_000;

fn main_network() -> Network {
    Network::from_chain("main").unwrap()
}

fn stretch(from_us: i64, until_us: i64) -> Stretch {
    let time = ServerTime::from_micros;
    Stretch { network: network(), from: time(from_us), until: time(until_us) }
}

fn always() -> Stretch {
    stretch(i64::MIN, i64::MAX)
}

/// All items, `step` at a time.
fn by<P, T>(step: usize, walk: impl Fn(Option<P>, Visit<'_, T>) -> Result<Option<P>, StoreError>) -> Vec<T> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let before = items.len();
        let visit = &mut |item| {
            items.push(item);
            if items.len() == before + step { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match walk(after, visit).unwrap() {
            Some(place) => after = Some(place),
            None => return items,
        }
    }
}

/// All items, which are the same whatever the step.
fn all<P, T: Debug + PartialEq>(
    walk: impl Fn(Option<P>, Visit<'_, T>) -> Result<Option<P>, StoreError>,
) -> Vec<T> {
    let whole = by(usize::MAX, &walk);
    for step in 1..=whole.len() + 1 {
        assert_eq!(by(step, &walk), whole, "{step} at a time");
    }
    whole
}

pub(crate) fn walks_through_blocks(place: &Place) {
    let mut store = (place.open)();
    let seen =
        |number, us, offset| block_sighting(number, "alice", Source::Log, Stage::Connected, at(us, offset));
    // The last has no sighting; the fourth is the first on the server's clock.
    let rows = [
        seen(1, 20, None),
        seen(2, 20, None),
        seen(3, 30, None),
        seen(4, 40, Some((-35, -25))),
        block(5, Some(1)),
    ];
    commit(&mut store, &rows, 1);
    let (network, block, node) = (main_network(), hash(6), name("alice"));
    let (source, stage, sighted) = (Source::Log, Stage::Header, at(25, None));
    let other = BlockSighting { network, block, node, source, stage, sighted };
    commit(&mut store, &[Row::BlockSighting(other)], 2);
    let reader = (place.read)();
    let found = |stretch: Stretch| {
        let blocks = all(|after, visit| reader.visit_blocks(&stretch, after, visit));
        blocks.into_iter().map(|block| block.row.block).collect::<Vec<_>>()
    };
    assert_eq!(found(always()), [4, 1, 2, 3].map(hash));
    assert_eq!(found(stretch(20, 30)), [1, 2].map(hash));
    assert_eq!(found(stretch(21, 31)), [hash(3)]);
}

pub(crate) fn walks_through_findings_of_every_kind(place: &Place) {
    let mut store = (place.open)();
    let mut of_network = invalid_block(network(), 9, "alice");
    of_network.node = None;
    let findings = [
        rejection(1, 1, "alice", "a", 10),
        rejection(2, 3, "bob", "b", 10),
        rejection(3, 1, "alice", "c", 5),
        invalid_block(network(), 7, "bob"),
        invalid_block(main_network(), 8, "bob"),
        of_network,
    ];
    let rows = findings.clone().map(|finding| Row::Finding(Box::new(finding)));
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let found = |stretch: Stretch, only| {
        let found = all(|after, visit| reader.visit_findings(&stretch, only, after, visit));
        found.into_iter().map(|found| found.id).collect::<Vec<_>>()
    };
    let ids = |places: &[usize]| places.iter().map(|place| findings[*place].id).collect::<Vec<FindingId>>();
    assert_eq!(found(always(), None), ids(&[3, 5, 2, 0, 1]));
    assert_eq!(found(always(), Some("rejected-tx")), ids(&[2, 0, 1]));
    assert_eq!(found(always(), Some("reorg")), []);
    // On the server's clock, which is ahead by 5.
    assert_eq!(found(stretch(9, 15), None), ids(&[5, 2]));
    let first = by(1, |after, visit| reader.visit_findings(&always(), None, after, visit)).remove(1);
    assert_eq!((first.kind.as_str(), first.node, first.revision), ("invalid-block", None, 1));
    assert_eq!(first.body, serde_json::to_string(&findings[5].body).unwrap());
}

fn alert(number: u8, active_at_us: i64, findings: &[FindingId]) -> Row {
    Row::Alert(Box::new(Alert {
        id: AlertId([number; 16]),
        revision: 1,
        network: network(),
        rule: "lag".to_owned(),
        subject: "alice".to_owned(),
        node: Some(name("alice")),
        severity: Severity::Info,
        state: AlertState::Firing,
        active_at_us: ServerTime::from_micros(active_at_us),
        fired_at_us: None,
        resolved_at_us: None,
        summary: "so".to_owned(),
        findings: findings.to_vec(),
    }))
}

pub(crate) fn alerts_have_the_largest_bound_of_their_findings_if_all_are_known(place: &Place) {
    let mut store = (place.open)();
    let known = rejection(1, 1, "alice", "a", 10);
    let mut wider = rejection(2, 1, "alice", "a", 10);
    wider.sighted = at(10, Some((-100, 100)));
    let unknown = invalid_block(network(), 7, "bob");
    let ids = [&known, &wider, &unknown].map(|finding| finding.id);
    let mut rows: Vec<_> = [known, wider, unknown].map(|finding| Row::Finding(Box::new(finding))).into();
    rows.extend([
        alert(4, 40, &[]),
        alert(3, 30, &ids),
        alert(2, 20, &ids[..2]),
        alert(1, 20, &ids[..1]),
        alert(5, 50, &[FindingId([7; 16])]),
    ]);
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let found = all(|after, visit| reader.visit_alerts(&stretch(20, 51), after, visit));
    let found: Vec<_> = found.iter().map(|(alert, bound_us)| (alert.id.0[0], *bound_us)).collect();
    assert_eq!(found, [(2, Some(100)), (1, Some(10)), (3, None), (4, None), (5, None)]);
}

pub(crate) fn walks_through_headers_miners_and_hours(place: &Place) {
    let mut store = (place.open)();
    let mut rows = vec![
        header(network(), 2, 7),
        header(network(), 1, 7),
        header(network(), 3, 0),
        header(main_network(), 4, 1),
    ];
    rows.extend([0, 3, 9].map(|number| Row::Miner(miner(number))));
    rows.extend([2, 0, 1].map(|hour| {
        let begun_at = ServerTime::from_micros(hour * HOUR_US);
        let spread = Spread { items: hour.cast_unsigned(), ..Spread::default() };
        Row::TxSpread(Box::new(TxSpread { network: network(), begun_at, spread }))
    }));
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let headers = all(|after, visit| reader.visit_headers(&always(), after, visit));
    assert_eq!(headers.iter().map(|header| header.block).collect::<Vec<_>>(), [3, 1, 2].map(hash));
    let miners = all(|after, visit| reader.visit_miners(&always(), after, visit));
    let miners: Vec<_> = miners.into_iter().map(|(height, miner)| (height, miner.block)).collect();
    assert_eq!(miners, [(None, hash(0)), (Some(0), hash(3)), (None, hash(9))]);
    let hours = |stretch: Stretch| {
        let hours = all(|after, visit| reader.visit_tx_spread(&stretch, after, visit));
        hours.into_iter().map(|(_, spread)| spread.items).collect::<Vec<_>>()
    };
    assert_eq!(hours(always()), [0, 1, 2]);
    assert_eq!(hours(stretch(HOUR_US + 5, HOUR_US + 6)), [1]);
    assert_eq!(hours(stretch(HOUR_US, 2 * HOUR_US)), [1]);
}

pub(crate) fn the_hours_of_all_networks_come_in_order_with_what_is_of_one_node_each(place: &Place) {
    let mut store = (place.open)();
    let seen =
        |node, us| Seen { node, source: Source::Log, sighted: at(us, Some((-10, 10))), is_refused: false };
    let hour = |network, hour: i64| {
        let mut tally = Tally::default();
        let us = hour * HOUR_US;
        tally.add(&[seen(0, us), seen(1, us + 500)]);
        let spread = tally.spread(&[name("alice"), name("bob")]);
        TxSpread { network, begun_at: ServerTime::from_micros(us), spread }
    };
    let hours = [hour(network(), 2), hour(main_network(), 1), hour(network(), 0), hour(network(), 3)];
    let rows: Vec<_> = hours.iter().cloned().map(|hour| Row::TxSpread(Box::new(hour))).collect();
    let reader = (place.read)();
    assert_eq!(reader.last_tx_hour().unwrap(), None);
    commit(&mut store, &rows, 1);
    let mut found = Vec::new();
    let [from, to] = [0, 3].map(|hour| ServerTime::from_micros(hour * HOUR_US));
    reader.tx_hours(from, to, |hour| found.push(hour)).unwrap();
    let of_nodes = |hour: &TxSpread| {
        let Spread { items, nodes, .. } = hour.spread.clone();
        TxSpread { spread: Spread { items, nodes, ..Spread::default() }, ..hour.clone() }
    };
    assert_eq!(found, [&hours[2], &hours[1], &hours[0]].map(of_nodes));
    assert!(found.iter().all(|hour| hour.spread.nodes.len() == 2));
    assert_eq!(reader.last_tx_hour().unwrap(), Some(to));
}

fn seen(us: i64) -> TxSeen {
    TxSeen { source: Source::Log, sighted: at(us, None) }
}

pub(crate) fn walks_through_transactions_tell_what_happened_in_the_stretch_and_nothing_else(place: &Place) {
    let mut store = (place.open)();
    let hours = |hours: i64| ServerTime::from_micros(hours * HOUR_US);
    let chunk = |id, txs: &[u8], told: i64, last: i64| {
        let txs: Vec<_> = txs.iter().map(|number| (*number, None)).collect();
        let mut chunk = tx_chunk(id, &txs, &[("alice", Source::Log, at(told * HOUR_US, None))]);
        (chunk.begun_at, chunk.last_at) = (hours(last), hours(last));
        chunk
    };
    let mut chunks = vec![
        chunk(1, &[1, 2], 100, 100),
        // Told late: 40 hours, and 60.
        chunk(2, &[3], 100, 140),
        chunk(3, &[4], 100, 160),
        chunk(4, &[5, 1], 170, 170),
    ];
    // A transaction of the first chunk leaves two hours later.
    chunks[0].nodes[0].left.push((1, TxLeft { seen: seen(102 * HOUR_US), reason: None, by: None }));
    let mut rows: Vec<_> = chunks.into_iter().map(|chunk| Row::TxChunk(Box::new(chunk))).collect();
    rows.push(Row::Node(Box::new(node("alice", 1))));
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let found = |from: i64, until: i64| {
        let stretch = stretch(from.saturating_mul(HOUR_US), until.saturating_mul(HOUR_US));
        let txs = all(|after, visit| reader.visit_txs(&stretch, after, visit));
        let told = txs.into_iter().filter(|tx| !tx.nodes.is_empty());
        told.map(|tx| (tx.txid, tx.nodes[0].accepted.is_some(), tx.nodes[0].left.is_some()))
            .collect::<Vec<_>>()
    };
    let of = |number, accepted, left| (txid(number), accepted, left);
    let both = of(2, true, true);
    let (early, late) = (of(1, true, false), [of(3, true, false), of(4, true, false)]);
    let last = [of(5, true, false), of(1, true, false)];
    assert_eq!(found(i64::MIN, i64::MAX), [vec![early, both], late.to_vec(), last.to_vec()].concat());
    assert_eq!(found(101, i64::MAX), [of(2, false, true), last[0], last[1]]);
    assert_eq!(found(99, 101), [early, of(2, true, false), late[0]]);
    assert_eq!(versions(&reader), [("alice".to_owned(), "/Satoshi:30.0.0/".to_owned())]);
}

fn versions(reader: &Reader) -> Vec<(String, String)> {
    let versions = reader.versions(&network()).unwrap();
    versions.into_iter().map(|(node, version)| (node.to_string(), version)).collect()
}
