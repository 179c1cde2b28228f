//! The watch list, which whoever calls `bmon watch` writes.

use bmon_analysis::watch::{MOST_ITEMS, WatchItem};
use bmon_event::{Network, ServerTime};

use crate::{Store, StoreError};

const KNOWN: &str = "
    SELECT count(*) FROM watch
    WHERE item = ?2 AND network = (SELECT id FROM network WHERE genesis = ?1)";

impl Store {
    /// Puts an item on the watch list. False if it is there already. Flushed to the disk before it returns, since no journal
    /// repeats it.
    pub fn watch(&mut self, network: &Network, item: &WatchItem, at: ServerTime) -> Result<bool, StoreError> {
        let (genesis, item) = (network.genesis.as_bytes(), item.to_string());
        self.flushed(|transaction| {
            let known: u32 = transaction.query_row(KNOWN, (genesis, &item), |row| row.get(0))?;
            if known > 0 {
                return Ok(false);
            }
            let count: u32 = transaction.query_row("SELECT count(*) FROM watch", [], |row| row.get(0))?;
            if count as usize >= MOST_ITEMS {
                return Err(StoreError::WatchListFull { most: MOST_ITEMS });
            }
            transaction.execute(
                "INSERT INTO network (genesis, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (genesis, network.to_string()),
            )?;
            transaction.execute(
                "INSERT INTO watch (network, item, added_at_us)
                 VALUES ((SELECT id FROM network WHERE genesis = ?1), ?2, ?3)",
                (genesis, &item, at.as_micros()),
            )?;
            Ok(true)
        })
    }

    /// Takes an item off the watch list. False if it is not there.
    pub fn unwatch(&mut self, network: &Network, item: &WatchItem) -> Result<bool, StoreError> {
        let key = (network.genesis.as_bytes(), item.to_string());
        self.flushed(|transaction| {
            let removed = transaction.execute(
                "DELETE FROM watch WHERE network = (SELECT id FROM network WHERE genesis = ?1) AND item = ?2",
                key,
            )?;
            Ok(removed > 0)
        })
    }
}
