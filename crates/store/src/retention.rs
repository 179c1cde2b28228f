use std::time::Duration;

use bmon_event::ServerTime;
use rusqlite::OptionalExtension;

use crate::{Store, StoreError};

impl Store {
    /// Deletes the transactions of which every sighting is older than `keep`, among the next `step` transactions, and
    /// returns how many it deleted. Called again and again it goes round through all of them: each call holds the
    /// writer for a moment only, however much is kept, and a sighting from a wrong clock holds nothing up.
    pub fn expire(&mut self, now: ServerTime, keep: Duration, step: u32) -> Result<usize, StoreError> {
        let keep_us = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let oldest_kept_us = now.as_micros().saturating_sub(keep_us);
        let transaction = self.connection.transaction()?;
        let last: Option<i64> = transaction
            .prepare_cached("SELECT max(id) FROM (SELECT id FROM tx WHERE id > ?1 ORDER BY id LIMIT ?2)")?
            .query_row([self.swept, i64::from(step)], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(last) = last else {
            self.swept = 0;
            return Ok(0);
        };
        let deleted = transaction
            .prepare_cached(
                "DELETE FROM tx WHERE id > ?1 AND id <= ?2
                     AND NOT EXISTS (SELECT 1 FROM tx_sighting WHERE tx = tx.id AND at_us >= ?3)",
            )?
            .execute([self.swept, last, oldest_kept_us])?;
        transaction.commit()?;
        self.swept = last;
        Ok(deleted)
    }
}
