use bmon_analysis::row::TipsRow;

use crate::{Reader, StoreError, code};

const TIPS: &str = "
    SELECT genesis, tips, nodes FROM network_tips JOIN network ON network.id = network_tips.network
    ORDER BY network.id";

impl Reader {
    /// The ends of the branches of each network of which any are known.
    pub fn tips(&self) -> Result<Vec<TipsRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(TIPS)?;
        let mut rows = statement.query([])?;
        let mut tips = Vec::new();
        while let Some(row) = rows.next()? {
            tips.push(TipsRow {
                network: code::network(row.get("genesis")?),
                tips: code::json("network_tips.tips", row.get("tips")?)?,
                nodes: code::json("network_tips.nodes", row.get("nodes")?)?,
            });
        }
        Ok(tips)
    }
}
