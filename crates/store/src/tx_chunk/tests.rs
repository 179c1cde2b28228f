use std::collections::HashMap;

use bmon_analysis::row::{Offset, Sighted, TxChunk, TxColumn, TxIds, TxLeft, TxSeen};
use bmon_event::{AgentTime, Network, NodeName, ServerTime, Source, Txid, Wtxid, event::RemovalReason};
use proptest::prelude::*;

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
            prop::collection::btree_map(place, any_left(), 0..3),
        );
        let column = column.prop_map(|(accepted, refused, left)| {
            let (refused, left) = (refused.into_iter().collect(), left.into_iter().collect());
            TxColumn { node: "alice".parse().unwrap(), accepted, refused, left }
        });
        let columns = prop::collection::vec(column, 0..4);
        (prop::collection::vec(ids, count), columns).prop_map(|(txs, mut nodes)| {
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
        prop_assert_eq!(read, Content { txs: chunk.txs, nodes: chunk.nodes });
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
