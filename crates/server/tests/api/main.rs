//! The HTTP interface over a store of sample rows: `docs/http-api.md` and the metrics page are golden, and with
//! `BMON_BLESS=1` in the environment they are written anew instead of compared.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod block;
mod chain;
mod download;
#[path = "export/main.rs"]
mod export;
mod feed;
mod golden;
mod late;
mod log_lines;
mod mined;
mod refusal;
mod sample;

use std::sync::{Arc, atomic::Ordering::Relaxed};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use bmon_analysis::{row::Row, rule};
use bmon_event::{Network, ServerTime};
use bmon_server::{
    Links,
    api::{self, Api, Notices},
    ingest::Counters,
    want::Wants,
};
use bmon_store::{Commit, Store};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// A moment in 2026.
fn now() -> ServerTime {
    ServerTime::from_micros(1_780_000_000_000_000)
}

/// A number for each that no other has.
fn counters() -> Counters {
    let counters = Counters::default();
    let all = [
        &counters.batches,
        &counters.batch_bytes,
        &counters.events,
        &counters.unknown_events,
        &counters.repeats,
        &counters.jumps,
        &counters.journal_syncs,
        &counters.journal_sync_us,
        &counters.journal_bytes,
        &counters.journal_last,
        &counters.journal_stored,
        &counters.journal_released_early,
        &counters.journal_damaged,
        &counters.store_commits,
        &counters.store_rows,
        &counters.store_failures,
        &counters.store_impossible_rows,
        &counters.wants,
        &counters.want_answers,
        &counters.want_answers_ignored,
        &counters.dropped_words,
        &counters.bad_block_parts,
        &counters.unneeded_block_parts,
        &counters.analysed_batches,
        &counters.batch_analysis_us,
        &counters.analysis_ticks,
        &counters.tick_analysis_us,
        &counters.store_commit_us,
    ];
    for (number, counter) in (1_000_001..).zip(all) {
        counter.store(number, Relaxed);
    }
    counters.set_delays(late::late());
    counters
}

/// The interface over the sample rows.
struct Site {
    router: Router,
    notices: Notices,
    wants: Wants,
    directory: tempfile::TempDir,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Site {
    fn new() -> Self {
        let site = Self::of(&sample::rows(now()));
        // As `bmon watch` does beside the server.
        let mut store = Store::open(&site.directory.path().join("bmon.sqlite")).unwrap();
        let (regtest, since) = (Network::from_chain("regtest").unwrap(), now().plus_micros(-600_000_000));
        store.watch(&regtest, &sample::watch::item(), since).unwrap();
        sample::silence(&mut store, now());
        site
    }

    /// The interface over these rows.
    fn of(rows: &[Row]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("bmon.sqlite");
        let mut store = Store::open(&database).unwrap();
        store.commit(&Commit { rows, journal_position: 42, accepted: &[] }).unwrap();
        let notices = Notices::default();
        let counters = Arc::new(counters());
        let wants = Wants::new(now(), Arc::clone(&counters));
        let links = Links::new(None, ([127, 0, 0, 1], 8_890).into());
        let router = api::router(Api::new(database, notices.clone(), counters, wants.clone(), links, now));
        Self { router, notices, wants, directory }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn lists_lead_from_part_to_part() {
    let site = Site::new();
    for list in [
        "blocks",
        "reorgs",
        "forks",
        "stale-blocks",
        "validity-disagreements",
        "partitions",
        "lags",
        "rejections",
        "invalid-blocks",
        "gaps",
        "vanished-messages",
        "double-spends",
        "selfish-mining",
        "block-times",
        "slow-nodes",
        "version-comparisons",
    ] {
        let key = list.replace('-', "_");
        let all = json(&site.get(&format!("/api/v1/{list}")).await.body);
        let (mut path, mut items) = (format!("/api/v1/{list}?limit=1"), Vec::new());
        loop {
            let part = json(&site.get(&path).await.body);
            items.extend(part[&key].as_array().unwrap().clone());
            let Some(next) = part["next"].as_str() else { break };
            path = format!("/api/v1/{list}?limit=1&before={next}");
        }
        assert!(items.len() > 1, "{list}");
        assert_eq!(all[&key], serde_json::Value::Array(items));
    }
}

#[tokio::test]
async fn the_bytes_of_a_block_left_behind_are_given_as_they_are() {
    let site = Site::new();
    let path = |number: &str| format!("/api/v1/blocks/0b{}/raw", number.repeat(31));
    let request = Request::get(path("a1")).body(Body::empty()).unwrap();
    let reply = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(reply.headers()[header::CONTENT_TYPE], "application/octet-stream");
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), vec![0xa1; 300]);
    let none = site.get(&path("01")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert!(none.body.contains("are not kept"), "{}", none.body);
}

#[tokio::test]
async fn the_page_is_there_under_a_strict_policy_and_is_sent_once() {
    let site = Site::new();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/alert.js", "text/javascript; charset=utf-8"),
        ("/chain.js", "text/javascript; charset=utf-8"),
        ("/waterfall.js", "text/javascript; charset=utf-8"),
        ("/theme.js", "text/javascript; charset=utf-8"),
        ("/runbooks/reorg", "text/html; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let reply = site.get(path).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.headers[header::CONTENT_TYPE], content_type);
        let policy = reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let tag = &reply.headers[header::ETAG];
        let again = Request::get(path).header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
        let again = site.send(again).await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(again.headers[header::ETAG], tag);
    }
}

#[tokio::test]
async fn the_link_of_every_rule_leads_to_its_runbook_and_that_of_an_alert_to_it() {
    let site = Site::new();
    let links = Links::new(Some("http://a.example"), ([127, 0, 0, 1], 1).into());
    for rule in rule::ALL {
        let link = links.runbook(rule.id);
        let reply = site.get(link.strip_prefix("http://a.example").unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK, "{link}");
        assert!(reply.body.contains(&format!("<h1>{}</h1>", rule.id)), "{link}: {}", reply.body);
        assert!(reply.body.contains("<h2 id=\"what-to-do\">What to do</h2>"), "{link}: {}", reply.body);
    }
    let alerts = json(&site.get("/api/v1/alerts?limit=1").await.body);
    assert_eq!(alerts["alerts"][0]["runbook"], "http://127.0.0.1:8890/runbooks/race");
    assert_eq!(site.get("/runbooks/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn alerts_are_had_by_state_and_time_and_say_who_silences_them() {
    let site = Site::new();
    let rules = async |query: &str| -> Vec<String> {
        let reply = site.get(&format!("/api/v1/alerts?{query}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.body);
        let alerts = json(&reply.body)["alerts"].as_array().unwrap().clone();
        alerts.iter().map(|alert| alert["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules("state=resolved").await, ["race", "node-unreachable"]);
    assert_eq!(rules("state=pending").await, ["node-silent"]);
    assert_eq!(
        rules("state=resolved&since=1h").await,
        ["race"],
        "it began earlier than the other and ended later"
    );
    assert_eq!(rules("since=1h").await.len(), 5);
    let part = json(&site.get("/api/v1/alerts?state=firing&limit=2").await.body);
    let next = format!("state=firing&limit=2&before={}", part["next"].as_str().unwrap());
    assert_eq!(rules(&next).await, ["reorg"]);
    for bad in ["state=over", "since=never", "open=true&since=1h", "open=true&state=firing", "open=1"] {
        let reply = site.get(&format!("/api/v1/alerts?{bad}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{bad}: {}", reply.body);
    }
    let firing = json(&site.get("/api/v1/alerts?state=firing").await.body);
    let held = firing["alerts"].as_array().unwrap().iter().filter(|alert| !alert["silenced_by"].is_null());
    let held: Vec<_> = held.map(|alert| (&alert["rule"], &alert["silenced_by"]["id"])).collect();
    assert_eq!(held, [(&json("\"reorg\""), &json("1"))]);
    let silences = async |query: &str| {
        json(&site.get(&format!("/api/v1/silences{query}")).await.body)["silences"].as_array().unwrap().len()
    };
    assert_eq!((silences("").await, silences("?all=true").await), (1, 2));
}

#[tokio::test]
async fn the_stream_greets_tells_what_changed_and_ends() {
    let site = Site::new();
    let request = Request::get("/api/v1/stream").body(Body::empty()).unwrap();
    let reply = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(reply.headers()[header::CONTENT_TYPE], "text/event-stream");
    site.notices.publish(api::Topic::Blocks);
    site.notices.publish(api::Topic::InvalidBlocks);
    let mut body = reply.into_body();
    let mut text = String::new();
    while !text.contains("event: change") {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    assert!(text.starts_with("event: hello\ndata: {\"version\":"), "{text}");
    assert!(
        text.ends_with("event: change\ndata: {\"changed\":[\"blocks\",\"invalid-blocks\"]}\n\n"),
        "{text}"
    );
    site.notices.close();
    assert!(body.frame().await.is_none());
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn the_spread_of_blocks_is_that_of_their_sightings_and_of_transactions_that_of_the_hours() {
    let site = Site::new();
    let blocks = json(&site.get("/api/v1/spread?of=block&stage=connected&since=2h").await.body);
    let list = json(&site.get("/api/v1/blocks?limit=500").await.body);
    let connected = |block: &serde_json::Value| !block["connected"].as_array().unwrap().is_empty();
    let expected = list["blocks"].as_array().unwrap().iter().filter(|block| connected(block)).count();
    assert_eq!(blocks["items"], expected);
    let first: u64 =
        blocks["nodes"].as_array().unwrap().iter().filter_map(|node| node["first"].as_u64()).sum();
    assert!(first <= expected as u64 && first > 0, "{blocks}");
    let txs = json(&site.get("/api/v1/spread?since=1h").await.body);
    let node = |name: &str| {
        txs["nodes"].as_array().unwrap().iter().find(|node| node["node"] == name).unwrap().clone()
    };
    // Carol's clock is not known: she is compared with nobody.
    assert_eq!(
        (&txs["items"], &node("alice")["first"], &node("bob")["first"]),
        (&json("20"), &json("16"), &json("4"))
    );
    assert_eq!(
        (&node("carol")["clock_unknown"], &node("carol")["delay"]["count"]),
        (&json("20"), &json("0"))
    );
    assert_eq!((&node("bob")["refused"], txs["pairs"].as_array().unwrap().len()), (&json("4"), 1));
}
