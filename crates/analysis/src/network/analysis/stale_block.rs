//! Blocks whose proof of work is good and that are not on the chain that nodes follow.

use bmon_event::BlockHash;

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, FindingId, StaleBlock},
    network::{Ledger, NetworkState, Saying, Side},
    row::Row,
};

const ID: &str = "stale-block";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which blocks were left behind, who saw them, and what stands in their place.",
    make: || Box::new(StaleBlocks { ledger: Ledger::default() }),
};

/// Most blocks of one branch that are found stale: what goes on for longer is a partition.
const MOST: usize = 144;

#[derive(Debug)]
struct StaleBlocks {
    ledger: Ledger,
}

impl NetworkAnalysis for StaleBlocks {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        if look.touched.is_empty() {
            return;
        }
        for side in look.sides.iter().filter(|side| is_lost(look, side)) {
            let tree = look.network.known_tree();
            let blocks = tree.blocks_between(side.fork, side.tip).unwrap_or_default();
            for block in blocks.into_iter().take(MOST) {
                if let Some(found) = find(look, side, block) {
                    self.say(look.network, found, out);
                }
            }
        }
        self.revise(look, out);
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl StaleBlocks {
    fn say(&mut self, network: &NetworkState, found: StaleBlock, out: &mut Vec<Row>) {
        let block = found.block;
        let saying = Saying {
            id: FindingId::new(&network.network, ID, &[block.as_bytes()]),
            node: None,
            seen: network.first_seen(block),
            sources: network.sources([block]),
            body: Body::StaleBlock(found),
        };
        self.ledger.say(network.network, saying, out);
    }

    /// Takes back what was said of blocks that are on the main chain again.
    fn revise(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        let tree = look.network.known_tree();
        let is_back =
            |found: &&StaleBlock| found.is_stale && tree.is_ancestor(found.block, look.main) == Some(true);
        let said = look.touched.iter().filter_map(|block| {
            let id = FindingId::new(&look.network.network, ID, &[block.as_bytes()]);
            match &self.ledger.get(&id)?.body {
                Body::StaleBlock(found) => Some(found),
                _ => None,
            }
        });
        for found in said.filter(is_back).cloned().collect::<Vec<_>>() {
            let nodes = look.network.node_statuses(found.block);
            self.say(look.network, StaleBlock { is_stale: false, nodes, ..found }, out);
        }
    }
}

/// Whether the branch has less work than the main chain and no node follows it that was heard of lately. What some node
/// found invalid and none valid has lost too; `nodes` tells it apart.
fn is_lost(look: &Look<'_>, side: &Side) -> bool {
    let tree = look.network.known_tree();
    let follows = |tip: BlockHash| {
        tree.fork(tip, side.tip).is_some_and(|fork| fork != side.fork)
            && tree.is_ancestor(tip, look.main) == Some(false)
    };
    side.comparison.by_work().is_some_and(std::cmp::Ordering::is_gt)
        && !look.network.live(look.now).any(|(_, tip)| follows(tip))
}

fn find(look: &Look<'_>, side: &Side, block: BlockHash) -> Option<StaleBlock> {
    let tree = look.network.known_tree();
    let height = tree.height(block)?;
    let header = tree.get(block)?.to_raw();
    Some(StaleBlock {
        block,
        height,
        header: header.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        miner: look.network.pool(block).map(str::to_owned),
        // Of a branch that is longer in blocks than in work, as after a drop of the difficulty, the tip stands in.
        replaced_by: tree.ancestor(look.main, height).unwrap_or(look.main),
        fork: side.fork,
        fork_height: side.fork_height,
        is_stale: true,
        nodes: look.network.node_statuses(block),
    })
}
