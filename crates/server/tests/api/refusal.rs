use axum::{
    body::Body,
    http::{Request, StatusCode},
};

use crate::{Site, json};

const HASH: &str = "0b01010101010101010101010101010101010101010101010101010101010101";

#[tokio::test]
async fn a_wrong_request_is_told_what_is_wrong_and_what_to_do() {
    let site = Site::new();
    let unknown = "00".repeat(32);
    for (path, status, error) in [
        ("/api/v1/blocks?limit=0", 400, "`limit` cannot be `0`"),
        ("/api/v1/blocks?limit=501", 400, "`limit` cannot be `501`"),
        ("/api/v1/gaps?limit=-1", 400, "`limit` cannot be `-1`"),
        ("/api/v1/reorgs?limit=ten", 400, "`limit` cannot be `ten`"),
        ("/api/v1/rejections?before=yesterday", 400, "`before` cannot be `yesterday`"),
        ("/api/v1/blocks?limits=5", 400, "unknown field `limits`"),
        ("/api/v1/nodes?limit=5", 400, "unknown parameter"),
        ("/api/v1/blocks/abc", 400, "`abc` is neither the 64 hexadecimal digits of a hash nor a height"),
        ("/api/v1/txs/%3Cscript%3E", 400, "`<script>` is not a hash"),
        (&format!("/api/v1/blocks/{HASH}?x=1"), 400, "unknown field `x`"),
        (&format!("/api/v1/blocks/{unknown}"), 404, "no node told of block"),
        (&format!("/api/v1/txs/{unknown}"), 404, "no node told of transaction"),
        ("/api/v1/spread?since=0h", 400, "`since` cannot be `0h`"),
        ("/api/v1/spread?since=9999999999999999d", 400, "`since` cannot be"),
        ("/api/v1/spread?since=24", 400, "`since` cannot be `24`"),
        ("/api/v1/spread?of=peer", 400, "unknown variant `peer`"),
        ("/api/v1/spread?of=tx&stage=header", 400, "`stage` says nothing of transactions"),
        ("/api/v1/spread?network=atlantis", 404, "nothing is known of network `atlantis`"),
        ("/api/v1/export/peers.csv", 404, "there is no table `peers`"),
        ("/api/v1/export/txs", 404, "there is no format ``"),
        ("/api/v1/export/txs.xlsx", 404, "there is no format `xlsx`"),
        ("/api/v1/export/txs.csv?since=yesterday", 400, "`since` cannot be `yesterday`"),
        ("/api/v1/export/txs.csv?until=2026-05-28", 400, "`until` cannot be `2026-05-28`"),
        ("/api/v1/export/txs.csv?since=1h&until=2h", 400, "`until` is not later than `since`"),
        ("/api/v1/export/nodes.csv?since=1h", 400, "`since` and `until` say nothing of nodes"),
        ("/api/v1/export/txs.csv?limit=5", 400, "unknown field `limit`"),
        ("/api/v1/export/txs.csv?network=atlantis", 404, "nothing is known of network `atlantis`"),
        ("/api/v1/peers", 404, "there is nothing at `/api/v1/peers`"),
        ("/favicon.ico", 404, "there is nothing at `/favicon.ico`"),
    ] {
        let reply = site.get(path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        let body = json(&reply.body);
        assert!(body["error"].as_str().unwrap().contains(error), "{path}: {body}");
        assert!(!body["hint"].as_str().unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn hashes_may_be_upper_case() {
    let site = Site::new();
    let reply = site.get(&format!("/api/v1/blocks/{}", HASH.to_uppercase())).await;
    assert_eq!(json(&reply.body)["block"], HASH);
}

#[tokio::test]
async fn nothing_can_be_written() {
    let site = Site::new();
    for path in ["/api/v1/nodes", "/metrics", "/"] {
        let reply = site.send(Request::post(path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(json(&reply.body)["hint"], "use GET");
    }
}

#[tokio::test]
async fn a_refused_transaction_that_was_never_accepted_is_known_by_its_refusals() {
    let site = Site::new();
    let reply = site.get(&format!("/api/v1/txs/71{}", "03".repeat(31))).await;
    let body = json(&reply.body);
    assert_eq!(body["seen"], json("[]"));
    assert_eq!(body["missing"], json(r#"["alice", "bob", "carol"]"#));
    assert_eq!(body["rejections"][0]["code"], "bad-txns-inputs-missingorspent");
}
