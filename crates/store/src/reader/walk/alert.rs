use bmon_analysis::alert::Alert;
use rusqlite::OptionalExtension;

use super::{Stretch, Visit};
use crate::{Cursor, Reader, StoreError, code};

const ALERTS: &str = "
    SELECT row, active_at_us, body FROM alert INDEXED BY alert_by_time
    WHERE (active_at_us, row) > (?1, ?2) AND active_at_us < ?3
      AND network = (SELECT id FROM network WHERE genesis = ?4)
    ORDER BY active_at_us, row";

const OFFSET: &str = "SELECT at_us, offset_min_us, offset_max_us FROM finding WHERE id = ?1";

impl Reader {
    /// Walks through the alerts whose condition began to hold in the stretch, each with the largest clock error of the
    /// findings that it rests on, in microseconds: `None` if one is unknown or there are no findings.
    pub fn visit_alerts(
        &self,
        stretch: &Stretch,
        after: Option<Cursor>,
        visit: Visit<'_, (Alert, Option<i64>)>,
    ) -> Result<Option<Cursor>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(stretch.start());
        let mut statement = self.connection.prepare_cached(ALERTS)?;
        let genesis = stretch.network.genesis.as_bytes();
        let mut rows = statement.query((at_us, id, stretch.until.as_micros(), genesis))?;
        while let Some(row) = rows.next()? {
            let place = Cursor { at_us: row.get("active_at_us")?, id: row.get("row")? };
            let alert: Alert = code::json("alert.body", row.get("body")?)?;
            let bound_us = self.bound_us(&alert)?;
            if visit((alert, bound_us)).is_break() {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn bound_us(&self, alert: &Alert) -> Result<Option<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached(OFFSET)?;
        let mut largest = None;
        for finding in &alert.findings {
            let sighted = statement.query_row([finding.0], code::sighted).optional()?;
            let Some(offset) = sighted.and_then(|sighted| sighted.offset) else { return Ok(None) };
            largest = largest.max(Some(offset.bound_us()));
        }
        Ok(largest)
    }
}
