//! What nodes told of transactions, and which blocks have them: which of two tellings counts, and how many are kept together.

use bmon_event::{BlockHash, Network, NodeName, ServerTime, Source, Txid, Wtxid, event::RemovalReason};

use super::Sighted;
use crate::spread::Spread;

/// Transactions that were first told one after another, and what every node told of them. One that a node tells of long
/// after the others may stand in a second chunk: what is known of a transaction is what all of them say together.
#[derive(Clone, Debug, PartialEq)]
pub struct TxChunk {
    /// Its number: the later it was begun, the higher.
    pub id: u64,
    /// The network.
    pub network: Network,
    /// When the server heard of the first of its transactions.
    pub begun_at: ServerTime,
    /// When the server heard of the last.
    pub last_at: ServerTime,
    /// Whether no transaction will be added.
    pub is_full: bool,
    /// The transactions, in the order in which the server heard of them.
    pub txs: Vec<TxIds>,
    /// What each node told of them. A node that told nothing is left out.
    pub nodes: Vec<TxColumn>,
    /// Those that blocks have, each by its place with the block, in this order. One may be in blocks of several branches.
    pub mined: Vec<(u16, BlockHash)>,
}

impl TxChunk {
    /// The most transactions in one.
    pub const MOST: usize = 512;
}

/// How far apart the nodes of a network saw the transactions of an hour.
#[derive(Clone, Debug, PartialEq)]
pub struct TxSpread {
    /// The network.
    pub network: Network,
    /// When the hour began in which the transactions were first seen.
    pub begun_at: ServerTime,
    /// The spread.
    pub spread: Spread,
}

/// The names of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TxIds {
    /// Its id.
    pub txid: Txid,
    /// Its id with witness, `None` where no node told it. Of several with the same txid, which takes a witness changed by a
    /// third party, the smallest: the order of arrival must not matter.
    pub wtxid: Option<Wtxid>,
}

impl TxIds {
    /// Takes in an id with witness. Whether it is news.
    pub fn note_wtxid(&mut self, wtxid: Option<Wtxid>) -> bool {
        let is_news = wtxid.is_some_and(|wtxid| self.wtxid.is_none_or(|known| wtxid < known));
        if is_news {
            self.wtxid = wtxid;
        }
        is_news
    }
}

/// What one node told of the transactions of a chunk, each by its place in it.
#[derive(Clone, Debug, PartialEq)]
pub struct TxColumn {
    /// The node.
    pub node: NodeName,
    /// When it accepted each, as many as the chunk has transactions.
    pub accepted: Vec<Option<TxSeen>>,
    /// Those that it refused, by place.
    pub refused: Vec<(u16, TxSeen)>,
    /// Those that left its mempool, by place.
    pub left: Vec<(u16, TxLeft)>,
}

/// When a node first told of something, and by which source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxSeen {
    /// Who told.
    pub source: Source,
    /// When.
    pub sighted: Sighted,
}

impl TxSeen {
    /// Whether this counts and not the other: the better source, then the earlier time, then the better known clock. The log
    /// has the time at which it happened, ZMQ and RPC when the agent heard of it.
    pub fn counts_before(&self, other: &Self) -> bool {
        self.rank() < other.rank()
    }

    fn rank(&self) -> impl Ord + use<> {
        let offset = self.sighted.offset;
        let clock = offset.map(|offset| (offset.max_us.saturating_sub(offset.min_us), offset.min_us));
        (self.source, self.sighted.at, clock.is_none(), clock)
    }
}

/// That a transaction left a node's mempool for another reason than inclusion in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxLeft {
    /// When, and who told.
    pub seen: TxSeen,
    /// Why, `None` where the node did not tell.
    pub reason: Option<RemovalReason>,
    /// What took its place, `None` if nothing did or the node did not tell.
    pub by: Option<Txid>,
}

impl TxLeft {
    /// Whether this counts and not the other: the one that tells more, then as [`TxSeen::counts_before`].
    pub fn counts_before(&self, other: &Self) -> bool {
        self.rank() < other.rank()
    }

    fn rank(&self) -> impl Ord + use<'_> {
        (
            self.by.is_none(),
            self.reason.is_none(),
            self.seen.rank(),
            self.by,
            self.reason.as_ref().map(RemovalReason::as_str),
        )
    }
}

/// All that one node told of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxNode {
    /// The node.
    pub node: NodeName,
    /// When it accepted it.
    pub accepted: Option<TxSeen>,
    /// When it refused it.
    pub refused: Option<TxSeen>,
    /// That it left its mempool.
    pub left: Option<TxLeft>,
}

impl TxNode {
    /// Of which nothing is known yet.
    pub const fn new(node: NodeName) -> Self {
        Self { node, accepted: None, refused: None, left: None }
    }

    /// When the node first told of the transaction, as accepted or as refused.
    pub fn first(&self) -> Option<TxSeen> {
        let told = [self.accepted, self.refused].into_iter().flatten();
        told.min_by_key(|seen| seen.sighted.at)
    }

    /// Takes in what the node also told.
    pub fn merge(&mut self, other: Self) {
        keep(&mut self.accepted, other.accepted, TxSeen::counts_before);
        keep(&mut self.refused, other.refused, TxSeen::counts_before);
        keep(&mut self.left, other.left, TxLeft::counts_before);
    }
}

/// Keeps in `place` the one of two that counts before the other. Whether it is a new one.
pub(crate) fn keep<T>(place: &mut Option<T>, new: Option<T>, counts_before: impl Fn(&T, &T) -> bool) -> bool {
    let is_news = new.as_ref().is_some_and(|new| place.as_ref().is_none_or(|old| counts_before(new, old)));
    if is_news {
        *place = new;
    }
    is_news
}
