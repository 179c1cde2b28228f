use bmon_event::{BlockHash, Network};
use rusqlite::OptionalExtension;

use crate::{Reader, StoreError};

/// Those that any node told of, the first seen first.
const AT_HEIGHT: &str = "
    SELECT hash FROM block
    WHERE network = (SELECT id FROM network WHERE genesis = ?1) AND height = ?2 AND first_at_us IS NOT NULL
    ORDER BY first_at_us, hash";

const HEADER: &str = "
    SELECT height, raw FROM header
    WHERE hash = ?2 AND network = (SELECT id FROM network WHERE genesis = ?1)";

impl Reader {
    /// The blocks of one network at a height, the first seen first.
    pub fn blocks_at(&self, network: &Network, height: u32) -> Result<Vec<BlockHash>, StoreError> {
        let mut statement = self.connection.prepare_cached(AT_HEIGHT)?;
        let blocks = statement
            .query_map((network.genesis.as_bytes(), height), |row| Ok(BlockHash::from_bytes(row.get(0)?)))?;
        Ok(blocks.collect::<Result<_, _>>()?)
    }

    /// The height of a block, `None` while its header is not known.
    pub fn header_height(&self, network: &Network, block: &BlockHash) -> Result<Option<u32>, StoreError> {
        let mut statement = self.connection.prepare_cached(HEADER)?;
        let key = (network.genesis.as_bytes(), block.as_bytes());
        Ok(statement.query_row(key, |row| row.get(0)).optional()?)
    }

    /// The block at `height` on the chain that ends in `tip`. `None` if a header on the way is not known, or if the way
    /// is longer than `most` blocks.
    pub fn ancestor_at(
        &self,
        network: &Network,
        tip: BlockHash,
        height: u32,
        most: u32,
    ) -> Result<Option<BlockHash>, StoreError> {
        let mut statement = self.connection.prepare_cached(HEADER)?;
        let mut block = tip;
        for _ in 0..=most {
            let key = (network.genesis.as_bytes(), block.as_bytes());
            let found = statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((at, raw)): Option<(u32, Vec<u8>)> = found else { return Ok(None) };
            if at <= height {
                return Ok((at == height).then_some(block));
            }
            block = parent(&raw).ok_or_else(|| StoreError::Value {
                column: "header.raw",
                value: format!("{} bytes of {block}", raw.len()),
            })?;
        }
        Ok(None)
    }
}

/// The parent that a header names, in the opposite order of bytes.
fn parent(raw: &[u8]) -> Option<BlockHash> {
    let mut parent: [u8; 32] = raw.get(4..36)?.try_into().ok()?;
    parent.reverse();
    Some(BlockHash::from_bytes(parent))
}
