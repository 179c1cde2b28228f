//! What every store must do, on each store there is. A second backend adds a function like [`sqlite`] to this file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blocks;
mod notifier;
mod property;
mod row;
mod silence;
mod tx;
mod walk;
mod watch;
mod writers;

use bmon_analysis::{
    finding::Finding,
    row::{BlockSighting, Row, Stage},
    tree::Status,
};
use bmon_event::{Epoch, ServerTime, Source};
use bmon_store::{Commit, Counts, Reader, Store, StoreError};
use row::{at, block, block_sighting, hash, name, network, node, rejection, tips, tx_chunk, txid, wtxid};

/// A place for one database, and how to open it.
struct Place {
    open: Box<dyn Fn() -> Store>,
    read: Box<dyn Fn() -> Reader>,
}

impl Place {
    fn sqlite(directory: &tempfile::TempDir) -> Self {
        let (store, reader) = (directory.path().join("bmon.sqlite"), directory.path().join("bmon.sqlite"));
        Self {
            open: Box::new(move || Store::open(&store).unwrap()),
            read: Box::new(move || Reader::open(&reader).unwrap()),
        }
    }
}

fn commit(store: &mut Store, rows: &[Row], journal_position: u64) {
    store.commit(&Commit { rows, journal_position, accepted: &[] }).unwrap();
}

type Test = fn(&Place);

/// The whole suite; `fresh` runs each test in a fresh place.
fn suite(fresh: impl Fn(Test)) {
    let tests: [Test; 38] = [
        a_new_store_is_empty,
        what_is_written_is_read_again,
        of_two_first_sightings_the_earlier_stays_in_either_order,
        blocks::the_first_processing_of_a_block_stays_and_the_one_that_tells_more,
        blocks::the_first_step_of_each_kind_stays_with_what_it_told,
        blocks::blocks_are_found_by_their_height_and_the_chain_they_are_on,
        blocks::a_height_that_comes_later_fills_the_block,
        the_highest_revision_of_a_finding_stays,
        the_tips_of_a_network_are_those_last_said,
        blocks::dubious_blocks_go_from_the_highest_down_with_all_that_was_found_of_them,
        lists_go_from_the_newest_through_every_page,
        rows_and_journal_position_are_written_together_or_not_at_all,
        a_row_that_cannot_be_held_does_not_keep_the_others_out,
        positions_never_go_back,
        a_reader_sees_commits_while_the_writer_is_open,
        watch::the_watch_list_is_what_was_put_there_and_not_taken_off,
        watch::the_watch_list_is_bounded,
        a_token_belongs_to_one_node,
        tx::old_transactions_are_deleted_and_counted,
        tx::every_transaction_is_found_whether_it_is_in_the_index_or_not,
        tx::a_transaction_in_two_chunks_is_one,
        tx::the_blocks_of_all_chunks_are_those_of_a_transaction,
        tx::chunks_are_read_again_from_a_time_on,
        nodes_of_different_networks_with_one_name_are_two,
        blocks::miners_are_kept_with_what_they_are_known_by,
        blocks::blocks_left_behind_are_kept_as_they_are,
        walk::walks_through_blocks,
        walk::walks_through_findings_of_every_kind,
        walk::alerts_have_the_largest_bound_of_their_findings_if_all_are_known,
        notifier::what_fires_is_told_and_what_ended_untold_until_it_is_or_is_given_up,
        notifier::what_is_passed_over_is_told_to_nobody_and_is_no_dead_letter,
        silence::a_silence_lasts_until_its_end_or_until_it_is_ended,
        silence::a_silence_holds_what_it_names_while_it_lasts,
        notifier::an_end_that_nobody_takes_is_given_up_and_news_goes_before_what_is_known,
        writers::whoever_comes_second_waits_and_nobody_is_refused,
        walk::walks_through_headers_miners_and_hours,
        walk::the_hours_of_all_networks_come_in_order_with_what_is_of_one_node_each,
        walk::walks_through_transactions_tell_what_happened_in_the_stretch_and_nothing_else,
    ];
    for test in tests {
        fresh(test);
    }
}

#[test]
fn sqlite() {
    suite(|test| {
        let directory = tempfile::tempdir().unwrap();
        test(&Place::sqlite(&directory));
    });
}

fn a_new_store_is_empty(place: &Place) {
    let store = (place.open)();
    assert_eq!(store.journal_position().unwrap(), 0);
    assert_eq!(store.accepted().unwrap(), []);
    let reader = (place.read)();
    assert_eq!(reader.nodes().unwrap(), []);
    assert_eq!(reader.blocks(10, None).unwrap().items, []);
    assert_eq!(reader.block(&hash(1)).unwrap(), None);
    assert_eq!(reader.tx(&txid(1)).unwrap(), None);
    assert_eq!(reader.findings("reorg", 10, None).unwrap().items, []);
    assert_eq!(reader.tips().unwrap(), []);
    assert_eq!(reader.counts().unwrap(), Counts::default());
    assert!(reader.size_bytes().unwrap() > 0);
}

fn what_is_written_is_read_again(place: &Place) {
    let mut store = (place.open)();
    let refusal = rejection(1, 1, "alice", "min relay fee not met", 50);
    let sighting = block_sighting(1, "alice", Source::Log, Stage::Connected, at(10, Some((1, 4))));
    let sightings = [
        block(1, Some(100)),
        sighting.clone(),
        Row::TxChunk(Box::new(tx_chunk(1, &[(2, Some(3))], &[("alice", Source::Zmq, at(-20, None))]))),
        Row::Finding(Box::new(refusal.clone())),
        Row::Node(Box::new(node("alice", 100))),
    ];
    let accepted = [(name("alice"), Epoch(u64::MAX), 9), (name("bob"), Epoch(0), 1)];
    store.commit(&Commit { rows: &sightings, journal_position: 4, accepted: &accepted }).unwrap();
    drop(store);

    let store = (place.open)();
    assert_eq!(store.journal_position().unwrap(), 4);
    let mut read = store.accepted().unwrap();
    read.sort();
    assert_eq!(read, accepted);
    let reader = (place.read)();
    assert_eq!(reader.nodes().unwrap(), [node("alice", 100)]);
    let found = reader.block(&hash(1)).unwrap().unwrap();
    assert_eq!((found.row.network, found.row.block, found.row.height), (network(), hash(1), Some(100)));
    assert_eq!(found.first_at, ServerTime::from_micros(12));
    assert_eq!(found.sightings.into_iter().map(Row::BlockSighting).collect::<Vec<_>>(), [sighting]);
    let found = reader.tx(&txid(2)).unwrap().unwrap();
    assert_eq!(found.wtxid, Some(wtxid(3)));
    assert_eq!(found.nodes[0].accepted.map(|seen| seen.sighted), Some(at(-20, None)));
    assert_eq!(reader.findings("rejected-tx", 10, None).unwrap().items, std::slice::from_ref(&refusal));
    assert_eq!(reader.findings("reorg", 10, None).unwrap().items, []);
    assert_eq!(reader.findings_about_tx(&txid(1)).unwrap(), [refusal]);
    assert_eq!(reader.findings_about_tx(&txid(2)).unwrap(), []);
    assert_eq!(reader.findings_about_block(&hash(1)).unwrap(), []);
    let counts = reader.counts().unwrap();
    assert_eq!((counts.blocks.kept, counts.transactions.kept), (1, 1));
    assert_eq!((counts.findings[0].kind.as_str(), counts.findings[0].findings), ("rejected-tx", 1));
}

fn of_two_first_sightings_the_earlier_stays_in_either_order(place: &Place) {
    let mut store = (place.open)();
    let (early, late) = (at(10, None), at(11, Some((0, 1))));
    let (tight, wide) = (at(10, Some((3, 4))), at(10, Some((0, 9))));
    for (number, pair) in [(1, [early, late]), (2, [late, early]), (3, [wide, tight]), (4, [tight, wide])] {
        for sighted in pair {
            let block = block_sighting(number, "alice", Source::Log, Stage::Header, sighted);
            commit(&mut store, &[block], 1);
        }
    }
    let reader = (place.read)();
    for (number, kept) in [(1, early), (2, early), (3, tight), (4, tight)] {
        assert_eq!(reader.block(&hash(number)).unwrap().unwrap().sightings[0].sighted, kept);
    }
}

fn the_highest_revision_of_a_finding_stays(place: &Place) {
    let mut store = (place.open)();
    let reader = (place.read)();
    for (revision, kept) in [(2, 2), (1, 2), (3, 3), (3, 3)] {
        let finding = rejection(1, revision, "alice", &format!("code {revision}"), i64::from(revision));
        commit(&mut store, &[Row::Finding(Box::new(finding))], 1);
        let expected = rejection(1, kept, "alice", &format!("code {kept}"), i64::from(kept));
        assert_eq!(reader.findings("rejected-tx", 10, None).unwrap().items, [expected]);
    }
    assert_eq!(reader.counts().unwrap().findings[0].findings, 1);
}

fn the_tips_of_a_network_are_those_last_said(place: &Place) {
    let mut store = (place.open)();
    let reader = (place.read)();
    let main = bmon_event::Network::from_chain("main").unwrap();
    let of =
        |network, number| tips(network, &[(number, "alice", Status::Active), (2, "bob", Status::HeaderOnly)]);
    let (first, other, second) = (of(network(), 1), of(main, 9), of(network(), 3));
    let rows = [&first, &other, &second].map(|row| Row::Tips(Box::new(row.clone())));
    commit(&mut store, &rows[..2], 1);
    assert_eq!(reader.tips().unwrap(), [first, other.clone()]);
    commit(&mut store, &rows[2..], 2);
    assert_eq!(reader.tips().unwrap(), [second, other]);
}

fn lists_go_from_the_newest_through_every_page(place: &Place) {
    let mut store = (place.open)();
    // Every time occurs twice, so that a page can end between equals.
    let mut rows = Vec::new();
    for number in 0..10 {
        let us = i64::from(number / 2);
        rows.push(block_sighting(number, "alice", Source::Log, Stage::Connected, at(us, None)));
        rows.push(Row::Finding(Box::new(rejection(number, 1, "alice", "c", us))));
    }
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let (mut blocks, mut findings): (Vec<u8>, Vec<Finding>) = (Vec::new(), Vec::new());
    let (mut more_blocks, mut more_findings, mut pages) = (None, None, 0);
    loop {
        let page = reader.blocks(3, more_blocks).unwrap();
        blocks.extend(page.items.iter().map(|block| block.row.block.as_bytes()[0]));
        let found = reader.findings("rejected-tx", 3, more_findings).unwrap();
        findings.extend(found.items);
        (more_blocks, more_findings, pages) = (page.next, found.next, pages + 1);
        assert_eq!(more_blocks.is_some(), more_findings.is_some());
        if more_blocks.is_none() {
            break;
        }
    }
    assert_eq!(pages, 4);
    assert_eq!(blocks, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    let times: Vec<_> = findings.iter().map(|finding| finding.sighted.at.as_micros()).collect();
    assert_eq!(times, [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]);
    assert_eq!(reader.blocks(10, None).unwrap().next, None);
}

fn rows_and_journal_position_are_written_together_or_not_at_all(place: &Place) {
    let mut store = (place.open)();
    commit(&mut store, &[block_sighting(1, "alice", Source::Log, Stage::Header, at(1, None))], 1);
    // The position does not fit, so the commit fails after its rows were written.
    let rows = [
        block_sighting(2, "bob", Source::Log, Stage::Header, at(1, None)),
        Row::Node(Box::new(node("bob", 1))),
    ];
    let failed = store.commit(&Commit { rows: &rows, journal_position: u64::MAX, accepted: &[] });
    assert!(matches!(failed, Err(StoreError::Number(u64::MAX))));
    let reader = (place.read)();
    assert_eq!(reader.block(&hash(2)).unwrap(), None);
    assert_eq!(reader.nodes().unwrap(), []);
    assert_eq!(store.journal_position().unwrap(), 1);
    // The writer goes on as if the failed commit had never been.
    commit(&mut store, &rows, 2);
    assert_eq!(reader.block(&hash(2)).unwrap().unwrap().sightings[0].node, name("bob"));
    assert_eq!(store.journal_position().unwrap(), 2);
}

fn a_row_that_cannot_be_held_does_not_keep_the_others_out(place: &Place) {
    let mut store = (place.open)();
    // With its offset the time is beyond 63 bits.
    let impossible = Row::Finding(Box::new(rejection(1, 1, "alice", "dust", i64::MAX)));
    let sighting = block_sighting(1, "alice", Source::Log, Stage::Header, at(1, None));
    let rows = [sighting, impossible, Row::Finding(Box::new(rejection(2, 1, "bob", "dust", 5)))];
    let all = Commit { rows: &rows, journal_position: 3, accepted: &[] };
    assert!(matches!(store.commit(&all), Err(StoreError::Sql(_))), "all or nothing");
    assert_eq!(store.journal_position().unwrap(), 0);
    let left_out = store.commit_possible(&all).unwrap();
    assert_eq!(left_out.iter().map(|left| left.row).collect::<Vec<_>>(), [&rows[1]]);
    let reader = (place.read)();
    assert_eq!(reader.block(&hash(1)).unwrap().unwrap().sightings.len(), 1);
    let findings = reader.findings("rejected-tx", 10, None).unwrap().items;
    assert_eq!(findings.iter().map(|finding| &finding.node).collect::<Vec<_>>(), [&Some(name("bob"))]);
    assert_eq!(store.journal_position().unwrap(), 3);
}

fn positions_never_go_back(place: &Place) {
    let mut store = (place.open)();
    for (position, kept) in [(5, 5), (3, 5), (6, 6)] {
        let accepted = [(name("alice"), Epoch(1), position)];
        store.commit(&Commit { rows: &[], journal_position: position, accepted: &accepted }).unwrap();
        assert_eq!(store.journal_position().unwrap(), kept);
        assert_eq!(store.accepted().unwrap(), [(name("alice"), Epoch(1), kept)]);
    }
}

fn a_reader_sees_commits_while_the_writer_is_open(place: &Place) {
    let mut store = (place.open)();
    let readers = [(place.read)(), (place.read)()];
    for height in 1..4 {
        commit(&mut store, &[Row::Node(Box::new(node("alice", height)))], u64::from(height));
        for reader in &readers {
            assert_eq!(reader.nodes().unwrap()[0].height, Some(height));
            assert_eq!(reader.journal_position().unwrap(), u64::from(height));
        }
    }
}

fn a_token_belongs_to_one_node(place: &Place) {
    let store = (place.open)();
    let (alice, bob) = (name("alice"), name("bob"));
    store.set_token(&alice, [1; 32]).unwrap();
    store.set_token(&alice, [2; 32]).unwrap();
    assert_eq!(store.node_of_token([1; 32]).unwrap(), None);
    assert_eq!(store.node_of_token([2; 32]).unwrap(), Some(alice.clone()));
    assert!(matches!(store.set_token(&bob, [2; 32]), Err(StoreError::TokenTaken { node }) if node == bob));
    assert_eq!((place.read)().node_of_token([2; 32]).unwrap(), Some(alice));
}

fn nodes_of_different_networks_with_one_name_are_two(place: &Place) {
    let mut store = (place.open)();
    let main = bmon_event::Network::from_chain("main").unwrap();
    let mut other = node("alice", 900_000);
    other.network = main;
    let seen = BlockSighting {
        network: main,
        block: hash(1),
        node: name("alice"),
        source: Source::Log,
        stage: Stage::Connected,
        sighted: at(5, None),
    };
    let rows = [
        Row::Node(Box::new(node("alice", 100))),
        Row::Node(Box::new(other)),
        Row::BlockSighting(seen.clone()),
        block_sighting(2, "alice", Source::Log, Stage::Connected, at(6, None)),
    ];
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    let heights: Vec<_> = reader.nodes().unwrap().into_iter().map(|node| node.height).collect();
    assert_eq!(heights, [Some(100), Some(900_000)]);
    assert_eq!(reader.block(&hash(1)).unwrap().unwrap().sightings, [seen]);
    assert_eq!(reader.block(&hash(2)).unwrap().unwrap().sightings[0].network, network());
}
