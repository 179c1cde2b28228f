//! Whole tables as files.

#[path = "csv.rs"]
mod csv;
#[path = "hostile.rs"]
mod hostile;

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use bmon_analysis::row::{HeaderRow, Row};
use bmon_event::Network;
use bmon_server::api::export::{NOT_EXPORTED, TABLES};
use bmon_store::Reader;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use self::csv::Cell;
use crate::{Reply, Site, download::block, json, now, sample};

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

async fn export(site: &Site, file: &str) -> Reply {
    let reply = site.get(&format!("/api/v1/export/{file}")).await;
    assert_eq!(reply.status, 200, "{file}: {}", reply.body);
    reply
}

async fn lines(site: &Site, file: &str) -> Vec<Value> {
    export(site, file).await.body.lines().map(json).collect()
}

#[tokio::test]
async fn every_table_is_the_same_in_both_formats_whatever_its_texts_are() {
    let mut rows = sample::rows(now());
    rows.extend(hostile::rows(now()));
    let site = Site::of(&rows);
    for table in TABLES {
        let names: Vec<String> = (table.columns)().into_iter().map(|column| column.name).collect();
        let csv = export(&site, &format!("{}.csv", table.name)).await;
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8; header=present");
        let disposition = format!("attachment; filename=\"bmon-regtest-{}.csv\"", table.name);
        assert_eq!(csv.headers["content-disposition"], disposition.as_str());
        assert_eq!(csv.headers["bmon-network"], "regtest");
        assert_eq!(csv.headers["bmon-version"], env!("CARGO_PKG_VERSION"));
        let records = csv::read(&csv.body);
        let head: Vec<_> = records[0].iter().map(|cell| cell.text.clone()).collect();
        assert_eq!(head, names, "{}", table.name);
        let objects = lines(&site, &format!("{}.jsonl", table.name)).await;
        assert!(!objects.is_empty() && objects.len() == records.len() - 1, "{}", table.name);
        for (object, record) in objects.iter().zip(&records[1..]) {
            let keys: BTreeSet<_> = object.as_object().unwrap().keys().cloned().collect();
            assert_eq!(keys, names.iter().cloned().collect());
            assert_eq!(record.len(), names.len());
            for (name, cell) in names.iter().zip(record) {
                assert_same(&object[name], cell);
            }
        }
    }
}

/// A cell tells what the JSON tells, and is no formula.
fn assert_same(value: &Value, cell: &Cell) {
    let same = match value {
        Value::Null => !cell.is_quoted && cell.text.is_empty(),
        Value::String(text) => {
            assert!(!cell.text.starts_with(FORMULA), "{cell:?}");
            (!text.is_empty() || cell.is_quoted) && cell.text.strip_prefix('\'').unwrap_or(&cell.text) == text
        }
        Value::Number(_) | Value::Bool(_) => {
            let written = value.to_string();
            !cell.is_quoted && cell.text == written
        }
        Value::Array(_) | Value::Object(_) => json(&cell.text) == *value,
    };
    assert!(same, "{value} is {cell:?}");
}

#[tokio::test]
async fn hostile_texts_come_through_as_they_are() {
    let mut rows = sample::rows(now());
    rows.extend(hostile::rows(now()));
    let site = Site::of(&rows);
    let texts = |lines: Vec<Value>, column: &str| {
        lines.iter().filter_map(|line| line[column].as_str().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let miners = texts(lines(&site, "miners.jsonl").await, "coinbase_text");
    let reasons = texts(lines(&site, "txs.jsonl").await, "reason");
    let versions = texts(lines(&site, "nodes.jsonl").await, "node_version");
    let gaps = texts(lines(&site, "gaps.jsonl").await, "reason");
    let summaries = texts(lines(&site, "alerts.jsonl").await, "summary");
    for text in hostile::TEXTS.map(str::to_owned) {
        assert!(miners.contains(&text), "{text:?}");
        assert!(reasons.contains(&text), "{text:?}");
        assert!(gaps.contains(&text), "{text:?}");
        assert!(summaries.contains(&text), "{text:?}");
    }
    assert!(versions.contains(hostile::TEXTS[0]));
    let bodies = lines(&site, "findings.jsonl").await;
    let codes: BTreeSet<_> = bodies.iter().filter_map(|line| line["body"]["code"].as_str()).collect();
    assert!(hostile::TEXTS.iter().all(|text| codes.contains(text)));
}

#[tokio::test]
async fn a_bound_that_is_not_known_is_null_and_never_zero() {
    let site = Site::new();
    for (file, node_column) in [
        ("txs.jsonl", "node"),
        ("block-sightings.jsonl", "node"),
        ("gaps.jsonl", "node"),
        ("nodes.jsonl", "node"),
    ] {
        let lines = lines(&site, file).await;
        let of = |node: &str| lines.iter().filter(|line| line[node_column] == node).collect::<Vec<_>>();
        for line in of("alice") {
            assert_eq!(
                (&line["clock_bound_us"], &line["node_version"]),
                (&json("100"), &json("\"/Satoshi:30.0.0/\""))
            );
        }
        let carol = of("carol");
        assert!(!carol.is_empty(), "{file}");
        for line in carol {
            assert_eq!(line["clock_bound_us"], Value::Null, "{file}");
            assert!(line["node_version"].as_str().unwrap().contains("v28.1.0"));
            assert!(line.get("offset_min_us").is_none_or(Value::is_null));
            assert!(line.get("offset_max_us").is_none_or(Value::is_null));
        }
    }
    let spread = lines(&site, "tx-spread.jsonl").await;
    let carol = spread.iter().find(|line| line["node"] == "carol").unwrap();
    assert_eq!((&carol["clock_bound_p50_us"], &carol["delay_count"]), (&Value::Null, &json("0")));
}

#[tokio::test]
async fn what_is_asked_by_time_comes_once_wherever_time_is_cut() {
    let site = Site::new();
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    for table in TABLES.iter().filter(|table| table.by.is_some() && table.name != "tx-spread") {
        let file = format!("/api/v1/export/{}.jsonl", table.name);
        let all = sorted(site.get(&file).await.body.lines().map(str::to_owned).collect());
        let mut parts = BTreeSet::new();
        // In seconds before now.
        for cut in [20, 60, 180, 300, 2_880, 7_260] {
            let at = now().plus_micros(-cut * 1_000_000);
            let before = site.get(&format!("{file}?until={at}")).await.body;
            let after = site.get(&format!("{file}?since={at}")).await.body;
            parts.insert(before.lines().count());
            assert_eq!(sorted(before.lines().chain(after.lines()).map(str::to_owned).collect()), all);
        }
        assert!(parts.len() > 1, "{}: no cut went through it", table.name);
        let ago = site.get(&format!("{file}?since=3m&until=1m")).await.body;
        let (from, until) = (now().plus_micros(-180_000_000), now().plus_micros(-60_000_000));
        assert_eq!(site.get(&format!("{file}?since={from}&until={until}")).await.body, ago);
    }
    // The hour that is not over yet counts from its beginning.
    assert_eq!(lines(&site, "tx-spread.jsonl?since=1m").await.len(), 3);
    assert_eq!(lines(&site, "tx-spread.jsonl?until=120m").await.len(), 0);
}

fn main_network() -> Network {
    Network::from_chain("main").unwrap()
}

/// So many headers, each with its height as its number.
fn headers(count: u32) -> Vec<Row> {
    let header = |height: u32| {
        let (network, block) = (main_network(), block(height));
        Row::Header(HeaderRow { network, block, height, raw: vec![7; 80] })
    };
    (0..count).map(header).collect()
}

/// The parts in which a file is sent.
async fn parts(site: &Site, file: &str) -> Vec<String> {
    let request = Request::get(format!("/api/v1/export/{file}")).body(Body::empty()).unwrap();
    let mut body = site.router.clone().oneshot(request).await.unwrap().into_body();
    let mut parts = Vec::new();
    while let Some(frame) = body.frame().await {
        parts.push(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap());
    }
    parts
}

#[tokio::test]
async fn every_row_comes_once_at_the_border_of_a_part() {
    for (count, sizes) in
        [(4_999, vec![4_999]), (5_000, vec![5_000]), (5_001, vec![5_000, 1]), (10_000, vec![5_000, 5_000])]
    {
        let parts = parts(&Site::of(&headers(count)), "headers.jsonl").await;
        let found: Vec<_> = parts.iter().map(|part| part.lines().count()).collect();
        assert_eq!(found, sizes);
        let heights: Vec<_> =
            parts.concat().lines().map(|line| json(line)["height"].as_u64().unwrap()).collect();
        assert_eq!(heights, (0..u64::from(count)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_part_is_bounded_in_bytes_too() {
    let rows = hostile::long_findings(now(), 200, 100_000);
    let parts = parts(&Site::of(&rows), "findings.csv").await;
    assert!(parts.len() > 3 && parts.iter().all(|part| part.len() < 4_300_000));
    assert_eq!(csv::read(&parts.concat()).len(), 201);
}

#[tokio::test]
async fn what_fails_later_ends_the_connection_before_the_end() {
    let site = Site::of(&headers(60_000));
    let request = Request::get("/api/v1/export/headers.csv").body(Body::empty()).unwrap();
    let reply = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(reply.status(), 200);
    let mut body = reply.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    let database = site.directory.path().join("bmon.sqlite");
    std::fs::OpenOptions::new().write(true).open(database).unwrap().set_len(65_536).unwrap();
    let mut frames = 0;
    let end = loop {
        match body.frame().await {
            Some(Ok(_)) => frames += 1,
            other => break other,
        }
    };
    assert!(end.is_some_and(|frame| frame.is_err()) && frames < 11, "{frames}");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn every_table_of_the_store_is_exported_or_there_is_a_reason() {
    let site = Site::new();
    let reader = Reader::open(&site.directory.path().join("bmon.sqlite")).unwrap();
    let exported = TABLES.iter().flat_map(|table| table.of).copied();
    let kept_back = NOT_EXPORTED.iter().map(|(table, _)| *table);
    let both: Vec<_> =
        exported.clone().filter(|table| kept_back.clone().any(|other| other == *table)).collect();
    assert!(both.is_empty(), "{both:?} are exported, and not");
    let decided: BTreeSet<_> = exported.chain(kept_back).map(str::to_owned).collect();
    let there: BTreeSet<_> = reader.tables().unwrap().into_iter().collect();
    assert_eq!(decided, there, "decide in `api/export/mod.rs`, or name it in a table's `of`");
    assert!(NOT_EXPORTED.iter().all(|(_, reason)| !reason.is_empty()));
}

#[tokio::test]
async fn the_list_names_every_table_with_its_columns() {
    let site = Site::new();
    let list = json(&site.get("/api/v1/export").await.body);
    let names: Vec<_> =
        list["tables"].as_array().unwrap().iter().map(|table| table["table"].as_str().unwrap()).collect();
    assert_eq!(names, TABLES.iter().map(|table| table.name).collect::<Vec<_>>());
    assert!(list["tables"][0]["by"].is_null() && list["tables"][3]["by"].is_string());
    let columns = TABLES.iter().map(|table| (table.columns)());
    for columns in columns {
        let names: BTreeSet<_> = columns.iter().map(|column| &column.name).collect();
        assert_eq!(names.len(), columns.len());
        let has = |name: &str| columns.iter().any(|column| column.name == name);
        assert!(!has("node") || has("node_version"));
        assert!(!has("node") || columns.iter().any(|column| column.name.starts_with("clock_bound")));
    }
}

#[tokio::test]
async fn only_one_network_is_in_a_file() {
    let mut rows = sample::rows(now());
    rows.extend(headers(3));
    let site = Site::of(&rows);
    assert_eq!(site.get("/api/v1/export/headers.csv").await.status, 400);
    for network in ["main", "regtest"] {
        let lines = lines(&site, &format!("headers.jsonl?network={network}")).await;
        assert!(lines.len() >= 3 && lines.iter().all(|line| line["network"] == network));
    }
    assert_eq!(export(&site, "txs.csv?network=main").await.body.lines().count(), 1);
}
