//! What became of what is watched, step by step.
//!
//! A step follows from what is known of the transactions and coins and from where the blocks stand that have them, whatever
//! came first. What was once said of a block is revised when the block leaves the best chain, or comes back.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use bmon_event::{BlockHash, NodeName, OutPoint, Source, Txid, event::RemovalReason};

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{
        Body, Conflict, DoubleSpent, FindingId, LeftAt, Mined, ReorgedOut, Replaced, ReplacedBy, SeenTx,
        Step, WatchStep,
    },
    network::{Ledger, NetworkState, Saying, Seen, WatchedCoin, WatchedTx},
    row::{Row, Sighted, TxSeen},
    tree::Status,
    watch::WatchItem,
};

const ID: &str = "watch";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "What became of a transaction or coin on the watch list: seen, in conflict, replaced, mined, reorged out, spent \
            by another.",
    make: || Box::new(WatchSteps { ledger: Ledger::default(), looked_at: None }),
};

#[derive(Debug)]
struct WatchSteps {
    ledger: Ledger,
    /// What was known, and how many nodes there were, when it was last looked.
    looked_at: Option<(u64, usize)>,
}

impl NetworkAnalysis for WatchSteps {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        let now = (look.network.watch().revision(), look.network.members().len());
        if look.touched.is_empty() && self.looked_at == Some(now) {
            return;
        }
        self.looked_at = Some(now);
        for item in look.network.watch().items() {
            let steps = Steps { network: look.network, main: look.main, item: *item, ledger: &self.ledger };
            for (step, seen, sources) in steps.all() {
                let id = id(look.network, *item, &step);
                let body = Body::Watch(Box::new(WatchStep { item: *item, step }));
                self.ledger.say(look.network.network, Saying { id, node: None, seen, sources, body }, out);
            }
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

fn id(network: &NetworkState, item: WatchItem, step: &Step) -> FindingId {
    let (item, about) = (item.to_string(), step.about());
    FindingId::new(&network.network, ID, &[item.as_bytes(), step.word().as_bytes(), &about])
}

/// A step, when it happened, and who told.
type Said = (Step, Seen, Vec<Source>);

/// Where a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the best chain.
    Main,
    /// A node connected it, and the best chain went past it and all above it.
    Left,
    /// Neither, or not known.
    Beside,
}

/// A transaction that mempools had for coins, and when each node first told.
#[derive(Default)]
struct Rival {
    outpoints: Vec<OutPoint>,
    seen: Vec<(NodeName, TxSeen)>,
}

/// The steps of one item.
struct Steps<'a> {
    network: &'a NetworkState,
    main: BlockHash,
    item: WatchItem,
    ledger: &'a Ledger,
}

impl Steps<'_> {
    fn all(&self) -> Vec<Said> {
        let mut said = Vec::new();
        for txid in self.transactions() {
            let Some(tx) = self.network.watch().tx(&txid) else { continue };
            said.extend(self.seen(txid, tx));
            said.extend(self.replaced(txid, tx));
            said.extend(tx.blocks.iter().flat_map(|block| self.of_block(txid, tx, *block)));
        }
        said.extend(self.conflicts());
        said.extend(self.double_spent());
        said
    }

    /// The transaction that is watched, or those that spend the coin that is.
    fn transactions(&self) -> BTreeSet<Txid> {
        match self.item {
            WatchItem::Tx(txid) => BTreeSet::from([txid]),
            WatchItem::Outpoint(outpoint) => {
                self.network.watch().coin(&outpoint).map(WatchedCoin::spenders).unwrap_or_default()
            }
        }
    }

    /// The coins that are looked at for the item.
    fn coins(&self) -> Vec<OutPoint> {
        match self.item {
            WatchItem::Outpoint(outpoint) => vec![outpoint],
            WatchItem::Tx(txid) => {
                let tx = self.network.watch().tx(&txid);
                tx.and_then(|tx| tx.inputs.clone()).unwrap_or_default()
            }
        }
    }

    fn seen(&self, txid: Txid, tx: &WatchedTx) -> Option<Said> {
        let (seen, sources) = earliest(tx.nodes().filter_map(|told| told.accepted))?;
        let members = self.network.members();
        let accepted_at = tx.nodes().filter(|told| told.accepted.is_some()).map(|told| told.node.clone());
        let refused_at = tx.nodes().filter(|told| told.refused.is_some()).map(|told| told.node.clone());
        let left_at = tx.nodes().filter_map(|told| {
            let reason = told.left.as_ref()?.reason.as_ref().map(|reason| reason.as_str().to_owned());
            Some(LeftAt { node: told.node.clone(), reason })
        });
        let step = Step::Seen(SeenTx {
            txid,
            nodes: u32::try_from(members.len()).unwrap_or(u32::MAX),
            accepted_at: accepted_at.collect(),
            missing_at: members.keys().filter(|node| !tx.is_accepted_at(node)).cloned().collect(),
            refused_at: refused_at.collect(),
            left_at: left_at.collect(),
            inputs: tx.inputs.clone().filter(|_| self.item.txid().is_some()),
            omitted_inputs: tx.omitted_inputs,
            blind: self.network.watch().blind(),
        });
        Some((step, seen, sources))
    }

    /// A node that said only that the transaction left, and whose mempool has another for one of its coins, replaced it by
    /// that: ZMQ tells no more, and neither does a log without `-debug=mempool`.
    fn replaced(&self, txid: Txid, tx: &WatchedTx) -> Option<Said> {
        let mut by: BTreeMap<Option<Txid>, Vec<_>> = BTreeMap::new();
        let mut left_seen = Vec::new();
        for told in tx.nodes() {
            let Some(left) = &told.left else { continue };
            let is_untold = matches!(left.reason, None | Some(RemovalReason::Replaced));
            let other = left.by.or_else(|| self.other_at(txid, &told.node).filter(|_| is_untold));
            if other.is_some() || left.reason == Some(RemovalReason::Replaced) {
                by.entry(other).or_default().push(told.node.clone());
                left_seen.push(left.seen);
            }
        }
        let (seen, sources) = earliest(left_seen.into_iter())?;
        let by = by.into_iter().map(|(txid, nodes)| ReplacedBy { txid, nodes }).collect();
        Some((Step::Replaced(Replaced { txid, by }), seen, sources))
    }

    /// The transaction that the node's mempool had for one of the coins instead, if it was only one.
    fn other_at(&self, txid: Txid, node: &NodeName) -> Option<Txid> {
        let coins = self.coins().into_iter().filter_map(|outpoint| self.network.watch().coin(&outpoint));
        let at_node =
            coins.flat_map(|coin| coin.mempools.iter()).filter(|(_, nodes)| nodes.contains_key(node));
        let others: BTreeSet<Txid> =
            at_node.map(|(other, _)| *other).filter(|other| *other != txid).collect();
        others.first().copied().filter(|_| others.len() == 1)
    }

    /// The transactions that mempools had for the coins, against the one that is watched or against each other.
    fn conflicts(&self) -> Vec<Said> {
        let mut rivals: BTreeMap<Txid, Rival> = BTreeMap::new();
        let mut latest = BTreeSet::new();
        for outpoint in self.coins() {
            let Some(coin) = self.network.watch().coin(&outpoint) else { continue };
            latest.extend(coin.latest());
            for (txid, nodes) in &coin.mempools {
                let rival = rivals.entry(*txid).or_default();
                rival.outpoints.push(outpoint);
                rival.seen.extend(nodes.iter().map(|(node, seen)| (node.clone(), *seen)));
            }
        }
        let all: Vec<Txid> = match self.item {
            WatchItem::Tx(txid) => vec![txid],
            WatchItem::Outpoint(_) => rivals.keys().copied().collect(),
        };
        let is_alone = self.item.outpoint().is_some() && latest.len() < 2;
        let said = rivals.into_iter().filter_map(|(txid, Rival { outpoints, seen: at })| {
            let with: Vec<Txid> = all.iter().copied().filter(|other| *other != txid).collect();
            if with.is_empty() || self.item == WatchItem::Tx(txid) {
                return None;
            }
            let (seen, sources) = earliest(at.iter().map(|(_, seen)| *seen))?;
            let nodes: BTreeSet<_> = at.into_iter().map(|(node, _)| node).collect();
            let (nodes, is_open) = (nodes.into_iter().collect(), !is_alone && latest.contains(&txid));
            let blind = self.network.watch().blind();
            let conflict = Conflict { txid, with, outpoints, nodes, is_open, blind };
            Some((Step::Conflict(conflict), seen, sources))
        });
        said.collect()
    }

    /// That the block has the transaction, and that it was left.
    fn of_block(&self, txid: Txid, tx: &WatchedTx, block: BlockHash) -> Vec<Said> {
        let Some(height) = self.network.known_tree().height(block) else { return Vec::new() };
        let (place, mut said) = (self.place(block), Vec::new());
        let mined = Step::Mined(Mined { txid, block, height, is_in_best_chain: place == Place::Main });
        if place != Place::Beside || self.was_said(&mined) {
            said.push((mined, self.network.first_seen(block), self.network.sources([block])));
        }
        let again_in = tx.blocks.iter().copied().find(|other| self.place(*other) == Place::Main);
        let is_out = place == Place::Left;
        let out = Step::ReorgedOut(ReorgedOut { txid, block, height, is_out, again_in });
        if is_out || self.was_said(&out) {
            let (past, sources) = self.went_past(block);
            said.push((out, past, sources));
        }
        said
    }

    /// The transactions of the best chain that spend the coins instead.
    fn double_spent(&self) -> Vec<Said> {
        let mut told = BTreeSet::new();
        let mut said = Vec::new();
        for outpoint in self.coins() {
            let Some(coin) = self.network.watch().coin(&outpoint) else { continue };
            let mut blocks: Vec<_> =
                coin.blocks.iter().map(|(block, txid)| (self.place(*block), *block, *txid)).collect();
            blocks.sort_by_key(|(place, block, _)| (*place != Place::Main, *block));
            for (place, block, txid) in blocks {
                let instead_of = self.others(coin, txid);
                let Some(height) = self.network.known_tree().height(block).filter(|_| !instead_of.is_empty())
                else {
                    continue;
                };
                let is_in_best_chain = place == Place::Main;
                let spent = DoubleSpent { txid, instead_of, outpoint, block, height, is_in_best_chain };
                let step = Step::DoubleSpent(spent);
                if (place != Place::Beside || self.was_said(&step)) && told.insert(txid) {
                    said.push((step, self.network.first_seen(block), self.network.sources([block])));
                }
            }
        }
        said
    }

    /// Those that cannot be in one chain with a spender of the coin: the transaction that is watched, or all others that are
    /// known to spend it.
    fn others(&self, coin: &WatchedCoin, txid: Txid) -> Vec<Txid> {
        let all = match self.item {
            WatchItem::Tx(watched) => BTreeSet::from([watched]),
            WatchItem::Outpoint(_) => coin.spenders(),
        };
        all.into_iter().filter(|other| *other != txid).collect()
    }

    fn was_said(&self, step: &Step) -> bool {
        self.ledger.get(&id(self.network, self.item, step)).is_some()
    }

    fn place(&self, block: BlockHash) -> Place {
        let tree = self.network.known_tree();
        let is_past = |tip: &BlockHash| {
            let comparison = tree.compare(self.main, *tip);
            comparison.and_then(|comparison| comparison.by_work()) == Some(Ordering::Greater)
        };
        match tree.is_ancestor(block, self.main) {
            Some(true) => Place::Main,
            Some(false) if self.was_connected(block) && tree.tips_above(block).iter().all(is_past) => {
                Place::Left
            }
            _ => Place::Beside,
        }
    }

    /// Whether a node added the block to its active chain, now or before a restart.
    fn was_connected(&self, block: BlockHash) -> bool {
        self.network.watch().was_connected(block)
            || !self.network.nodes_with(block, &[Status::Valid, Status::Active]).is_empty()
    }

    /// When the best chain went past the block: when the first node saw the block that made it the longer one.
    fn went_past(&self, block: BlockHash) -> (Seen, Vec<Source>) {
        let tree = self.network.known_tree();
        let height = tree.tips_above(block).into_iter().filter_map(|tip| tree.height(tip)).max();
        let past = height.and_then(|height| tree.ancestor(self.main, height + 1)).unwrap_or(self.main);
        (self.network.first_seen(past), self.network.sources([block, past]))
    }
}

/// The first of these times, and who told them.
fn earliest(told: impl Iterator<Item = TxSeen>) -> Option<(Seen, Vec<Source>)> {
    let told: Vec<TxSeen> = told.collect();
    let first: Sighted = told.iter().map(|seen| seen.sighted).min_by_key(Sighted::on_server_clock)?;
    let sources: BTreeSet<Source> = told.iter().map(|seen| seen.source).collect();
    Some((Seen { sighted: first, is_told: true }, sources.into_iter().collect()))
}
