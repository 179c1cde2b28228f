//! Rejected transactions, invalid blocks, gaps, and what clocks add to them.

use bmon_analysis::{
    Engine, Settings, analysis,
    finding::{Body, Gap, InvalidBlock, RejectedTx},
    row::Offset,
};
use bmon_event::{AgentTime, Event, Kind, Source, Txid, Wtxid, event::ClockSample};

use crate::{
    rows::{batch, findings, received, rows},
    sim::{Sim, Voices},
};

fn rejection(txid: u8, code: &str, detail: &str) -> Kind {
    Kind::TxRejected {
        txid: Txid::from_bytes([txid; 32]),
        wtxid: Some(Wtxid::from_bytes([txid + 100; 32])),
        peer: Some(5),
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}

#[test]
fn a_rejection_is_found_once_for_each_transaction_and_code() {
    let mut sim = Sim::new(Voices::LOG);
    sim.events.clear();
    sim.log(rejection(1, "dust", ""));
    sim.log(rejection(1, "dust", ""));
    sim.log(rejection(1, "min relay fee not met", "0 < 100"));
    sim.log(rejection(2, "dust", ""));
    let found = findings(&rows(&sim.events));
    let found: Vec<_> =
        found.iter().map(|finding| (&finding.body, finding.revision, finding.sighted.at)).collect();
    let body = |txid: u8, code: &str, reason: &str| {
        Body::RejectedTx(RejectedTx {
            txid: Txid::from_bytes([txid; 32]),
            wtxid: Some(Wtxid::from_bytes([txid + 100; 32])),
            code: code.to_owned(),
            reason: reason.to_owned(),
            peer: Some(5),
        })
    };
    let at = |index: usize| sim.events[index].time();
    assert_eq!(
        found,
        [
            (&body(1, "dust", "dust"), 1, at(0)),
            (&body(1, "min relay fee not met", "min relay fee not met, 0 < 100"), 1, at(2)),
            (&body(2, "dust", "dust"), 1, at(3)),
        ]
    );
}

#[test]
fn a_transaction_whose_parents_are_unknown_is_not_refused() {
    let mut sim = Sim::new(Voices::LOG);
    sim.events.clear();
    sim.log(rejection(1, "bad-txns-inputs-missingorspent", ""));
    assert_eq!(findings(&rows(&sim.events)), []);
}

#[test]
fn lines_about_one_invalid_block_make_one_finding() {
    let mut sim = Sim::new(Voices::LOG);
    let block = sim.new_block();
    sim.events.clear();
    let invalid = |height, reason: Option<&str>| Kind::BlockInvalid {
        block,
        height,
        reason: reason.map(str::to_owned),
    };
    for kind in [
        invalid(Some(7), None),
        invalid(None, Some("duplicate-invalid, block was previously marked invalid")),
        invalid(None, Some("bad-cb-amount")),
        invalid(Some(7), None),
        invalid(None, Some("duplicate-invalid, block was previously marked invalid")),
    ] {
        sim.log(kind);
    }
    let found = findings(&rows(&sim.events));
    let [finding] = &found[..] else { panic!("one finding") };
    let body = InvalidBlock { block, height: Some(7), reason: Some("bad-cb-amount".to_owned()) };
    assert_eq!((&finding.body, finding.revision), (&Body::InvalidBlock(body), 3));
    assert_eq!(finding.sighted.at, sim.events[0].time());
}

#[test]
fn every_finding_has_the_id_of_its_analysis() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(5);
    sim.reorg(1, 2);
    sim.log(rejection(1, "dust", ""));
    let block = sim.new_block();
    sim.log(Kind::BlockInvalid { block, height: None, reason: None });
    sim.gap(Source::Log);
    let found = findings(&rows(&sim.events));
    let mut kinds: Vec<_> = found.iter().map(|finding| finding.body.kind()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["gap", "invalid-block", "rejected-tx", "reorg"]);
    assert!(kinds.iter().all(|kind| analysis::ALL.iter().any(|analysis| analysis.id == *kind)));
}

#[test]
fn a_gap_is_found_once() {
    let mut sim = Sim::new(Voices::LOG);
    sim.events.clear();
    sim.gap(Source::Zmq);
    let told = sim.events[0].clone();
    sim.events.push(told);
    let found = findings(&rows(&sim.events));
    let [finding] = &found[..] else { panic!("one finding") };
    let Body::Gap(Gap { source: Source::Zmq, to, .. }) = &finding.body else { panic!("a gap of ZMQ") };
    assert_eq!((finding.sighted.at, finding.revision), (*to, 1));
}

#[test]
fn a_time_exchange_holds_for_the_batch_that_it_comes_in() {
    let mut sim = Sim::new(Voices::LOG);
    sim.events.clear();
    sim.log(rejection(1, "dust", ""));
    let at = sim.events[0].time();
    let kind = Kind::Clock(ClockSample { at, offset_min_us: -50, offset_max_us: 70 });
    sim.events.push(Event {
        source: Source::Agent,
        node_time: None,
        agent_time: AgentTime::from_micros(sim.now),
        kind,
    });
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    let batch = batch("alice", 1, sim.events);
    engine.apply(&batch, received(&batch), &mut rows);
    assert_eq!(findings(&rows)[0].sighted.offset, Some(Offset { min_us: -50, max_us: 70 }));
}
