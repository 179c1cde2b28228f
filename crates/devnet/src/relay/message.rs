//! Messages of the version 1 transport as they stand on the wire, and the blocks that they tell of.
//!
//! A message is 24 bytes (the network's magic, the command, the payload's length, a checksum) and the payload
//! (`CMessageHeader`, `src/protocol.h@v30`). Only those that tell of a block are decoded; headers are those of 80 bytes.

use std::io::{self, ErrorKind, Read};

use bitcoin::{
    consensus::encode,
    hashes::Hash as _,
    p2p::{
        Magic,
        message::{NetworkMessage, RawNetworkMessage},
    },
};
use bmon_event::BlockHash;

use crate::block::display_order;

const HEADER_BYTES: usize = 24;

/// The largest payload that nodes take (`MAX_PROTOCOL_MESSAGE_LENGTH`, `src/net.h@v30`).
const MAX_PAYLOAD_BYTES: u32 = 4_000_000;

/// How a message tells of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `headers`: of the block the header alone.
    Headers,
    /// `cmpctblock`: the header and what the receiver needs to find the transactions in its mempool (BIP 152).
    CompactBlock,
    /// `blocktxn`: the transactions that it had not (BIP 152).
    BlockTransactions,
    /// `block`: the whole of it.
    Block,
}

/// One message.
#[derive(Debug)]
pub(super) struct Message {
    /// The message as it came.
    pub(super) bytes: Vec<u8>,
    /// The blocks it tells of, and how; of most messages none.
    pub(super) blocks: Vec<(BlockHash, Carrier)>,
}

impl Message {
    /// Reads the next message, `None` where the connection ends between two.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        if stream.take(HEADER_BYTES as u64).read_to_end(&mut bytes)? == 0 {
            return Ok(None);
        }
        let &[m0, m1, m2, m3, ref command @ .., l0, l1, l2, l3, _, _, _, _] = bytes.as_slice() else {
            return Err(ErrorKind::UnexpectedEof.into());
        };
        let tells_of_blocks = tells_of_blocks(command);
        if Magic::from_bytes([m0, m1, m2, m3]) != Magic::REGTEST {
            return Err(invalid("it is not of the version 1 transport on regtest"));
        }
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if length > MAX_PAYLOAD_BYTES {
            return Err(invalid("it is larger than nodes take"));
        }
        if stream.take(u64::from(length)).read_to_end(&mut bytes)? < length as usize {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let blocks = if tells_of_blocks { blocks(&bytes)? } else { Vec::new() };
        Ok(Some(Self { bytes, blocks }))
    }
}

/// A command is padded with zeros.
fn tells_of_blocks(command: &[u8]) -> bool {
    let commands: [&[u8]; 4] = [b"headers", b"cmpctblock", b"blocktxn", b"block"];
    commands.contains(&command.split(|byte| *byte == 0).next().unwrap_or_default())
}

fn blocks(bytes: &[u8]) -> io::Result<Vec<(BlockHash, Carrier)>> {
    let message: RawNetworkMessage =
        encode::deserialize(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok(match message.payload() {
        NetworkMessage::Headers(headers) => {
            headers.iter().map(|header| (hash(header.block_hash()), Carrier::Headers)).collect()
        }
        NetworkMessage::CmpctBlock(message) => {
            vec![(hash(message.compact_block.header.block_hash()), Carrier::CompactBlock)]
        }
        NetworkMessage::BlockTxn(message) => {
            vec![(hash(message.transactions.block_hash), Carrier::BlockTransactions)]
        }
        NetworkMessage::Block(block) => vec![(hash(block.block_hash()), Carrier::Block)],
        _ => Vec::new(),
    })
}

fn hash(hash: bitcoin::BlockHash) -> BlockHash {
    BlockHash::from_bytes(display_order(hash.to_byte_array()))
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use bitcoin::{
        Block,
        bip152::{BlockTransactions, HeaderAndShortIds},
        constants::genesis_block,
        p2p::message_compact_blocks::{BlockTxn, CmpctBlock},
    };

    use super::*;

    fn block() -> Block {
        genesis_block(bitcoin::Network::Regtest)
    }

    fn on_wire(message: NetworkMessage) -> Vec<u8> {
        encode::serialize(&RawNetworkMessage::new(Magic::REGTEST, message))
    }

    fn read(bytes: &[u8]) -> io::Result<Option<Message>> {
        Message::read(&mut &*bytes)
    }

    #[test]
    fn whatever_tells_of_a_block_is_known_by_its_hash_and_passed_on_as_it_came() {
        let block = block();
        let expected: BlockHash = block.block_hash().to_string().parse().unwrap();
        let compact_block = HeaderAndShortIds::from_block(&block, 7, 2, &[]).unwrap();
        let transactions = BlockTransactions { block_hash: block.block_hash(), transactions: vec![] };
        let cases = [
            (NetworkMessage::Headers(vec![block.header]), Some(Carrier::Headers)),
            (NetworkMessage::CmpctBlock(CmpctBlock { compact_block }), Some(Carrier::CompactBlock)),
            (NetworkMessage::BlockTxn(BlockTxn { transactions }), Some(Carrier::BlockTransactions)),
            (NetworkMessage::Block(block), Some(Carrier::Block)),
            (NetworkMessage::Ping(7), None),
        ];
        for (message, carrier) in cases {
            let bytes = on_wire(message);
            let read = read(&bytes).unwrap().unwrap();
            assert_eq!(read.bytes, bytes);
            let expected: Vec<_> = carrier.into_iter().map(|carrier| (expected, carrier)).collect();
            assert_eq!(read.blocks, expected);
        }
    }

    #[test]
    fn messages_are_told_apart_and_the_end_between_two_is_no_error() {
        let mut stream = &*[on_wire(NetworkMessage::Ping(1)), on_wire(NetworkMessage::Verack)].concat();
        assert_eq!(Message::read(&mut stream).unwrap().unwrap().bytes.len(), HEADER_BYTES + 8);
        assert_eq!(Message::read(&mut stream).unwrap().unwrap().bytes.len(), HEADER_BYTES);
        assert!(Message::read(&mut stream).unwrap().is_none());
    }

    #[test]
    fn what_is_cut_off_too_large_or_of_another_transport_is_an_error() {
        let ping = on_wire(NetworkMessage::Ping(1));
        for length in [1, HEADER_BYTES, ping.len() - 1] {
            assert_eq!(read(&ping[..length]).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{length}");
        }
        let mut large = ping.clone();
        large[16..20].copy_from_slice(&(MAX_PAYLOAD_BYTES + 1).to_le_bytes());
        let mut foreign = ping;
        foreign[0] ^= 1;
        let mut broken = on_wire(NetworkMessage::Block(block()));
        *broken.last_mut().unwrap() ^= 1;
        for bytes in [large, foreign, broken] {
            assert_eq!(read(&bytes).unwrap_err().kind(), ErrorKind::InvalidData);
        }
    }
}
