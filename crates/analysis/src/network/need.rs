//! What is lacking that no log tells.

use bmon_event::{Network, NodeName, Wanted};

use super::NetworkState;
use crate::tree::{Missing, Tree};

/// Blocks that the tree should reach below its best tip: two retarget periods.
pub const DEPTH: u32 = 2 * 2_016;
/// Most headers asked for at once: as many as an agent gives.
const AT_ONCE: u32 = 512;
/// Headers asked for where a branch may have grown off the known chain unseen.
const OF_BRANCH: u32 = 8;
/// Most blocks asked for at once.
const MOST: usize = 8;

/// Something that is lacking, and whom to ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The network.
    pub network: Network,
    /// What is lacking.
    pub what: Wanted,
    /// Nodes that may have it, the likeliest first. Never empty.
    pub nodes: Vec<NodeName>,
}

impl NetworkState {
    /// What is lacking now, the most important first: of headers, of blocks, then of what is watched.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let Some(tree) = self.tree() else {
            return self.first_need().into_iter().chain(self.watch_needs()).collect();
        };
        let (_, root_height) = tree.root();
        let best = self.best_height.max(root_height);
        let mut needs: Vec<Need> = missing(tree).map(|missing| self.need(&missing, best)).collect();
        if needs.is_empty()
            && root_height > 0
            && best.saturating_sub(root_height) < self.settings.header_depth
        {
            let what = Wanted::Headers { block: tree.root_parent(), count: AT_ONCE.min(root_height) };
            needs.push(Need { network: self.network, what, nodes: self.nodes(&[]) });
        }
        needs.retain(|need| !need.nodes.is_empty());
        needs.extend(self.block_needs());
        needs.extend(self.watch_needs());
        needs
    }

    /// The tip of the node that is the farthest ahead and not in initial block download.
    fn first_need(&self) -> Option<Need> {
        let tips = self.members().iter().filter(|(_, member)| member.initial_block_download != Some(true));
        let tips = tips.filter_map(|(node, member)| Some((member.tip?.height?, member.tip?.block, node)));
        let (height, block, node) = tips.max()?;
        let what = Wanted::Headers { block, count: AT_ONCE.min(height.saturating_add(1)) };
        Some(Need { network: self.network, what, nodes: vec![node.clone()] })
    }

    fn need(&self, missing: &Missing, best: u32) -> Need {
        let above = missing.height.and_then(|height| height.checked_sub(best)).filter(|above| *above > 0);
        let what = Wanted::Headers { block: missing.block, count: above.unwrap_or(OF_BRANCH).min(AT_ONCE) };
        Need { network: self.network, what, nodes: self.nodes(&missing.nodes) }
    }

    /// Those that `spoke`, then the others, the last heard of first.
    fn nodes(&self, spoke: &[NodeName]) -> Vec<NodeName> {
        let mut others: Vec<_> = self.members().iter().filter(|(node, _)| !spoke.contains(node)).collect();
        others.sort_by_key(|(_, member)| std::cmp::Reverse(member.heard_at));
        spoke.iter().chain(others.into_iter().map(|(node, _)| node)).cloned().collect()
    }
}

/// The highest first: with them come those below.
fn missing(tree: &Tree) -> impl Iterator<Item = Missing> + use<> {
    let mut missing = if tree.is_waiting() { tree.missing() } else { Vec::new() };
    missing.sort_by_key(|missing| std::cmp::Reverse(missing.height));
    missing.into_iter().take(MOST)
}
