//! The blocks that nodes refused and none accepted.

use std::collections::BTreeMap;

use axum::{extract::State, routing::get};
use bmon_analysis::tree::Status;

use super::{Dubious, File, Line, LineNode, answer};
use crate::api::{
    Api, Endpoint,
    format::Format,
    parameter::{OF_NETWORK, OfNetwork},
};

pub(in crate::api) const CSV: Endpoint = Endpoint {
    path: "/api/v1/invalid-blocks.csv",
    summary: "Every block of one network that nodes found invalid and none valid, as CSV: height, hash and header, the \
              highest first. Blocks whose header is not known are left out; the reply's header field \
              `bmon-blocks-without-header` says how many those are.",
    parameters: OF_NETWORK,
    example: "/api/v1/invalid-blocks.csv",
    route: || {
        get(async |State(api): State<Api>, asked: OfNetwork| answer(api, asked, file(Format::Csv)).await)
    },
};

pub(in crate::api) const JSONL: Endpoint = Endpoint {
    path: "/api/v1/invalid-blocks.jsonl",
    summary: "The same as one JSON object a line, with the network and the nodes that found the block invalid, each with \
              its reason where it told one.",
    parameters: OF_NETWORK,
    example: "/api/v1/invalid-blocks.jsonl",
    route: || {
        get(async |State(api): State<Api>, asked: OfNetwork| {
            answer(api, asked, file(Format::JsonLines)).await
        })
    },
};

const fn file(format: Format) -> File {
    let name = match format {
        Format::Csv => "invalid-blocks.csv",
        Format::JsonLines => "invalid-blocks.jsonl",
    };
    File { name, format, line }
}

fn line(block: &Dubious) -> Option<Line> {
    if !block.is_invalid() {
        return None;
    }
    // `getchaintips` tells that a block is invalid, and not why.
    let stale = block.stale.iter().flat_map(|stale| &stale.nodes);
    let by_tips = stale.filter(|of| of.status == Status::Invalid).map(|of| (of.node.clone(), None));
    let nodes: BTreeMap<_, _> = by_tips.chain(block.refusals.iter().cloned()).collect();
    let node = |(node, reason)| LineNode { node, status: Status::Invalid, reason };
    Some(block.line(nodes.into_iter().map(node).collect()))
}
