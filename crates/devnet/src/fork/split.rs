//! A network whose nodes do not agree on the rules.
//!
//! Every rule is one of `-testactivationheight` (regtest only; `src/chainparams.cpp@v30`). Bitcoin Core and Knots enforce
//! all of them but `blake2b` from height 1 on (`src/kernel/chainparams.cpp@v30`), so that the lenient nodes are those to
//! which it is said that a rule comes later.

use std::fmt;

use bitcoin::consensus::encode::serialize_hex;
use bmon_event::{BlockHash, NodeName, event::TipStatus};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::at_least;
use crate::{
    Network, NodeConfig, ScenarioError,
    block::{Draft, Parent},
    truth::{Refusal, Reorg, Side, Split},
};

/// No staged chain is as long.
const NEVER: u32 = 1_000_000;

/// What nodes do not agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Blocks have a version of at least 4 (BIP 65). The header itself is wrong, so that a strict node does not keep it:
    /// its `getchaintips` never shows the other side.
    BlockVersion,
    /// The coinbase begins with the height (BIP 34). The header is good, so that a strict node has the other side's
    /// first block as `invalid` in `getchaintips`.
    CoinbaseHeight,
    /// Blocks have a proof of work by `BLAKE2b`, in headers of 164 bytes; only Knots from 29.4 on knows it.
    ///
    /// As seen with two Knots 29.4.3: `generatetoaddress` mines on as before. The nodes stay connected, also after a new
    /// connection and without `noban`: each announces its blocks, the other asks for the headers, refuses the first one
    /// behind the fork (`bad-version-blake2b`, in the other direction `bad-version-sha256d`), writes `got DoS score 100
    /// on invalid block header; tolerating` with `-debug=net`, and keeps none. (A Bitcoin Core 31.99 on the other side takes
    /// the first 80 bytes for a header: `high-hash`, or `bad-version(0xa0000000)`.) So `getchaintips` of both sides has one
    /// tip, `getblockheader` does not know the other side's blocks, and no length of either side heals it.
    /// `getblockheader` has `header_version` 2 and `difficulty_blake2b` and no `difficulty`; the serialized header and the
    /// log's `UpdateTip` have the version with its highest bit set (0xa0000000), RPC without it. The proof of work counts
    /// like the other's: `chainwork` grows by 2 with each block of both.
    ProofOfWork,
}

impl Rule {
    /// Its name in `-testactivationheight`.
    const fn name(self) -> &'static str {
        match self {
            Self::BlockVersion => "cltv",
            Self::CoinbaseHeight => "bip34",
            Self::ProofOfWork => "blake2b",
        }
    }

    /// Whether the lenient nodes take what the strict ones make. On regtest nodes enforce these rules unless they are told
    /// otherwise.
    const fn is_soft(self) -> bool {
        match self {
            Self::BlockVersion | Self::CoinbaseHeight => true,
            Self::ProofOfWork => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule that some nodes enforce and the others never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The rule.
    pub rule: Rule,
    /// The positions of the nodes that enforce it; at least one node does not.
    pub strict: Vec<usize>,
    /// The first height at which they do.
    pub height: u32,
}

/// A side of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The nodes that enforce the rule.
    Strict,
    /// The others.
    Lenient,
}

impl Activation {
    /// Writes the rule into the configurations of the nodes, before they are started.
    pub fn enforce(&self, configs: &mut [NodeConfig]) {
        for (index, config) in configs.iter_mut().enumerate() {
            let height = match (self.strict.contains(&index), self.rule.is_soft()) {
                (true, _) => self.height,
                (false, true) => NEVER,
                (false, false) => continue,
            };
            config.extra_args.push(format!("-testactivationheight={}@{height}", self.rule));
        }
    }

    /// Splits the network: all nodes agree up to the block before the activation (or the tip, where the chain is longer
    /// already), then the lenient ones make a block that the strict ones refuse, and each side goes on alone. In the end
    /// the lenient side has two blocks and the strict one has one.
    pub fn split(&self, network: &Network) -> Result<Split, ScenarioError> {
        let (strict, lenient): (Vec<_>, Vec<_>) =
            network.everyone().into_iter().partition(|index| self.strict.contains(index));
        for nodes in [strict.len(), lenient.len()] {
            at_least(nodes, 1, "a side of a split")?;
        }
        let (fork, fork_height) = self.agree(network, &lenient)?;
        let side = |positions| Side { nodes: network.names_at(positions), blocks: Vec::new() };
        let (strict, lenient) = (side(&strict), side(&lenient));
        let mut split = Split { rule: self.rule, fork, fork_height, strict, lenient, refusals: Vec::new() };
        let first = self.break_rule(network, &mut split)?;
        split.refusals = refusals(network, &split.lenient.nodes, &split.strict.nodes, first, self.rule)?;
        extend(network, &mut split, Party::Strict, 1)?;
        if let (false, Some(&own)) = (self.rule.is_soft(), split.strict.blocks.first()) {
            let back = refusals(network, &split.strict.nodes, &split.lenient.nodes, own, self.rule)?;
            split.refusals.extend(back);
        }
        extend(network, &mut split, Party::Lenient, 1)?;
        Ok(split)
    }

    /// Mines up to the last block that all agree on, and returns it.
    fn agree(&self, network: &Network, miners: &[usize]) -> Result<(BlockHash, u32), ScenarioError> {
        let (_, height) = network.settle()?;
        network.mine_on(miners, self.height.saturating_sub(height + 1))?;
        Ok(network.settle()?)
    }

    /// Has the lenient side make its first block.
    fn break_rule(&self, network: &Network, split: &mut Split) -> Result<BlockHash, ScenarioError> {
        let positions = network.positions(&split.lenient.nodes);
        let miner = &network.nodes()[positions[0]];
        let draft = match self.rule {
            Rule::BlockVersion => Draft::OldVersion,
            Rule::CoinbaseHeight => Draft::NoHeight,
            Rule::ProofOfWork => {
                extend(network, split, Party::Lenient, 1)?;
                return Ok(split.lenient.blocks[0]);
            }
        };
        let crafted = Parent::tip(miner)?.child(draft);
        let refused: Option<String> =
            miner.rpc().call("submitblock", json!([serialize_hex(&crafted.block)]))?;
        if let Some(reason) = refused {
            return Err(ScenarioError::NotLenient {
                node: miner.name().clone(),
                block: crafted.hash,
                reason,
            });
        }
        network.wait_for_tip(&positions, crafted.hash)?;
        split.lenient.blocks.push(crafted.hash);
        Ok(crafted.hash)
    }
}

/// Has a side mine `count` blocks more, and waits until all its nodes have them. If that makes the strict side of a soft
/// fork the longer one, the split is healed.
pub fn extend(network: &Network, split: &mut Split, party: Party, count: u32) -> Result<(), ScenarioError> {
    let side = match party {
        Party::Strict => &mut split.strict,
        Party::Lenient => &mut split.lenient,
    };
    side.blocks.extend(network.mine_on(&network.positions(&side.nodes), count)?);
    Ok(())
}

/// Makes the strict side the longer one, to which the lenient nodes go because their rules allow it. Then all agree, and
/// every lenient node has done the reorg that is returned for it.
pub fn heal(network: &Network, split: &mut Split) -> Result<Vec<Reorg>, ScenarioError> {
    if !split.rule.is_soft() {
        return Err(ScenarioError::NeverHeals(split.rule));
    }
    let missing = (split.lenient.blocks.len() + 1).saturating_sub(split.strict.blocks.len());
    extend(network, split, Party::Strict, u32::try_from(missing).unwrap_or(u32::MAX))?;
    network.settle()?;
    let reorg = |node: &NodeName| Reorg {
        node: node.clone(),
        fork_height: split.fork_height,
        old: split.lenient.blocks.clone(),
        new: split.strict.blocks.clone(),
    };
    Ok(split.lenient.nodes.iter().map(reorg).collect())
}

/// Waits until each of `nodes` has refused `block`, which the first of `makers` has, and returns their reasons.
fn refusals(
    network: &Network,
    makers: &[NodeName],
    nodes: &[NodeName],
    block: BlockHash,
    rule: Rule,
) -> Result<Vec<Refusal>, ScenarioError> {
    let maker = &network.nodes()[network.positions(makers)[0]];
    let mut refusals = Vec::new();
    for index in network.positions(nodes) {
        let node = &network.nodes()[index];
        let reason = match rule {
            // Asked for, because RPC tells nothing of a header that came from a peer and was not kept.
            Rule::BlockVersion | Rule::ProofOfWork => {
                let not_strict = || ScenarioError::NotStrict { node: node.name().clone(), block };
                node.refusal(&maker.header(block)?)?.ok_or_else(not_strict)?
            }
            Rule::CoinbaseHeight => {
                network.wait_for_branch(&[index], block, &TipStatus::Invalid)?;
                "bad-cb-height".to_owned()
            }
        };
        refusals.push(Refusal { node: node.name().clone(), block, reason });
    }
    Ok(refusals)
}
