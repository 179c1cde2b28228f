//! What was lost, counted.

use bmon_analysis::{
    row::{HeaderRow, NodeTip, Row, Tip, TipsRow},
    tree::Status,
};
use bmon_event::ServerTime;

use crate::{
    Site,
    download::{alice, block, main, stale_on},
    json,
};

/// The chain of main ends at this height, and its lowest known header is at that one.
fn chain(height: u32, lowest: u32) -> Vec<Row> {
    let tip = Tip {
        block: block(9_999),
        height,
        branch_length: 0,
        fork: block(9_999),
        fork_height: height,
        seen_at_us: ServerTime::from_micros(0),
        nodes: Vec::new(),
    };
    let node = NodeTip { node: alice(), tip: block(9_999), height: height - 2, blocks_behind: 2 };
    let header = HeaderRow { network: main(), block: block(9_998), height: lowest, raw: vec![0; 80] };
    vec![
        Row::Tips(Box::new(TipsRow { network: main(), tips: vec![tip], nodes: vec![node] })),
        Row::Header(header),
    ]
}

async fn counts(rows: &[Row]) -> [serde_json::Value; 2] {
    let reply = json(&Site::of(rows).get("/api/v1/chain").await.body);
    ["recent", "known"].map(|stretch| reply["networks"][0][stretch].clone())
}

#[tokio::test]
async fn a_branch_of_several_is_one_tip_and_what_is_invalid_or_back_is_not_counted() {
    let mut rows = chain(5_000, 1_000);
    rows.extend([
        // The lowest of the last 2,016 heights, and the one below.
        stale_on(1, 2_985, 0, true, Status::Valid),
        stale_on(2, 2_984, 0, true, Status::HeaderOnly),
        // A branch of which the end is two blocks.
        stale_on(10, 4_000, 0, true, Status::Valid),
        stale_on(11, 4_001, 10, true, Status::Valid),
        stale_on(12, 4_001, 10, true, Status::HeaderOnly),
        stale_on(20, 4_500, 0, true, Status::Invalid),
        stale_on(21, 4_600, 0, false, Status::Active),
    ]);
    let [recent, known] = counts(&rows).await;
    assert_eq!(recent, json(r#"{"blocks": 2016, "stale_blocks": 4, "unused_tips": 3}"#));
    assert_eq!(known, json(r#"{"blocks": 4001, "stale_blocks": 5, "unused_tips": 4}"#));
    let metrics = Site::of(&rows).get("/metrics").await.body;
    for line in [
        "bmon_chain_height{network=\"main\"} 5000.0",
        "bmon_chain_stale_blocks{network=\"main\"} 4.0",
        "bmon_chain_unused_tips{network=\"main\"} 3.0",
        "bmon_node_blocks_behind{network=\"main\",node=\"alice\"} 2.0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn of_a_short_chain_what_is_known_is_counted() {
    let [recent, known] = counts(&chain(120, 100)).await;
    assert_eq!(recent, json(r#"{"blocks": 21, "stale_blocks": 0, "unused_tips": 0}"#));
    assert_eq!(recent, known);
    assert_eq!(json(&Site::of(&[]).get("/api/v1/chain").await.body), json(r#"{"networks": []}"#));
}
