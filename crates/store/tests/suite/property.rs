//! Whatever the order in which rows come, how they are grouped into commits and how often they come again, the same
//! is kept.

use bmon_analysis::row::{Row, Stage};
use bmon_event::Source;
use bmon_store::{BlockTimes, Counts};
use proptest::prelude::*;

use crate::{
    Place, commit,
    row::{at, block, block_processing, block_sighting, hash, miner, rejection},
};

/// Few values of each, so that many rows meet at one key.
fn any_row() -> impl Strategy<Value = Row> {
    let sighted = (0..4_i64, prop::option::of((-2..2_i64, 2..4_i64))).prop_map(|(us, offset)| at(us, offset));
    let source = prop::sample::select(&[Source::Log, Source::Zmq][..]);
    let node = prop::sample::select(&["alice", "bob"][..]);
    let stage = prop::sample::select(&Stage::ALL[..]);
    prop_oneof![
        (0..3_u8, any::<bool>())
            .prop_map(|(number, known)| block(number, known.then_some(u32::from(number)))),
        (0..3_u8).prop_map(|number| Row::Miner(miner(number))),
        (0..3_u8, node.clone(), source, stage, sighted.clone()).prop_map(
            |(number, node, source, stage, sighted)| block_sighting(number, node, source, stage, sighted)
        ),
        (0..3_u8, node.clone(), any::<bool>(), sighted).prop_map(|(number, node, whole, sighted)| {
            // What was told at one time differs in no more than its beginning.
            let (total_us, load_us) = (sighted.at.as_micros().unsigned_abs(), whole.then_some(1));
            Row::BlockProcessing(Box::new(block_processing(number, node, total_us, load_us, sighted)))
        }),
        (0..3_u8, 1..4_u32, node).prop_map(|(number, revision, node)| {
            Row::Finding(Box::new(rejection(
                number,
                revision,
                node,
                &format!("code {revision}"),
                i64::from(revision),
            )))
        }),
    ]
}

type Content = (Vec<BlockTimes>, Vec<bmon_analysis::finding::Finding>, Counts);

/// What a store holds after the rows were written, `group` of them to a commit.
fn content(rows: &[Row], group: usize) -> Content {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::sqlite(&directory);
    let mut store = (place.open)();
    for (position, rows) in (1..).zip(rows.chunks(group)) {
        commit(&mut store, rows, position);
    }
    let reader = (place.read)();
    let blocks = (0..3).filter_map(|number| reader.block(&hash(number)).unwrap()).collect();
    let mut findings = reader.findings("rejected-tx", 100, None).unwrap().items;
    findings.sort_by_key(|finding| finding.id);
    (blocks, findings, reader.counts().unwrap())
}

proptest! {
    // Each case makes two databases.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn order_grouping_and_repeats_do_not_matter(
        (rows, shuffled) in prop::collection::vec(any_row(), 1..40)
            .prop_flat_map(|rows| (Just(rows.clone()), Just([rows.clone(), rows].concat()).prop_shuffle())),
        group in 1..10_usize,
    ) {
        prop_assert_eq!(content(&rows, rows.len()), content(&shuffled, group));
    }
}
