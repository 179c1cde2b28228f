use bmon_analysis::row::HeaderRow;
use bmon_event::{BlockHash, Network};

use crate::{Reader, StoreError, code};

/// Those of the last blocks of each network. A network's height is that of its highest header.
const LAST: &str = "
    SELECT genesis, height, hash, raw FROM header JOIN network ON network.id = header.network
    WHERE height >= (SELECT max(height) FROM header AS other WHERE other.network = header.network) - ?1
    ORDER BY header.network, height, hash";

impl Reader {
    /// The height of the lowest header of one network, `None` if there is none.
    pub fn lowest_header(&self, network: &Network) -> Result<Option<u32>, StoreError> {
        const LOWEST: &str = "
            SELECT min(height) FROM header WHERE network = (SELECT id FROM network WHERE genesis = ?1)";
        let mut statement = self.connection.prepare_cached(LOWEST)?;
        Ok(statement.query_row([network.genesis.as_bytes()], |row| row.get(0))?)
    }

    /// The headers of the last `depth` heights of each network, each after its parent.
    pub fn last_headers(&self, depth: u32) -> Result<Vec<HeaderRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(LAST)?;
        let mut rows = statement.query([depth])?;
        let mut headers = Vec::new();
        while let Some(row) = rows.next()? {
            headers.push(HeaderRow {
                network: code::network(row.get("genesis")?),
                block: BlockHash::from_bytes(row.get("hash")?),
                height: row.get("height")?,
                raw: row.get("raw")?,
            });
        }
        Ok(headers)
    }
}
