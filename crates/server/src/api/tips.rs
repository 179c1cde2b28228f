//! The ends of all branches.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::row::{self, NodeTip, TipsRow};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/tips",
    summary: "Where the chain of each network ends now: the end of the main chain, then that of every branch of the last \
              2,016 blocks, at most 100 in all, each with what it is to each node (`active`, `valid`, `header-only`, \
              `invalid`); and where each node is. What `getchaintips` would tell of all nodes together.",
    parameters: &[],
    example: "/api/v1/tips",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The networks of whose chain something is known.
    pub networks: Vec<Tips>,
}

/// The ends of the branches of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tips {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The end of the main chain, then those of the branches off it, the highest first.
    pub tips: Vec<Tip>,
    /// The end of the active chain of each node that has told, by name.
    pub nodes: Vec<NodeTip>,
}

/// The end of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// The end: its fields stand beside this.
    #[serde(flatten)]
    pub tip: row::Tip,
    /// When the first node told of the block, on the server's clock: `seen_at_us`, readable.
    pub seen_at: String,
}

impl Tips {
    fn new(row: TipsRow) -> Self {
        let tip = |tip: row::Tip| Tip { seen_at: tip.seen_at_us.to_string(), tip };
        Self {
            network: row.network.to_string(),
            tips: row.tips.into_iter().map(tip).collect(),
            nodes: row.nodes,
        }
    }
}

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Json<Reply>, Refusal> {
    let rows = api.read(bmon_store::Reader::tips).await?;
    Ok(Json(Reply { networks: rows.into_iter().map(Tips::new).collect() }))
}
