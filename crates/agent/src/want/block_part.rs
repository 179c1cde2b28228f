//! Bytes of a block.

use bmon_event::{BlockHash, event::BlockPart};

use super::chain_rpc::ChainRpc;

/// The bytes of `block` from `offset` on, in answer to `want`: as many as are `wanted`, at most `most`. If there are
/// more, the block is kept for them to be asked for.
pub(super) fn fulfil(
    rpc: &mut ChainRpc,
    want: u64,
    block: BlockHash,
    offset: u64,
    (wanted, most): (u64, u64),
) -> Result<BlockPart, String> {
    let whole = rpc.block(block)?;
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(whole.len());
    let rest = whole.get(from..).unwrap_or_default();
    let length = usize::try_from(wanted.min(most)).unwrap_or(usize::MAX).min(rest.len());
    let bytes = rest.get(..length).unwrap_or_default().to_vec();
    let is_all = length == rest.len() || length as u64 >= wanted;
    let part = BlockPart { want, block, size_bytes: whole.len() as u64, offset: from as u64, bytes };
    if is_all {
        rpc.drop_block();
    }
    Ok(part)
}
