//! The headers of a world's blocks, mined at the easiest target, so that an engine takes them.

use std::collections::HashMap;

use bmon_analysis::tree::Header;
use bmon_event::{BlockHash, event::RawHeader};

use super::{World, server};

/// The easiest target of regtest: two tries for a block on average.
const BITS: u32 = 0x207f_ffff;

#[derive(Debug)]
pub(crate) struct Headers {
    raw: Vec<[u8; 80]>,
    hashes: Vec<BlockHash>,
    numbers: HashMap<BlockHash, usize>,
}

impl Headers {
    pub(crate) fn of(world: &World) -> Self {
        let mut headers = Self { raw: Vec::new(), hashes: Vec::new(), numbers: HashMap::new() };
        for (number, block) in world.blocks.iter().enumerate() {
            let parent = block.parent.map_or(BlockHash::from_bytes([0; 32]), |parent| headers.hashes[parent]);
            let time = server(block.found_s).as_micros() / 1_000_000;
            let (raw, hash) = mine(parent, number, u32::try_from(time).unwrap_or_default());
            headers.raw.push(raw);
            headers.hashes.push(hash);
            headers.numbers.insert(hash, number);
        }
        headers
    }

    /// The name of a block.
    pub(crate) fn hash(&self, number: usize) -> BlockHash {
        self.hashes[number]
    }

    /// The block of this name.
    pub(crate) fn number(&self, block: BlockHash) -> Option<usize> {
        self.numbers.get(&block).copied()
    }

    /// The headers from this block down, as an agent gives them.
    pub(crate) fn down_from(&self, world: &World, block: BlockHash, count: u32) -> Vec<RawHeader> {
        let numbers = self.number(block).into_iter().flat_map(|number| world.down_from(number));
        let header = |number: usize| RawHeader { block: self.hashes[number], raw: self.raw[number].to_vec() };
        numbers.take(count as usize).map(header).collect()
    }
}

fn mine(parent: BlockHash, number: usize, time: u32) -> ([u8; 80], BlockHash) {
    let mut raw = [0; 80];
    raw[..4].copy_from_slice(&0x2000_0000_u32.to_le_bytes());
    raw[4..36].iter_mut().zip(parent.as_bytes().iter().rev()).for_each(|(byte, other)| *byte = *other);
    raw[36..44].copy_from_slice(&(number as u64).to_le_bytes());
    raw[68..72].copy_from_slice(&time.to_le_bytes());
    raw[72..76].copy_from_slice(&BITS.to_le_bytes());
    let mut nonce = 0_u32;
    loop {
        raw[76..].copy_from_slice(&nonce.to_le_bytes());
        if let Ok(header) = Header::decode(&raw, None) {
            return (raw, header.hash());
        }
        nonce += 1;
    }
}
