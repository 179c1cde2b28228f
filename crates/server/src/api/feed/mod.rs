//! What happened to the chain, as a feed that any reader can subscribe to: Atom (RFC 4287).
//!
//! An entry is a finding. Its id is the finding's, so that a revision replaces it, and its time is that at which it
//! happened. The alerts are a feed of their own.

pub(super) mod alerts;
mod entry;
mod xml;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use bmon_analysis::finding::{Body, Finding};
use bmon_event::ServerTime;
use bmon_store::{Reader, StoreError};

use self::xml::escape;
use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/feed.atom",
    summary: "The newest 50 of these as an Atom feed (RFC 4287): stale blocks, blocks that a node found invalid, reorgs of \
              more than one block, partitions, and disagreements on validity. An entry's id is `urn:bmon:` and the \
              finding's id; it stays when the finding is revised.",
    parameters: &[],
    example: "/feed.atom",
    route: || get(answer),
};

/// Entries of the feed.
const ENTRIES: u32 = 50;
/// Most reorgs that are looked at for deep ones.
const MOST_REORGS: u32 = 1_000;

/// The kinds of findings that are told.
const KINDS: [&str; 5] = ["stale-block", "invalid-block", "reorg", "partition", "validity-disagreement"];

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Response, Refusal> {
    let findings = api.read(newest).await?;
    Ok(atom(render(&findings, api.started_at())))
}

fn atom(feed: String) -> Response {
    let feed = feed + "</feed>\n";
    ([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed).into_response()
}

/// What a feed begins with.
fn head(id: &str, title: &str, path: &str, updated: ServerTime) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:{id}</id>\n\
         <title>{title}</title>\n\
         <updated>{updated}</updated>\n\
         <author><name>bmon</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{path}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"./\"/>\n"
    )
}

/// What is told, the newest first.
fn newest(reader: &Reader) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for kind in KINDS {
        findings.extend(newest_of(reader, kind)?);
    }
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.sighted.on_server_clock()), finding.id));
    findings.truncate(ENTRIES as usize);
    Ok(findings)
}

fn newest_of(reader: &Reader, kind: &str) -> Result<Vec<Finding>, StoreError> {
    let (mut told, mut seen, mut after) = (Vec::new(), 0, None);
    while told.len() < ENTRIES as usize && seen < MOST_REORGS {
        let page = reader.findings(kind, ENTRIES, after)?;
        told.extend(page.items.into_iter().filter(is_told));
        (seen, after) = (seen + ENTRIES, page.next);
        if after.is_none() {
            break;
        }
    }
    Ok(told)
}

/// One block is left for another several times a month; that is told as a stale block.
fn is_told(finding: &Finding) -> bool {
    !matches!(&finding.body, Body::Reorg(reorg) if reorg.depth < 2)
}

/// The feed but for its end; `started_at` is its time while it has no entries.
fn render(findings: &[Finding], started_at: ServerTime) -> String {
    let updated = findings.first().map_or(started_at, |finding| finding.sighted.on_server_clock());
    let mut feed = head("bmon:feed", "bmon: what happened to the chain", "feed.atom", updated);
    for finding in findings {
        feed.push_str(&entry(finding));
    }
    feed
}

/// What to do about a finding that is told: the rule of its alert.
fn runbook(body: &Body) -> Option<&'static str> {
    match body {
        Body::InvalidBlock(_) => Some("bad-block"),
        Body::Reorg(_) => Some("reorg"),
        Body::Partition(_) => Some("partition"),
        Body::ValidityDisagreement(_) => Some("validity-disagreement"),
        // Nothing is to be done about a stale block, and no other kind is told.
        _ => None,
    }
}

fn entry(finding: &Finding) -> String {
    let told = entry::words(finding);
    let link = told.block.map(|block| format!("<link rel=\"alternate\" href=\"api/v1/blocks/{block}\"/>\n"));
    let runbook = runbook(&finding.body)
        .map(|rule| format!("<link rel=\"related\" title=\"what to do\" href=\"runbooks/{rule}\"/>\n"));
    format!(
        "<entry>\n<id>urn:bmon:{}</id>\n<title>{}</title>\n<updated>{}</updated>\n<category term=\"{}\"/>\n\
         {}{}<content type=\"text\">{}</content>\n</entry>\n",
        finding.id,
        escape(&told.title),
        finding.sighted.on_server_clock(),
        finding.body.kind(),
        link.unwrap_or_default(),
        runbook.unwrap_or_default(),
        escape(&told.text),
    )
}
