//! Headers: of one block, and of those before it.

use bmon_event::{BlockHash, event::RawHeader};

use super::chain_rpc::ChainRpc;
use crate::hex;
use crate::{shipper::chain, source::rpc::GET_BLOCK_HEADER};

/// Most headers in one answer: a quarter of a retarget period, which is 57 kB.
const MOST: u32 = 512;
/// Where a header of any kind has its parent's hash (`CBlockHeader` in `src/primitives/block.h@v30`).
const PARENT: std::ops::Range<usize> = 4..36;

/// The headers of `block` and of those before it, at most `count` and at most `most_bytes` of them, until `is_over`. An
/// error if there is not even the first.
pub(super) fn fulfil(
    rpc: &mut ChainRpc,
    block: BlockHash,
    count: u32,
    most_bytes: u64,
    is_over: &dyn Fn() -> bool,
) -> Result<Vec<RawHeader>, String> {
    let (mut headers, mut next, mut room) = (Vec::new(), Some(block), most_bytes);
    while let Some(block) = next.filter(|_| headers.len() < count.min(MOST) as usize) {
        if !headers.is_empty() && (is_over() || !rpc.may_call()) {
            break;
        }
        let raw = match header(rpc, block) {
            Ok(raw) => raw,
            Err(problem) if headers.is_empty() => return Err(problem),
            Err(_) => break,
        };
        let Some(left) = room.checked_sub((block.as_bytes().len() + raw.len()) as u64) else { break };
        room = left;
        next = parent(&raw);
        headers.push(RawHeader { block, raw });
    }
    if headers.is_empty() { Err("no header was asked for, or none has room".to_owned()) } else { Ok(headers) }
}

fn header(rpc: &mut ChainRpc, block: BlockHash) -> Result<Vec<u8>, String> {
    let parameters = format!(r#"["{block}",false]"#);
    let digits = rpc.call::<String>(GET_BLOCK_HEADER, &parameters)?.map_err(|error| chain(&error))?;
    hex::decode(&digits).ok_or_else(|| "the node gave a header that is not hexadecimal".to_owned())
}

/// The block before, `None` for block 0.
fn parent(raw: &[u8]) -> Option<BlockHash> {
    let mut hash: [u8; 32] = raw.get(PARENT)?.try_into().ok()?;
    hash.reverse();
    (hash != [0; 32]).then(|| BlockHash::from_bytes(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_in_the_order_in_which_hashes_are_shown() {
        let mut raw = [0; 80];
        assert_eq!(parent(&raw), None);
        raw[4] = 0x2a;
        let mut hash = [0; 32];
        hash[31] = 0x2a;
        assert_eq!(parent(&raw), Some(BlockHash::from_bytes(hash)));
        assert_eq!(parent(&raw[..35]), None);
    }
}
