use std::collections::HashMap;

use bmon_analysis::row::{Offset, Sighted, TxChunk, TxColumn, TxIds, TxLeft, TxSeen};
use bmon_event::{
    AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Txid, Wtxid, event::RemovalReason,
};
use proptest::prelude::*;
use prost::Message as _;

use super::{read::Content, *};

fn any_time() -> impl Strategy<Value = i64> {
    // Near one another as times are, and as far away as the wire lets them be.
    prop_oneof![4 => 0..10_000_000_i64, 1 => -253_402_300_800_000_000..=253_402_300_800_000_000_i64]
}

fn any_seen() -> impl Strategy<Value = TxSeen> {
    let offset = prop::option::of((any_time(), 0..5_000_i64));
    (prop::sample::select(&Source::ALL[..]), any_time(), offset).prop_map(|(source, at, offset)| {
        let offset = offset.map(|(min_us, width)| Offset { min_us, max_us: min_us + width });
        TxSeen { source, sighted: Sighted { at: AgentTime::from_micros(at), offset } }
    })
}

fn any_left() -> impl Strategy<Value = TxLeft> {
    let reason = prop::option::of(prop_oneof![
        Just(RemovalReason::Replaced),
        Just(RemovalReason::Unknown("a new word".to_owned()))
    ]);
    let by = prop::option::of(any::<[u8; 32]>().prop_map(Txid::from_bytes));
    (any_seen(), reason, by).prop_map(|(seen, reason, by)| TxLeft { seen, reason, by })
}

fn any_chunk() -> impl Strategy<Value = TxChunk> {
    (1..40_usize).prop_flat_map(|count| {
        let ids = (any::<[u8; 32]>(), prop::option::of(any::<[u8; 32]>()));
        let ids = ids.prop_map(|(txid, wtxid)| TxIds {
            txid: Txid::from_bytes(txid),
            wtxid: wtxid.map(Wtxid::from_bytes),
        });
        let place = 0..u16::try_from(count).unwrap();
        let column = (
            prop::collection::vec(prop::option::of(any_seen()), count),
            prop::collection::btree_map(place.clone(), any_seen(), 0..3),
            prop::collection::btree_map(place.clone(), any_left(), 0..3),
        );
        let column = column.prop_map(|(accepted, refused, left)| {
            let (refused, left) = (refused.into_iter().collect(), left.into_iter().collect());
            TxColumn { node: "alice".parse().unwrap(), accepted, refused, left }
        });
        let columns = prop::collection::vec(column, 0..4);
        // Some in none, some in several.
        let block = prop::sample::select(&[[1; 32], [2; 32], [0xff; 32]][..]).prop_map(BlockHash::from_bytes);
        let mined = prop::collection::btree_set((place, block), 0..2 * count);
        (prop::collection::vec(ids, count), columns, mined).prop_map(|(txs, mut nodes, mined)| {
            for (number, column) in (0..).zip(&mut nodes) {
                column.node = node(number);
            }
            TxChunk {
                id: 7,
                network: Network::from_chain("regtest").unwrap(),
                begun_at: ServerTime::from_micros(1_000_000),
                last_at: ServerTime::from_micros(2_000_000),
                is_full: false,
                txs,
                nodes,
                mined: mined.into_iter().collect(),
            }
        })
    })
}

fn node(number: i64) -> NodeName {
    format!("node-{number}").parse().unwrap()
}

fn names() -> HashMap<i64, NodeName> {
    (0..4).map(|number| (number, node(number))).collect()
}

fn numbers() -> HashMap<NodeName, i64> {
    (0..4).map(|number| (node(number), number)).collect()
}

proptest! {
    #[test]
    fn a_chunk_is_read_as_it_was_written(chunk in any_chunk()) {
        let (txids, body) = encode(&chunk, &numbers());
        let read = decode(&txids, &body, &names()).unwrap();
        prop_assert_eq!(read, Content { txs: chunk.txs, nodes: chunk.nodes, mined: chunk.mined });
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(
        chunk in any_chunk(), cut in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        let (txids, mut body) = encode(&chunk, &numbers());
        prop_assert!(decode(&txids, &body[..cut.index(body.len())], &names()).is_err());
        prop_assert!(decode(&txids[32..], &body, &names()).is_err());
        *byte.get_mut(&mut body) = to;
        let _ = decode(&txids, &body, &names());
    }
}

#[test]
fn what_blocks_have_is_no_place_or_block_that_is_not_there() {
    let body = |blocks: usize, places: &[u32], numbers: &[u32]| message::Body {
        has_wtxid: vec![0; 2],
        references_us: vec![0; 2],
        blocks: vec![7; blocks],
        mined_places: places.to_vec(),
        mined_in: numbers.to_vec(),
        ..message::Body::default()
    };
    let read = |body: message::Body| {
        let bytes = [&[VERSION, 0, 0][..], &zstd::bulk::compress(&body.encode_to_vec(), 3).unwrap()].concat();
        decode(&[9; 64], &bytes, &names()).map(|content| content.mined)
    };
    let block = BlockHash::from_bytes([7; 32]);
    assert_eq!(read(body(64, &[0, 0, 1], &[0, 1, 0])).unwrap(), [(0, block), (0, block), (1, block)]);
    // A chunk as it was written before blocks were read.
    assert_eq!(read(body(0, &[], &[])).unwrap(), []);
    for (blocks, places, numbers) in [
        (64, &[2][..], &[0][..]),
        (64, &[1, 1], &[0, 0]),
        (64, &[u32::MAX], &[0]),
        (64, &[0], &[2]),
        (64, &[0, 1], &[0]),
        (63, &[0], &[0]),
    ] {
        assert!(read(body(blocks, places, numbers)).is_err(), "{blocks} {places:?} {numbers:?}");
    }
}

#[test]
fn which_of_three_blocks_has_a_transaction_costs_less_than_a_byte_of_it() {
    // As evenly spread as the digits of a hash: nothing tells from the place which block it is.
    let mut random = 7_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33).to_le_bytes()[0]
    };
    let blocks: Vec<_> = (0..3).map(|_| BlockHash::from_bytes(std::array::from_fn(|_| next()))).collect();
    let count = u16::try_from(TxChunk::MOST).unwrap();
    let txs = (0..count).map(|number| {
        let txid = std::array::from_fn(|place| number.to_be_bytes()[place % 2]);
        TxIds { txid: Txid::from_bytes(txid), wtxid: None }
    });
    let unmined = TxChunk {
        id: 7,
        network: Network::from_chain("regtest").unwrap(),
        begun_at: ServerTime::from_micros(1_000_000),
        last_at: ServerTime::from_micros(2_000_000),
        is_full: true,
        txs: txs.collect(),
        nodes: Vec::new(),
        mined: Vec::new(),
    };
    let mined = (0..count).map(|place| (place, blocks[usize::from(next() % 3)])).collect();
    let mined = TxChunk { mined, ..unmined.clone() };
    let [with, without] = [&mined, &unmined].map(|chunk| encode(chunk, &numbers()).1.len());
    let cost = with - without;
    assert!((96..TxChunk::MOST).contains(&cost), "{cost}");
}
