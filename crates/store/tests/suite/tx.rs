//! What is kept of transactions.

use std::time::Duration;

use bmon_analysis::row::{Row, Stage, TxNode, TxSeen};
use bmon_event::{ServerTime, Source};
use bmon_store::TableCount;

use crate::{
    Place, commit,
    row::{at, block_sighting, hash, tx_chunk, txid, wtxid},
};

pub(crate) fn old_transactions_are_deleted_and_counted(place: &Place) {
    const DAY_US: i64 = 86_400_000_000;
    let mut store = (place.open)();
    let mut rows = Vec::new();
    for number in 0..30 {
        let mut chunk =
            tx_chunk(u64::from(number) + 1, &[(number, None)], &[("alice", Source::Log, at(0, None))]);
        chunk.last_at = ServerTime::from_micros(i64::from(number) * DAY_US);
        rows.push(Row::TxChunk(Box::new(chunk)));
    }
    rows.push(block_sighting(1, "alice", Source::Log, Stage::Connected, at(0, None)));
    commit(&mut store, &rows, 1);
    let (now, keep) = (ServerTime::from_micros(30 * DAY_US), Duration::from_hours(240));
    let deleted: Vec<_> = (0..4).map(|_| store.expire(now, keep, 7).unwrap()).collect();
    assert_eq!(deleted, [7, 7, 6, 0]);
    let reader = (place.read)();
    for number in 0..30 {
        assert_eq!(reader.tx(&txid(number)).unwrap().is_some(), number >= 20, "{number}");
    }
    assert_eq!(reader.counts().unwrap().transactions, TableCount { kept: 10, deleted: 20 });
    assert!(reader.block(&hash(1)).unwrap().is_some());
}

/// More chunks than one segment of the index holds, so that some are in it, and some are looked through.
pub(crate) fn every_transaction_is_found_whether_it_is_in_the_index_or_not(place: &Place) {
    let mut store = (place.open)();
    let id = |chunk: u64, place: u8| {
        let mut bytes = [place; 32];
        bytes[..8].copy_from_slice(&chunk.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes[8] = place;
        bmon_event::Txid::from_bytes(bytes)
    };
    let chunks = (1..=150_u64).map(|chunk| {
        let mut row =
            tx_chunk(chunk, &[(0, None), (1, None), (2, None)], &[("alice", Source::Log, at(0, None))]);
        (0..).zip(&mut row.txs).for_each(|(place, tx)| tx.txid = id(chunk, place));
        (row.is_full, row.last_at) = (chunk != 149, ServerTime::from_micros(chunk.cast_signed()));
        Row::TxChunk(Box::new(row))
    });
    let rows: Vec<Row> = chunks.collect();
    rows.chunks(7).for_each(|rows| commit(&mut store, rows, 1));
    // A full chunk may get news and be said again.
    commit(&mut store, &rows[..9], 1);
    let reader = (place.read)();
    let found = |chunk, place| reader.tx(&id(chunk, place)).unwrap().is_some();
    assert!((1..=150).all(|chunk| (0..3).all(|place| found(chunk, place))));
    assert!(!found(1, 3) && !found(151, 0));
    assert_eq!(reader.counts().unwrap().transactions, TableCount { kept: 450, deleted: 0 });
    assert_eq!(store.expire(ServerTime::from_micros(101), Duration::ZERO, 200).unwrap(), 300);
    assert!((1..=100).all(|chunk| !found(chunk, 1)) && (101..=150).all(|chunk| found(chunk, 1)));
}

/// A node that told of a transaction long after the others did so in a later chunk.
pub(crate) fn a_transaction_in_two_chunks_is_one(place: &Place) {
    let mut store = (place.open)();
    let (early, late) = (at(10, Some((0, 2))), at(9_000, None));
    let first = tx_chunk(
        1,
        &[(1, Some(7)), (2, None)],
        &[("alice", Source::Zmq, early), ("bob", Source::Log, early)],
    );
    let second = tx_chunk(
        2,
        &[(3, None), (1, Some(6))],
        &[("alice", Source::Log, late), ("carol", Source::Log, late)],
    );
    let mut rows = [first, second].map(|chunk| Row::TxChunk(Box::new(chunk)));
    for _ in 0..2 {
        commit(&mut store, &rows, 1);
        let found = (place.read)().tx(&txid(1)).unwrap().unwrap();
        let told = |node: &TxNode| (node.node.to_string(), node.accepted.map(|seen| seen.sighted));
        // The log's time counts before ZMQ's, though it is later.
        let expected =
            [("alice", late), ("bob", early), ("carol", late)].map(|(node, at)| (node.to_owned(), Some(at)));
        assert_eq!(found.nodes.iter().map(told).collect::<Vec<_>>(), expected);
        assert_eq!(found.wtxid, Some(wtxid(6)));
        rows.reverse();
    }
}

/// A block may be read when the chunk that nodes told of is written for the last time already, and before nodes tell anything.
pub(crate) fn the_blocks_of_all_chunks_are_those_of_a_transaction(place: &Place) {
    let mut store = (place.open)();
    let mut told = tx_chunk(1, &[(1, Some(7)), (2, None)], &[("alice", Source::Log, at(10, None))]);
    told.mined = vec![(0, hash(5)), (1, hash(5)), (1, hash(6))];
    let mut mined = tx_chunk(2, &[(3, None), (1, None)], &[]);
    mined.mined = vec![(0, hash(4)), (1, hash(4)), (1, hash(5))];
    let rows = [told, mined].map(|chunk| Row::TxChunk(Box::new(chunk)));
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let found = |number: u8| reader.tx(&txid(number)).unwrap().unwrap();
    assert_eq!(found(1).mined, [hash(4), hash(5)]);
    assert_eq!(found(2).mined, [hash(5), hash(6)]);
    assert_eq!((found(1).nodes.len(), found(1).wtxid), (1, Some(wtxid(7))));
    // Only a block told of it.
    assert_eq!((found(3).mined, found(3).nodes, found(3).wtxid), (vec![hash(4)], vec![], None));
}

/// Chunks come back as they were written, for an engine that starts.
pub(crate) fn chunks_are_read_again_from_a_time_on(place: &Place) {
    let mut store = (place.open)();
    let chunks: Vec<_> = (1..=4_u8)
        .map(|number| {
            let mut chunk = tx_chunk(
                u64::from(number),
                &[(number, None), (number + 100, Some(number))],
                &[("alice", Source::Log, at(i64::from(number), Some((-4, 3))))],
            );
            chunk.last_at = ServerTime::from_micros(i64::from(number));
            chunk.mined = vec![(0, hash(number)), (1, hash(1)), (1, hash(number + 1))];
            chunk.nodes[0].refused.push((1, TxSeen { source: Source::Log, sighted: at(-5, None) }));
            chunk
        })
        .collect();
    let rows: Vec<_> = chunks.iter().map(|chunk| Row::TxChunk(Box::new(chunk.clone()))).collect();
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let mut read = Vec::new();
    reader.tx_chunks_since(ServerTime::from_micros(3), |chunk| read.push(chunk)).unwrap();
    assert_eq!(read, chunks[2..]);
    assert_eq!(reader.last_tx_chunk().unwrap(), 4);
}
