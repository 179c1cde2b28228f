//! Lists of blocks as files: the format of the public data set `bitcoin-data/stale-blocks`, and one with more.

pub(super) mod invalid_blocks;
pub(super) mod stale_blocks;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bmon_analysis::{
    finding::{self, InvalidBlock, StaleBlock, ValidityDisagreement},
    network::is_of_the_moment,
    tree::Status,
};
use bmon_event::{BlockHash, Network, NodeName};
use bmon_store::{DubiousBlock, Place};
use serde::Serialize;

use super::{
    Api, Refusal,
    format::Format,
    parameter::OfNetwork,
    parts::{self, Parts},
};

/// Blocks that are read at once.
const AT_ONCE: u32 = 200;

/// How many blocks are missing in the file because their header is not known.
const WITHOUT_HEADER: HeaderName = HeaderName::from_static("bmon-blocks-without-header");

/// A file of blocks.
#[derive(Clone, Copy, Debug)]
struct File {
    name: &'static str,
    format: Format,
    /// The line of a block, `None` if it is not in this file.
    line: fn(&Dubious) -> Option<Line>,
}

/// A block whose place is not on the chain that nodes follow, or whose validity was doubted.
#[derive(Debug)]
struct Dubious {
    network: Network,
    place: Place,
    raw: Vec<u8>,
    stale: Option<StaleBlock>,
    disagreement: Option<ValidityDisagreement>,
    /// Each node that refused it for good, and why.
    refusals: Vec<(NodeName, Option<String>)>,
    is_connected: bool,
}

/// One block of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    height: u32,
    hash: BlockHash,
    header: String,
    network: String,
    nodes: Vec<LineNode>,
}

/// What a block is to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct LineNode {
    node: NodeName,
    status: Status,
    /// Why it is invalid, absent where the node did not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Dubious {
    fn new(network: Network, row: DubiousBlock) -> Self {
        let DubiousBlock { place, raw, findings, is_connected } = row;
        let (stale, disagreement, refusals) = (None, None, Vec::new());
        let mut dubious = Self { network, place, raw, stale, disagreement, refusals, is_connected };
        for finding in findings {
            match (finding.node, finding.body) {
                (_, finding::Body::StaleBlock(found)) => dubious.stale = Some(found),
                (_, finding::Body::ValidityDisagreement(found)) => dubious.disagreement = Some(found),
                (Some(node), finding::Body::InvalidBlock(InvalidBlock { reason, .. }))
                    if !reason.as_deref().is_some_and(is_of_the_moment) =>
                {
                    dubious.refusals.push((node, reason));
                }
                _ => {}
            }
        }
        dubious
    }

    /// Whether nodes refused it, and none accepted it.
    fn is_invalid(&self) -> bool {
        let is_accepted = self.disagreement.as_ref().is_some_and(|found| !found.valid_at.is_empty());
        match &self.stale {
            Some(stale) => stale.is_invalid(),
            None => !self.refusals.is_empty() && !self.is_connected && !is_accepted,
        }
    }

    fn line(&self, nodes: Vec<LineNode>) -> Line {
        Line {
            height: self.place.height,
            hash: self.place.block,
            header: self.raw.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
            network: self.network.to_string(),
            nodes,
        }
    }
}

impl Format {
    const fn head(self) -> &'static str {
        match self {
            Self::Csv => "height,hash,header\n",
            Self::JsonLines => "",
        }
    }

    fn write(self, line: &Line) -> String {
        match self {
            Self::Csv => format!("{},{},{}\n", line.height, line.hash, line.header),
            Self::JsonLines => serde_json::to_string(line).expect("a line has text keys only") + "\n",
        }
    }
}

/// Where in a file the reader is.
struct Reading {
    api: Api,
    network: Network,
    file: File,
    /// The last block that was read.
    after: Option<Place>,
    is_over: bool,
}

impl Parts for Reading {
    async fn next(&mut self) -> Option<Result<String, Refusal>> {
        if self.is_over {
            return None;
        }
        let (network, after) = (self.network, self.after);
        let read = self.api.read(move |reader| reader.dubious_blocks(&network, AT_ONCE, after));
        let blocks = match read.await {
            Ok(blocks) => blocks,
            Err(refusal) => {
                self.is_over = true;
                return Some(Err(refusal));
            }
        };
        self.is_over = blocks.len() < AT_ONCE as usize;
        self.after = blocks.last().map(|block| block.place);
        let lines = blocks.into_iter().filter_map(|row| (self.file.line)(&Dubious::new(network, row)));
        Some(Ok(lines.map(|line| self.file.format.write(&line)).collect()))
    }
}

async fn answer(api: Api, asked: OfNetwork, file: File) -> Result<Response, Refusal> {
    let networks = api.read(bmon_store::Reader::networks).await?;
    let network = asked.choose(&networks)?;
    let lacking = api.read(move |reader| reader.invalid_blocks_without_header(&network)).await?;
    let reading = Reading { api, network, file, after: None, is_over: false };
    let body = parts::body(file.format.head(), reading).await?;
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let disposition = HeaderValue::try_from(disposition).expect("a file's name is plain");
    let content_type = HeaderValue::from_static(file.format.content_type());
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_DISPOSITION, disposition),
        (WITHOUT_HEADER, HeaderValue::from(lacking)),
    ];
    Ok((headers, body).into_response())
}
