//! The transactions of a network that nodes told of lately, what each node told of each, and which blocks have them.
//!
//! Most of what nodes tell is of transactions, and most of a transaction is told within a minute. So they are kept in
//! chunks of some hundred, in the order in which they came, and a chunk is said whole: every two seconds while transactions
//! are added to it, when it is full, and then again the more rarely the longer that was ago, as long as there is news. What
//! is not said yet is known to whoever keeps the journal: see [`Transactions::unsaid_since`].
//!
//! A chunk is forgotten when the hour after that of its last transaction is over. What is then told of one of its
//! transactions, or that a block has it, stands in a new chunk, and who reads a transaction puts both together.

mod chunk;
mod hours;
mod kept;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use bmon_event::{BlockHash, Network, NodeName, ServerTime, Txid};
use hashbrown::HashTable;

pub(crate) use self::chunk::Word;
use self::{chunk::Chunk, hours::Hours, kept::Kept};
use crate::{
    histogram::Histogram,
    row::{Row, TxChunk, TxIds, TxNode},
    spread::Spread,
};

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 3_600 * SECOND_US;

/// A chunk is said no more often than this, so that one to which transactions are added is not written too often.
const SHORTEST_UNSAID_US: i64 = 2 * SECOND_US;

/// A chunk of which there is news is said at the latest after this, so that the journal can be let go of.
const LONGEST_UNSAID_US: i64 = 300 * SECOND_US;

/// A transaction is counted in its hour this long after the server heard of it, when most nodes have told of it that will: it has
/// reached 99 % of peers after 26.5 s (KIT, measured from November 2024 to October 2025). What is told later is counted too.
const SETTLED_US: i64 = 60 * SECOND_US;

/// Whom a telling comes from, and when it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling {
    /// The number that [`Transactions::number_of`] gave the node.
    pub(crate) node: u16,
    /// Which batch it is in, counted by whoever asks what is unsaid.
    pub(crate) batch: u64,
    pub(crate) now: ServerTime,
}

/// The transactions of a network.
#[derive(Debug)]
pub(crate) struct Transactions {
    network: Network,
    /// Most chunks that are kept in mind.
    most: usize,
    /// Where a transaction is found. Keyed at random, since a txid may be chosen by whoever tells it.
    table: HashTable<Place>,
    hasher: RandomState,
    chunks: VecDeque<Kept>,
    /// The number of the first of `chunks`.
    first: u32,
    nodes: Vec<NodeName>,
    numbers: BTreeMap<NodeName, u16>,
    /// Chunks of which there is news that is not said, by the batch since which.
    unsaid: BTreeSet<(u64, u32)>,
    hours: Hours,
    /// How long after the first node each told, by its number.
    delays: Vec<Histogram>,
    /// The oldest hour that can change.
    oldest_hour: i64,
    /// Transactions forgotten before their time because there were too many.
    forgotten: u64,
    /// Transactions that came too late to be counted in their hour.
    late: u64,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The number of its chunk.
    chunk: u32,
    /// Its place in the chunk.
    place: u16,
}

/// The oldest hour that can change at this time.
const fn oldest_hour(now: ServerTime) -> i64 {
    now.as_micros().div_euclid(HOUR_US) - 1
}

/// When the oldest hour began of which the spread can change at this time.
pub(crate) const fn open_since(now: ServerTime) -> ServerTime {
    ServerTime::from_micros(oldest_hour(now) * HOUR_US)
}

impl Transactions {
    /// With at most so many transactions in mind.
    pub(crate) fn new(network: Network, most: usize) -> Self {
        Self {
            network,
            most: most.div_ceil(TxChunk::MOST),
            table: HashTable::new(),
            hasher: RandomState::new(),
            chunks: VecDeque::new(),
            first: 0,
            nodes: Vec::new(),
            numbers: BTreeMap::new(),
            unsaid: BTreeSet::new(),
            hours: Hours::default(),
            delays: Vec::new(),
            oldest_hour: 0,
            forgotten: 0,
            late: 0,
        }
    }

    /// The number that stands for a node here.
    pub(crate) fn number_of(&mut self, node: &NodeName) -> u16 {
        if let Some(number) = self.numbers.get(node) {
            return *number;
        }
        let number = u16::try_from(self.nodes.len()).expect("a server has tokens of few nodes");
        self.nodes.push(node.clone());
        self.numbers.insert(node.clone(), number);
        number
    }

    /// Takes in what a node told of a transaction. A chunk that has to be begun takes the next of `ids`.
    pub(crate) fn note(&mut self, tx: TxIds, word: Word, by: Telling, ids: &mut u64) {
        let place = self.find_or_push(tx, by.now, ids);
        let kept = &mut self.chunks[place.chunk.wrapping_sub(self.first) as usize];
        let is_settled = place.place < kept.settled;
        let before = if is_settled { kept.chunk.seen(place.place) } else { Vec::new() };
        let is_named = kept.chunk.note_wtxid(place.place, tx.wtxid);
        let is_news = kept.chunk.note(place.place, by.node, word);
        if is_named || is_news {
            note_news(kept, &mut self.unsaid, by.batch, place.chunk);
        }
        if is_settled && is_news {
            kept.uncount(place.place, &before, &mut self.hours);
            kept.count(place.place, &kept.chunk.seen(place.place), &mut self.hours, self.oldest_hour);
        }
    }

    /// Takes in that a block has these transactions. One that is not in mind was told of long ago or never, and stands in a chunk
    /// by its id alone.
    pub(crate) fn mined(&mut self, block: BlockHash, txids: &[Txid], by: Telling, ids: &mut u64) {
        for txid in txids {
            let place = self.find_or_push(TxIds { txid: *txid, wtxid: None }, by.now, ids);
            let kept = &mut self.chunks[place.chunk.wrapping_sub(self.first) as usize];
            if kept.chunk.note_mined(place.place, block) {
                note_news(kept, &mut self.unsaid, by.batch, place.chunk);
            }
        }
    }

    /// Says the chunks that it is time for, and forgets those that are too old.
    pub(crate) fn tick(&mut self, now: ServerTime, out: &mut Vec<Row>) {
        let due: Vec<u32> =
            self.unsaid.iter().map(|(_, chunk)| *chunk).filter(|chunk| self.is_due(*chunk, now)).collect();
        for chunk in due {
            self.say(chunk, now, out);
        }
        self.settle(now);
        self.forget(now, out);
        self.hours.say(self.network, &self.nodes, self.oldest_hour, now, out);
    }

    /// Says all that is not said.
    pub(crate) fn say_all(&mut self, now: ServerTime, out: &mut Vec<Row>) {
        self.hours.say(self.network, &self.nodes, self.oldest_hour, now, out);
        while let Some((_, chunk)) = self.unsaid.first().copied() {
            self.say(chunk, now, out);
        }
    }

    /// The spread of each hour that was over since the last call, oldest first, and when the first begins that is not over.
    pub(crate) fn take_hours(&mut self) -> (Vec<(ServerTime, Spread)>, ServerTime) {
        (self.hours.take_over(), ServerTime::from_micros(self.oldest_hour * HOUR_US))
    }

    /// The first batch with news that is not said, `None` if there is none.
    pub(crate) fn unsaid_since(&self) -> Option<u64> {
        self.unsaid.first().map(|(batch, _)| *batch)
    }

    /// Takes in a chunk that was said before. The older must come first.
    pub(crate) fn restore(&mut self, row: &TxChunk) {
        let number = self.begin(Chunk::new(row.id, row.begun_at));
        for tx in &row.txs {
            let place = self.kept(number).chunk.push(*tx, row.last_at);
            self.place(tx.txid, Place { chunk: number, place });
        }
        for column in &row.nodes {
            let node = self.number_of(&column.node);
            let chunk = &mut self.kept(number).chunk;
            for (place, seen) in (0..).zip(&column.accepted) {
                seen.map(|seen| chunk.note(place, node, Word::Accepted(seen)));
            }
            for (place, seen) in &column.refused {
                chunk.note(*place, node, Word::Refused(*seen));
            }
            for (place, left) in &column.left {
                chunk.note(*place, node, Word::Left(left.clone()));
            }
        }
        let kept = self.kept(number);
        for (place, block) in &row.mined {
            kept.chunk.note_mined(*place, *block);
        }
        kept.chunk.is_full |= row.is_full;
        (kept.said_at, kept.is_full_said) = (Some(row.last_at), row.is_full);
        kept.restored = u16::try_from(row.txs.len()).unwrap_or(u16::MAX);
    }

    /// What each node told of the transaction, as far as it is in mind.
    pub(crate) fn told(&self, txid: &Txid) -> Vec<TxNode> {
        let Some(place) = self.find(txid) else { return Vec::new() };
        let chunk = &self.chunks[place.chunk.wrapping_sub(self.first) as usize].chunk;
        chunk.told(place.place, &self.nodes)
    }

    /// Transactions that came too late to be counted in their hour.
    pub(crate) const fn late(&self) -> u64 {
        self.late
    }

    /// How long after the first node each told of the transactions that came since the engine was made.
    pub(crate) fn delays(&self) -> BTreeMap<NodeName, Histogram> {
        self.nodes
            .iter()
            .cloned()
            .zip(self.delays.iter().copied())
            .filter(|(_, delays)| delays.count > 0)
            .collect()
    }

    /// Transactions that were forgotten before their time.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn find(&self, txid: &Txid) -> Option<Place> {
        self.table.find(self.hasher.hash_one(txid), |place| self.txid(*place) == *txid).copied()
    }

    fn txid(&self, place: Place) -> Txid {
        self.chunks[place.chunk.wrapping_sub(self.first) as usize].chunk.txs[usize::from(place.place)].txid
    }

    fn kept(&mut self, chunk: u32) -> &mut Kept {
        &mut self.chunks[chunk.wrapping_sub(self.first) as usize]
    }

    /// Where the transaction is, or is put because it is not there.
    fn find_or_push(&mut self, tx: TxIds, now: ServerTime, ids: &mut u64) -> Place {
        match self.find(&tx.txid) {
            Some(place) => place,
            None => self.push(tx, now, ids),
        }
    }

    /// Adds a transaction that is not there.
    fn push(&mut self, tx: TxIds, now: ServerTime, ids: &mut u64) -> Place {
        let open = self.chunks.back().is_some_and(|kept| !kept.chunk.is_full);
        let chunk = if open {
            self.first.wrapping_add(u32::try_from(self.chunks.len() - 1).expect("`most` is small"))
        } else {
            *ids += 1;
            self.begin(Chunk::new(*ids, now))
        };
        let place = Place { chunk, place: self.kept(chunk).chunk.push(tx, now) };
        self.place(tx.txid, place);
        place
    }

    /// Adds a chunk after the last one, and gives its number.
    fn begin(&mut self, chunk: Chunk) -> u32 {
        if let Some(last) = self.chunks.back_mut() {
            last.chunk.is_full = true;
        }
        self.chunks.push_back(Kept::new(chunk));
        self.first.wrapping_add(u32::try_from(self.chunks.len() - 1).expect("`most` is small"))
    }

    /// Lets the transaction be found there, and no longer where it was.
    fn place(&mut self, txid: Txid, place: Place) {
        let (hash, hasher, chunks, first) =
            (self.hasher.hash_one(txid), &self.hasher, &self.chunks, self.first);
        let txid_at = |place: &Place| {
            chunks[place.chunk.wrapping_sub(first) as usize].chunk.txs[usize::from(place.place)].txid
        };
        let entry =
            self.table.entry(hash, |known| txid_at(known) == txid, |known| hasher.hash_one(txid_at(known)));
        entry.insert(place);
    }

    /// Whether a chunk with news is to be said: if it never was, if it has become full, and else after as long as nothing had
    /// been added to it when it was last said.
    fn is_due(&self, chunk: u32, now: ServerTime) -> bool {
        let kept = &self.chunks[chunk.wrapping_sub(self.first) as usize];
        kept.said_at.is_none_or(|said_at| {
            let pause_us =
                said_at.micros_since(kept.chunk.last_at).clamp(SHORTEST_UNSAID_US, LONGEST_UNSAID_US);
            kept.chunk.is_full != kept.is_full_said || now.micros_since(said_at) >= pause_us
        })
    }

    fn say(&mut self, chunk: u32, now: ServerTime, out: &mut Vec<Row>) {
        let network = self.network;
        let kept = &mut self.chunks[chunk.wrapping_sub(self.first) as usize];
        if let Some(since) = kept.unsaid_since.take() {
            self.unsaid.remove(&(since, chunk));
        }
        (kept.said_at, kept.is_full_said) = (Some(now), kept.chunk.is_full);
        out.push(Row::TxChunk(Box::new(kept.chunk.row(network, &self.nodes))));
    }

    /// Counts the transactions that most nodes have told of that will.
    fn settle(&mut self, now: ServerTime) {
        self.oldest_hour = oldest_hour(now);
        for kept in &mut self.chunks {
            while usize::from(kept.settled) < kept.chunk.txs.len() {
                if now.micros_since(kept.chunk.heard_at(kept.settled)) < SETTLED_US {
                    return;
                }
                let is_late = kept.settle_next(&mut self.hours, self.oldest_hour, &mut self.delays);
                self.late += u64::from(is_late);
            }
        }
    }

    fn forget(&mut self, now: ServerTime, out: &mut Vec<Row>) {
        let kept_from = ServerTime::from_micros(self.oldest_hour * HOUR_US);
        loop {
            let is_too_many = self.chunks.len() > self.most;
            let Some(oldest) = self.chunks.front_mut() else { return };
            let is_old = oldest.chunk.last_at < kept_from;
            if !is_old && !is_too_many {
                return;
            }
            if !is_old {
                self.forgotten += oldest.chunk.txs.len() as u64;
            }
            while usize::from(oldest.settled) < oldest.chunk.txs.len() {
                let is_late = oldest.settle_next(&mut self.hours, self.oldest_hour, &mut self.delays);
                self.late += u64::from(is_late);
            }
            oldest.chunk.is_full = true;
            if oldest.unsaid_since.is_some() || !oldest.is_full_said {
                self.say(self.first, now, out);
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.chunks.front() else { return };
        for (place, tx) in (0..).zip(&oldest.chunk.txs) {
            let is_it = |known: &Place| known.chunk == self.first && known.place == place;
            if let Ok(entry) = self.table.find_entry(self.hasher.hash_one(tx.txid), is_it) {
                entry.remove();
            }
        }
        self.chunks.pop_front();
        self.first = self.first.wrapping_add(1);
    }
}

/// Notes that there is news of a chunk, first told in this batch.
fn note_news(kept: &mut Kept, unsaid: &mut BTreeSet<(u64, u32)>, batch: u64, chunk: u32) {
    if kept.unsaid_since.is_none() {
        kept.unsaid_since = Some(batch);
        unsaid.insert((batch, chunk));
    }
}
