//! Files that are rendered from the code and committed.

use std::{fmt::Write, fs, path::Path};

use axum::{
    body::Body,
    http::{Request, header},
};
use bmon_server::api::{
    ENDPOINTS, Endpoint,
    export::{NOT_EXPORTED, TABLES},
};

use crate::Site;

/// Where the database file's size stands, which depends on the version of `SQLite`.
const SIZE: &[&str] = &["\"store_bytes\": ", "bmon_store_size_bytes "];

#[tokio::test]
async fn the_reference_page_is_what_the_endpoints_say_and_answer() {
    let site = Site::new();
    let mut page = INTRODUCTION.to_owned();
    for endpoint in ENDPOINTS {
        describe(&mut page, endpoint);
        if endpoint.example.is_empty() {
            continue;
        }
        let is_export = endpoint.example.starts_with("/api/v1/export/");
        let reply = site.get_with_agent(endpoint.example).await;
        assert_eq!(reply.status, 200, "{}", endpoint.example);
        let (kind, body) = match reply.headers[header::CONTENT_TYPE].to_str().unwrap() {
            "application/json" => ("json", pretty(&reply.body)),
            // Two entries show what all are like.
            atom if atom.contains("xml") => ("xml", format!("{}…\n</feed>", first_entries(&reply.body, 2))),
            _ => ("text", reply.body.trim_end().to_owned()),
        };
        write!(page, "\n`GET {}`\n\n```{kind}\n{body}\n```\n", endpoint.example).unwrap();
        if is_export {
            describe_tables(&mut page, &site).await;
        }
    }
    compare("../../docs/http-api.md", &page);
}

#[tokio::test]
async fn the_metrics_page_is_what_it_was() {
    let site = Site::new();
    let reply = site.get("/metrics").await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    compare("tests/api/metrics.txt", &reply.body);
    // A metric that nothing is known of is left out, so this could shrink unseen.
    let missing: Vec<_> =
        WHATS_THERE.iter().filter(|name| !reply.body.contains(&format!("\n{name}"))).collect();
    assert_eq!(missing, [] as [&&str; 0]);
}

/// What the page tells of: findings, delays, alerts, ingest, journal, store and analyses; nodes, hosts and agents.
const WHATS_THERE: &[&str] = &[
    "bmon_analysis_findings_total{",
    "bmon_propagation_block_delay_seconds_bucket{",
    "bmon_propagation_tx_delay_seconds_bucket{",
    "bmon_alerts{",
    "bmon_ingest_events_total ",
    "bmon_ingest_batch_delay_seconds_bucket{",
    "bmon_journal_size_bytes ",
    "bmon_journal_stored_record ",
    "bmon_store_size_bytes ",
    "bmon_analysis_batch_seconds_total ",
    "bmon_analysis_tick_seconds_total ",
    "bmon_store_commit_seconds_total ",
    "bmon_chain_height{",
    "bmon_node_blocks{",
    "bmon_clock_bound_seconds{",
    "bmon_host_cpu_busy_ratio{",
    "bmon_agent_spool_bytes{",
    "bmon_source_working{",
];

#[tokio::test]
async fn prometheus_gets_open_metrics() {
    let site = Site::new();
    let request =
        Request::get("/metrics").header(header::ACCEPT, "application/openmetrics-text;version=1.0.0;q=0.6");
    let reply = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        reply.headers[header::CONTENT_TYPE],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(reply.body.contains("# TYPE bmon_agent_rpc_calls counter\n"));
    assert!(reply.body.ends_with("# EOF\n"));
}

const INTRODUCTION: &str = "\
# HTTP API

Rendered from the endpoints by the tests of `bmon-server`; to write it anew: `BMON_BLESS=1 cargo test -p bmon-server`.

Everything is read with GET and needs no token. Replies are JSON where nothing else is said.

- Hashes are hexadecimal as Bitcoin Core prints them.
- An instant stands twice: readable (RFC 3339, UTC, microseconds) and, under the same name with `_us`, in microseconds
  since the Unix epoch. It is on the server's clock, corrected by the middle of the interval in which the difference of
  the clocks lies, with `clock_bound_us` as the largest error; where that is null the node's own clock had to do.
- A delay carries its largest error, `bound_us`, which is the sum of both nodes'. `distinguishable` says whether the
  delay is more than that: whether the node was later for certain. Both are null when a bound is unknown.
- Every other number says its unit in its name. Null means unknown.
- Lists are newest first. `next` is the `before` of the next request, null at the end.
- `network` is what `getblockchaininfo` calls it, else the genesis hash. Nodes of different networks are never compared.
- What cannot be answered gets `{\"error\": \"…\", \"hint\": \"…\"}` with status 400 (the request is wrong), 404 (unknown),
  405 (not a GET), 500 (the server failed) or 503 (not now).

More fields may be added to any reply.
";

const EXPORT: &str = "
- Columns and rows are the same in both formats. In `.jsonl` each row is an object with every column, in order, null where
  nothing is known.
- `.csv` is RFC 4180, the columns' names first. An empty cell is null, a text of no characters is `\"\"`; lists and objects
  are JSON in a cell. A text that a spreadsheet could take for a formula, one that begins with `=`, `+`, `-`, `@`, a tab, a line
  break, or one of the wide forms of these signs, has a `'` put before it, and so has one that begins with `'`: who takes away one
  `'` from the front of a text has the text as it was. Numbers never have it.
- Each part of a file is of one moment, a file of many parts is not: what comes in meanwhile may be in it or not.
- A row that names a node has the node's version as it is now, and the largest error of its time, which is null (in CSV empty)
  and never 0 when it is not known. What was not heard is in `gaps`: a row that is absent elsewhere may only be missing.

Tables of the store that are in no file:

";

fn describe(page: &mut String, endpoint: &Endpoint) {
    write!(page, "\n## `{}`\n\n{}\n", endpoint.path, endpoint.summary).unwrap();
    if endpoint.parameters.is_empty() {
        return;
    }
    page.push_str("\n| parameter | meaning |\n| --- | --- |\n");
    for parameter in endpoint.parameters {
        writeln!(page, "| `{}` | {} |", parameter.name, parameter.summary).unwrap();
    }
}

/// What the files of an export have, each with its first line.
async fn describe_tables(page: &mut String, site: &Site) {
    page.push_str(EXPORT);
    for (table, reason) in NOT_EXPORTED {
        writeln!(page, "- `{table}`: {reason}").unwrap();
    }
    for table in TABLES {
        write!(page, "\n### `{}`\n\n{}", table.name, table.about).unwrap();
        match table.by {
            Some(by) => writeln!(page, " `since` and `until` go by {by}.").unwrap(),
            None => page.push_str(" Rows have no time to choose by.\n"),
        }
        page.push_str("\n| column | meaning |\n| --- | --- |\n");
        for column in (table.columns)() {
            writeln!(page, "| `{}` | {} |", column.name, column.meaning).unwrap();
        }
        let reply = site.get(&format!("/api/v1/export/{}.jsonl", table.name)).await;
        write!(page, "\n```json\n{}\n```\n", reply.body.lines().next().unwrap()).unwrap();
    }
}

fn first_entries(feed: &str, count: usize) -> String {
    feed.split_inclusive("</entry>\n").take(count).collect()
}

/// JSON with a line for each field, in the order in which they were sent, and lists of numbers or texts on one line.
fn pretty(json: &str) -> String {
    let (mut text, mut depth, mut quoted, mut escaped, mut flat) = (String::new(), 0, false, false, 0);
    let line = |text: &mut String, depth: usize| text.push_str(&format!("\n{}", "  ".repeat(depth)));
    for (at, byte) in json.char_indices() {
        let rest = &json[at + 1..];
        if quoted {
            (quoted, escaped) = (escaped || byte != '"', !escaped && byte == '\\');
            text.push(byte);
            continue;
        }
        match byte {
            '[' if flat > 0 || !rest[..rest.find(']').unwrap()].contains('{') => {
                flat += 1;
                text.push(byte);
            }
            ']' if flat > 0 => {
                flat -= 1;
                text.push(byte);
            }
            '{' | '[' => {
                depth += 1;
                text.push(byte);
                line(&mut text, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut text, depth);
                text.push(byte);
            }
            ',' if flat > 0 => text.push_str(", "),
            ',' => {
                text.push(byte);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                quoted = byte == '"';
                text.push(byte);
            }
        }
    }
    text
}

/// Fails if the file at `path`, seen from the crate, is not `content`; writes it instead when told to.
fn compare(path: &str, content: &str) {
    let content: Vec<_> = content.lines().map(without_size).collect();
    let content = content.join("\n") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BMON_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &content).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differing = content.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(content == committed, "{} is not what the code says, first at {differing:?}", path.display());
}

fn without_size(line: &str) -> String {
    match SIZE.iter().find_map(|name| line.find(name).map(|at| at + name.len())) {
        Some(end) if !line.starts_with('#') => {
            let comma = if line.ends_with(',') { "," } else { "" };
            format!("{}126976{comma}", &line[..end])
        }
        _ => line.to_owned(),
    }
}
