//! Transactions as twelve nodes hear of them.

use bmon_analysis::{
    row::{Offset, Sighted, TxChunk, TxColumn, TxIds, TxSeen},
    spread::{Seen, Tally},
};
use bmon_event::{AgentTime, BlockHash, NodeName, ServerTime, Source, Txid, Wtxid};

use crate::network;

const NODES: usize = 12;
/// Between two transactions: main has about 7 a second, a node hears of more.
const PAUSE_US: i64 = 50_000;
pub(crate) const START_US: i64 = 1_780_000_000_000_000;

/// A generator of numbers that look random, the same each time (splitmix64, Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to but not including 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Delay of one node behind the first in microseconds: half within 4.66 s, nine in ten within 14.1 s, as KIT measured of
    /// transactions in 2024 and 2025. Log-normal.
    #[expect(clippy::cast_possible_truncation, reason = "it is below an hour")]
    fn delay_us(&mut self) -> i64 {
        let normal =
            (-2.0 * self.share().max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
        (4.66e6 * (0.864 * normal).exp()).min(3.5e9) as i64
    }
}

/// The txid of a transaction, as evenly spread as a hash.
pub(crate) fn txid(number: u64) -> Txid {
    Txid::from_bytes(hash(number))
}

fn hash(number: u64) -> [u8; 32] {
    let mut random = Random(number);
    let mut bytes = [0; 32];
    bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.next().to_le_bytes()));
    bytes
}

pub(crate) fn nodes() -> Vec<NodeName> {
    (0..NODES).map(|number| format!("node-{number}").parse().unwrap()).collect()
}

/// The chunk with this number, counted from 0. Ten nodes tell by log, two by ZMQ; one transaction in five is not heard of by
/// one of them; each clock stands somewhere and drifts, and its interval is known anew each second. Three blocks have them.
pub(crate) fn chunk(number: u64, nodes: &[NodeName]) -> TxChunk {
    let first = number * TxChunk::MOST as u64;
    let numbers: Vec<u64> = (first..first + TxChunk::MOST as u64).collect();
    let ids = |number: &u64| TxIds { txid: txid(*number), wtxid: Some(Wtxid::from_bytes(hash(!*number))) };
    let begun_at = ServerTime::from_micros(START_US + first.cast_signed() * PAUSE_US);
    TxChunk {
        id: number + 1,
        network: network(),
        begun_at,
        last_at: begun_at.plus_micros(512 * PAUSE_US),
        is_full: true,
        txs: numbers.iter().map(ids).collect(),
        nodes: (0..).zip(nodes).map(|(index, node)| column(index, node, &numbers)).collect(),
        mined: (0..).zip(&numbers).map(|(place, number)| (place, block(*number))).collect(),
    }
}

/// One of the next three blocks, ten minutes apart.
fn block(number: u64) -> BlockHash {
    let passed = number / 12_000;
    BlockHash::from_bytes(hash(u64::MAX - passed - Random(number).next() % 3))
}

fn column(index: u64, node: &NodeName, numbers: &[u64]) -> TxColumn {
    let source = if index < 10 { Source::Log } else { Source::Zmq };
    let seen = |number: &u64| {
        let mut random = Random(number.wrapping_mul(31) ^ (index << 48));
        if random.next().is_multiple_of(60) {
            return None;
        }
        let us = START_US + number.cast_signed() * PAUSE_US + random.delay_us();
        let (at, second) = (AgentTime::from_micros(us), us / 1_000_000);
        let middle_us = (index.cast_signed() - 6) * 40_000 + second % 1_000 * 3;
        let width_us = 150 + (second % 10) * 100;
        let offset = Offset { min_us: middle_us - width_us, max_us: middle_us + width_us };
        Some(TxSeen { source, sighted: Sighted { at, offset: Some(offset) } })
    };
    let accepted = numbers.iter().map(seen).collect();
    TxColumn { node: node.clone(), accepted, refused: Vec::new(), left: Vec::new() }
}

/// Counts what a chunk tells in the spread of its hour.
pub(crate) fn count(chunk: &TxChunk, tally: &mut Tally) {
    for place in 0..chunk.txs.len() {
        let seen = |(node, column): (u16, &TxColumn)| {
            let TxSeen { source, sighted } = column.accepted[place]?;
            Some(Seen { node, source, sighted, is_refused: false })
        };
        tally.add(&(0..).zip(&chunk.nodes).filter_map(seen).collect::<Vec<_>>());
    }
}

/// How many of the nodes' tellings there are in a chunk.
pub(crate) fn sightings(chunk: &TxChunk) -> u64 {
    chunk.nodes.iter().map(|column| column.accepted.iter().flatten().count() as u64).sum()
}
