use bitcoin::{OutPoint, consensus::serialize, constants::genesis_block, hashes::Hash as _};
use bmon_event::ServerTime;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::pool;

/// Bytes of the largest block that is taken.
const BLOCK_BYTES: usize = 2_000;

/// Headers and bytes of blocks of up to 2,300 bytes.
fn blocks() -> Vec<(Header, Vec<u8>)> {
    let block = |number: u8| {
        let mut block = genesis_block(bitcoin::Network::Regtest);
        for coin in 0..number {
            let mut transaction = block.txdata[0].clone();
            let txid = bitcoin::Txid::from_byte_array([coin; 32]);
            transaction.input[0].previous_output = OutPoint { txid, vout: number.into() };
            block.txdata.push(transaction);
        }
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        let header = loop {
            match Header::decode(&serialize(&block.header), None) {
                Ok(header) => break header,
                Err(_) => block.header.nonce += 1,
            }
        };
        (header, serialize(&block))
    };
    (0..12).map(block).collect()
}

/// Bodies of which all these blocks are wanted, whole or their coinbases.
fn bodies(blocks: &[(Header, Vec<u8>)], is_whole: bool) -> Bodies {
    let settings = Settings { block_bytes: BLOCK_BYTES, ..Settings::default() };
    let mut bodies = Bodies::new(&settings, Arc::new(Pools::new(pool::known())));
    let wanted = blocks.iter().filter(|_| is_whole).map(|(header, _)| header.hash()).collect();
    bodies.plan.set_whole(wanted, ServerTime::default());
    bodies
}

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn part(header: &Header, raw: &[u8], offset: usize, length: usize) -> BlockPart {
    let rest = raw.get(offset..).unwrap_or_default();
    let bytes = rest[..length.min(rest.len())].to_vec();
    BlockPart { want: 1, block: header.hash(), size_bytes: raw.len() as u64, offset: offset as u64, bytes }
}

/// Bytes that are held of blocks.
fn held(bodies: &Bodies) -> usize {
    bodies.assemblies.values().map(|assembly| assembly.bytes().len()).sum()
}

#[test]
fn a_block_that_is_too_large_is_taken_from_nobody() {
    let blocks = blocks();
    let mut bodies = bodies(&blocks, true);
    let (header, raw) = blocks.last().unwrap();
    assert!(raw.len() > BLOCK_BYTES);
    for name in ["alice", "bob"] {
        assert!(bodies.may_ask(&node(name), header.hash()));
        bodies.take(&node(name), header, &part(header, raw, 0, 100));
        assert!(!bodies.may_ask(&node(name), header.hash()));
    }
    assert_eq!((bodies.dropped(), held(&bodies)), ((2, 0), 0));
}

#[test]
fn a_block_that_is_told_wrongly_again_and_again_is_not_asked_for_any_more() {
    let blocks = blocks();
    let mut bodies = bodies(&blocks, true);
    let (header, raw) = &blocks[5];
    for turn in 0..2 * MOST_FAULTS {
        assert_eq!(bodies.may_ask(&node("alice"), header.hash()), turn <= MOST_FAULTS);
        let mut part = part(header, raw, 0, 100);
        part.size_bytes += u64::from(turn % 2);
        bodies.take(&node("alice"), header, &part);
    }
}

#[test]
fn of_too_many_blocks_at_once_the_one_that_has_waited_longest_is_dropped() {
    let blocks = blocks();
    let mut bodies = bodies(&blocks, true);
    for (header, raw) in &blocks[..=MOST_ASSEMBLIES] {
        bodies.take(&node("alice"), header, &part(header, raw, 0, 90));
    }
    let lengths = blocks[..=MOST_ASSEMBLIES].iter().map(|(header, _)| bodies.length(header.hash()));
    assert_eq!(lengths.map(|length| length > 0).collect::<Vec<_>>(), [&[false][..], &[true; 8]].concat());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_held_is_bounded_and_what_is_whole_is_the_block(
        parts in vec((0..12_usize, any::<bool>(), 0..24_usize, 0..1_000_usize, 0..12_u8), 1..120),
        is_whole in any::<bool>(),
    ) {
        let blocks = blocks();
        let mut bodies = bodies(&blocks, is_whole);
        for (of, follows, offset, length, wrong) in parts {
            let (header, raw) = &blocks[of];
            let offset = if follows { bodies.length(header.hash()) } else { offset * 100 };
            let mut part = part(header, raw, offset, length);
            match wrong {
                0 => part.bytes = vec![0x33; length],
                1 => part.size_bytes = length as u64,
                _ => {}
            }
            let name = ["alice", "bob"][length % 2];
            let told = bodies.take(&node(name), header, &part);
            if told.is_whole {
                prop_assert_eq!(bodies.assemblies[&header.hash()].bytes(), &raw[..]);
                prop_assert!(bodies.summary(header.hash()).is_some());
            }
            prop_assert!(bodies.assemblies.len() <= MOST_ASSEMBLIES);
            prop_assert!(bodies.assemblies.values().all(|assembly| assembly.bytes().len() <= BLOCK_BYTES));
            prop_assert!(held(&bodies) <= MOST_ASSEMBLIES * BLOCK_BYTES);
        }
        for (block, raw) in bodies.take_whole() {
            prop_assert!(blocks.iter().any(|(header, whole)| header.hash() == block && *whole == raw));
        }
    }
}
