use bmon_analysis::row::RawBlockRow;
use bmon_event::BlockHash;
use rusqlite::OptionalExtension;

use crate::{Reader, StoreError, code};

const LAST: &str = "
    SELECT genesis, hash, raw FROM raw_block JOIN network ON network.id = raw_block.network
    ORDER BY raw_block.id DESC LIMIT ?1";

impl Reader {
    /// The bytes of the blocks that were last kept, the last first, at most so many.
    pub fn last_raw_blocks(&self, most: u32) -> Result<Vec<RawBlockRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(LAST)?;
        let mut rows = statement.query([most])?;
        let mut blocks = Vec::new();
        while let Some(row) = rows.next()? {
            blocks.push(RawBlockRow {
                network: code::network(row.get("genesis")?),
                block: BlockHash::from_bytes(row.get("hash")?),
                raw: row.get("raw")?,
            });
        }
        Ok(blocks)
    }

    /// The bytes of a block that was left behind, `None` if they are not kept. Where two networks have it, the one that
    /// was known first counts.
    pub fn raw_block(&self, block: &BlockHash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT raw FROM raw_block WHERE hash = ?1 ORDER BY network LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([block.as_bytes()], |row| row.get(0)).optional()?)
    }
}
