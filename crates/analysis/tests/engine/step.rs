//! Lines of real nodes in, the steps of blocks out.

use bmon_analysis::row::{BlockStep, Row, Step};
use bmon_corelog::Reader;
use bmon_event::{AgentTime, BlockHash, Kind, Source};

use crate::{
    rows::rows,
    sim::{Sim, Voices},
};

fn steps(rows: &[Row]) -> Vec<&BlockStep> {
    let mut steps = Vec::new();
    for row in rows {
        if let Row::BlockStep(step) = row {
            steps.push(step.as_ref());
        }
    }
    steps
}

/// The steps of the block whose hash ends in `end`: what was told of each, and microseconds since the first.
fn told(log: &str, end: &str) -> Vec<(String, i64)> {
    let mut events = Vec::new();
    Reader::new(0, None).read(log.as_bytes(), None, |event| events.push(event));
    let rows = rows(&events);
    let of_block: Vec<_> =
        steps(&rows).into_iter().filter(|step| step.block.to_string().ends_with(end)).collect();
    let text = |step: &BlockStep| {
        let after = step.sighted.at.micros_since(of_block[0].sighted.at);
        let words = serde_json::to_string(&step.step).unwrap().replace(['{', '}', '"'], "");
        (words.trim_start_matches("step:").to_owned(), after)
    };
    of_block.iter().map(|step| text(step)).collect()
}

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("../../../corelog/tests/data/", $name, ".log"))
    };
}

#[test]
fn a_compact_block_that_lacks_a_transaction_has_every_step() {
    let expected = |peer: u64, bytes: &str, times: [i64; 6]| {
        let told = [
            format!("announced,message:headers,peer:{peer}"),
            format!("requested,peer:{peer}"),
            format!("compact-block,bytes:277,peer:{peer}"),
            format!("transactions-requested,peer:{peer}"),
            format!(
                "reconstructed,prefilled:1,from_mempool:0,from_extra:0,requested:1,{bytes}message_bytes:132,peer:{peer}"
            ),
            "tip".to_owned(),
        ];
        told.into_iter().zip(times).collect::<Vec<_>>()
    };
    let core = told(recorded!("core-31.99-relay"), "5d46");
    assert_eq!(core, expected(1, "requested_bytes:99,", [0, 10, 213, 218, 576, 1_563]));
    // Up to 29 the node does not tell the size of what it requested.
    let knots = told(recorded!("knots-29.4.3-relay"), "cc7a");
    assert_eq!(knots, expected(2, "", [0, 42, 250, 254, 387, 864]));
}

#[test]
fn blocks_come_in_several_ways() {
    // As a compact block that nobody asked for: up to 29 the header is told twice.
    let announced = "announced,message:cmpctblock,peer:1".to_owned();
    let unasked = told(recorded!("core-28.99-blocks"), "852c");
    assert_eq!(unasked[0], (announced.clone(), 0));
    assert_eq!(unasked[1], (announced, 24));
    assert_eq!(unasked[2].0, "compact-block,bytes:271,peer:1");
    assert!(unasked[3].0.starts_with("reconstructed,prefilled:1,from_mempool:0"), "{unasked:?}");
    assert_eq!(unasked.len(), 4, "the log has no line of the tip");
    // Whole, asked for after its header.
    let whole = told(recorded!("knots-29.4.3-blocks"), "852c");
    let expected = [
        ("announced,message:headers,peer:8", 0),
        ("requested,peer:8", 27),
        ("received,peer:8,bytes:261", 1_032),
    ];
    assert_eq!(whole, expected.map(|(step, us)| (step.to_owned(), us)));
    // Whole and unasked for, so that its header was seen with it.
    let invalid = told(recorded!("knots-29.4.3-blocks"), "347f");
    let expected = [("received,peer:4,bytes:178", 0), ("announced,message:headers,peer:4", 44)];
    assert_eq!(invalid, expected.map(|(step, us)| (step.to_owned(), us)));
}

#[test]
fn zmq_tells_the_tip_and_the_log_does_not_by_each_block_on_the_way() {
    let block = BlockHash::from_bytes([9; 32]);
    let mut sim = Sim::new(Voices::LOG).unheard();
    let tip = || Kind::Tip { block, height: Some(1), log2_work: None, transactions: None };
    sim.log(tip());
    sim.zmq(tip());
    sim.log(Kind::TipSettled { block });
    let rows = rows(&sim.events);
    let told: Vec<(Step, Source, AgentTime)> =
        steps(&rows).into_iter().map(|step| (step.step, step.source, step.sighted.at)).collect();
    let at = |event: usize| sim.events[event].time();
    assert_eq!(told, [(Step::Tip {}, Source::Zmq, at(1)), (Step::Tip {}, Source::Log, at(2))]);
}
