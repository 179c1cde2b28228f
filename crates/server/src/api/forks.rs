//! Forks of the chain.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, ForkBranch};
use bmon_event::{BlockHash, ServerTime};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/forks",
    summary: "Where the chain went on in more than one way, newest first: the branches, which nodes follow which, whether \
              it is a race, and which branch won.",
    parameters: parameter::LIST,
    example: "/api/v1/forks?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Forks, newest first.
    pub forks: Vec<Found<Fork>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// A block after which the chain goes on in more than one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The last block that all branches share.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// Whether two or more branches have the most work, so that the next block decides.
    pub is_race: bool,
    /// The first block of the branch with the most work that a node follows; null in a race, and where work cannot be
    /// compared.
    pub winner: Option<BlockHash>,
    /// When the first node saw the block that decided, on the server's clock; null in a race, and where no block did.
    pub decided_at: Option<String>,
    /// The same in microseconds since the Unix epoch.
    pub decided_at_us: Option<i64>,
    /// The branches, in the order in which their first blocks were seen.
    pub branches: Vec<Branch>,
}

/// One way in which the chain goes on after a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The branch as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub branch: ForkBranch,
    /// When the first node saw its first block, on the server's clock: `seen_at_us`, readable.
    pub seen_at: String,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (forks, next) = found::page(&api, "fork", list, take).await?;
    Ok(Json(Reply { forks, next }))
}

fn take(body: Body) -> Option<Fork> {
    let Body::Fork(found) = body else { return None };
    let branch = |branch: ForkBranch| Branch { seen_at: branch.seen_at_us.to_string(), branch };
    Some(Fork {
        fork: found.fork,
        fork_height: found.fork_height,
        is_race: found.is_race,
        winner: found.winner,
        decided_at: found.decided_at_us.map(|at| at.to_string()),
        decided_at_us: found.decided_at_us.map(ServerTime::as_micros),
        branches: found.branches.into_iter().map(branch).collect(),
    })
}
