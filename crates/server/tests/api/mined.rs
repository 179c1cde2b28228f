//! The blocks that have a transaction.

use bmon_analysis::row::{HeaderRow, Row, TxChunk, TxIds};
use bmon_event::{BlockHash, Network, ServerTime, Txid};
use serde_json::{Value, json};

use crate::{Site, json};

/// What is said of the transaction that begins with 71 and this, which is repeated.
async fn mined(site: &Site, number: &str) -> (Value, Vec<Value>) {
    let reply = site.get(&format!("/api/v1/txs/71{}", number.repeat(31))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let reply = json(&reply.body);
    let mined = reply["mined"].as_array().unwrap().clone();
    (reply, mined)
}

fn nodes(mined: &Value) -> Vec<&str> {
    mined["connected"].as_array().unwrap().iter().map(|arrival| arrival["node"].as_str().unwrap()).collect()
}

fn block(number: &str) -> String {
    format!("0b{}", number.repeat(31))
}

#[tokio::test]
async fn of_two_blocks_that_compete_the_one_of_the_main_chain_comes_first() {
    let (_, mined) = mined(&Site::new(), "01").await;
    let blocks: Vec<_> =
        mined.iter().map(|mined| (&mined["block"], &mined["height"], &mined["is_in_best_chain"])).collect();
    assert_eq!(
        blocks,
        [(&json!(block("c1")), &json!(212), &json!(true)), (&json!(block("c2")), &json!(212), &json!(false)),]
    );
    assert_eq!((nodes(&mined[0]), nodes(&mined[1])), (vec!["alice"], vec!["bob"]));
}

#[tokio::test]
async fn a_transaction_that_no_node_told_of_is_known_from_the_block_that_has_it() {
    let (reply, mined) = mined(&Site::new(), "09").await;
    assert_eq!((&reply["seen"], &reply["nodes"], &reply["wtxid"]), (&json!([]), &json!([]), &Value::Null));
    assert_eq!(reply["missing"], json!(["alice", "bob", "carol"]));
    let [mined] = &mined[..] else { panic!("{mined:?}") };
    assert_eq!((&mined["block"], &mined["is_in_best_chain"]), (&json!(block("a1")), &json!(false)));
    assert_eq!((&mined["height"], nodes(mined)), (&json!(208), vec!["bob"]));
}

#[tokio::test]
async fn every_row_of_the_export_has_the_blocks() {
    let reply = Site::new().get("/api/v1/export/txs.jsonl").await;
    let rows: Vec<Value> = reply.body.lines().map(json).collect();
    // Three nodes accepted it and dropped it. A transaction that only a block has is told of by no node.
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row["mined_in"] == json!([block("c1"), block("c2")])), "{rows:?}");
}

#[tokio::test]
async fn what_is_not_known_of_a_block_is_null() {
    let network = Network::from_chain("regtest").unwrap();
    let (unknown, known) = (BlockHash::from_bytes([2; 32]), BlockHash::from_bytes([3; 32]));
    let chunk = TxChunk {
        id: 1,
        network,
        begun_at: ServerTime::from_micros(0),
        last_at: ServerTime::from_micros(0),
        is_full: false,
        txs: vec![TxIds { txid: Txid::from_bytes([0x71; 32]), wtxid: None }],
        nodes: Vec::new(),
        mined: vec![(0, unknown), (0, known)],
    };
    let header = HeaderRow { network, block: known, height: 7, raw: vec![0; 80] };
    let site = Site::of(&[Row::TxChunk(Box::new(chunk)), Row::Header(header)]);
    let (_, mined) = mined(&site, "71").await;
    let told: Vec<_> = mined.iter().map(|mined| (&mined["height"], &mined["connected"])).collect();
    assert_eq!(told, [(&Value::Null, &json!([])), (&json!(7), &json!([]))]);
    // Nothing tells that it was left behind.
    assert!(mined.iter().all(|mined| mined["is_in_best_chain"] == true));
}
