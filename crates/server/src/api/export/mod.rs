//! Whole tables as files: CSV and JSON lines.
//!
//! A table is declared once: what it tells, its columns, and how its rows are read. Both formats, the documentation and the
//! list follow from that. Rows are written as they are read, a part at a time, each part from one snapshot. A row that names a node
//! has the node's version as it is now and the bound on the error of its time; what was not heard is a table of its own.

mod alerts;
mod block_processing;
mod block_sightings;
mod block_steps;
mod cell;
mod column;
mod findings;
mod gaps;
mod headers;
mod miners;
mod nodes;
mod of_block;
mod question;
mod tx_spread;
mod txs;
mod walk;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bmon_store::Stretch;
use serde::{Deserialize, Serialize};

use self::{
    question::Question,
    walk::{File, Walk},
};
use super::{Api, Endpoint, Parameter, Refusal, format::Format, parameter::Nothing, parts};

/// Every table that is exported.
pub const TABLES: &[&Table] = &[
    &nodes::TABLE,
    &block_sightings::TABLE,
    &block_processing::TABLE,
    &block_steps::TABLE,
    &txs::TABLE,
    &tx_spread::TABLE,
    &findings::TABLE,
    &gaps::TABLE,
    &alerts::TABLE,
    &headers::TABLE,
    &miners::TABLE,
];

/// The tables of the store that no export has, and why.
pub const NOT_EXPORTED: &[(&str, &str)] = &[
    ("accepted", "how far the agents' deliveries came: of use to the server only"),
    ("journal", "how far the store is: of use to the server only"),
    ("network_tips", "how it is now only: `/api/v1/tips`"),
    ("raw_block", "whole blocks, each as it is: `/api/v1/blocks/{hash}/raw`"),
    ("silence", "of what nobody is told, and was: `/api/v1/silences`"),
    ("tally", "how many rows there are: `/metrics`"),
    ("notifier", "whom the server tells of alerts: a matter of its own"),
    ("told", "which alerts each of them took: a matter of its own"),
    ("token", "secrets"),
    ("tx_index", "where a transaction stands: it follows from what stands there"),
    ("watch", "what is watched now: `/api/v1/watch`; what became of it is among the findings"),
];

pub(super) const LIST: Endpoint = Endpoint {
    path: "/api/v1/export",
    summary: "The tables that can be had as files, with the columns of each.",
    parameters: &[],
    example: "",
    route: || get(list),
};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/export/{file}",
    summary: "A whole table of one network as a file, the oldest or lowest row first, sent as it is read. The headers \
              `bmon-network` and `bmon-version` say of which network and by which version of bmon. A file that is not whole ends \
              with the connection, before its end.",
    parameters: &[
        Parameter { name: "file", summary: "a table below and the format: `txs.csv`, `txs.jsonl`" },
        Parameter {
            name: "network",
            summary: "the network, as other replies name it; may be absent while the server knows of one only",
        },
        Parameter {
            name: "since",
            summary: "the first instant, in RFC 3339, or how long ago in minutes, hours or days, like `90m`, `24h`, `7d`; all \
                      there is when absent",
        },
        Parameter { name: "until", summary: "the same of the first instant that is not wanted any more" },
    ],
    example: "/api/v1/export/miners.csv",
    route: || get(answer),
};

/// A table as a file.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What its rows are.
    pub about: &'static str,
    /// The tables of the store that it tells of.
    pub of: &'static [&'static str],
    /// The time by which `since` and `until` choose rows, `None` where rows have none.
    pub by: Option<&'static str>,
    /// Its columns, in order.
    pub columns: fn() -> Vec<Heading>,
    /// Begins to read it.
    open: fn(Stretch, Format) -> Box<dyn Walk>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// Its name, with the unit.
    pub name: String,
    /// What it tells, and what its absence means.
    pub meaning: String,
}

/// The reply of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The tables.
    pub tables: Vec<TableEntry>,
}

/// A table in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Its name.
    pub table: String,
    /// What its rows are.
    pub about: String,
    /// The time by which `since` and `until` choose rows; null where rows have none.
    pub by: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<Heading>,
}

impl TableEntry {
    fn new(table: &Table) -> Self {
        Self {
            table: table.name.to_owned(),
            about: table.about.to_owned(),
            by: table.by.map(str::to_owned),
            columns: (table.columns)(),
        }
    }
}

async fn list(_: Nothing) -> Json<Reply> {
    Json(Reply { tables: TABLES.iter().map(|table| TableEntry::new(table)).collect() })
}

async fn answer(State(api): State<Api>, question: Question) -> Result<Response, Refusal> {
    let networks = api.read(bmon_store::Reader::networks).await?;
    let network = question.network.choose(&networks)?;
    let (table, format) = (question.table, question.format);
    let stretch = question.stretch(network, api.now())?;
    let head = match format {
        Format::Csv => cell::csv_head(&(table.columns)()),
        Format::JsonLines => String::new(),
    };
    let body = parts::body(&head, File::new(api, (table.open)(stretch, format))).await?;
    let disposition =
        format!("attachment; filename=\"bmon-{network}-{}.{}\"", table.name, format.extension());
    let plain = |text: String| HeaderValue::try_from(text).expect("names of networks and tables are plain");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (header::CONTENT_DISPOSITION, plain(disposition)),
        (HeaderName::from_static("bmon-network"), plain(network.to_string())),
        (HeaderName::from_static("bmon-version"), HeaderValue::from_static(env!("CARGO_PKG_VERSION"))),
    ];
    Ok((headers, body).into_response())
}
