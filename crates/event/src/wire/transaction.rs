//! `TxAdded` and `TxRemoved` in columns: the ids stand together, everything else takes a few bits of a row.

use super::kind::{Field, known};
use super::schema::Transactions;
use super::{bad, micros};
use crate::event::RemovalReason;
use crate::{AgentTime, DecodeError, Event, Kind, NodeTime, Source, Txid, Wtxid};

/// The bits of a row's flags that hold its source's number.
const SOURCE: u32 = 0b111;
/// The row is a `TxRemoved`, not a `TxAdded`.
const REMOVED: u32 = 1 << 3;
const HAS_NODE_TIME: u32 = 1 << 4;
const HAS_WTXID: u32 = 1 << 5;
const HAS_MEMPOOL_SEQUENCE: u32 = 1 << 6;
/// There is a witness id and it equals the id: the transaction has no witness.
const WTXID_IS_TXID: u32 = 1 << 7;
const HAS_PEER: u32 = 1 << 8;
const HAS_REASON: u32 = 1 << 9;

/// Collects rows.
pub(super) struct Writer {
    columns: Transactions,
    agent_time: Delta,
    node_time: Delta,
    mempool_sequence: Delta,
}

impl Writer {
    pub(super) fn new(made_at_us: i64) -> Self {
        Self {
            columns: Transactions::default(),
            agent_time: Delta(made_at_us),
            node_time: Delta(made_at_us),
            mempool_sequence: Delta(0),
        }
    }

    /// Adds `event` if it has a place in the columns, and tells whether it had.
    pub(super) fn push(&mut self, event: &Event) -> bool {
        let flags = match &event.kind {
            Kind::TxAdded { txid, wtxid, peer, mempool_sequence } => {
                self.columns.txids.extend_from_slice(txid.as_bytes());
                self.wtxid(txid, wtxid.as_ref())
                    | present(HAS_PEER, *peer, |peer| self.columns.peers.push(peer))
                    | self.mempool_sequence(*mempool_sequence)
            }
            Kind::TxRemoved { txid, reason, mempool_sequence } => {
                self.columns.txids.extend_from_slice(txid.as_bytes());
                let reason = reason.as_ref().map(RemovalReason::as_str);
                REMOVED
                    | present(HAS_REASON, reason, |word| self.columns.removal_reasons.push(word.to_owned()))
                    | self.mempool_sequence(*mempool_sequence)
            }
            _ => return false,
        };
        let node_time = present(HAS_NODE_TIME, event.node_time, |time| {
            self.columns.node_times_us.push(self.node_time.to(time.as_micros()));
        });
        self.columns.agent_times_us.push(self.agent_time.to(event.agent_time.as_micros()));
        self.columns.flags.push(event.source.to_wire() | flags | node_time);
        true
    }

    fn wtxid(&mut self, txid: &Txid, wtxid: Option<&Wtxid>) -> u32 {
        match wtxid {
            Some(wtxid) if wtxid.as_bytes() == txid.as_bytes() => WTXID_IS_TXID,
            wtxid => {
                present(HAS_WTXID, wtxid, |wtxid| self.columns.wtxids.extend_from_slice(wtxid.as_bytes()))
            }
        }
    }

    fn mempool_sequence(&mut self, sequence: Option<u64>) -> u32 {
        present(HAS_MEMPOOL_SEQUENCE, sequence, |sequence| {
            self.columns.mempool_sequences.push(self.mempool_sequence.to(sequence.cast_signed()));
        })
    }

    /// The columns, `None` if nothing was added.
    pub(super) fn finish(self) -> Option<Transactions> {
        (!self.columns.flags.is_empty()).then_some(self.columns)
    }
}

/// Hands over a value if there is one, and gives the flag that says so.
fn present<T>(flag: u32, value: Option<T>, push: impl FnOnce(T)) -> u32 {
    value.map_or(0, |value| {
        push(value);
        flag
    })
}

/// The previous value of a column of differences. They wrap, so that any value follows any other.
struct Delta(i64);

impl Delta {
    fn to(&mut self, value: i64) -> i64 {
        value.wrapping_sub(std::mem::replace(&mut self.0, value))
    }

    fn from(&mut self, difference: i64) -> i64 {
        self.0 = self.0.wrapping_add(difference);
        self.0
    }
}

/// Reads all rows; `None` stands for one whose source this version does not know.
pub(super) fn read(columns: &Transactions, made_at_us: i64) -> Result<Vec<Option<Event>>, DecodeError> {
    let mut reader = Reader {
        agent_times: columns.agent_times_us.iter(),
        node_times: columns.node_times_us.iter(),
        txids: hashes("transactions.txids", &columns.txids)?,
        wtxids: hashes("transactions.wtxids", &columns.wtxids)?,
        peers: columns.peers.iter(),
        mempool_sequences: columns.mempool_sequences.iter(),
        reasons: columns.removal_reasons.iter(),
        agent_time: Delta(made_at_us),
        node_time: Delta(made_at_us),
        mempool_sequence: Delta(0),
    };
    let rows = columns.flags.iter().map(|&flags| reader.row(flags)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(rows)
}

fn hashes<'a>(field: &'static str, bytes: &'a [u8]) -> Result<std::slice::Iter<'a, [u8; 32]>, DecodeError> {
    match bytes.as_chunks::<32>() {
        (hashes, []) => Ok(hashes.iter()),
        _ => Err(bad(field, format!("is {} bytes long, not a multiple of 32", bytes.len()))),
    }
}

/// What is left of every column.
struct Reader<'a> {
    agent_times: std::slice::Iter<'a, i64>,
    node_times: std::slice::Iter<'a, i64>,
    txids: std::slice::Iter<'a, [u8; 32]>,
    wtxids: std::slice::Iter<'a, [u8; 32]>,
    peers: std::slice::Iter<'a, u64>,
    mempool_sequences: std::slice::Iter<'a, i64>,
    reasons: std::slice::Iter<'a, String>,
    agent_time: Delta,
    node_time: Delta,
    mempool_sequence: Delta,
}

impl Reader<'_> {
    /// Takes one row off the columns, all of it even if its source is not known, so that the next one is right.
    fn row(&mut self, flags: u32) -> Result<Option<Event>, DecodeError> {
        let txid = *next("transactions.txids", &mut self.txids)?;
        let (agent_times, node_times) = ("transactions.agent_times_us", "transactions.node_times_us");
        let difference = *next(agent_times, &mut self.agent_times)?;
        let agent_time = micros(agent_times, self.agent_time.from(difference))?;
        let node_time = taken(node_times, flags & HAS_NODE_TIME, &mut self.node_times)?
            .map(|&difference| micros(node_times, self.node_time.from(difference)))
            .transpose()?;
        let mempool_sequence = taken(
            "transactions.mempool_sequences",
            flags & HAS_MEMPOOL_SEQUENCE,
            &mut self.mempool_sequences,
        )?
        .map(|&difference| self.mempool_sequence.from(difference).cast_unsigned());
        let wtxid = taken("transactions.wtxids", flags & HAS_WTXID, &mut self.wtxids)?.copied();
        let peer = taken("transactions.peers", flags & HAS_PEER, &mut self.peers)?.copied();
        let reason = taken("transactions.removal_reasons", flags & HAS_REASON, &mut self.reasons)?;
        let kind = if flags & REMOVED == 0 {
            let wtxid = wtxid.or((flags & WTXID_IS_TXID != 0).then_some(txid)).map(Wtxid::from_bytes);
            Kind::TxAdded { txid: Txid::from_bytes(txid), wtxid, peer, mempool_sequence }
        } else {
            let reason = reason.map(|word| RemovalReason::from_word(word));
            Kind::TxRemoved { txid: Txid::from_bytes(txid), reason, mempool_sequence }
        };
        let source = known(Source::from_wire("transactions.flags", flags & SOURCE))?;
        Ok(source.map(|source| event(source, node_time, agent_time, kind)))
    }

    /// Checks that no column has more entries than the flags told.
    fn finish(self) -> Result<(), DecodeError> {
        let left = [
            ("transactions.txids", self.txids.len()),
            ("transactions.wtxids", self.wtxids.len()),
            ("transactions.agent_times_us", self.agent_times.len()),
            ("transactions.node_times_us", self.node_times.len()),
            ("transactions.peers", self.peers.len()),
            ("transactions.mempool_sequences", self.mempool_sequences.len()),
            ("transactions.removal_reasons", self.reasons.len()),
        ];
        match left.iter().find(|(_, left)| *left > 0) {
            Some((field, left)) => Err(bad(field, format!("has {left} entries more than the flags tell"))),
            None => Ok(()),
        }
    }
}

fn event(source: Source, node_time: Option<i64>, agent_time: i64, kind: Kind) -> Event {
    Event {
        source,
        node_time: node_time.map(NodeTime::from_micros),
        agent_time: AgentTime::from_micros(agent_time),
        kind,
    }
}

fn next<'a, T>(field: &'static str, column: &mut std::slice::Iter<'a, T>) -> Result<&'a T, DecodeError> {
    column.next().ok_or_else(|| bad(field, "has fewer entries than the flags tell"))
}

fn taken<'a, T>(
    field: &'static str,
    flag: u32,
    column: &mut std::slice::Iter<'a, T>,
) -> Result<Option<&'a T>, DecodeError> {
    if flag == 0 { Ok(None) } else { next(field, column).map(Some) }
}
