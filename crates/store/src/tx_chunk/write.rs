use std::collections::HashMap;

use bmon_analysis::row::{Offset, Sighted, TxChunk, TxColumn, TxIds, TxLeft, TxSeen};
use bmon_event::{BlockHash, NodeName, event::RemovalReason};
use prost::Message;
use zstd::{bulk::Compressor, stream::raw::CParameter};

use super::{AS_EXPECTED, Expected, FIRST_NUMBER, NO_INTERVAL, VERSION, message};
use crate::code;

/// zstd's own default; what is not noise in the columns is so plain that more effort gains nothing.
const LEVEL: i32 = 3;

/// The values of the columns `txids` and `body` of a chunk. `nodes` has the number of every node that it names.
pub(crate) fn encode(chunk: &TxChunk, nodes: &HashMap<NodeName, i64>) -> (Vec<u8>, Vec<u8>) {
    let txids = chunk.txs.iter().flat_map(|tx| *tx.txid.as_bytes()).collect();
    let wtxids: Vec<_> = chunk.txs.iter().filter_map(|tx| tx.wtxid).collect();
    let count = u16::try_from(wtxids.len()).expect("a chunk has few transactions");
    let mut bytes = vec![VERSION];
    bytes.extend(count.to_le_bytes());
    for wtxid in &wtxids {
        bytes.extend(wtxid.as_bytes());
    }
    let frame = compress(&message(chunk, nodes).encode_to_vec());
    bytes.extend(frame.expect("compressing memory into memory only fails without memory"));
    (txids, bytes)
}

fn compress(message: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(message)
}

fn message(chunk: &TxChunk, nodes: &HashMap<NodeName, i64>) -> message::Body {
    let references = references(chunk);
    let column = |column: &TxColumn| Some(node(column, *nodes.get(&column.node)?, &references));
    let (blocks, mined_in) = blocks(&chunk.mined);
    let places = chunk.mined.iter().map(|(place, _)| u32::from(*place));
    message::Body {
        has_wtxid: chunk.txs.iter().map(|TxIds { wtxid, .. }| u8::from(wtxid.is_some())).collect(),
        references_us: differences(references.iter().copied()).collect(),
        nodes: chunk.nodes.iter().filter_map(column).collect(),
        blocks: blocks.iter().flat_map(|block| *block.as_bytes()).collect(),
        mined_places: steps(places).collect(),
        mined_in,
    }
}

/// The blocks of transactions in the order in which they are first named, and for each transaction the number of its block.
fn blocks(mined: &[(u16, BlockHash)]) -> (Vec<BlockHash>, Vec<u32>) {
    let mut blocks: Vec<BlockHash> = Vec::new();
    let number = |(_, block): &(u16, BlockHash)| {
        let number = blocks.iter().rposition(|known| known == block).unwrap_or(blocks.len());
        if number == blocks.len() {
            blocks.push(*block);
        }
        u32::try_from(number).expect("a chunk is in few blocks")
    };
    let numbers = mined.iter().map(number).collect();
    (blocks, numbers)
}

/// For each transaction its first sighting on the server's clock; where nobody accepted it, that of the one before.
fn references(chunk: &TxChunk) -> Vec<i64> {
    let mut references = vec![i64::MAX; chunk.txs.len()];
    for column in &chunk.nodes {
        for (reference, seen) in references.iter_mut().zip(&column.accepted) {
            *reference = (*reference).min(seen.as_ref().map_or(i64::MAX, server_us));
        }
    }
    let mut last = chunk.begun_at.as_micros();
    for reference in &mut references {
        last = if *reference == i64::MAX { last } else { *reference };
        *reference = last;
    }
    references
}

fn node(column: &TxColumn, id: i64, references: &[i64]) -> message::Node {
    let mut intervals = Intervals::default();
    let told = || {
        column
            .accepted
            .iter()
            .zip(references)
            .filter_map(|(seen, reference)| Some((seen.as_ref()?, *reference)))
    };
    let times = || told().map(|(seen, reference)| seen.sighted.at.as_micros().wrapping_sub(reference));
    let base_us = times().min().unwrap_or_default();
    let times: Vec<u64> = times().map(|time| time.wrapping_sub(base_us).cast_unsigned()).collect();
    let clocks = told().map(|(seen, _)| intervals.number(seen.sighted)).collect();
    let source = |seen: &Option<TxSeen>| seen.map_or(0, |seen| code::small_source_code(seen.source));
    message::Node {
        id,
        sources: column.accepted.iter().map(source).collect(),
        base_us,
        times_us: planes(&times),
        clocks,
        offsets_min_us: differences(intervals.table.iter().map(|offset| offset.min_us)).collect(),
        offset_widths_us: differences(intervals.table.iter().map(|offset| width(*offset))).collect(),
        refused: column.refused.iter().map(|(place, told)| seen(*place, told, references)).collect(),
        left: column.left.iter().map(|(place, told)| left(*place, told, references)).collect(),
    }
}

/// The intervals of a column in the order in which they are first used, and which one is to be expected.
#[derive(Default)]
struct Intervals {
    table: Vec<Offset>,
    last: Expected,
}

impl Intervals {
    /// What stands for the interval of a sighting.
    fn number(&mut self, Sighted { at, offset }: Sighted) -> u32 {
        let expected = self.last.number(at, self.table.len());
        let Some(offset) = offset else { return NO_INTERVAL };
        let number = if self.table.get(expected) == Some(&offset) {
            expected
        } else {
            self.table.iter().rposition(|known| *known == offset).unwrap_or(self.table.len())
        };
        if number == self.table.len() {
            self.table.push(offset);
        }
        self.last.note(at, number);
        let number_of = |number: usize| u32::try_from(number).expect("a chunk has few transactions");
        if number == expected { AS_EXPECTED } else { number_of(number) + FIRST_NUMBER }
    }
}

fn seen(place: u16, told: &TxSeen, references: &[i64]) -> message::Seen {
    let offset = told.sighted.offset;
    let reference = references.get(usize::from(place)).copied().unwrap_or_default();
    message::Seen {
        place: u32::from(place),
        source: u32::from(code::small_source_code(told.source)),
        at_us: told.sighted.at.as_micros().wrapping_sub(reference),
        offset_min_us: offset.map(|offset| offset.min_us),
        offset_width_us: offset.map_or(0, width),
    }
}

fn left(place: u16, told: &TxLeft, references: &[i64]) -> message::Left {
    message::Left {
        seen: Some(seen(place, &told.seen, references)),
        reason: told.reason.as_ref().map(RemovalReason::as_str).map(str::to_owned),
        by: told.by.map(|by| by.as_bytes().to_vec()),
    }
}

fn server_us(seen: &TxSeen) -> i64 {
    seen.sighted.at.as_micros().wrapping_add(seen.sighted.offset.map_or(0, Offset::middle_us))
}

const fn width(offset: Offset) -> i64 {
    offset.max_us.wrapping_sub(offset.min_us)
}

/// Each less the one before; the first less 0.
fn differences(values: impl Iterator<Item = i64>) -> impl Iterator<Item = i64> {
    values.scan(0_i64, |last, value| Some(value.wrapping_sub(std::mem::replace(last, value))))
}

/// The same of numbers that do not fall.
fn steps(values: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    values.scan(0, |last, value| Some(value.saturating_sub(std::mem::replace(last, value))))
}

/// All the lowest bytes, then the next: those at the end are all the same, and the compressor sees it.
fn planes(values: &[u64]) -> Vec<u8> {
    let plane = |byte: usize| values.iter().map(move |value| value.to_le_bytes()[byte]);
    (0..8).flat_map(plane).collect()
}
