//! One transaction.

use bmon_event::{OutPoint, Txid, Wtxid};
use sha2::{Digest as _, Sha256};

use super::{BodyError, reader::Reader};

/// An input of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// The coin it spends.
    pub outpoint: OutPoint,
    /// Its `scriptSig`. A coinbase's has the block's height in front, and then what the miner likes.
    pub script_sig: &'a [u8],
    /// Its sequence number.
    pub sequence: u32,
}

/// An output of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    /// What it pays, in satoshi. No valid one is above 21 million bitcoins.
    pub value_sat: u64,
    /// Whom it pays: its `scriptPubKey`.
    pub script_pubkey: &'a [u8],
}

/// A transaction, taken apart.
#[derive(Clone, Debug)]
pub struct Transaction<'a> {
    txid: Txid,
    wtxid: Wtxid,
    inputs: Inputs<'a>,
    outputs: Outputs<'a>,
    /// With the witness.
    size_bytes: usize,
    /// Without the witness.
    stripped_bytes: usize,
}

impl<'a> Transaction<'a> {
    /// The shortest there is: version and lock time, one input and one output with empty scripts, and their numbers.
    pub(super) const MIN_LENGTH: usize = 4 + 1 + 41 + 1 + 9 + 4;

    /// Takes a transaction's bytes apart, for example those that `getrawtransaction TXID` gives.
    pub fn decode(raw: &'a [u8]) -> Result<Self, BodyError> {
        let mut reader = Reader::new(raw);
        let transaction = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(transaction)
    }

    /// `UnserializeTransaction` in `src/primitives/transaction.h@v30`.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, BodyError> {
        let start = reader.at();
        let version = reader.take(4)?;
        let has_witness = read_marker(reader)?;
        let middle = reader.at();
        let inputs = Inputs::read(reader)?;
        let outputs = Outputs::read(reader)?;
        let middle = reader.since(middle);
        if has_witness {
            skip_witness(reader, inputs.len())?;
        }
        let lock_time = reader.take(4)?;
        let whole = reader.since(start);

        let stripped = [version, middle, lock_time];
        let id = hash(&stripped);
        let wtxid = Wtxid::from_bytes(if has_witness { hash(&[whole]) } else { id });
        let stripped_bytes = stripped.iter().map(|part| part.len()).sum();
        let txid = Txid::from_bytes(id);
        Ok(Self { txid, wtxid, inputs, outputs, size_bytes: whole.len(), stripped_bytes })
    }

    /// Its id.
    pub const fn txid(&self) -> Txid {
        self.txid
    }

    /// Its id with witness. Of a coinbase too, for which BIP 141 puts zeros where a block commits to these ids.
    pub const fn wtxid(&self) -> Wtxid {
        self.wtxid
    }

    /// Its inputs, in order: at least one.
    pub fn inputs(&self) -> Inputs<'a> {
        self.inputs.clone()
    }

    /// Its outputs, in order: at least one.
    pub fn outputs(&self) -> Outputs<'a> {
        self.outputs.clone()
    }

    /// Its length, with the witness.
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Its weight (BIP 141).
    pub const fn weight(&self) -> usize {
        3 * self.stripped_bytes + self.size_bytes
    }

    /// Its virtual size in vB, as RPC tells it: a fourth of the weight, rounded up. What a node wants fees for can be
    /// more, if there are many signatures to check (`-bytespersigop`).
    pub const fn virtual_size(&self) -> usize {
        self.weight().div_ceil(4)
    }

    /// Whether it makes new coins: one input, which spends none (`IsCoinBase` in `src/primitives/transaction.h@v30`).
    pub fn is_coinbase(&self) -> bool {
        self.coinbase_script().is_some()
    }

    /// What the miner wrote into the coinbase, `None` if this is none.
    pub fn coinbase_script(&self) -> Option<&'a [u8]> {
        let mut inputs = self.inputs();
        let first = inputs.next().filter(|first| first.outpoint == OutPoint::NULL)?;
        (inputs.len() == 0).then_some(first.script_sig)
    }
}

/// Whether a witness will follow: what cannot be the number of inputs stands before that number then (BIP 144).
fn read_marker(reader: &mut Reader<'_>) -> Result<bool, BodyError> {
    if reader.peek() != Some(0) {
        return Ok(false);
    }
    reader.take(1)?;
    match reader.u8()? {
        0 => Err(BodyError::NoInputs { at: reader.at() }),
        1 => Ok(true),
        flags => Err(BodyError::Flags { at: reader.at(), flags }),
    }
}

/// Reads over the stack of each input.
fn skip_witness(reader: &mut Reader<'_>, inputs: usize) -> Result<(), BodyError> {
    let mut is_empty = true;
    for _ in 0..inputs {
        let items = reader.compact_size()?;
        is_empty &= items == 0;
        for _ in 0..items {
            reader.bytes()?;
        }
    }
    if is_empty { Err(BodyError::EmptyWitness { at: reader.at() }) } else { Ok(()) }
}

/// Inputs, read one by one. Bytes in which one cannot be read are refused before.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    left: usize,
    reader: Reader<'a>,
}

impl<'a> Inputs<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, BodyError> {
        let count = reader.compact_size()?;
        let first = reader.clone();
        let mut left = 0;
        for _ in 0..count {
            read_input(reader)?;
            left += 1;
        }
        if left == 0 { Err(BodyError::NoInputs { at: first.at() }) } else { Ok(Self { left, reader: first }) }
    }
}

impl<'a> Iterator for Inputs<'a> {
    type Item = Input<'a>;

    fn next(&mut self) -> Option<Input<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_input(&mut self.reader).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Inputs<'_> {}

/// Outputs, read one by one. Bytes in which one cannot be read are refused before.
#[derive(Clone, Debug)]
pub struct Outputs<'a> {
    left: usize,
    reader: Reader<'a>,
}

impl<'a> Outputs<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, BodyError> {
        let count = reader.compact_size()?;
        let first = reader.clone();
        let mut left = 0;
        for _ in 0..count {
            read_output(reader)?;
            left += 1;
        }
        if left == 0 {
            Err(BodyError::NoOutputs { at: first.at() })
        } else {
            Ok(Self { left, reader: first })
        }
    }
}

impl<'a> Iterator for Outputs<'a> {
    type Item = Output<'a>;

    fn next(&mut self) -> Option<Output<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_output(&mut self.reader).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Outputs<'_> {}

fn read_input<'a>(reader: &mut Reader<'a>) -> Result<Input<'a>, BodyError> {
    let mut txid = reader.array()?;
    txid.reverse();
    let outpoint = OutPoint { txid: Txid::from_bytes(txid), vout: reader.u32()? };
    Ok(Input { outpoint, script_sig: reader.bytes()?, sequence: reader.u32()? })
}

fn read_output<'a>(reader: &mut Reader<'a>) -> Result<Output<'a>, BodyError> {
    Ok(Output { value_sat: reader.u64()?, script_pubkey: reader.bytes()? })
}

/// The double SHA-256 of these parts one after another, in display order.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let mut hash: [u8; 32] = Sha256::digest(hasher.finalize()).into();
    hash.reverse();
    hash
}
