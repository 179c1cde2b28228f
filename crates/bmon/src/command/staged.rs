//! What was staged beside what was found, asked of the server as any user would.

use std::collections::BTreeSet;

use bmon_analysis::finding;
use bmon_devnet::{
    Truth,
    truth::{InvalidBlock, Rejection, Reorg, StagedBlock, StagedTransaction},
};
use bmon_event::NodeName;
use bmon_server::api::{Arrival, Found, block, invalid_blocks, rejections, reorgs, tx};
use serde::Serialize;

use crate::{
    client::Client,
    failure::{Code, Failure, Result},
    text::or_dash,
};

/// More findings than any demo makes.
const LIMIT: u32 = 500;

/// Everything staged, each beside what was found of it.
#[derive(Serialize)]
pub(super) struct Comparison {
    blocks: Vec<Pair<StagedBlock, Vec<Arrival>>>,
    transactions: Vec<Pair<StagedTransaction, Vec<Arrival>>>,
    reorgs: Vec<Pair<Reorg, Option<finding::Reorg>>>,
    rejections: Vec<Pair<Rejection, Option<finding::RejectedTx>>>,
    invalid_blocks: Vec<Pair<InvalidBlock, Vec<finding::InvalidBlock>>>,
    /// What was staged and not found, a line each. Empty when all is well.
    pub(super) missing: Vec<String>,
    /// Reorgs and invalid blocks that were found and not staged, a line each. Empty when all is well.
    pub(super) unexpected: Vec<String>,
}

/// One thing that was staged, and what was found of it.
#[derive(Serialize)]
struct Pair<S, F> {
    staged: S,
    found: F,
}

impl Comparison {
    /// Asks the server for everything in `truth`.
    pub(super) fn ask(truth: &Truth, client: &Client) -> Result<Self> {
        let mut comparison = Self {
            blocks: Vec::new(),
            transactions: Vec::new(),
            reorgs: Vec::new(),
            rejections: Vec::new(),
            invalid_blocks: Vec::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
        };
        comparison.ask_blocks(truth, client)?;
        comparison.ask_transactions(truth, client)?;
        comparison.ask_reorgs(truth, client)?;
        comparison.ask_rejections(truth, client)?;
        comparison.ask_invalid_blocks(truth, client)?;
        Ok(comparison)
    }

    /// Whether everything staged was found, and nothing else.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty()
    }

    fn ask_blocks(&mut self, truth: &Truth, client: &Client) -> Result {
        for staged in &truth.blocks {
            let reply: Option<block::Reply> = found(client.get(&format!("blocks/{}", staged.block)))?;
            let found = reply.map(|reply| reply.block.connected).unwrap_or_default();
            self.arrivals(&format!("block {} ({})", staged.height, staged.block), &staged.nodes, &found);
            self.blocks.push(Pair { staged: staged.clone(), found });
        }
        Ok(())
    }

    fn ask_transactions(&mut self, truth: &Truth, client: &Client) -> Result {
        for staged in &truth.transactions {
            let reply: Option<tx::Reply> = found(client.get(&format!("txs/{}", staged.txid)))?;
            let found = reply.map(|reply| reply.seen).unwrap_or_default();
            self.arrivals(&format!("transaction {}", staged.txid), &staged.nodes, &found);
            self.transactions.push(Pair { staged: staged.clone(), found });
        }
        Ok(())
    }

    fn arrivals(&mut self, what: &str, nodes: &[NodeName], found: &[Arrival]) {
        let seen: BTreeSet<_> = found.iter().map(|arrival| &arrival.node).collect();
        let unseen = nodes.iter().filter(|node| !seen.contains(node));
        self.missing.extend(unseen.map(|node| format!("arrival of {what} at {node}")));
    }

    fn ask_reorgs(&mut self, truth: &Truth, client: &Client) -> Result {
        let mut reply: reorgs::Reply = client.get(&format!("reorgs?limit={LIMIT}"))?;
        for staged in &truth.reorgs {
            let same = |found: &_| is_reorg(staged, found);
            let position = reply.reorgs.iter().position(same);
            let found = position.map(|position| reply.reorgs.remove(position).body);
            if found.is_none() {
                let (node, fork, depth) = (&staged.node, staged.fork_height, staged.old.len());
                self.missing.push(format!("reorg of {node} from height {fork}, {depth} deep"));
            }
            self.reorgs.push(Pair { staged: staged.clone(), found });
        }
        self.unexpected.extend(
            reply
                .reorgs
                .iter()
                .map(|found| format!("reorg of {}: {:?}", or_dash(found.node.clone()), found.body)),
        );
        Ok(())
    }

    fn ask_rejections(&mut self, truth: &Truth, client: &Client) -> Result {
        let reply: rejections::Reply = client.get(&format!("rejections?limit={LIMIT}"))?;
        for staged in &truth.rejections {
            let same = |found: &&Found<_>| is_rejection(staged, found);
            let found = reply.rejections.iter().find(same).map(|found| found.body.clone());
            if found.is_none() {
                self.missing
                    .push(format!("rejection of {} by {} ({:?})", staged.txid, staged.node, staged.fault));
            }
            self.rejections.push(Pair { staged: staged.clone(), found });
        }
        Ok(())
    }

    fn ask_invalid_blocks(&mut self, truth: &Truth, client: &Client) -> Result {
        let reply: invalid_blocks::Reply = client.get(&format!("invalid-blocks?limit={LIMIT}"))?;
        for staged in &truth.invalid_blocks {
            let mut bodies = Vec::new();
            for node in &staged.nodes {
                let same = |found: &&Found<finding::InvalidBlock>| {
                    let reason = found.body.reason.as_deref().unwrap_or_default();
                    found.node.as_ref() == Some(node)
                        && found.body.block == staged.block
                        && reason.starts_with(&staged.code)
                };
                match reply.invalid_blocks.iter().find(same) {
                    Some(found) => bodies.push(found.body.clone()),
                    None => self.missing.push(format!("verdict of {node} on invalid block {}", staged.block)),
                }
            }
            self.invalid_blocks.push(Pair { staged: staged.clone(), found: bodies });
        }
        let staged: BTreeSet<_> = truth.invalid_blocks.iter().map(|staged| staged.block).collect();
        let others = reply.invalid_blocks.iter().filter(|found| !staged.contains(&found.body.block));
        self.unexpected.extend(
            others.map(|found| {
                format!("invalid block {} at {}", found.body.block, or_dash(found.node.clone()))
            }),
        );
        Ok(())
    }

    /// For a person: how much of each kind was staged and found, and what was not.
    pub(super) fn summary(&self) -> String {
        let mut text = format!(
            "staged and compared: {} blocks, {} transactions, {} rejections, {} reorgs, {} invalid blocks\n",
            self.blocks.len(),
            self.transactions.len(),
            self.rejections.len(),
            self.reorgs.len(),
            self.invalid_blocks.len(),
        );
        for Pair { staged, .. } in &self.reorgs {
            let (depth, fork) = (staged.old.len(), staged.fork_height);
            text.push_str(&format!("reorg of {}: {depth} deep, from height {fork}\n", staged.node));
        }
        for line in &self.missing {
            text.push_str(&format!("not found: {line}\n"));
        }
        for line in &self.unexpected {
            text.push_str(&format!("not staged: {line}\n"));
        }
        if self.is_complete() {
            text.push_str("everything staged was found, and nothing else\n");
        }
        text
    }
}

fn is_reorg(staged: &Reorg, found: &Found<finding::Reorg>) -> bool {
    found.node.as_ref() == Some(&staged.node)
        && found.body.fork_height == Some(staged.fork_height)
        && found.body.depth as usize == staged.old.len()
        && found.body.old == staged.old
        && found.body.new == staged.new
}

fn is_rejection(staged: &Rejection, found: &Found<finding::RejectedTx>) -> bool {
    found.node.as_ref() == Some(&staged.node)
        && found.body.txid == staged.txid
        && found.body.wtxid.is_none_or(|wtxid| wtxid == staged.wtxid)
        && staged.codes.contains(&found.body.code)
}

/// What the server answered, `None` when it does not know the thing yet.
fn found<T>(reply: Result<T>) -> Result<Option<T>> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(Failure { code: Code::NotFound, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}
