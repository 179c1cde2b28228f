//! Lists of blocks as files.

use bmon_analysis::{
    finding::{Body, Finding, FindingId, InvalidBlock, NodeStatus, StaleBlock},
    row::{BlockSighting, HeaderRow, Row, Sighted, Stage},
    tree::Status,
};
use bmon_event::{AgentTime, BlockHash, Network, NodeName, Source};

use crate::{Site, json};

pub(crate) fn main() -> Network {
    Network::from_chain("main").unwrap()
}

pub(crate) fn block(number: u32) -> BlockHash {
    let mut bytes = [0xbb; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    BlockHash::from_bytes(bytes)
}

pub(crate) fn alice() -> NodeName {
    "alice".parse().unwrap()
}

fn header(network: Network, number: u32, height: u32) -> Row {
    Row::Header(HeaderRow { network, block: block(number), height, raw: vec![number.to_be_bytes()[3]; 80] })
}

fn finding(network: Network, number: u32, node: Option<NodeName>, body: Body) -> Row {
    Row::Finding(Box::new(Finding {
        id: FindingId::new(&network, body.kind(), &[block(number).as_bytes()]),
        revision: 1,
        network,
        node,
        sighted: Sighted { at: AgentTime::from_micros(number.into()), offset: None },
        sources: vec![Source::Log],
        body,
    }))
}

fn stale(network: Network, number: u32, height: u32, is_stale: bool, status: Status) -> Row {
    stale_after(network, number, (height, 0), is_stale, status)
}

/// On main, after the block of that number.
pub(crate) fn stale_on(number: u32, height: u32, parent: u32, is_stale: bool, status: Status) -> Row {
    stale_after(main(), number, (height, parent), is_stale, status)
}

fn stale_after(
    network: Network,
    number: u32,
    (height, parent): (u32, u32),
    is_stale: bool,
    status: Status,
) -> Row {
    let parent: Vec<_> = block(parent).as_bytes().iter().rev().map(|byte| format!("{byte:02x}")).collect();
    let body = StaleBlock {
        block: block(number),
        height,
        header: format!("{}{}{}", "00".repeat(4), parent.concat(), "00".repeat(44)),
        replaced_by: block(0),
        fork: block(0),
        fork_height: height - 1,
        is_stale,
        miner: None,
        nodes: vec![NodeStatus { node: alice(), status }],
    };
    finding(network, number, None, Body::StaleBlock(body))
}

fn invalid(number: u32, reason: &str) -> Row {
    let body = InvalidBlock { block: block(number), height: None, reason: Some(reason.to_owned()) };
    finding(main(), number, Some(alice()), Body::InvalidBlock(body))
}

fn connected(number: u32) -> Row {
    Row::BlockSighting(BlockSighting {
        network: main(),
        block: block(number),
        node: alice(),
        source: Source::Log,
        stage: Stage::Connected,
        sighted: Sighted { at: AgentTime::from_micros(0), offset: None },
    })
}

/// The hashes of a CSV file, after its first line.
fn hashes(csv: &str) -> Vec<BlockHash> {
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("height,hash,header"));
    lines.map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_file_has_every_block_once_and_the_highest_first() {
    // More than are read at once, and two at every height.
    let rows: Vec<_> = (2..1_052)
        .flat_map(|number| {
            let height = number / 2 * 7 % 601 + 1;
            [header(main(), number, height), stale(main(), number, height, true, Status::Valid)]
        })
        .collect();
    let reply = Site::of(&rows).get("/api/v1/stale-blocks.csv").await;
    assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(reply.headers["content-disposition"], "attachment; filename=\"stale-blocks.csv\"");
    let heights: Vec<u32> =
        reply.body.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(heights.is_sorted_by(|above, below| above >= below));
    let mut found = hashes(&reply.body);
    found.sort_unstable();
    assert_eq!(found, (2..1_052).map(block).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_nodes_refused_is_no_stale_block_and_what_one_accepted_is_no_invalid_block() {
    let mut rows: Vec<_> = (1..10).map(|number| header(main(), number, number)).collect();
    rows.extend([
        stale(main(), 1, 1, true, Status::HeaderOnly),
        stale(main(), 2, 2, true, Status::Invalid),
        // Back on the chain that nodes follow.
        stale(main(), 3, 3, false, Status::Active),
        // Refused at the tip, so that it is not stale yet.
        invalid(4, "bad-cb-amount"),
        // Refused, and accepted later.
        invalid(5, "bad-cb-amount"),
        connected(5),
        // A body that does not belong to the header says nothing of the block.
        invalid(6, "bad-txnmrklroot, hashMerkleRoot mismatch"),
        // Without a header.
        invalid(20, "bad-cb-amount"),
        // Refused by one and found valid by another.
        invalid(7, "bad-cb-amount"),
        stale(main(), 7, 7, true, Status::Valid),
    ]);
    let site = Site::of(&rows);
    let reply = site.get("/api/v1/stale-blocks.csv").await;
    assert_eq!(hashes(&reply.body), [block(7), block(1)]);
    let reply = site.get("/api/v1/invalid-blocks.csv").await;
    assert_eq!(hashes(&reply.body), [block(4), block(2)]);
    assert_eq!(reply.headers["bmon-blocks-without-header"], "1");
    assert_eq!(reply.body.lines().nth(1).unwrap(), format!("4,{},{}", block(4), "04".repeat(80)));
    let lines = site.get("/api/v1/invalid-blocks.jsonl").await.body;
    let lines: Vec<_> = lines.lines().map(json).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[0]["nodes"],
        json(r#"[{"node": "alice", "status": "invalid", "reason": "bad-cb-amount"}]"#)
    );
    assert_eq!(lines[1]["nodes"], json(r#"[{"node": "alice", "status": "invalid"}]"#));
    assert_eq!((&lines[1]["network"], &lines[1]["height"]), (&json(r#""main""#), &json("2")));
}

#[tokio::test]
async fn of_several_networks_one_must_be_named() {
    let regtest = Network::from_chain("regtest").unwrap();
    let rows = [
        header(main(), 1, 1),
        stale(main(), 1, 1, true, Status::Valid),
        header(regtest, 2, 2),
        stale(regtest, 2, 2, true, Status::Valid),
    ];
    let site = Site::of(&rows);
    for (query, status, error) in [
        ("", 400, "`network` is missing: there are several"),
        ("?network=signet", 404, "nothing is known of network `signet`"),
        ("?net=main", 400, "unknown field `net`"),
    ] {
        let reply = site.get(&format!("/api/v1/stale-blocks.csv{query}")).await;
        assert_eq!(reply.status.as_u16(), status, "{query}");
        let body = json(&reply.body);
        assert!(body["error"].as_str().unwrap().contains(error), "{body}");
    }
    for (network, number) in [("main", 1), ("regtest", 2)] {
        let reply = site.get(&format!("/api/v1/stale-blocks.csv?network={network}")).await;
        assert_eq!(hashes(&reply.body), [block(number)]);
    }
    assert_eq!(Site::of(&[]).get("/api/v1/stale-blocks.csv").await.status.as_u16(), 404);
}
