use bmon_analysis::row::HeaderRow;
use bmon_event::BlockHash;

use super::Visit;
use crate::{Place, Reader, StoreError, Stretch};

const HEADERS: &str = "
    SELECT height, hash, raw FROM header
    WHERE network = (SELECT id FROM network WHERE genesis = ?1) AND (height, hash) > (?2, ?3)
    ORDER BY height, hash";

impl Reader {
    /// Walks through the headers of a network, the lowest first, whenever they came.
    pub fn visit_headers(
        &self,
        stretch: &Stretch,
        after: Option<Place>,
        visit: Visit<'_, HeaderRow>,
    ) -> Result<Option<Place>, StoreError> {
        let mut statement = self.connection.prepare_cached(HEADERS)?;
        let network = stretch.network;
        let (height, hash) =
            after.map_or((-1, [0; 32]), |Place { height, block }| (i64::from(height), *block.as_bytes()));
        let mut rows = statement.query((network.genesis.as_bytes(), height, hash))?;
        while let Some(row) = rows.next()? {
            let (height, block) = (row.get("height")?, BlockHash::from_bytes(row.get("hash")?));
            if visit(HeaderRow { network, block, height, raw: row.get("raw")? }).is_break() {
                return Ok(Some(Place { height, block }));
            }
        }
        Ok(None)
    }
}
