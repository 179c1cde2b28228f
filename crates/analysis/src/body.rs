//! The bytes of a block, or of one transaction, taken apart.
//!
//! `getblock HASH 0` gives them in hexadecimal digits, for each block that a node has, one of a branch it left included.
//! Nothing is copied: scripts are borrowed from the bytes, inputs and outputs are read again each time someone goes
//! through them, and what is kept of a transaction is as long whatever it holds.
//!
//! What Bitcoin Core cannot read is refused (`src/primitives/transaction.h@v30`, `src/serialize.h@v30`), and so are
//! transactions without inputs or outputs and blocks that do not begin with a coinbase, which no node keeps (`CheckBlock`
//! in `src/validation.cpp@v30`).
//!
//! What this leaves out: all else that makes a block valid. That its transactions are those of the header can be
//! [asked](Body::is_of_header); the rest the node checked that the bytes come from.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod merkle;
mod reader;
#[cfg(test)]
mod tests;
mod transaction;

pub use bmon_event::OutPoint;

use self::reader::Reader;
pub use self::transaction::{Input, Inputs, Output, Outputs, Transaction};
use crate::tree::ProofOfWork;

/// A block, taken apart.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    header: &'a [u8],
    coinbase: Transaction<'a>,
    /// All, the coinbase too.
    transactions: Vec<Transaction<'a>>,
}

/// Bytes are not those of a block or transaction. Places are counted in bytes from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The bytes end too early.
    #[error("{wanted} bytes were to follow byte {at}, which is too near the end")]
    Short {
        /// Where something was to begin.
        at: usize,
        /// Its length.
        wanted: u64,
    },
    /// A number is written in more bytes than it needs (`non-canonical ReadCompactSize()` in `src/serialize.h@v30`).
    #[error("the number before byte {at} is written in more bytes than it needs")]
    NonCanonical {
        /// Where what follows the number begins.
        at: usize,
    },
    /// A transaction has something besides a witness that nobody knows.
    #[error("the transaction before byte {at} has the unknown flags {flags:#04x}")]
    Flags {
        /// Where what follows the flags begins.
        at: usize,
        /// The flags. 1 is a witness.
        flags: u8,
    },
    /// A transaction is written with a witness, but has none.
    #[error("the transaction before byte {at} has a witness that is empty")]
    EmptyWitness {
        /// Where the witness ends.
        at: usize,
    },
    /// A transaction has no inputs (`bad-txns-vin-empty` in `src/consensus/tx_check.cpp@v30`).
    #[error("the transaction before byte {at} has no inputs")]
    NoInputs {
        /// Where the inputs would begin.
        at: usize,
    },
    /// A transaction has no outputs (`bad-txns-vout-empty` in `src/consensus/tx_check.cpp@v30`).
    #[error("the transaction before byte {at} has no outputs")]
    NoOutputs {
        /// Where the outputs would begin.
        at: usize,
    },
    /// There is no coinbase in front (`bad-cb-missing` in `src/validation.cpp@v30`). A header of another length than
    /// was told can look like that.
    #[error("the block does not begin with a coinbase")]
    NoCoinbase,
    /// More bytes than were to be read.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
}

impl<'a> Body<'a> {
    /// Takes a block's bytes apart. The length of its header follows from its proof of work, and nothing in the bytes
    /// themselves tells it.
    pub fn decode(raw: &'a [u8], proof_of_work: ProofOfWork) -> Result<Self, BodyError> {
        let mut reader = Reader::new(raw);
        let header = reader.take(proof_of_work.header_length() as u64)?;
        let count = reader.compact_size()?;
        let mut transactions = Vec::with_capacity(reader.fitting(count, Transaction::MIN_LENGTH));
        for _ in 0..count {
            transactions.push(Transaction::read(&mut reader)?);
        }
        reader.finish()?;
        let first = transactions.first().filter(|first| first.is_coinbase());
        let coinbase = first.cloned().ok_or(BodyError::NoCoinbase)?;
        Ok(Self { header, coinbase, transactions })
    }

    /// The coinbase of a block of which only the first bytes are there. [`BodyError::Short`] if it does not end in them.
    pub fn coinbase_in(front: &'a [u8], proof_of_work: ProofOfWork) -> Result<Transaction<'a>, BodyError> {
        let mut reader = Reader::new(front);
        reader.take(proof_of_work.header_length() as u64)?;
        if reader.compact_size()? == 0 {
            return Err(BodyError::NoCoinbase);
        }
        let coinbase = Transaction::read(&mut reader)?;
        if coinbase.is_coinbase() { Ok(coinbase) } else { Err(BodyError::NoCoinbase) }
    }

    /// Whether the transactions are those that the header commits to, and none of them twice to the same effect
    /// (CVE-2012-2459, `ComputeMerkleRoot` in `src/consensus/merkle.cpp@v30`).
    pub fn is_of_header(&self) -> bool {
        let told = self.header.get(36..68);
        told.is_some() && merkle::root(&self.transactions).as_ref().map(<[u8; 32]>::as_slice) == told
    }

    /// The header's bytes, for [`Header::decode`](crate::tree::Header::decode).
    pub const fn header(&self) -> &'a [u8] {
        self.header
    }

    /// All transactions in the block's order, the coinbase first.
    pub fn transactions(&self) -> &[Transaction<'a>] {
        &self.transactions
    }

    /// The first transaction, which pays the miner.
    pub const fn coinbase(&self) -> &Transaction<'a> {
        &self.coinbase
    }
}
