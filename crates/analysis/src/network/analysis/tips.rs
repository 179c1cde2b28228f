//! The ends of all branches, as all nodes together see them: `getchaintips` of the whole network.
//!
//! One node's `getchaintips` lists what that node knows. This lists what any of them knows, and beside each end what it is
//! to each node.

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    network::{Ledger, NetworkState},
    row::{NodeTip, Row, Tip, TipsRow},
    tree::Branch,
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "tips",
    about: "Where the chain ends, with every branch, and what each end is to each node.",
    make: || Box::new(Tips::default()),
};

/// Blocks below the end of the main chain down to which branches are listed: one retarget period.
const RECENT: u32 = 2_016;
/// Most ends that are listed. A network on which nobody tries to make many has some in 2,016 blocks.
const MOST: usize = 100;

#[derive(Debug, Default)]
struct Tips {
    said: Option<TipsRow>,
}

impl NetworkAnalysis for Tips {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        if look.touched.is_empty() {
            return;
        }
        let Some(row) = self.find(look) else { return };
        if self.said.as_ref() != Some(&row) {
            out.push(Row::Tips(Box::new(row.clone())));
            self.said = Some(row);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        None
    }
}

impl Tips {
    fn find(&self, look: &Look<'_>) -> Option<TipsRow> {
        let tree = look.network.known_tree();
        let height = tree.height(look.main)?;
        let main = Branch { tip: look.main, tip_height: height, fork: look.main, length: 0 };
        let branches = tree.branches_from(look.main, height.saturating_sub(RECENT))?;
        let ends = std::iter::once(main).chain(branches).take(MOST);
        let tips = ends.map(|branch| self.tip(look.network, &branch)).collect();
        Some(TipsRow { network: look.network.network, tips, nodes: nodes(look) })
    }

    fn tip(&self, network: &NetworkState, branch: &Branch) -> Tip {
        let seen = network.first_seen(branch.tip);
        // What was known before may be forgotten by now.
        let before = self.said.iter().flat_map(|row| &row.tips).find(|tip| tip.block == branch.tip);
        let known = before.filter(|_| !seen.is_told).map(|tip| tip.seen_at_us);
        Tip {
            block: branch.tip,
            height: branch.tip_height,
            branch_length: branch.length,
            fork: branch.fork,
            fork_height: branch.tip_height - branch.length,
            seen_at_us: known.unwrap_or_else(|| seen.sighted.on_server_clock()),
            nodes: network.node_statuses(branch.tip),
        }
    }
}

fn nodes(look: &Look<'_>) -> Vec<NodeTip> {
    let tree = look.network.known_tree();
    let of_node = |node: &bmon_event::NodeName| {
        let tip = tree.active_tip(node)?;
        let blocks_behind = tree.compare(look.main, tip)?.left.length;
        Some(NodeTip { node: node.clone(), tip, height: tree.height(tip)?, blocks_behind })
    };
    look.network.members().keys().filter_map(of_node).collect()
}
