//! What is kept of blocks.

use bmon_analysis::row::{Announcement, Reconstruction, Row, Stage, Step};
use bmon_event::Source;
use bmon_store::Reader;

use crate::{
    Place, commit,
    row::{
        at, block, block_processing, block_sighting, block_step, hash, header, invalid_block, miner, network,
        raw_block,
    },
};

pub(crate) fn the_first_processing_of_a_block_stays_and_the_one_that_tells_more(place: &Place) {
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

pub(crate) fn the_first_step_of_each_kind_stays_with_what_it_told(place: &Place) {
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

pub(crate) fn blocks_are_found_by_their_height_and_the_chain_they_are_on(place: &Place) {
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

pub(crate) fn a_height_that_comes_later_fills_the_block(place: &Place) {
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

pub(crate) fn dubious_blocks_go_from_the_highest_down_with_all_that_was_found_of_them(place: &Place) {
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

pub(crate) fn miners_are_kept_with_what_they_are_known_by(place: &Place) {
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

pub(crate) fn blocks_left_behind_are_kept_as_they_are(place: &Place) {
    let mut store = (place.open)();
    let rows = [1, 2, 1, 3].map(|number| Row::RawBlock(raw_block(number)));
    commit(&mut store, &rows, 1);
    let reader = (place.read)();
    assert_eq!(reader.last_raw_blocks(2).unwrap(), [raw_block(3), raw_block(2)]);
    assert_eq!(reader.raw_block(&hash(1)).unwrap(), Some(raw_block(1).raw));
    assert_eq!(reader.raw_block(&hash(4)).unwrap(), None);
}
