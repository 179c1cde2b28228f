//! Whatever the order in which rows come, how they are grouped into commits and how often they come again, the same
//! is kept.

use bmon_analysis::row::{Announcement, BlockStep, Row, Stage, Step};
use bmon_event::Source;
use bmon_store::{BlockTimes, Counts};
use proptest::prelude::*;

use crate::{
    Place, commit,
    row::{at, block, block_processing, block_sighting, block_step, hash, miner, rejection},
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
        (0..3_u8, node.clone(), source.clone(), stage, sighted.clone()).prop_map(
            |(number, node, source, stage, sighted)| block_sighting(number, node, source, stage, sighted)
        ),
        (0..3_u8, node.clone(), any::<bool>(), sighted.clone()).prop_map(|(number, node, whole, sighted)| {
            // What was told at one time differs in no more than its beginning.
            let (total_us, load_us) = (sighted.at.as_micros().unsigned_abs(), whole.then_some(1));
            Row::BlockProcessing(Box::new(block_processing(number, node, total_us, load_us, sighted)))
        }),
        (0..3_u8, node.clone(), source, step(), sighted).prop_map(|(number, node, source, step, sighted)| {
            block_step(number, node, source, step, sighted)
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

/// Peers and sizes of one digit and of several: more digits are more detail.
fn step() -> impl Strategy<Value = Step> {
    let message = prop::sample::select(&[Announcement::Inv, Announcement::Headers][..]);
    let number = || prop::sample::select(&[1_u64, 2, 10][..]);
    prop_oneof![
        (message, number()).prop_map(|(message, peer)| Step::Announced { message, peer }),
        (number(), prop::option::of(number())).prop_map(|(bytes, peer)| Step::CompactBlock { bytes, peer }),
        (number(), prop::option::of(number())).prop_map(|(peer, bytes)| Step::Received { peer, bytes }),
        Just(Step::Tip {}),
    ]
}

type Content = (Vec<BlockTimes>, Vec<BlockStep>, Vec<bmon_analysis::finding::Finding>, Counts);

/// What a store holds after the rows were written, `group` of them to a commit.
fn content(rows: &[Row], group: usize) -> Content {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::sqlite(&directory);
    let mut store = (place.open)();
    for (position, rows) in (1..).zip(rows.chunks(group)) {
        commit(&mut store, rows, position);
    }
    let reader = (place.read)();
    let blocks: Vec<_> = (0..3).filter_map(|number| reader.block(&hash(number)).unwrap()).collect();
    let steps = blocks.iter().flat_map(|block| reader.block_steps(&block.row).unwrap()).collect();
    let mut findings = reader.findings("rejected-tx", 100, None).unwrap().items;
    findings.sort_by_key(|finding| finding.id);
    (blocks, steps, findings, reader.counts().unwrap())
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
