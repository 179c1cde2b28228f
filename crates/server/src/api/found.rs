//! What every reply about findings shares.

use bmon_analysis::finding::{Body, Finding};
use bmon_event::{NodeName, Source};
use bmon_store::Page;
use serde::{Deserialize, Serialize};

use super::{Api, Refusal, arrival::on_server_clock, parameter::List};

/// Something that an analysis found, with `B` saying what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found<B> {
    /// Names the finding, through every revision.
    pub id: String,
    /// 1 when first said, one more each time its content changed.
    pub revision: u32,
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The node it is about; null when it is about the network as a whole.
    pub node: Option<NodeName>,
    /// When it happened, on the server's clock; on the node's own, or the miner's, where `clock_bound_us` is null.
    pub at: String,
    /// The same in microseconds since the Unix epoch.
    pub at_us: i64,
    /// Largest error of `at` in microseconds; null when the node's clock was not compared with the server's.
    pub clock_bound_us: Option<i64>,
    /// Who told.
    pub sources: Vec<Source>,
    /// What was found: its fields stand beside these.
    #[serde(flatten)]
    pub body: B,
}

impl<B> Found<B> {
    /// `finding` with the body that `take` takes from it, `None` if that is of another kind.
    pub(super) fn new(finding: Finding, take: fn(Body) -> Option<B>) -> Option<Self> {
        let (at, clock_bound_us) = on_server_clock(finding.sighted);
        Some(Self {
            id: finding.id.to_string(),
            revision: finding.revision,
            network: finding.network.to_string(),
            node: finding.node,
            at: at.to_string(),
            at_us: at.as_micros(),
            clock_bound_us,
            sources: finding.sources,
            body: take(finding.body)?,
        })
    }
}

/// The findings of `kind` that `list` asks for, and the cursor of the next part.
pub(super) async fn page<B>(
    api: &Api,
    kind: &'static str,
    list: List,
    take: fn(Body) -> Option<B>,
) -> Result<(Vec<Found<B>>, Option<String>), Refusal> {
    let Page { items, next } = api.read(move |reader| reader.findings(kind, list.limit, list.before)).await?;
    let found = items.into_iter().filter_map(|finding| Found::new(finding, take)).collect();
    Ok((found, next.map(|cursor| cursor.to_string())))
}
