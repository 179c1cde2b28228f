//! Transactions that were first told one after another, and a column for each node that told of any of them.
//!
//! A sighting takes seven bytes: its time as a difference to the first of its column, the number of its clock's interval
//! in a table of the column, and its source. What is rare (a refusal, a departure) is kept beside. That a block has a transaction
//! takes eight: its place, and the number of the block in a table of the chunk.

use std::collections::BTreeMap;

use bmon_event::{AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Wtxid};

use crate::{
    row::{Offset, Sighted, TxChunk, TxColumn, TxIds, TxLeft, TxNode, TxSeen, keep},
    spread::Seen,
};

/// How far before the first sighting of a column another may be. They reach over 71 minutes, of which the most by far are
/// after the first.
const BEFORE_US: i64 = 10 * 60 * 1_000_000;

/// How many intervals of a clock are looked through for one that is there already.
const RECENT_CLOCKS: usize = 16;

/// Stands for a source where the columns cannot hold a sighting.
const ELSEWHERE: u8 = u8::MAX;

/// Stands for an hour where there is none.
pub(super) const UNCOUNTED: i32 = i32::MIN;

/// What a node told of a transaction at one time.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// It accepted it.
    Accepted(TxSeen),
    /// It refused it.
    Refused(TxSeen),
    /// It left its mempool.
    Left(TxLeft),
}

impl Word {
    /// What it is as all that the node told.
    pub(crate) fn of(self, node: NodeName) -> TxNode {
        let told = TxNode::new(node);
        match self {
            Self::Accepted(seen) => TxNode { accepted: Some(seen), ..told },
            Self::Refused(seen) => TxNode { refused: Some(seen), ..told },
            Self::Left(left) => TxNode { left: Some(left), ..told },
        }
    }
}

/// The transactions.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) id: u64,
    pub(super) begun_at: ServerTime,
    pub(super) last_at: ServerTime,
    pub(super) is_full: bool,
    pub(super) txs: Vec<TxIds>,
    /// When the server heard of each, in milliseconds after it heard of the first.
    heard_ms: Vec<u32>,
    /// The hour that each is counted in, `UNCOUNTED` where it is in none.
    pub(super) hours: Vec<i32>,
    columns: Vec<Option<Box<Column>>>,
    /// The blocks that have any of them.
    blocks: Vec<BlockHash>,
    /// Those that a block has: the place, and the block's number in `blocks`. In order, each pair once.
    mined: Vec<(u16, u32)>,
}

impl Chunk {
    pub(super) fn new(id: u64, now: ServerTime) -> Self {
        let txs = Vec::with_capacity(TxChunk::MOST);
        Self {
            id,
            begun_at: now,
            last_at: now,
            is_full: false,
            txs,
            heard_ms: Vec::new(),
            hours: Vec::new(),
            columns: Vec::new(),
            blocks: Vec::new(),
            mined: Vec::new(),
        }
    }

    /// Adds a transaction that it has room for, and gives its place.
    pub(super) fn push(&mut self, ids: TxIds, now: ServerTime) -> u16 {
        self.txs.push(ids);
        let heard_ms = now.micros_since(self.begun_at) / 1_000;
        self.heard_ms.push(u32::try_from(heard_ms.max(0)).unwrap_or(u32::MAX));
        self.hours.push(UNCOUNTED);
        self.last_at = self.last_at.max(now);
        self.is_full = self.txs.len() == TxChunk::MOST;
        u16::try_from(self.txs.len() - 1).expect("a chunk has few transactions")
    }

    /// Takes in an id with witness. Whether it is news.
    pub(super) fn note_wtxid(&mut self, place: u16, wtxid: Option<Wtxid>) -> bool {
        self.txs[usize::from(place)].note_wtxid(wtxid)
    }

    /// Takes in what a node told of the transaction at this place. Whether it is news.
    pub(super) fn note(&mut self, place: u16, node: u16, word: Word) -> bool {
        let node = usize::from(node);
        if self.columns.len() <= node {
            self.columns.resize_with(node + 1, || None);
        }
        let column = self.columns[node].get_or_insert_with(Box::default);
        column.note(place, word)
    }

    /// Takes in that the block has the transaction at this place. Whether it is news.
    pub(super) fn note_mined(&mut self, place: u16, block: BlockHash) -> bool {
        // Most often it is the block that was noted last.
        let number = self.blocks.iter().rposition(|known| *known == block).unwrap_or(self.blocks.len());
        if number == self.blocks.len() {
            self.blocks.push(block);
        }
        let pair = (place, u32::try_from(number).expect("a chunk is in few blocks"));
        let at = self.mined.binary_search(&pair).err();
        at.map(|at| self.mined.insert(at, pair)).is_some()
    }

    /// When the server heard of the transaction at this place.
    pub(super) fn heard_at(&self, place: u16) -> ServerTime {
        self.begun_at.plus_micros(i64::from(self.heard_ms[usize::from(place)]) * 1_000)
    }

    /// When each node first told of the transaction at this place, as accepted or refused.
    pub(super) fn seen(&self, place: u16) -> Vec<Seen> {
        let columns = (0..).zip(&self.columns).filter_map(|(node, column)| Some((node, column.as_ref()?)));
        columns.filter_map(|(node, column)| column.first(place, node)).collect()
    }

    /// All that each node told of the transaction at this place.
    pub(super) fn told(&self, place: u16, nodes: &[NodeName]) -> Vec<TxNode> {
        let columns =
            self.columns.iter().zip(nodes).filter_map(|(column, node)| Some((column.as_ref()?, node)));
        columns.map(|(column, node)| column.told(place, node.clone())).collect()
    }

    /// All of it, with the names of the nodes.
    pub(super) fn row(&self, network: Network, nodes: &[NodeName]) -> TxChunk {
        let told =
            self.columns.iter().zip(nodes).filter_map(|(column, node)| Some((column.as_deref()?, node)));
        TxChunk {
            id: self.id,
            network,
            begun_at: self.begun_at,
            last_at: self.last_at,
            is_full: self.is_full,
            txs: self.txs.clone(),
            nodes: told.map(|(column, node)| column.row(node.clone(), self.txs.len())).collect(),
            mined: self.mined_in_order(),
        }
    }

    /// Those that blocks have, in an order that does not depend on what was told first.
    fn mined_in_order(&self) -> Vec<(u16, BlockHash)> {
        let block = |number: u32| self.blocks.get(usize::try_from(number).ok()?).copied();
        let mut mined: Vec<_> =
            self.mined.iter().filter_map(|(place, number)| Some((*place, block(*number)?))).collect();
        mined.sort_unstable();
        mined
    }
}

/// What one node told of the transactions of a chunk.
#[derive(Debug)]
struct Column {
    /// What the times count from; set by the first sighting.
    base: Option<AgentTime>,
    at: Box<[u32]>,
    /// Number in `clocks`.
    clock: Box<[u16]>,
    /// The source's number and one, 0 where nothing was told, `ELSEWHERE` where it is in `rare`.
    source: Box<[u8]>,
    clocks: Vec<Option<Offset>>,
    rare: BTreeMap<u16, Rare>,
}

/// What is rarely told of a transaction.
#[derive(Debug, Default)]
struct Rare {
    /// When it was accepted, where the columns cannot hold it.
    accepted: Option<TxSeen>,
    refused: Option<TxSeen>,
    left: Option<TxLeft>,
}

impl Default for Column {
    fn default() -> Self {
        Self {
            base: None,
            at: vec![0; TxChunk::MOST].into(),
            clock: vec![0; TxChunk::MOST].into(),
            source: vec![0; TxChunk::MOST].into(),
            clocks: Vec::new(),
            rare: BTreeMap::new(),
        }
    }
}

impl Column {
    fn note(&mut self, place: u16, word: Word) -> bool {
        match word {
            Word::Accepted(seen) => {
                self.accepted(place).is_none_or(|known| seen.counts_before(&known)) && {
                    self.accept(place, seen);
                    true
                }
            }
            Word::Refused(seen) => keep(&mut self.rare(place).refused, Some(seen), TxSeen::counts_before),
            Word::Left(left) => keep(&mut self.rare(place).left, Some(left), TxLeft::counts_before),
        }
    }

    fn accept(&mut self, place: u16, seen: TxSeen) {
        let base = *self.base.get_or_insert_with(|| seen.sighted.at.plus_micros(-BEFORE_US));
        let at = u32::try_from(seen.sighted.at.micros_since(base)).ok();
        let Some((at, clock)) = at.zip(self.clock(seen.sighted.offset)) else {
            self.source[usize::from(place)] = ELSEWHERE;
            self.rare(place).accepted = Some(seen);
            return;
        };
        let place = usize::from(place);
        self.at[place] = at;
        self.clock[place] = clock;
        self.source[place] = seen.source as u8 + 1;
    }

    /// The number of an interval, which most often is that of a sighting just before. `None` if there are too many.
    fn clock(&mut self, offset: Option<Offset>) -> Option<u16> {
        let recent = self.clocks.len().saturating_sub(RECENT_CLOCKS);
        let known = self.clocks[recent..].iter().rposition(|known| *known == offset);
        let number = known.map_or(self.clocks.len(), |known| recent + known);
        let short = u16::try_from(number).ok()?;
        if known.is_none() {
            self.clocks.push(offset);
        }
        Some(short)
    }

    fn rare(&mut self, place: u16) -> &mut Rare {
        self.rare.entry(place).or_default()
    }

    fn accepted(&self, place: u16) -> Option<TxSeen> {
        let index = usize::from(place);
        match self.source[index] {
            ELSEWHERE => self.rare.get(&place)?.accepted,
            source => {
                let source = *Source::ALL.get(usize::from(source).checked_sub(1)?)?;
                let at = self.base?.plus_micros(i64::from(self.at[index]));
                let offset = self.clocks[usize::from(self.clock[index])];
                Some(TxSeen { source, sighted: Sighted { at, offset } })
            }
        }
    }

    fn first(&self, place: u16, node: u16) -> Option<Seen> {
        let refused = self.rare.get(&place).and_then(|rare| rare.refused);
        let told = [(self.accepted(place), false), (refused, true)];
        let told = told.into_iter().filter_map(|(seen, is_refused)| Some((seen?, is_refused)));
        let (TxSeen { source, sighted }, is_refused) = told.min_by_key(|(seen, _)| seen.sighted.at)?;
        Some(Seen { node, source, sighted, is_refused })
    }

    fn told(&self, place: u16, node: NodeName) -> TxNode {
        let rare = self.rare.get(&place);
        TxNode {
            node,
            accepted: self.accepted(place),
            refused: rare.and_then(|rare| rare.refused),
            left: rare.and_then(|rare| rare.left.clone()),
        }
    }

    fn row(&self, node: NodeName, txs: usize) -> TxColumn {
        let places = 0..u16::try_from(txs).expect("a chunk has few transactions");
        let left = |(place, rare): (&u16, &Rare)| Some((*place, rare.left.clone()?));
        TxColumn {
            node,
            accepted: places.map(|place| self.accepted(place)).collect(),
            refused: self.rare.iter().filter_map(|(place, rare)| Some((*place, rare.refused?))).collect(),
            left: self.rare.iter().filter_map(left).collect(),
        }
    }
}
