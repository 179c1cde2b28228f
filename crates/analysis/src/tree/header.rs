//! A block header, raw bytes in and out.

use bmon_event::BlockHash;
use sha2::{Digest as _, Sha256};

use super::work::{BitsError, Target, Work};

/// Bytes of a header of Bitcoin.
const LENGTH: usize = 80;
/// Bytes of a header of Knots' other proof of work: the same 80, and what that proof needs besides.
const BLAKE2B_LENGTH: usize = 164;

/// What a longer header has after the first 80 bytes.
pub(super) type Extension = Box<[u8; BLAKE2B_LENGTH - LENGTH]>;

/// How a block shows that work was done for it. A header's length tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofOfWork {
    /// Bitcoin's: the header's double SHA-256 is the block's hash, and small.
    Sha256d,
    /// That of Knots 29.4 from its hard fork on. What is hashed there is not the header alone, so that the hash is
    /// taken as it is told, and the work as the header claims it.
    Blake2b,
}

impl ProofOfWork {
    /// Bytes of a header of this kind.
    pub const fn header_length(self) -> usize {
        match self {
            Self::Sha256d => LENGTH,
            Self::Blake2b => BLAKE2B_LENGTH,
        }
    }
}

/// What every header has, but for the hash of its parent: 48 of its 80 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) version: u32,
    /// In the order of the P2P protocol.
    pub(super) merkle_root: [u8; 32],
    pub(super) time: u32,
    pub(super) bits: u32,
    pub(super) nonce: u32,
}

/// A block header. It meets the target that it names, if this crate can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub(super) hash: BlockHash,
    pub(super) parent: BlockHash,
    pub(super) fields: Fields,
    /// `None` for a header of Bitcoin.
    pub(super) extension: Option<Extension>,
}

/// Bytes are not a header that a node could have accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Neither 80 bytes nor 164.
    #[error("a header has 80 or 164 bytes, not {0}")]
    Length(usize),
    /// The hash of this kind of header cannot be computed, and was not told.
    #[error("the hash of a header of 164 bytes must be told")]
    Unnamed,
    /// The bytes have another hash than was told.
    #[error("the header of block {0} was told as another's")]
    OtherBlock(BlockHash),
    /// The header names no target.
    #[error(transparent)]
    Bits(#[from] BitsError),
    /// The hash is greater than the target (`high-hash` in `src/validation.cpp@v30`).
    #[error("block {0} has no proof of work")]
    HighHash(BlockHash),
}

impl Header {
    /// Reads the bytes that `getblockheader HASH false` gives, and that a block begins with. `block` is the hash that
    /// was told with them: `None` will do for 80 bytes, whose hash is computed.
    pub fn decode(raw: &[u8], block: Option<BlockHash>) -> Result<Self, HeaderError> {
        let (base, rest) = raw.split_first_chunk::<LENGTH>().ok_or(HeaderError::Length(raw.len()))?;
        let (parent, fields) = split(base);
        let target = Target::from_bits(fields.bits)?;
        if rest.is_empty() {
            let hash = double_sha256(base);
            return match block {
                Some(block) if block != hash => Err(HeaderError::OtherBlock(hash)),
                _ if !target.is_met_by(hash.as_bytes()) => Err(HeaderError::HighHash(hash)),
                _ => Ok(Self { hash, parent, fields, extension: None }),
            };
        }
        let extension = rest.try_into().map_err(|_| HeaderError::Length(raw.len()))?;
        let hash = block.ok_or(HeaderError::Unnamed)?;
        Ok(Self { hash, parent, fields, extension: Some(Box::new(extension)) })
    }

    /// The header's bytes, as they were read.
    pub fn to_raw(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(BLAKE2B_LENGTH);
        raw.extend_from_slice(&self.fields.version.to_le_bytes());
        raw.extend(self.parent.as_bytes().iter().rev());
        raw.extend_from_slice(&self.fields.merkle_root);
        for number in [self.fields.time, self.fields.bits, self.fields.nonce] {
            raw.extend_from_slice(&number.to_le_bytes());
        }
        raw.extend(self.extension.iter().flat_map(|extension| extension.iter()));
        raw
    }

    /// The block's hash.
    pub const fn hash(&self) -> BlockHash {
        self.hash
    }

    /// The hash of the block before it.
    pub const fn parent(&self) -> BlockHash {
        self.parent
    }

    /// The block's version, all 32 bits of it, as `versionHex` shows them.
    pub const fn version(&self) -> u32 {
        self.fields.version
    }

    /// The miner's time in seconds since 1970: up to two hours ahead of the network's, and not always rising.
    pub const fn time(&self) -> u32 {
        self.fields.time
    }

    /// The target in its compact form, `nBits`.
    pub const fn bits(&self) -> u32 {
        self.fields.bits
    }

    /// How it shows its work.
    pub const fn proof_of_work(&self) -> ProofOfWork {
        if self.extension.is_some() { ProofOfWork::Blake2b } else { ProofOfWork::Sha256d }
    }

    /// The work that this one block stands for.
    pub fn work(&self) -> Work {
        self.fields.work()
    }
}

impl Fields {
    /// Work of one block. Bits that name no target are refused before they come here.
    pub(super) fn work(&self) -> Work {
        Target::from_bits(self.bits).map_or(Work::ZERO, Target::work)
    }
}

fn split(raw: &[u8; LENGTH]) -> (BlockHash, Fields) {
    let number = |at: usize| u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
    let bytes = |at: usize| std::array::from_fn::<u8, 32, _>(|place| raw[at + place]);
    let mut parent = bytes(4);
    parent.reverse();
    let fields = Fields {
        version: number(0),
        merkle_root: bytes(36),
        time: number(68),
        bits: number(72),
        nonce: number(76),
    };
    (BlockHash::from_bytes(parent), fields)
}

fn double_sha256(bytes: &[u8]) -> BlockHash {
    let mut hash: [u8; 32] = Sha256::digest(Sha256::digest(bytes)).into();
    hash.reverse();
    BlockHash::from_bytes(hash)
}
