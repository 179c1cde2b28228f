use bmon_analysis::{finding::Finding, watch::WatchItem};
use bmon_event::{Network, ServerTime};

use crate::{Reader, StoreError, code};

/// Something that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The network.
    pub network: Network,
    /// What.
    pub item: WatchItem,
    /// Since when.
    pub added_at: ServerTime,
}

const LIST: &str = "
    SELECT genesis, item, added_at_us FROM watch JOIN network ON network.id = watch.network ORDER BY watch.id DESC";

impl Reader {
    /// The watch list, what was put there last first.
    pub fn watch_list(&self) -> Result<Vec<Watched>, StoreError> {
        let mut statement = self.connection.prepare_cached(LIST)?;
        let mut rows = statement.query([])?;
        let mut list = Vec::new();
        while let Some(row) = rows.next()? {
            let item: String = row.get("item")?;
            list.push(Watched {
                network: code::network(row.get("genesis")?),
                item: item.parse().map_err(|_| StoreError::Value { column: "watch.item", value: item })?,
                added_at: ServerTime::from_micros(row.get("added_at_us")?),
            });
        }
        Ok(list)
    }

    /// Every step of something that is or was watched, oldest first.
    pub fn watch_steps(&self, network: &Network, item: &WatchItem) -> Result<Vec<Finding>, StoreError> {
        self.findings_of_item(network, &item.to_string())
    }
}
