//! What every store must do, on each store there is. A second backend adds a function like [`sqlite`] to this file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod property;
mod row;
mod walk;

use std::time::Duration;

use bmon_analysis::{
    finding::{self, Body, Finding, FindingId, Mined, WatchStep},
    row::{Announcement, BlockSighting, Reconstruction, Row, Stage, Step, TxNode, TxSeen},
    tree::Status,
    watch::{MOST_ITEMS, WatchItem},
};
use bmon_event::{Epoch, Network, OutPoint, ServerTime, Source};
use bmon_store::{Commit, Counts, Reader, Store, StoreError, TableCount, Watched};
use row::{
    at, block, block_processing, block_sighting, block_step, hash, header, invalid_block, miner, name,
    network, node, raw_block, rejection, tips, tx_chunk, txid, wtxid,
};

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
    let tests: [Test; 30] = [
        a_new_store_is_empty,
        what_is_written_is_read_again,
        of_two_first_sightings_the_earlier_stays_in_either_order,
        the_first_processing_of_a_block_stays_and_the_one_that_tells_more,
        the_first_step_of_each_kind_stays_with_what_it_told,
        blocks_are_found_by_their_height_and_the_chain_they_are_on,
        a_height_that_comes_later_fills_the_block,
        the_highest_revision_of_a_finding_stays,
        the_tips_of_a_network_are_those_last_said,
        dubious_blocks_go_from_the_highest_down_with_all_that_was_found_of_them,
        lists_go_from_the_newest_through_every_page,
        rows_and_journal_position_are_written_together_or_not_at_all,
        a_row_that_cannot_be_held_does_not_keep_the_others_out,
        positions_never_go_back,
        a_reader_sees_commits_while_the_writer_is_open,
        the_watch_list_is_what_was_put_there_and_not_taken_off,
        the_watch_list_is_bounded,
        a_token_belongs_to_one_node,
        old_transactions_are_deleted_and_counted,
        every_transaction_is_found_whether_it_is_in_the_index_or_not,
        a_transaction_in_two_chunks_is_one,
        chunks_are_read_again_from_a_time_on,
        nodes_of_different_networks_with_one_name_are_two,
        miners_are_kept_with_what_they_are_known_by,
        blocks_left_behind_are_kept_as_they_are,
        walk::walks_through_blocks,
        walk::walks_through_findings_of_every_kind,
        walk::alerts_have_the_largest_bound_of_their_findings_if_all_are_known,
        walk::walks_through_headers_miners_and_hours,
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

fn the_first_processing_of_a_block_stays_and_the_one_that_tells_more(place: &Place) {
    let mut store = (place.open)();
    let whole = |number| block_processing(number, "alice", 900, Some(5), at(10, None));
    let rest = |number| block_processing(number, "alice", 900, None, at(10, Some((1, 2))));
    let later = |number| block_processing(number, "alice", 40, Some(7), at(11, Some((1, 2))));
    let other = block_processing(1, "bob", u64::MAX, None, at(20, Some((-4, 8))));
    for (number, rows) in [
        (1, [whole(1), rest(1), later(1)]),
        (2, [later(2), rest(2), whole(2)]),
        (3, [rest(3), whole(3), later(3)]),
    ] {
        let rows = rows.map(|row| Row::BlockProcessing(Box::new(row)));
        let seen = block_sighting(number, "alice", Source::Log, Stage::Connected, at(1, None));
        commit(&mut store, &[seen], 1);
        for row in rows {
            commit(&mut store, &[row], 1);
        }
    }
    commit(&mut store, &[Row::BlockProcessing(Box::new(other.clone()))], 1);
    let reader = (place.read)();
    let processing = |number| reader.block(&hash(number)).unwrap().unwrap().processing;
    assert_eq!(processing(1), [whole(1), other]);
    assert_eq!((processing(2), processing(3)), (vec![whole(2)], vec![whole(3)]));
}

fn the_first_step_of_each_kind_stays_with_what_it_told(place: &Place) {
    let mut store = (place.open)();
    let reader = (place.read)();
    let reconstruction = Reconstruction {
        prefilled: 1,
        from_mempool: 2_410,
        from_extra: 3,
        requested: 12,
        requested_bytes: Some(3_404),
        message_bytes: None,
        peer: Some(7),
    };
    let announced = |message, peer, us| {
        block_step(1, "bob", Source::Log, Step::Announced { message, peer }, at(us, Some((1, 4))))
    };
    let received =
        |peer, bytes, us| block_step(1, "bob", Source::Log, Step::Received { peer, bytes }, at(us, None));
    let first = announced(Announcement::Cmpctblock, 7, 10);
    let full = received(7, Some(1_500_000), 20);
    let rows = [
        announced(Announcement::Inv, 9, 11),
        first.clone(),
        announced(Announcement::Headers, 8, 12),
        // Read again after a restart of the agent, without the line that told the size.
        received(7, None, 20),
        full.clone(),
        received(7, None, 20),
        block_step(1, "bob", Source::Log, Step::Reconstructed(reconstruction), at(30, None)),
        block_step(1, "bob", Source::Zmq, Step::Tip {}, at(41, None)),
        block_step(1, "bob", Source::Log, Step::Tip {}, at(40, None)),
        block_step(1, "alice", Source::Log, Step::Requested { peer: 3 }, at(5, None)),
        block_step(2, "alice", Source::Log, Step::Requested { peer: 3 }, at(5, None)),
        block_sighting(1, "bob", Source::Log, Stage::Connected, at(35, None)),
    ];
    for row in &rows {
        commit(&mut store, std::slice::from_ref(row), 1);
    }
    let found = reader.block(&hash(1)).unwrap().unwrap();
    let steps = reader.block_steps(&found.row).unwrap();
    let kept: Vec<_> = steps.into_iter().map(|step| Row::BlockStep(Box::new(step))).collect();
    let expected = [&rows[9], &first, &full, &rows[6], &rows[8], &rows[7]].map(Row::clone);
    assert_eq!(kept, expected);
    // A step is no sighting: of a block that no node was seen to have nothing is told.
    assert_eq!(reader.block(&hash(2)).unwrap(), None);
}

fn blocks_are_found_by_their_height_and_the_chain_they_are_on(place: &Place) {
    let mut store = (place.open)();
    let reader = (place.read)();
    // 1 - 2 - 4 - 5, and 3 beside 2.
    let header = |number: u8, height: u32, parent: u8| {
        let Row::Header(mut row) = header(network(), number, height) else { unreachable!("it is a header") };
        row.raw[4..36].fill(parent);
        Row::Header(row)
    };
    let mut rows = vec![header(1, 7, 0), header(2, 8, 1), header(3, 8, 1), header(4, 9, 2), header(5, 10, 4)];
    for (number, height) in [(1, 7), (2, 8), (3, 8), (4, 9), (5, 10)] {
        rows.push(block(number, Some(height)));
        let us = 100 - i64::from(number);
        rows.push(block_sighting(number, "alice", Source::Log, Stage::Header, at(us, None)));
    }
    commit(&mut store, &rows, 1);
    assert_eq!(reader.blocks_at(&network(), 8).unwrap(), [hash(3), hash(2)], "the first seen first");
    assert_eq!(reader.blocks_at(&network(), 11).unwrap(), []);
    let main = bmon_event::Network::from_chain("main").unwrap();
    assert_eq!(reader.blocks_at(&main, 8).unwrap(), []);
    let ancestor = |height, most| reader.ancestor_at(&network(), hash(5), height, most).unwrap();
    assert_eq!(ancestor(8, 2), Some(hash(2)));
    assert_eq!(ancestor(10, 0), Some(hash(5)));
    assert_eq!(ancestor(8, 1), None, "the way is longer");
    assert_eq!(ancestor(6, 9), None, "its header is not known");
    assert_eq!(ancestor(11, 9), None, "it is above the tip");
    assert_eq!(reader.ancestor_at(&main, hash(5), 8, 9).unwrap(), None);
}

fn a_height_that_comes_later_fills_the_block(place: &Place) {
    let mut store = (place.open)();
    let reader = (place.read)();
    let height = |reader: &Reader| reader.block(&hash(1)).unwrap().unwrap().row.height;
    let seen = block_sighting(1, "alice", Source::Zmq, Stage::Connected, at(1, None));
    commit(&mut store, &[seen, block(1, None)], 1);
    assert_eq!(height(&reader), None);
    commit(&mut store, &[block(1, Some(7))], 2);
    assert_eq!(height(&reader), Some(7));
    commit(&mut store, &[block(1, None)], 3);
    assert_eq!(height(&reader), Some(7));
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

fn dubious_blocks_go_from_the_highest_down_with_all_that_was_found_of_them(place: &Place) {
    let mut store = (place.open)();
    let reader = (place.read)();
    let main = bmon_event::Network::from_chain("main").unwrap();
    let mut rows = Vec::new();
    for number in 1..8 {
        // Two at every height; of the last the header is not known.
        rows.extend((number < 7).then(|| header(network(), number, u32::from(number) / 2)));
        rows.push(Row::Finding(Box::new(invalid_block(network(), number, "alice"))));
        rows.push(Row::Finding(Box::new(invalid_block(network(), number, "bob"))));
    }
    rows.push(header(main, 1, 0));
    rows.push(Row::Finding(Box::new(invalid_block(main, 1, "alice"))));
    rows.push(block_sighting(3, "alice", Source::Log, Stage::Connected, at(1, None)));
    rows.push(block_sighting(4, "alice", Source::Log, Stage::Checked, at(1, None)));
    commit(&mut store, &rows, 1);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = reader.dubious_blocks(&network(), 4, after).unwrap();
        after = part.last().map(|block| block.place);
        found.extend(part.clone());
        if part.len() < 4 {
            break;
        }
    }
    let places: Vec<_> = found.iter().map(|block| (block.place.height, block.place.block)).collect();
    assert_eq!(places, [6, 5, 4, 3, 2, 1].map(|number| (u32::from(number) / 2, hash(number))));
    assert!(found.iter().all(|block| block.findings.len() == 2 && block.raw.len() == 80));
    let connected: Vec<_> = found.iter().filter(|block| block.is_connected).collect();
    assert_eq!(connected.iter().map(|block| block.place.block).collect::<Vec<_>>(), [hash(3)]);
    assert_eq!(found[0].findings[1], invalid_block(network(), 6, "bob"));
    assert_eq!(reader.dubious_blocks(&main, 10, None).unwrap().len(), 1);
    assert_eq!(reader.invalid_blocks_without_header(&network()).unwrap(), 1);
    assert_eq!(reader.invalid_blocks_without_header(&main).unwrap(), 0);
    assert_eq!(reader.networks().unwrap(), [network(), main]);
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

fn the_watch_list_is_what_was_put_there_and_not_taken_off(place: &Place) {
    let (mut server, mut beside) = ((place.open)(), (place.open)());
    let at = ServerTime::from_micros(7);
    let [tx, coin] = [WatchItem::Tx(txid(1)), WatchItem::Outpoint(OutPoint { txid: txid(1), vout: 2 })];
    let other = Network::from_chain("signet").unwrap();
    assert!(beside.watch(&network(), &tx, at).unwrap() && beside.watch(&network(), &coin, at).unwrap());
    assert!(!beside.watch(&network(), &tx, ServerTime::from_micros(9)).unwrap());
    assert!(beside.watch(&other, &tx, at).unwrap());
    // The server goes on writing, of a network too that it hears of only now.
    commit(&mut server, &[Row::Finding(Box::new(step(&tx, 1))), Row::Finding(Box::new(step(&coin, 2)))], 1);
    let reader = (place.read)();
    let listed = |network, item| Watched { network, item, added_at: at };
    let expected = [listed(other, tx), listed(network(), coin), listed(network(), tx)];
    assert_eq!(reader.watch_list().unwrap(), expected);
    assert_eq!(reader.watch_steps(&network(), &tx).unwrap(), [step(&tx, 1)]);
    assert_eq!(reader.watch_steps(&other, &tx).unwrap(), []);
    assert!(beside.unwatch(&network(), &tx).unwrap() && !beside.unwatch(&network(), &tx).unwrap());
    assert_eq!(reader.watch_list().unwrap(), expected[..2]);
    // What was found stays.
    assert_eq!(reader.watch_steps(&network(), &tx).unwrap().len(), 1);
}

fn the_watch_list_is_bounded(place: &Place) {
    let mut store = (place.open)();
    let item = |vout| WatchItem::Outpoint(OutPoint { txid: txid(1), vout });
    let most = u32::try_from(MOST_ITEMS).unwrap();
    for vout in 0..most {
        assert!(store.watch(&network(), &item(vout), ServerTime::default()).unwrap());
    }
    let full = store.watch(&network(), &item(most), ServerTime::default());
    assert!(matches!(full, Err(StoreError::WatchListFull { most: MOST_ITEMS })), "{full:?}");
    // What is there already is no more, and what is taken off makes room.
    assert!(!store.watch(&network(), &item(0), ServerTime::default()).unwrap());
    assert!(store.unwatch(&network(), &item(0)).unwrap());
    assert!(store.watch(&network(), &item(most), ServerTime::default()).unwrap());
}

/// A block with the transaction of this number.
fn step(item: &WatchItem, number: u8) -> Finding {
    let mined = Mined { txid: txid(number), block: hash(number), height: 5, is_in_best_chain: true };
    let body = Body::Watch(Box::new(WatchStep { item: *item, step: finding::Step::Mined(mined) }));
    Finding { id: FindingId([number; 16]), node: None, body, ..invalid_block(network(), number, "alice") }
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

fn old_transactions_are_deleted_and_counted(place: &Place) {
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
fn every_transaction_is_found_whether_it_is_in_the_index_or_not(place: &Place) {
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
fn a_transaction_in_two_chunks_is_one(place: &Place) {
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

/// Chunks come back as they were written, for an engine that starts.
fn chunks_are_read_again_from_a_time_on(place: &Place) {
    let mut store = (place.open)();
    let chunks: Vec<_> = (1..=4_u8)
        .map(|number| {
            let mut chunk = tx_chunk(
                u64::from(number),
                &[(number, None), (number + 100, Some(number))],
                &[("alice", Source::Log, at(i64::from(number), Some((-4, 3))))],
            );
            chunk.last_at = ServerTime::from_micros(i64::from(number));
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

fn miners_are_kept_with_what_they_are_known_by(place: &Place) {
    let mut store = (place.open)();
    let mut other = miner(2);
    other.miner = miner(0).miner;
    let rows = [
        block_sighting(1, "alice", Source::Log, Stage::Connected, at(1, None)),
        block_sighting(5, "alice", Source::Log, Stage::Connected, at(1, None)),
        header(network(), 0, 100),
        header(network(), 1, 101),
        header(network(), 2, 102),
        header(network(), 3, 102),
        Row::Miner(miner(0)),
        Row::Miner(miner(1)),
        Row::Miner(other),
        Row::Miner(miner(2)),
    ];
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    assert_eq!(reader.miner(&network(), &hash(1)).unwrap(), Some(miner(1).miner));
    assert_eq!(reader.miner(&network(), &hash(3)).unwrap(), None);
    assert_eq!(reader.last_miners(2).unwrap(), [miner(0), miner(1), miner(2)]);
    assert_eq!(reader.last_miners(1).unwrap(), [miner(1), miner(2)]);
    assert_eq!(reader.block(&hash(1)).unwrap().unwrap().miner, Some(miner(1).miner));
    assert_eq!(reader.block(&hash(5)).unwrap().unwrap().miner, None);
    let main = bmon_event::Network::from_chain("main").unwrap();
    assert_eq!(reader.miner(&main, &hash(1)).unwrap(), None);
}

fn blocks_left_behind_are_kept_as_they_are(place: &Place) {
    let mut store = (place.open)();
    let rows = [1, 2, 1, 3].map(|number| Row::RawBlock(raw_block(number)));
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    assert_eq!(reader.last_raw_blocks(2).unwrap(), [raw_block(3), raw_block(2)]);
    assert_eq!(reader.raw_block(&hash(1)).unwrap(), Some(raw_block(1).raw));
    assert_eq!(reader.raw_block(&hash(4)).unwrap(), None);
}
