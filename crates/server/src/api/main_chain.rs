//! Which of the blocks at one height the main chain has, and whether it has a block.

use bmon_analysis::finding::Body;
use bmon_event::{BlockHash, Network};
use bmon_store::{Reader, StoreError};

/// Most headers that are read on the way down from the end of the main chain. Forks farther down are settled, and their
/// stale blocks were found.
const MOST: u32 = 2_016;

/// The block that the main chain of one network has at `height`, `None` if no node told of one. Where the headers do not
/// tell, one that was not found stale, the first seen first.
pub(super) fn block_at(
    reader: &Reader,
    network: &Network,
    height: u32,
) -> Result<Option<BlockHash>, StoreError> {
    let blocks = reader.blocks_at(network, height)?;
    if let [] | [_] = blocks.as_slice() {
        return Ok(blocks.first().copied());
    }
    if let Some(block) = on_main(reader, network, height)?.filter(|block| blocks.contains(block)) {
        return Ok(Some(block));
    }
    for block in &blocks {
        if !is_stale(reader, network, block)? {
            return Ok(Some(*block));
        }
    }
    Ok(blocks.first().copied())
}

/// Whether the main chain of one network has this block, which is at `height`. Where the headers do not tell, whether it was
/// not found stale.
pub(super) fn has(
    reader: &Reader,
    network: &Network,
    block: &BlockHash,
    height: Option<u32>,
) -> Result<bool, StoreError> {
    let on_main = match height {
        Some(height) => on_main(reader, network, height)?,
        None => None,
    };
    match on_main {
        Some(on_main) => Ok(on_main == *block),
        None => Ok(!is_stale(reader, network, block)?),
    }
}

/// The block at `height` below the end of the main chain, by the headers. `None` if they do not tell.
fn on_main(reader: &Reader, network: &Network, height: u32) -> Result<Option<BlockHash>, StoreError> {
    let tips = reader.tips()?.into_iter().find(|tips| tips.network == *network);
    match tips.and_then(|tips| tips.tips.first().map(|tip| tip.block)) {
        Some(tip) => reader.ancestor_at(network, tip, height, MOST),
        None => Ok(None),
    }
}

fn is_stale(reader: &Reader, network: &Network, block: &BlockHash) -> Result<bool, StoreError> {
    let findings = reader.findings_judging_block(network, block)?;
    Ok(findings.iter().any(|finding| matches!(finding.body, Body::StaleBlock(_))))
}
