//! Which hashes a message tells in its fields.

use bmon_event::{BlockHash, Txid, Wtxid};

use crate::format::Word;

/// A hash that a message tells in one of its fields. Text of any content, a peer's included, tells none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mention {
    /// A block.
    Block(BlockHash),
    /// A transaction.
    Tx(Txid),
    /// A transaction, by its id with witness.
    Wtx(Wtxid),
    /// A block or a transaction: the word before it in the line tells which, and which id it is.
    Any([u8; 32]),
}

impl Mention {
    /// The hash in display order.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        match self {
            Self::Block(block) => block.as_bytes(),
            Self::Tx(txid) => txid.as_bytes(),
            Self::Wtx(wtxid) => wtxid.as_bytes(),
            Self::Any(bytes) => bytes,
        }
    }
}

/// A field of a message, asked for the hash in it.
pub(crate) trait Field {
    /// The hash, `None` when there is none.
    fn mention(&self) -> Option<Mention>;
}

macro_rules! hashes {
    ($($hash:ident $mention:ident)+) => {$(
        impl Field for $hash {
            fn mention(&self) -> Option<Mention> {
                Some(Mention::$mention(*self))
            }
        }
    )+};
}

hashes!(BlockHash Block Txid Tx Wtxid Wtx);

macro_rules! without {
    ($($type:ty)+) => {$(
        impl Field for $type {
            fn mention(&self) -> Option<Mention> {
                None
            }
        }
    )+};
}

without!(u32 u64 i64 f64 bool &[u8]);

impl Field for Word<'_> {
    fn mention(&self) -> Option<Mention> {
        Txid::from_hex(self.0).map(|hash| Mention::Any(*hash.as_bytes()))
    }
}

impl<F: Field> Field for Option<F> {
    fn mention(&self) -> Option<Mention> {
        self.as_ref().and_then(Field::mention)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Line, Message, mention::Mention};

    const ONE: &str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";
    const TWO: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

    fn mentions(text: &str) -> Vec<Mention> {
        let message = Message::parse(&Line::parse(text.as_bytes())).unwrap();
        let mut found = Vec::new();
        message.mentions(&mut |mention| found.push(mention));
        found
    }

    #[test]
    fn a_message_tells_the_hashes_in_its_fields() {
        let (block, txid, wtxid) = (ONE.parse().unwrap(), ONE.parse().unwrap(), TWO.parse().unwrap());
        let text = format!("{ONE} (wtxid={TWO}) from peer=3 was not accepted: {TWO}");
        assert_eq!(mentions(&text), [Mention::Tx(txid), Mention::Wtx(wtxid)]);
        let text =
            format!("Enqueuing UpdatedBlockTip: new block hash={ONE} fork block hash=null (in IBD=false)");
        assert_eq!(mentions(&text), [Mention::Block(block)]);
        assert_eq!(mentions(&format!("Requesting wtx {ONE} peer=3")), [Mention::Any(*txid.as_bytes())]);
        assert_eq!(mentions("getheaders 7 to end from peer=3"), []);
    }
}
