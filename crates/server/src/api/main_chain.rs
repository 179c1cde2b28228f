//! Which of the blocks at one height the main chain has.

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
    let tips = reader.tips()?.into_iter().find(|tips| tips.network == *network);
    let tip = tips.and_then(|tips| tips.tips.first().map(|tip| tip.block));
    let on_main = match tip {
        Some(tip) => reader.ancestor_at(network, tip, height, MOST)?,
        None => None,
    };
    if let Some(block) = on_main.filter(|block| blocks.contains(block)) {
        return Ok(Some(block));
    }
    for block in &blocks {
        if !is_stale(reader, network, block)? {
            return Ok(Some(*block));
        }
    }
    Ok(blocks.first().copied())
}

fn is_stale(reader: &Reader, network: &Network, block: &BlockHash) -> Result<bool, StoreError> {
    let findings = reader.findings_judging_block(network, block)?;
    Ok(findings.iter().any(|finding| matches!(finding.body, Body::StaleBlock(_))))
}
