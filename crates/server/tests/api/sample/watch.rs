//! A payment on the watch list: two of three nodes have it, the third has another for the same coin.

use bmon_analysis::{
    finding::{BlindNode, Body, Conflict, Finding, FindingId, SeenTx, Step, WatchStep},
    row::Row,
    watch::WatchItem,
};
use bmon_event::{OutPoint, ServerTime, Source};

use super::{S, name, network, sighted, txid};

pub(crate) fn item() -> WatchItem {
    WatchItem::Tx(txid(1))
}

pub(super) fn rows(rows: &mut Vec<Row>, now: ServerTime) {
    let outpoint = OutPoint { txid: txid(0x61), vout: 1 };
    let blind = vec![BlindNode { node: name("alice"), reason: "the node is too old to tell".to_owned() }];
    let seen = SeenTx {
        txid: txid(1),
        nodes: 3,
        accepted_at: vec![name("alice"), name("bob")],
        missing_at: vec![name("carol")],
        refused_at: vec![name("carol")],
        left_at: Vec::new(),
        inputs: Some(vec![outpoint]),
        omitted_inputs: 0,
        blind: blind.clone(),
    };
    let conflict = Conflict {
        txid: txid(0x62),
        with: vec![txid(1)],
        outpoints: vec![outpoint],
        nodes: vec![name("carol")],
        is_open: true,
        blind,
    };
    for (number, seconds, step) in [(1, 300, Step::Seen(seen)), (2, 280, Step::Conflict(conflict))] {
        rows.push(Row::Finding(Box::new(Finding {
            id: FindingId::new(&network(), "watch", &[&[number]]),
            revision: 2,
            network: network(),
            node: None,
            sighted: sighted("alice", now.plus_micros(-seconds * S)),
            sources: vec![Source::Log, Source::Rpc],
            body: Body::Watch(Box::new(WatchStep { item: item(), step })),
        })));
    }
}
