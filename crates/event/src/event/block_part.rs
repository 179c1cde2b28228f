use crate::BlockHash;

/// Some of the bytes of a block, as a server [wanted](crate::Want) them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockPart {
    /// The want's id.
    pub want: u64,
    /// The block.
    pub block: BlockHash,
    /// Bytes of the whole block as RPC `getblock HASH 0` gives it.
    pub size_bytes: u64,
    /// Where in the block this part begins.
    pub offset: u64,
    /// The part. Fewer bytes than were wanted at the block's end, or if a bound was reached.
    pub bytes: Vec<u8>,
}
