//! One block, asked for by its hash or by its height.

use axum::http::StatusCode;
use bmon_analysis::row::{BlockRow, BlockSighting, Row, Sighted, Stage};
use bmon_event::{AgentTime, BlockHash, Network, Source};

use crate::{Site, json};

/// The hash of the block of the sample with this number, two hexadecimal digits.
fn hash(number: &str) -> String {
    format!("0b{}", number.repeat(31))
}

#[tokio::test]
async fn a_height_is_the_block_of_the_main_chain_and_names_the_others() {
    let site = Site::new();
    for (height, main, others) in [
        (211, "01", &["f3"][..]),
        (209, "03", &["f1", "a2"]),
        // A race at the tip: the one that the main chain ends in for now.
        (212, "c1", &["66", "c2"]),
        // Of no other block is anything told.
        (207, "05", &[]),
    ] {
        let by_height = json(&site.get(&format!("/api/v1/blocks/{height}")).await.body);
        assert_eq!(by_height["block"], hash(main), "{height}");
        let mut found: Vec<_> = by_height["others"].as_array().unwrap().clone();
        let mut expected: Vec<_> = others.iter().map(|other| serde_json::Value::from(hash(other))).collect();
        found.sort_by_key(ToString::to_string);
        expected.sort_by_key(ToString::to_string);
        assert_eq!(found, expected, "{height}");
        let by_hash = site.get(&format!("/api/v1/blocks/{}", hash(main))).await;
        assert_eq!(json(&by_hash.body), by_height);
    }
}

#[tokio::test]
async fn what_is_neither_a_hash_nor_a_known_height_is_refused_with_words() {
    let site = Site::new();
    for (path, status, words) in [
        ("9999", StatusCode::NOT_FOUND, "at height 9999"),
        ("99999999999", StatusCode::BAD_REQUEST, "nor a height"),
        ("-1", StatusCode::BAD_REQUEST, "nor a height"),
        ("+211", StatusCode::BAD_REQUEST, "nor a height"),
        ("211?network=main", StatusCode::NOT_FOUND, "network `main`"),
        ("211?hieght=1", StatusCode::BAD_REQUEST, "the parameter is `network`"),
    ] {
        let reply = site.get(&format!("/api/v1/blocks/{path}")).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(reply.body.contains(words), "{path}: {}", reply.body);
    }
    assert_eq!(site.get("/api/v1/blocks/211?network=regtest").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_height_of_several_networks_needs_the_network() {
    let row = |chain: &str, number: u8| {
        let (network, block) = (Network::from_chain(chain).unwrap(), BlockHash::from_bytes([number; 32]));
        let sighted = Sighted { at: AgentTime::from_micros(i64::from(number)), offset: None };
        let (node, source, stage) = ("alice".parse().unwrap(), Source::Log, Stage::Connected);
        [
            Row::Block(BlockRow { network, block, height: Some(5) }),
            Row::BlockSighting(BlockSighting { network, block, node, source, stage, sighted }),
        ]
    };
    let site = Site::of(&[row("main", 1), row("regtest", 2)].concat());
    let reply = site.get("/api/v1/blocks/5").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
    for (chain, number) in [("main", "01"), ("regtest", "02")] {
        let reply = json(&site.get(&format!("/api/v1/blocks/5?network={chain}")).await.body);
        assert_eq!((&reply["block"], &reply["network"]), (&number.repeat(32).into(), &chain.into()));
        let other = if chain == "main" { "regtest" } else { "main" };
        let path = format!("/api/v1/blocks/{}?network={other}", number.repeat(32));
        assert_eq!(site.get(&path).await.status, StatusCode::NOT_FOUND);
    }
}
