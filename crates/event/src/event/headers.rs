use crate::BlockHash;

/// The headers of a block and of blocks before it, as a server [wanted](crate::Want) them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The want's id.
    pub want: u64,
    /// The headers, each after that of the block that follows it. Fewer than were wanted if the node knows no more, or if
    /// a bound was reached.
    pub headers: Vec<RawHeader>,
}

/// A header as RPC `getblockheader HASH false` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeader {
    /// The block, by the hash under which the node knows it.
    pub block: BlockHash,
    /// The header's bytes: 80, or 164 from Knots 29.4 on its own chain.
    pub raw: Vec<u8>,
}

impl Headers {
    /// Bytes in it.
    pub fn bytes(&self) -> usize {
        self.headers.iter().map(|header| header.block.as_bytes().len() + header.raw.len()).sum()
    }
}
