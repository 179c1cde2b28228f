//! When blocks and transactions are said to have arrived.

use bmon_analysis::row::{BlockRow, Row, Stage, TxSeen};
use bmon_event::{Kind, Source, Txid, Wtxid};

use crate::{
    rows::{block_sightings, rows},
    sim::{SECOND, Sim, Voices},
};

#[test]
fn every_block_is_connected_once_for_each_source_at_its_first_time() {
    let mut sim = Sim::new(Voices::ALL);
    sim.extend(5);
    let reorg = sim.reorg(2, 3);
    sim.step(3, &reorg.old);
    sim.extend(2);
    let rows = rows(&sim.events);
    for source in [Source::Log, Source::Zmq] {
        let mut said: Vec<_> =
            block_sightings(&rows).into_iter().filter(|row| row.source == source).collect();
        assert!(said.iter().all(|row| row.stage == Stage::Connected));
        said.sort_by_key(|row| row.block);
        let blocks: Vec<_> = said.iter().map(|row| row.block).collect();
        let mut expected = [&sim.chain[..], &reorg.new].concat();
        expected.sort_unstable();
        assert_eq!(blocks, expected);
        for row in said {
            let first = sim.events.iter().find(|event| {
                let connects = match event.kind {
                    Kind::Tip { block, .. } | Kind::BlockConnected { block, .. } => block == row.block,
                    _ => false,
                };
                connects && event.source == source
            });
            assert_eq!(row.sighted.at, first.unwrap().time());
        }
    }
}

#[test]
fn the_parent_that_remains_after_a_disconnection_did_not_arrive_then() {
    for voices in [Voices::LOG, Voices::VALIDATION] {
        let mut sim = Sim::new(voices);
        sim.extend(5);
        let mut sim = sim.unheard();
        let reorg = sim.reorg(1, 2);
        let rows = rows(&sim.events);
        let said: Vec<_> = block_sightings(&rows).into_iter().map(|row| row.block).collect();
        assert_eq!(said, reorg.new);
    }
}

#[test]
fn the_first_tip_that_is_heard_arrived_if_it_stands() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(5);
    let mut sim = sim.unheard();
    sim.extend(1);
    let at = sim.events[0].time();
    let (first, alone) = (sim.tip(), rows(&sim.events));
    let said: Vec<_> = block_sightings(&alone).into_iter().map(|row| (row.block, row.sighted.at)).collect();
    assert_eq!(said, [(first, at)]);
    sim.wait(11 * SECOND);
    sim.extend(1);
    assert_eq!(block_sightings(&rows(&sim.events)).len(), 2);
}

#[test]
fn stages_follow_what_is_told_and_a_height_is_filled_in() {
    let mut sim = Sim::new(Voices::LOG);
    let block = sim.new_block();
    sim.events.clear();
    sim.log(Kind::HeaderSeen { block, height: None, peer: Some(3), compact: true });
    sim.log(Kind::BlockReceived { block, peer: 3, bytes: None });
    sim.log(Kind::BlockValid { block });
    sim.log(Kind::HeaderSeen { block, height: Some(1), peer: Some(4), compact: false });
    sim.step(0, &[block]);
    let rows = rows(&sim.events);
    let stages: Vec<_> = block_sightings(&rows).into_iter().map(|row| row.stage).collect();
    assert_eq!(stages, Stage::ALL);
    let blocks: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Block(BlockRow { height, .. }) => Some(*height),
            _ => None,
        })
        .collect();
    assert_eq!(blocks, [None, Some(1)]);
}

#[test]
fn a_transaction_is_said_with_what_counts_of_all_that_was_told() {
    let mut sim = Sim::new(Voices::LOG);
    let [accepted, rejected, replaced] = [1, 2, 4].map(|number| Txid::from_bytes([number; 32]));
    let wtxid = Some(Wtxid::from_bytes([3; 32]));
    let added = |txid, wtxid| Kind::TxAdded { txid, wtxid, peer: None, mempool_sequence: None };
    sim.events.clear();
    sim.zmq(added(accepted, None));
    sim.log(added(accepted, wtxid));
    sim.log(added(accepted, wtxid));
    let (code, detail) = ("dust".to_owned(), String::new());
    sim.log(Kind::TxRejected { txid: rejected, wtxid, peer: Some(1), code, detail });
    sim.log(Kind::TxReplaced { old: replaced, new: Some(accepted) });
    sim.zmq(Kind::TxRemoved { txid: replaced, reason: None, mempool_sequence: None });
    let rows = rows(&sim.events);
    let [chunk] = rows
        .iter()
        .filter_map(|row| match row {
            Row::TxChunk(chunk) => Some(chunk),
            _ => None,
        })
        .collect::<Vec<_>>()[..]
    else {
        panic!("one chunk")
    };
    let ids: Vec<_> = chunk.txs.iter().map(|tx| (tx.txid, tx.wtxid)).collect();
    assert_eq!(ids, [(accepted, wtxid), (rejected, wtxid), (replaced, None)]);
    let at = |seen: &TxSeen| (seen.source, seen.sighted.at);
    let time = |index: usize| sim.events[index].time();
    let [column] = &chunk.nodes[..] else { panic!("one node") };
    let told: Vec<_> = column.accepted.iter().map(|seen| seen.as_ref().map(at)).collect();
    // The log's time counts, though ZMQ's came first.
    assert_eq!(told, [Some((Source::Log, time(1))), None, None]);
    let refused: Vec<_> = column.refused.iter().map(|(place, seen)| (*place, at(seen))).collect();
    assert_eq!(refused, [(1, (Source::Log, time(3)))]);
    let left: Vec<_> = column.left.iter().map(|(place, left)| (*place, at(&left.seen), left.by)).collect();
    assert_eq!(left, [(2, (Source::Log, time(4)), Some(accepted))]);
}
