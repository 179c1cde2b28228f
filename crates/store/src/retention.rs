use std::time::Duration;

use bmon_event::ServerTime;

use crate::{Store, StoreError, tx_index};

impl Store {
    /// Deletes at most `most` of the chunks of transactions of which the server heard more than `keep` before `now`, the
    /// oldest first, and returns how many transactions it deleted. Each call holds the writer for a moment only.
    pub fn expire(&mut self, now: ServerTime, keep: Duration, most: u32) -> Result<u64, StoreError> {
        let keep_us = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let oldest_kept_us = now.as_micros().saturating_sub(keep_us);
        let transaction = self.connection.transaction()?;
        let mut deleted = 0;
        {
            let mut select = transaction.prepare_cached(
                "SELECT id, segment, transactions FROM tx_chunk WHERE last_at_us < ?1 ORDER BY last_at_us LIMIT ?2",
            )?;
            let rows = select
                .query_map((oldest_kept_us, most), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let chunks: Vec<(i64, Option<i64>, u32)> = rows.collect::<Result<_, _>>()?;
            for (id, segment, transactions) in chunks {
                transaction.prepare_cached("DELETE FROM tx_chunk WHERE id = ?1")?.execute([id])?;
                if let Some(segment) = segment {
                    tx_index::tidy(&transaction, segment)?;
                }
                deleted += u64::from(transactions);
            }
        }
        transaction.commit()?;
        Ok(deleted)
    }
}
