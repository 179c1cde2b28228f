//! The bytes of blocks, as agents give them part by part: who mined a block, and what those that compete confirm.
//!
//! A block is put together from its first byte on; every answer is followed by the need of what comes next. Of most blocks
//! only the coinbase is read, which stands in front. Bytes must begin with the header that the tree has, and if they are
//! all of the block, its transactions must be those of the header. Of a coinbase alone nobody can tell that.
//!
//! All is bounded: the blocks that are put together, what is kept of them, and how often a node can be wrong. The bytes of
//! a block are there until the next look, which says those of a block that was left behind as a row; what is compared
//! later is its summary. Of every block that comes whole it is told which transactions it has.

mod assembly;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bmon_event::{BlockHash, NodeName, Txid, event::BlockPart};

use self::assembly::{Added, Assembly};
use super::{NetworkState, Speaker, plan::Plan, recent::Recent, watch::Contents};
use crate::{
    body::{Body, BodyError, Transaction},
    double_spend::{BlockSummary, MAX_BLOCKS, MAX_BRANCHES},
    pool::{Miner, Pools},
    row::{MinerRow, RawBlockRow, Row},
    settings::Settings,
    tree::Header,
};

/// Most blocks that are put together, or whole and not yet looked at.
pub(super) const MOST_ASSEMBLIES: usize = 8;
/// Most blocks whose miners are known: more than the tree has when it is made, and two months of new ones.
const MOST_MINERS: usize = 4 * super::DEPTH as usize;
/// Most blocks whose transactions are known, of one megabyte each: those of one fork, and some of the one before.
const MOST_SUMMARIES: usize = MAX_BRANCHES * MAX_BLOCKS + 8;
/// Most blocks left behind that are known to be kept, forks known to be compared, and blocks with faults.
const MOST_OTHERS: usize = 1_024;
/// So often a block was told wrongly that it is not asked for any more.
const MOST_FAULTS: u32 = 8;

/// What is known of the blocks of a network besides their headers.
#[derive(Debug)]
pub(crate) struct Bodies {
    pools: Arc<Pools>,
    block_bytes: usize,
    pub(super) plan: Plan,
    /// Whether blocks that are there whole are looked through for what is watched.
    pub(super) reads_contents: bool,
    /// Whether the ids of their transactions are read.
    pub(super) reads_txids: bool,
    assemblies: BTreeMap<BlockHash, Assembly>,
    /// The pool that mined each, `None` if the coinbase shows none.
    miners: Recent<Option<String>>,
    summaries: Recent<BlockSummary>,
    /// Blocks whose bytes were said as a row.
    kept: Recent<()>,
    /// By fork, the branches that were compared whole.
    compared: Recent<Vec<Vec<BlockHash>>>,
    faults: Recent<Faults>,
    serial: u64,
    bad_parts: u64,
    unneeded_parts: u64,
}

/// What was wrong with the bytes of a block.
#[derive(Debug, Default)]
struct Faults {
    count: u32,
    /// Who gave bytes that are not those of the block, and is not asked for it again.
    nodes: BTreeSet<NodeName>,
}

/// What a part made known.
#[derive(Debug, Default)]
struct Told {
    miner: Option<Miner>,
    is_whole: bool,
    inside: Inside,
}

/// What is in a block that is there whole.
#[derive(Debug, Default)]
struct Inside {
    /// What somebody may watch, `None` if that is not read.
    contents: Option<Contents>,
    /// The ids of its transactions but for the coinbase, `None` if they are not read.
    txids: Option<Vec<Txid>>,
}

/// What the first bytes of a block are.
enum Front {
    /// Too few for the coinbase.
    Short,
    Coinbase(Miner),
    Whole(Miner, BlockSummary, Box<Inside>),
}

/// Bytes are not those of the block.
struct NotTheBlock;

impl From<BodyError> for NotTheBlock {
    fn from(_: BodyError) -> Self {
        Self
    }
}

impl Bodies {
    pub(super) fn new(settings: &Settings, pools: Arc<Pools>) -> Self {
        Self {
            pools,
            block_bytes: settings.block_bytes,
            plan: Plan::new(settings.backfill_miners),
            reads_contents: false,
            reads_txids: false,
            assemblies: BTreeMap::new(),
            miners: Recent::new(MOST_MINERS),
            summaries: Recent::new(MOST_SUMMARIES),
            kept: Recent::new(MOST_OTHERS),
            compared: Recent::new(MOST_OTHERS),
            faults: Recent::new(MOST_OTHERS),
            serial: 0,
            bad_parts: 0,
            unneeded_parts: 0,
        }
    }

    /// Whether the block's coinbase was read.
    pub(super) fn is_miner_known(&self, block: BlockHash) -> bool {
        self.miners.contains(block)
    }

    /// What the block's transactions spend and pay, `None` while it is not there whole.
    pub(crate) fn summary(&self, block: BlockHash) -> Option<&BlockSummary> {
        self.summaries.get(block)
    }

    /// Whether the block's bytes were said as a row.
    pub(super) fn is_kept(&self, block: BlockHash) -> bool {
        self.kept.contains(block)
    }

    /// Whether these branches of the fork were compared whole.
    pub(super) fn is_compared(&self, fork: BlockHash, branches: &[Vec<BlockHash>]) -> bool {
        self.compared.get(fork).is_some_and(|compared| compared == branches)
    }

    /// These branches of the fork were compared whole.
    pub(super) fn note_compared(&mut self, fork: BlockHash, branches: Vec<Vec<BlockHash>>) {
        self.compared.insert(fork, branches);
    }

    /// How many of the block's bytes are there.
    pub(super) fn length(&self, block: BlockHash) -> usize {
        self.assemblies.get(&block).map_or(0, |assembly| assembly.bytes().len())
    }

    /// The node that gave the last part of the block.
    pub(super) fn last_giver(&self, block: BlockHash) -> Option<&NodeName> {
        self.assemblies.get(&block).map(Assembly::last)
    }

    /// Whether the node may be asked for the block: it, and all together, have not been wrong too often.
    pub(super) fn may_ask(&self, node: &NodeName, block: BlockHash) -> bool {
        let is_sound = |faults: &Faults| faults.count < MOST_FAULTS && !faults.nodes.contains(node);
        self.faults.get(block).is_none_or(is_sound)
    }

    /// Parts that are not those of their block, and parts that nobody needed (any more).
    pub(super) const fn dropped(&self) -> (u64, u64) {
        (self.bad_parts, self.unneeded_parts)
    }

    /// Takes in a part of the block with this header.
    fn take(&mut self, node: &NodeName, header: &Header, part: &BlockPart) -> Told {
        let (block, is_wanted_whole) = (part.block, self.plan.wants_whole(part.block));
        if self.is_miner_known(block) && !is_wanted_whole {
            self.unneeded_parts += 1;
            return Told::default();
        }
        let Some(assembly) = self.extended(node, part) else { return Told::default() };
        let Ok(front) = self.front(header, &assembly) else {
            self.blame(block, assembly.nodes().clone());
            return Told::default();
        };
        let (miner, summary, inside) = match front {
            Front::Short => (None, None, Inside::default()),
            Front::Coinbase(miner) => (Some(miner), None, Inside::default()),
            Front::Whole(miner, summary, inside) => (Some(miner), Some(summary), *inside),
        };
        if is_wanted_whole || miner.is_none() {
            self.put(block, assembly);
        }
        let is_whole = is_wanted_whole && summary.is_some();
        if let Some(summary) = summary.filter(|_| self.plan.is_to_compare(block)) {
            self.summaries.insert(block, summary);
        }
        let is_new = |miner: &Miner| {
            let pool = miner.pool.as_ref().map(|pool| pool.name.clone());
            !self.miners.contains(block) && self.miners.insert(block, pool)
        };
        Told { miner: miner.filter(is_new), is_whole, inside }
    }

    /// What there is of the block, with this part. `None` if it adds nothing.
    fn extended(&mut self, node: &NodeName, part: &BlockPart) -> Option<Assembly> {
        let end = part.offset.checked_add(part.bytes.len() as u64);
        let is_possible = !part.bytes.is_empty()
            && part.size_bytes <= self.block_bytes as u64
            && end.is_some_and(|end| end <= part.size_bytes);
        if !is_possible {
            self.blame(part.block, BTreeSet::from([node.clone()]));
            return None;
        }
        let Some(mut assembly) = self.assemblies.remove(&part.block) else {
            let begun = Assembly::begin(node, part);
            self.unneeded_parts += u64::from(begun.is_none());
            return begun;
        };
        match assembly.add(node, part) {
            Added::More => Some(assembly),
            Added::Nothing => {
                self.unneeded_parts += 1;
                self.assemblies.insert(part.block, assembly);
                None
            }
            // Nobody can tell who is wrong.
            Added::Contradiction => {
                self.blame(part.block, BTreeSet::new());
                Assembly::begin(node, part)
            }
        }
    }

    fn front(&self, header: &Header, assembly: &Assembly) -> Result<Front, NotTheBlock> {
        let (bytes, own, kind) = (assembly.bytes(), header.to_raw(), header.proof_of_work());
        let begins = own.iter().zip(bytes).all(|(own, byte)| own == byte);
        if !begins {
            return Err(NotTheBlock);
        }
        if assembly.is_whole() {
            let body = Body::decode(bytes, kind)?;
            if !body.is_of_header() {
                return Err(NotTheBlock);
            }
            let (miner, summary) =
                (self.pools.miner(body.coinbase()), BlockSummary::new(header.hash(), &body));
            let contents = self.reads_contents.then(|| Contents::new(header.hash(), &body));
            let txids = || body.transactions().iter().skip(1).map(Transaction::txid).collect();
            let inside = Inside { contents, txids: self.reads_txids.then(txids) };
            return Ok(Front::Whole(miner, summary, Box::new(inside)));
        }
        match Body::coinbase_in(bytes, kind) {
            Ok(coinbase) => Ok(Front::Coinbase(self.pools.miner(&coinbase))),
            Err(BodyError::Short { .. }) => Ok(Front::Short),
            Err(_) => Err(NotTheBlock),
        }
    }

    /// Keeps what there is of a block for its next part. Of too many, the one that has waited longest is dropped.
    fn put(&mut self, block: BlockHash, mut assembly: Assembly) {
        self.serial += 1;
        assembly.serial = self.serial;
        self.assemblies.insert(block, assembly);
        if self.assemblies.len() > MOST_ASSEMBLIES {
            let oldest = self.assemblies.iter().min_by_key(|(_, assembly)| assembly.serial);
            if let Some(block) = oldest.map(|(block, _)| *block) {
                self.assemblies.remove(&block);
            }
        }
    }

    fn blame(&mut self, block: BlockHash, nodes: BTreeSet<NodeName>) {
        self.bad_parts += 1;
        if !self.faults.contains(block) {
            self.faults.insert(block, Faults::default());
        }
        if let Some(faults) = self.faults.get_mut(block) {
            faults.count += 1;
            faults.nodes.extend(nodes);
        }
    }

    /// Takes out the blocks that are whole.
    fn take_whole(&mut self) -> Vec<(BlockHash, Vec<u8>)> {
        let whole = self.assemblies.extract_if(.., |_, assembly| assembly.is_whole());
        whole.map(|(block, assembly)| (block, assembly.into_bytes())).collect()
    }
}

impl NetworkState {
    /// The blocks besides their headers.
    pub(crate) const fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// The pool that mined the block. `None` while its coinbase was not read, and if that shows none.
    pub(crate) fn pool(&self, block: BlockHash) -> Option<&str> {
        self.bodies.miners.get(block)?.as_deref()
    }

    /// The same, with `Some(None)` where the coinbase names no pool that is known, and `None` while it is not known.
    #[expect(clippy::option_option, reason = "not known yet is not the same as known to be nobody's")]
    pub(crate) fn miner(&self, block: BlockHash) -> Option<Option<&str>> {
        self.bodies.miners.get(block).map(Option::as_deref)
    }

    pub(super) fn block_part(&mut self, by: Speaker<'_>, part: &BlockPart, out: &mut Vec<Row>) {
        let header = self.tree.as_ref().and_then(|tree| tree.get(part.block));
        let Some(header) = header else {
            self.bodies.unneeded_parts += 1;
            return;
        };
        let told = self.bodies.take(by.node, &header, part);
        if told.miner.is_some() || told.is_whole {
            self.touched.insert(part.block);
        }
        self.look_inside(part.block, told.inside);
        let row = |miner| Row::Miner(MinerRow { network: self.network, block: part.block, miner });
        out.extend(told.miner.map(row));
    }

    /// Takes in what a block has.
    fn look_inside(&mut self, block: BlockHash, Inside { contents, txids }: Inside) {
        match contents {
            Some(contents) => self.watch.look_through(contents),
            None if txids.is_some() => self.watch.note_looked_through(block),
            None => {}
        }
        self.mined.extend(txids.map(|txids| (block, txids)));
    }

    /// Says the bytes of blocks that came whole and are not on the main chain.
    pub(crate) fn say_raw_blocks(&mut self, main: BlockHash, out: &mut Vec<Row>) {
        for (block, raw) in self.bodies.take_whole() {
            let is_beside = self.known_tree().is_ancestor(block, main) == Some(false);
            if is_beside && self.bodies.kept.insert(block, ()) {
                out.push(Row::RawBlock(RawBlockRow { network: self.network, block, raw }));
            }
        }
    }

    /// Takes in the miner of a block as an earlier engine said it.
    pub(crate) fn restore_miner(&mut self, row: MinerRow) {
        self.bodies.miners.insert(row.block, row.miner.pool.map(|pool| pool.name));
    }

    /// Takes in a block as an earlier engine said it.
    pub(crate) fn restore_raw_block(&mut self, block: BlockHash, raw: &[u8]) {
        self.bodies.kept.insert(block, ());
        let header = self.tree.as_ref().and_then(|tree| tree.get(block));
        let Some(header) = header else { return };
        if let Ok(body) = Body::decode(raw, header.proof_of_work()) {
            self.bodies.summaries.insert(block, BlockSummary::new(block, &body));
        }
    }

    /// Takes in that these branches of the fork were compared whole.
    pub(crate) fn restore_compared(&mut self, fork: BlockHash, branches: Vec<Vec<BlockHash>>) {
        self.bodies.note_compared(fork, branches);
    }
}
