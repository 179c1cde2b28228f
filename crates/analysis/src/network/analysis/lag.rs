//! Nodes that are behind the others, by work: after a grace, and until they have caught up.

use bmon_event::{BlockHash, NodeName};

use super::{Declaration, Look, NetworkAnalysis, partition};
use crate::{
    finding::{Body, FindingId, Lag},
    network::{Ledger, Saying, Seen},
    row::Row,
    tree::Status,
};

const ID: &str = "lag";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node is behind the others, and by how many blocks.",
    make: || Box::new(Lags { ledger: Ledger::default() }),
};

/// Blocks that a node may be behind for any time: with one it may be on the other branch of a race.
const BLOCKS: u32 = 2;
/// How long it may be behind by more: a slow machine takes minutes for two full blocks after a restart.
const GRACE_US: i64 = 10 * 60 * 1_000_000;

#[derive(Debug)]
struct Lags {
    ledger: Ledger,
}

/// Where a node stands.
struct Standing {
    tip: BlockHash,
    height: u32,
    blocks_behind: u32,
}

impl NetworkAnalysis for Lags {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        for (node, tip) in look.network.live(look.now) {
            let Some(standing) = standing(look, node, tip) else { continue };
            match self.open(node) {
                Some((id, seen, lag)) => {
                    let caught_up_at_us = (standing.blocks_behind == 0).then_some(look.now);
                    let lag = Lag { caught_up_at_us, ..found(look, &standing).unwrap_or(lag) };
                    self.say(look, node, id, seen, lag, out);
                }
                None => self.begin(look, node, &standing, out),
            }
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl Lags {
    /// The lag of the node that is not over.
    fn open(&self, node: &NodeName) -> Option<(FindingId, Seen, Lag)> {
        let open = |body: &Body| match body {
            Body::Lag(lag) if lag.caught_up_at_us.is_none() => Some(lag.clone()),
            _ => None,
        };
        self.ledger.of_node(node, open).next()
    }

    fn begin(&mut self, look: &Look<'_>, node: &NodeName, standing: &Standing, out: &mut Vec<Row>) {
        if standing.blocks_behind < BLOCKS {
            return;
        }
        let Some(lag) = found(look, standing) else { return };
        // The block that made it as many.
        let height = lag.best_height - standing.blocks_behind + BLOCKS;
        let Some(block) = look.network.known_tree().ancestor(look.main, height) else { return };
        let seen = look.network.first_seen(block);
        if look.now.micros_since(seen.sighted.on_server_clock()) >= GRACE_US {
            let network = &look.network.network;
            let id = FindingId::new(network, ID, &[node.as_str().as_bytes(), block.as_bytes()]);
            self.say(look, node, id, seen, lag, out);
        }
    }

    fn say(
        &mut self,
        look: &Look<'_>,
        node: &NodeName,
        id: FindingId,
        seen: Seen,
        lag: Lag,
        out: &mut Vec<Row>,
    ) {
        let sources = look.network.sources([lag.tip, lag.best]);
        let saying = Saying { id, node: Some(node.clone()), seen, sources, body: Body::Lag(lag) };
        self.ledger.say(look.network.network, saying, out);
    }
}

/// Where the node stands whose active chain ends in `tip`. One with a long branch of its own, or one that refuses the main
/// chain, is parted, not behind. `None` if that cannot be compared.
fn standing(look: &Look<'_>, node: &NodeName, tip: BlockHash) -> Option<Standing> {
    let tree = look.network.known_tree();
    let comparison = tree.compare(look.main, tip)?;
    let next = tree.ancestor(look.main, comparison.fork_height + 1);
    let refuses = || next.is_some_and(|next| tree.status(node, next) == Status::Invalid);
    let is_behind =
        comparison.by_work()?.is_gt() && comparison.right.length < partition::BLOCKS && !refuses();
    let blocks_behind = if is_behind { comparison.left.length } else { 0 };
    Some(Standing { tip, height: tree.height(tip)?, blocks_behind })
}

fn found(look: &Look<'_>, standing: &Standing) -> Option<Lag> {
    Some(Lag {
        tip: standing.tip,
        height: standing.height,
        best: look.main,
        best_height: look.network.known_tree().height(look.main)?,
        blocks_behind: standing.blocks_behind,
        caught_up_at_us: None,
    })
}
