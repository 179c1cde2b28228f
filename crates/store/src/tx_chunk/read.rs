use std::collections::HashMap;

use bmon_analysis::row::{Offset, Sighted, TxColumn, TxIds, TxLeft, TxSeen};
use bmon_event::{AgentTime, BlockHash, NodeName, Source, Txid, Wtxid, event::RemovalReason};
use prost::Message;

use super::{AS_EXPECTED, Expected, FIRST_NUMBER, NO_INTERVAL, VERSION, message};
use crate::{StoreError, code};

/// Bytes before the wtxids.
const HEAD: usize = 3;
/// The most that a frame may unpack to: some 60 bytes a sighting, of more nodes than a server has.
const UNPACKED_BYTES: usize = 256 << 20;

/// The transactions of a chunk, what each node told of them, and the blocks that have them.
#[derive(Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) txs: Vec<TxIds>,
    pub(crate) nodes: Vec<TxColumn>,
    pub(crate) mined: Vec<(u16, BlockHash)>,
}

/// The txids in the column `txids`, in order.
pub(crate) fn txids(bytes: &[u8]) -> &[[u8; 32]] {
    bytes.as_chunks().0
}

/// What the columns `txids` and `body` of a chunk hold. `names` has the nodes by their number.
pub(crate) fn decode(
    txids: &[u8],
    body: &[u8],
    names: &HashMap<i64, NodeName>,
) -> Result<Content, StoreError> {
    let damaged =
        || StoreError::Value { column: "tx_chunk.body", value: "bytes of another format".to_owned() };
    read(self::txids(txids), body, names).ok_or_else(damaged)
}

fn read(txids: &[[u8; 32]], body: &[u8], names: &HashMap<i64, NodeName>) -> Option<Content> {
    let (head, rest) = body.split_first_chunk::<HEAD>()?;
    let [VERSION, w0, w1] = *head else { return None };
    let (wtxids, frame) = rest.split_at_checked(usize::from(u16::from_le_bytes([w0, w1])) * 32)?;
    let mut wtxids = wtxids.as_chunks().0.iter();
    let size = usize::try_from(zstd::zstd_safe::get_frame_content_size(frame).ok()??).ok()?;
    let unpacked = zstd::bulk::decompress(frame, size.min(UNPACKED_BYTES)).ok()?;
    let body = message::Body::decode(unpacked.as_slice()).ok()?;
    let ids = |(txid, has_wtxid): (&[u8; 32], &u8)| {
        let wtxid = if *has_wtxid == 0 { None } else { Some(Wtxid::from_bytes(*wtxids.next()?)) };
        Some(TxIds { txid: Txid::from_bytes(*txid), wtxid })
    };
    let txs: Vec<TxIds> = txids.iter().zip(&body.has_wtxid).map(ids).collect::<Option<_>>()?;
    let references: Vec<i64> = sums(&body.references_us).collect();
    let is_whole = txs.len() == txids.len() && references.len() == txids.len();
    let nodes = body.nodes.iter().map(|node| column(node, names, &references)).collect::<Option<_>>()?;
    let mined = mined(&body, txs.len())?;
    is_whole.then_some(Content { txs, nodes, mined })
}

/// Which of so many transactions blocks have.
fn mined(body: &message::Body, count: usize) -> Option<Vec<(u16, BlockHash)>> {
    let (blocks, rest) = body.blocks.as_chunks();
    (rest.is_empty() && body.mined_places.len() == body.mined_in.len()).then_some(())?;
    let mut place = 0_u16;
    let pair = |(step, number): (&u32, &u32)| {
        place = place.checked_add(u16::try_from(*step).ok()?)?;
        let block = blocks.get(usize::try_from(*number).ok()?)?;
        (usize::from(place) < count).then_some((place, BlockHash::from_bytes(*block)))
    };
    body.mined_places.iter().zip(&body.mined_in).map(pair).collect()
}

fn column(node: &message::Node, names: &HashMap<i64, NodeName>, references: &[i64]) -> Option<TxColumn> {
    let told = node.sources.iter().zip(references).enumerate().filter(|(_, (source, _))| **source != 0);
    let count = told.clone().count();
    (node.sources.len() == references.len() && node.clocks.len() == count).then_some(())?;
    let (mut accepted, mut intervals) = (vec![None; references.len()], Intervals::new(node));
    for (index, ((place, (source, reference)), clock)) in told.zip(&node.clocks).enumerate() {
        let time = time(&node.times_us, index, count)?;
        let at = AgentTime::from_micros(reference.wrapping_add(node.base_us).wrapping_add(time));
        let sighted = Sighted { at, offset: intervals.offset(at, *clock)? };
        accepted[place] = Some(TxSeen { source: source_of(u32::from(*source))?, sighted });
    }
    Some(TxColumn {
        node: names.get(&node.id)?.clone(),
        accepted,
        refused: node.refused.iter().map(|told| seen(told, references)).collect::<Option<_>>()?,
        left: node.left.iter().map(|told| left(told, references)).collect::<Option<_>>()?,
    })
}

/// The intervals of a column, and which one is to be expected.
struct Intervals {
    table: Vec<Offset>,
    /// How many of them have been used.
    used: usize,
    last: Expected,
}

impl Intervals {
    fn new(node: &message::Node) -> Self {
        let offset = |(min_us, width): (i64, i64)| Offset { min_us, max_us: min_us.wrapping_add(width) };
        let table = sums(&node.offsets_min_us).zip(sums(&node.offset_widths_us)).map(offset).collect();
        Self { table, used: 0, last: Expected::default() }
    }

    /// The interval of a sighting at `at` for which `clock` stands, `None` if it stands for nothing.
    #[expect(clippy::option_option, reason = "a sighting may have no interval")]
    fn offset(&mut self, at: AgentTime, clock: u32) -> Option<Option<Offset>> {
        let number = match clock {
            AS_EXPECTED => self.last.number(at, self.used),
            NO_INTERVAL => return Some(None),
            clock => usize::try_from(clock - FIRST_NUMBER).ok()?,
        };
        self.last.note(at, number);
        self.used = self.used.max(number.checked_add(1)?);
        self.table.get(number).copied().map(Some)
    }
}

/// The time at `index` of `count`, put together from its bytes.
fn time(planes: &[u8], index: usize, count: usize) -> Option<i64> {
    let mut bytes = [0; 8];
    for (plane, byte) in bytes.iter_mut().enumerate() {
        *byte = *planes.get(plane * count + index)?;
    }
    Some(i64::from_le_bytes(bytes))
}

fn seen(told: &message::Seen, references: &[i64]) -> Option<(u16, TxSeen)> {
    let place = u16::try_from(told.place).ok()?;
    let reference = references.get(usize::from(place))?;
    let offset = |min_us: i64| Offset { min_us, max_us: min_us.wrapping_add(told.offset_width_us) };
    let at = AgentTime::from_micros(told.at_us.wrapping_add(*reference));
    let sighted = Sighted { at, offset: told.offset_min_us.map(offset) };
    Some((place, TxSeen { source: source_of(told.source)?, sighted }))
}

fn left(told: &message::Left, references: &[i64]) -> Option<(u16, TxLeft)> {
    let (place, seen) = seen(told.seen.as_ref()?, references)?;
    let by = told.by.as_ref().map(|by| by.as_slice().try_into().map(Txid::from_bytes)).transpose().ok()?;
    Some((place, TxLeft { seen, reason: told.reason.as_deref().map(RemovalReason::from_word), by }))
}

fn source_of(code: u32) -> Option<Source> {
    code::source(i64::from(code)).ok()
}

/// The values of which these are the differences.
fn sums(differences: &[i64]) -> impl Iterator<Item = i64> {
    differences.iter().scan(0_i64, |sum, difference| {
        *sum = sum.wrapping_add(*difference);
        Some(*sum)
    })
}
