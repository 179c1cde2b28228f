//! When blocks and transactions are said to have arrived.

use bmon_analysis::row::{BlockRow, Row, Stage};
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
    sim.log(Kind::BlockReceived { block, peer: 3 });
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
fn a_transaction_is_said_once_for_each_source_as_accepted_or_as_rejected() {
    let mut sim = Sim::new(Voices::LOG);
    let (accepted, rejected) = (Txid::from_bytes([1; 32]), Txid::from_bytes([2; 32]));
    let wtxid = Some(Wtxid::from_bytes([3; 32]));
    let added = |txid, wtxid| Kind::TxAdded { txid, wtxid, peer: None, mempool_sequence: None };
    sim.events.clear();
    sim.log(added(accepted, wtxid));
    sim.log(added(accepted, wtxid));
    sim.zmq(added(accepted, None));
    let (code, detail) = ("dust".to_owned(), String::new());
    sim.log(Kind::TxRejected { txid: rejected, wtxid, peer: Some(1), code, detail });
    let said: Vec<_> = rows(&sim.events)
        .into_iter()
        .filter_map(|row| match row {
            Row::TxSighting(row) => Some((row.txid, row.source, row.wtxid, row.sighted.at)),
            _ => None,
        })
        .collect();
    let at = |index: usize| sim.events[index].time();
    assert_eq!(
        said,
        [
            (accepted, Source::Log, wtxid, at(0)),
            (accepted, Source::Zmq, None, at(2)),
            (rejected, Source::Log, wtxid, at(3)),
        ]
    );
}
