//! The feed, read with a parser.

use bmon_analysis::{
    finding::{Body, Finding, FindingId, InvalidBlock, Reorg, ValidityDisagreement, Verdict},
    row::{Row, Sighted},
};
use bmon_event::{AgentTime, Source};
use roxmltree::{Document, Node};

use crate::{
    Site,
    download::{alice, block, main},
};

const ATOM: &str = "http://www.w3.org/2005/Atom";

fn finding(number: u32, seconds: i64, body: Body) -> Row {
    Row::Finding(Box::new(Finding {
        id: FindingId::new(&main(), body.kind(), &[block(number).as_bytes()]),
        revision: 1,
        network: main(),
        node: Some(alice()),
        sighted: Sighted { at: AgentTime::from_micros(seconds * 1_000_000), offset: None },
        sources: vec![Source::Log],
        body,
    }))
}

fn invalid(number: u32, seconds: i64, reason: &str) -> Row {
    let reason = Some(reason.to_owned());
    finding(
        number,
        seconds,
        Body::InvalidBlock(InvalidBlock { block: block(number), height: Some(number), reason }),
    )
}

fn reorg(number: u32, depth: u32) -> Row {
    let (old, new) = (vec![block(number); depth as usize], vec![block(0)]);
    finding(
        number,
        number.into(),
        Body::Reorg(Reorg { fork_height: Some(7), depth, old, new, duration_us: None }),
    )
}

fn text<'a>(parent: Node<'a, '_>, name: &'static str) -> &'a str {
    parent.children().find(|child| child.has_tag_name((ATOM, name))).unwrap().text().unwrap()
}

fn entries<'a>(document: &'a Document<'_>) -> Vec<Node<'a, 'a>> {
    document.root_element().children().filter(|child| child.has_tag_name((ATOM, "entry"))).collect()
}

#[tokio::test]
async fn the_feed_has_all_that_an_atom_reader_needs() {
    let reply = Site::new().get("/feed.atom").await;
    assert_eq!(reply.headers["content-type"], "application/atom+xml; charset=utf-8");
    let document = Document::parse(&reply.body).unwrap();
    let feed = document.root_element();
    assert!(feed.has_tag_name((ATOM, "feed")));
    assert_eq!(text(feed, "id"), "urn:bmon:feed");
    let times: Vec<_> = entries(&document).into_iter().map(|entry| text(entry, "updated")).collect();
    assert!(times.len() > 10 && times.is_sorted_by(|newer, older| newer >= older));
    assert_eq!(text(feed, "updated"), times[0]);
    let titles: Vec<_> = entries(&document).into_iter().map(|entry| text(entry, "title")).collect();
    for title in [
        "regtest: block 209 is stale",
        "regtest: block 206 is invalid and left behind",
        "regtest: carol found block 209 invalid",
        "regtest: reorg of 2 blocks at bob after block 207",
        "regtest: nodes follow different chains after block 208",
        "regtest: nodes followed different chains after block 120",
        "regtest: nodes disagree on block 209",
        "regtest: nodes disagreed on block 148",
    ] {
        assert!(titles.contains(&title), "{title} in {titles:?}");
    }
    assert!(!titles.iter().any(|title| title.contains("reorg of 1")));
    let mut ids: Vec<_> = entries(&document).into_iter().map(|entry| text(entry, "id")).collect();
    assert!(ids.iter().all(|id| id.starts_with("urn:bmon:") && id.len() == 41));
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let hostile = "]]></content></entry><entry>&amp;&#0;<!--\"' \u{0}\u{1b}[31m\u{ffff}\u{202e}<script>alert(1)</script>";
    let verdict = Verdict { node: alice(), reason: Some(hostile.to_owned()) };
    let disagreement = ValidityDisagreement {
        block: block(2),
        height: 2,
        invalid_at: vec![verdict],
        valid_at: vec![alice()],
        is_open: true,
    };
    let rows = [invalid(1, 1, hostile), finding(2, 2, Body::ValidityDisagreement(disagreement))];
    let reply = Site::of(&rows).get("/feed.atom").await;
    let document = Document::parse(&reply.body).unwrap();
    let entries = entries(&document);
    assert_eq!(entries.len(), 2);
    let shown = hostile.replace(['\u{0}', '\u{1b}', '\u{ffff}'], "\u{fffd}");
    for entry in entries {
        assert!(text(entry, "content").contains(&shown), "{}", text(entry, "content"));
        assert!(entry.descendants().all(|node| node.tag_name().name() != "script"));
    }
}

#[tokio::test]
async fn only_the_newest_are_told_and_deep_reorgs_are_found_among_shallow_ones() {
    let mut rows: Vec<_> = (100..400).map(|number| reorg(number, 1)).collect();
    rows.push(reorg(50, 3));
    rows.extend((1_000..1_049).map(|number| invalid(number, number.into(), "bad-cb-amount")));
    let reply = Site::of(&rows).get("/feed.atom").await;
    let document = Document::parse(&reply.body).unwrap();
    let titles: Vec<_> = entries(&document).into_iter().map(|entry| text(entry, "title")).collect();
    assert_eq!(titles.len(), 50);
    assert_eq!(titles[0], "main: alice found block 1048 invalid");
    assert_eq!(titles[49], "main: reorg of 3 blocks at alice after block 7");
    rows.push(invalid(2_000, 2_000, "bad-cb-amount"));
    let reply = Site::of(&rows).get("/feed.atom").await;
    assert_eq!(entries(&Document::parse(&reply.body).unwrap()).len(), 50);
    assert!(!reply.body.contains("reorg"));
}

#[tokio::test]
async fn an_empty_feed_is_a_feed() {
    let reply = Site::of(&[]).get("/feed.atom").await;
    let document = Document::parse(&reply.body).unwrap();
    assert_eq!(text(document.root_element(), "updated"), "2026-05-28T20:26:40.000000Z");
    assert_eq!(entries(&document).len(), 0);
}

#[tokio::test]
async fn alerts_that_fired_are_a_feed_whose_entries_link_to_what_to_do() {
    let reply = Site::new().get("/alerts.atom").await;
    assert_eq!(reply.headers["content-type"], "application/atom+xml; charset=utf-8");
    let document = Document::parse(&reply.body).unwrap();
    let titles: Vec<_> = entries(&document).into_iter().map(|entry| text(entry, "title")).collect();
    assert_eq!(
        titles,
        [
            "regtest: info: race",
            "regtest: critical: validity-disagreement",
            // It is silenced now, and fired before that.
            "regtest: warning: reorg",
            "regtest: info: race, over"
        ],
        "neither what is pending nor what never fired"
    );
    let related = |entry: Node<'_, '_>| {
        let link = entry.children().find(|child| child.attribute("rel") == Some("related")).unwrap();
        link.attribute("href").unwrap().to_owned()
    };
    let links: Vec<_> = entries(&document).into_iter().map(related).collect();
    assert_eq!(links[2], "http://127.0.0.1:8890/runbooks/reorg");
    let empty = Site::of(&[]).get("/alerts.atom").await.body;
    assert_eq!(entries(&Document::parse(&empty).unwrap()).len(), 0);
}
