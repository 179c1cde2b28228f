//! The blocks that were left behind.

use axum::{extract::State, routing::get};
use bmon_analysis::finding::NodeStatus;

use super::{Dubious, File, Line, LineNode, answer};
use crate::api::{
    Api, Endpoint,
    format::Format,
    parameter::{OF_NETWORK, OfNetwork},
};

pub(in crate::api) const CSV: Endpoint = Endpoint {
    path: "/api/v1/stale-blocks.csv",
    summary: "Every stale block of one network that is stale now, as CSV in the form of the public data set \
              `bitcoin-data/stale-blocks`: height, hash and header, the highest first. A block that nodes found invalid \
              and none valid is in the list of invalid blocks instead.",
    parameters: OF_NETWORK,
    example: "/api/v1/stale-blocks.csv",
    route: || {
        get(async |State(api): State<Api>, asked: OfNetwork| answer(api, asked, file(Format::Csv)).await)
    },
};

pub(in crate::api) const JSONL: Endpoint = Endpoint {
    path: "/api/v1/stale-blocks.jsonl",
    summary: "The same as one JSON object a line, with the network and what the block is to each node.",
    parameters: OF_NETWORK,
    example: "/api/v1/stale-blocks.jsonl",
    route: || {
        get(async |State(api): State<Api>, asked: OfNetwork| {
            answer(api, asked, file(Format::JsonLines)).await
        })
    },
};

const fn file(format: Format) -> File {
    let name = match format {
        Format::Csv => "stale-blocks.csv",
        Format::JsonLines => "stale-blocks.jsonl",
    };
    File { name, format, line }
}

fn line(block: &Dubious) -> Option<Line> {
    let stale = block.stale.as_ref().filter(|stale| stale.is_stale && !stale.is_invalid())?;
    let node = |of: &NodeStatus| LineNode { node: of.node.clone(), status: of.status, reason: None };
    Some(block.line(stale.nodes.iter().map(node).collect()))
}
