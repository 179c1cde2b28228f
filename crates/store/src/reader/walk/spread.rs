use bmon_analysis::spread::Spread;
use bmon_event::ServerTime;

use super::{Stretch, Visit};
use crate::{Reader, StoreError, reader::spread::HOUR_US, tx_spread};

const HOURS: &str = "
    SELECT begun_at_us, body FROM tx_spread
    WHERE network = (SELECT id FROM network WHERE genesis = ?1) AND begun_at_us > ?2 AND begun_at_us < ?3
    ORDER BY begun_at_us";

impl Reader {
    /// Walks through the hours of which any part is in the stretch, each with the spread of its transactions.
    pub fn visit_tx_spread(
        &self,
        stretch: &Stretch,
        after: Option<ServerTime>,
        visit: Visit<'_, (ServerTime, Spread)>,
    ) -> Result<Option<ServerTime>, StoreError> {
        let after = after.unwrap_or(stretch.from.plus_micros(-HOUR_US));
        let mut statement = self.connection.prepare_cached(HOURS)?;
        let genesis = stretch.network.genesis.as_bytes();
        let mut rows = statement.query((genesis, after.as_micros(), stretch.until.as_micros()))?;
        while let Some(row) = rows.next()? {
            let begun_at = ServerTime::from_micros(row.get("begun_at_us")?);
            let body = row.get_ref("body")?.as_blob().map_err(rusqlite::Error::from)?;
            if visit((begun_at, tx_spread::decode(body)?)).is_break() {
                return Ok(Some(begun_at));
            }
        }
        Ok(None)
    }
}
