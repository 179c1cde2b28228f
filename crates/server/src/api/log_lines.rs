//! The lines of the nodes' logs about one block or transaction, asked of the agents.
//!
//! Where the lines are is told by the sightings in the store: a node is asked for the time from a little before it first
//! told of the block or transaction until some time after it last did so. One that has not told is asked for the time in
//! which the others did, for its log may say why.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::row::{NodeRow, Offset, Sighted, TxNode};
use bmon_event::{AgentTime, Kind, Network, NodeName, Subject, Wanted};
use bmon_store::{Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Parameter, Refusal, arrival::on_server_clock, parameter::About};
use crate::{
    clock,
    want::{Ticket, TooMany},
};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/log-lines/{kind}/{hash}",
    summary: "The lines of every node's `debug.log` about one block or transaction, from two minutes before it was first \
              seen until ten minutes after it was last. They are asked of the agents now: the reply takes as long as \
              the slowest, five seconds at most, and names the nodes that are silent. While too much is asked for at \
              once, the answer is 503. Addresses of peers are cut out of the lines.",
    parameters: &[
        Parameter { name: "kind", summary: "`block` or `tx`" },
        Parameter {
            name: "hash",
            summary: "the block's hash, or the transaction's id (not the wtxid), 64 hexadecimal digits",
        },
    ],
    example: "/api/v1/log-lines/tx/7101010101010101010101010101010101010101010101010101010101010101",
    route: || get(answer),
};

/// How long before the first sighting a line may be about it: a header, or the announcement of a transaction, comes
/// before the block and the transaction.
const BEFORE_US: i64 = 120_000_000;
/// How long after the last sighting.
const AFTER_US: i64 = 600_000_000;

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// Every node of the network, by name.
    pub nodes: Vec<NodeLines>,
}

/// What the log of one node says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeLines {
    /// The node.
    pub node: NodeName,
    /// The lines as they stand in the log, in its order, without peers' addresses.
    pub lines: Vec<String>,
    /// Whether these are all.
    pub complete: bool,
    /// What may be missing and why; null when nothing is.
    pub problem: Option<String>,
}

impl NodeLines {
    fn new(node: NodeName, lines: Vec<String>, problem: Option<String>) -> Self {
        Self { node, lines, complete: problem.is_none(), problem }
    }
}

async fn answer(State(api): State<Api>, About(subject): About) -> Result<Json<Reply>, Refusal> {
    let known = api.read(move |reader| Known::read(reader, subject)).await?;
    let Some(known) = known.filter(|known| !known.sightings.is_empty()) else {
        let hint = "check hash and network: a txid is wanted, not a wtxid, and transactions are kept for a time only";
        return Err(Refusal::not_found(format!("no node told of {subject}"), hint));
    };
    // All are asked before the first is waited for.
    let mut asked = Vec::new();
    for node in &known.nodes {
        asked.push((node.node.clone(), known.ask(&api, node, subject)?));
    }
    let mut nodes = Vec::with_capacity(asked.len());
    for (node, ticket) in asked {
        nodes.push(listen(node, ticket).await);
    }
    Ok(Json(Reply { network: known.network.to_string(), nodes }))
}

/// What a node says, `None` for one that could not be asked.
async fn listen(node: NodeName, ticket: Option<Ticket>) -> NodeLines {
    let Some(ticket) = ticket else {
        return NodeLines::new(node, Vec::new(), Some("the node's agent is away".to_owned()));
    };
    let (lines, problem) = match ticket.wait().await.as_deref() {
        Some(Kind::LogLines(found)) => (found.lines.clone(), found.problem.clone()),
        Some(Kind::WantRefused { reason, .. }) => (Vec::new(), Some(reason.clone())),
        // Nothing else answers such a want.
        Some(_) | None => (Vec::new(), Some("the node's agent did not answer in time".to_owned())),
    };
    NodeLines::new(node, lines, problem)
}

/// Each time at which the node told something of a transaction.
fn told(told: &TxNode) -> impl Iterator<Item = (NodeName, Sighted)> {
    let left = told.left.as_ref().map(|left| left.seen);
    let seen = [told.accepted, told.refused, left].into_iter().flatten();
    seen.map(|seen| (told.node.clone(), seen.sighted))
}

/// What the store knows of a block or transaction.
struct Known {
    network: Network,
    /// The nodes of the network.
    nodes: Vec<NodeRow>,
    sightings: Vec<(NodeName, Sighted)>,
}

impl Known {
    fn read(reader: &Reader, subject: Subject) -> Result<Option<Self>, StoreError> {
        let (mut network, mut sightings, findings) = (
            None,
            Vec::new(),
            match subject {
                Subject::Block(block) => reader.findings_about_block(&block)?,
                Subject::Tx(txid) => reader.findings_about_tx(&txid)?,
            },
        );
        match subject {
            Subject::Block(block) => {
                if let Some(times) = reader.block(&block)? {
                    network = Some(times.row.network);
                    sightings.extend(times.sightings.into_iter().map(|seen| (seen.node, seen.sighted)));
                }
            }
            Subject::Tx(txid) => {
                if let Some(times) = reader.tx(&txid)? {
                    network = Some(times.network);
                    sightings.extend(times.nodes.iter().flat_map(told));
                }
            }
        }
        let Some(network) = network.or(findings.first().map(|finding| finding.network)) else {
            return Ok(None);
        };
        let of_network = findings.into_iter().filter(|finding| finding.network == network);
        sightings.extend(of_network.filter_map(|finding| Some((finding.node?, finding.sighted))));
        let nodes = reader.nodes()?.into_iter().filter(|node| node.network == network).collect();
        Ok(Some(Self { network, nodes, sightings }))
    }

    /// Asks a node, unless its agent is away.
    fn ask(&self, api: &Api, node: &NodeRow, subject: Subject) -> Result<Option<Ticket>, Refusal> {
        let (wants, now) = (api.wants(), clock::monotonic());
        if wants.is_away(&node.node, now) {
            return Ok(None);
        }
        let Some((first, last)) = self.times(node) else { return Ok(None) };
        let (from, to) = (first.plus_micros(-BEFORE_US), last.plus_micros(AFTER_US));
        let ticket = wants.ask(self.network, &node.node, Wanted::LogLines { subject, from, to }, now);
        ticket.map(Some).map_err(|TooMany| {
            let hint = "try again in a few seconds";
            Refusal::unavailable(
                format!("too much is asked of the logs at once, of node `{}`", node.node),
                hint,
            )
        })
    }

    /// When the node first and last told, on its own clock; if it did not, when the others did.
    fn times(&self, node: &NodeRow) -> Option<(AgentTime, AgentTime)> {
        let own = self.sightings.iter().filter(|(of, _)| *of == node.node).map(|(_, sighted)| sighted.at);
        let range = |times: &mut dyn Iterator<Item = AgentTime>| {
            let first = times.next()?;
            Some(times.fold((first, first), |(first, last), at| (first.min(at), last.max(at))))
        };
        let shift = node.offset.map_or(0, Offset::middle_us);
        let mut others = self.sightings.iter().map(|(_, sighted)| {
            let (at, _) = on_server_clock(*sighted);
            AgentTime::from_micros(at.plus_micros(-shift).as_micros())
        });
        range(&mut own.into_iter()).or_else(|| range(&mut others))
    }
}
