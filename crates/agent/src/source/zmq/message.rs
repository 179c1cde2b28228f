//! What bitcoind publishes (`doc/zmq.md@v30`): topic, body, and the topic's own counter in 4 bytes, little-endian.

use bmon_event::{BlockHash, Kind, Txid};

/// A topic that the agent subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Hashblock,
    Sequence,
}

impl Topic {
    pub(super) const ALL: [Self; 2] = [Self::Hashblock, Self::Sequence];

    /// The first frame of its messages. RPC `getzmqnotifications` puts `pub` before it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hashblock => "hashblock",
            Self::Sequence => "sequence",
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) topic: Topic,
    /// One more than that of the topic's previous message; 0 for the first after the node's start.
    pub(super) counter: u32,
    /// `None` for a body that this version does not know.
    pub(super) kind: Option<Kind>,
}

/// Reads the frames of a message, `None` if they are not of a subscribed topic.
pub(super) fn read(frames: &[&[u8]]) -> Option<Message> {
    let [topic, body, counter] = frames else { return None };
    let topic = Topic::ALL.into_iter().find(|known| known.as_str().as_bytes() == *topic)?;
    let counter = u32::from_le_bytes((*counter).try_into().ok()?);
    let kind = match topic {
        Topic::Hashblock => hashblock(body),
        Topic::Sequence => sequence(body),
    };
    Some(Message { topic, counter, kind })
}

fn hashblock(body: &[u8]) -> Option<Kind> {
    let block = BlockHash::from_bytes(body.try_into().ok()?);
    Some(Kind::Tip { block, height: None, log2_work: None, transactions: None })
}

/// A hash in display order, a letter, and for transactions the mempool's sequence number in 8 bytes, little-endian.
fn sequence(body: &[u8]) -> Option<Kind> {
    let (hash, rest) = body.split_first_chunk::<32>()?;
    let (letter, rest) = rest.split_first()?;
    let mempool_sequence = rest.try_into().ok().map(u64::from_le_bytes);
    let (block, txid) = (BlockHash::from_bytes(*hash), Txid::from_bytes(*hash));
    match (letter, rest) {
        (b'C', []) => Some(Kind::BlockConnected { block, height: None }),
        (b'D', []) => Some(Kind::BlockDisconnected { block, height: None }),
        (b'A', _) if mempool_sequence.is_some() => {
            Some(Kind::TxAdded { txid, wtxid: None, peer: None, mempool_sequence })
        }
        (b'R', _) if mempool_sequence.is_some() => {
            Some(Kind::TxRemoved { txid, reason: None, mempool_sequence })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: [u8; 32] = {
        let mut hash = [0; 32];
        hash[31] = 0x6f;
        hash
    };

    fn body(letter: u8, rest: &[u8]) -> Vec<u8> {
        [&HASH[..], &[letter], rest].concat()
    }

    fn kind_of(topic: &str, body: &[u8]) -> Option<Kind> {
        read(&[topic.as_bytes(), body, &7_u32.to_le_bytes()]).unwrap().kind
    }

    #[test]
    fn blocks_and_transactions_are_told_apart_by_their_letter() {
        let (block, txid) = (BlockHash::from_bytes(HASH), Txid::from_bytes(HASH));
        let number = 258_u64.to_le_bytes();
        assert_eq!(
            kind_of("hashblock", &HASH),
            Some(Kind::Tip { block, height: None, log2_work: None, transactions: None })
        );
        assert_eq!(kind_of("sequence", &body(b'C', &[])), Some(Kind::BlockConnected { block, height: None }));
        assert_eq!(
            kind_of("sequence", &body(b'D', &[])),
            Some(Kind::BlockDisconnected { block, height: None })
        );
        assert_eq!(
            kind_of("sequence", &body(b'A', &number)),
            Some(Kind::TxAdded { txid, wtxid: None, peer: None, mempool_sequence: Some(258) })
        );
        assert_eq!(
            kind_of("sequence", &body(b'R', &number)),
            Some(Kind::TxRemoved { txid, reason: None, mempool_sequence: Some(258) })
        );
        assert!(txid.to_string().ends_with("6f"));
    }

    #[test]
    fn an_unknown_body_still_counts() {
        for odd in [body(b'X', &[]), body(b'A', &[]), body(b'C', &[1]), vec![]] {
            let message = read(&[b"sequence", &odd, &7_u32.to_le_bytes()]).unwrap();
            assert_eq!((message.counter, message.kind), (7, None));
        }
        assert_eq!(read(&[b"rawtx", &[], &[0; 4]]), None);
        assert_eq!(read(&[b"sequence", &HASH]), None);
    }
}
