use bmon_analysis::alert::Alert;

use super::page::{Cursor, Page};
use crate::{Reader, StoreError, code};

const ALL: &str = "
    SELECT row, active_at_us, body FROM alert INDEXED BY alert_by_time
    WHERE (active_at_us, row) < (?1, ?2) ORDER BY active_at_us DESC, row DESC LIMIT ?3";
const OPEN: &str = "
    SELECT row, active_at_us, body FROM alert INDEXED BY alert_open
    WHERE state <> 'resolved' AND (active_at_us, row) < (?1, ?2) ORDER BY active_at_us DESC, row DESC LIMIT ?3";

impl Reader {
    /// Alerts, those that began last first: at most `limit` of those after `after`, from the newest when that is `None`.
    pub fn alerts(&self, limit: u32, after: Option<Cursor>) -> Result<Page<Alert>, StoreError> {
        self.select_alerts(ALL, limit, after)
    }

    /// The same of those that are not over.
    pub fn open_alerts(&self, limit: u32, after: Option<Cursor>) -> Result<Page<Alert>, StoreError> {
        self.select_alerts(OPEN, limit, after)
    }

    fn select_alerts(&self, sql: &str, limit: u32, after: Option<Cursor>) -> Result<Page<Alert>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(Cursor::START);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((at_us, id, i64::from(limit) + 1))?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            let cursor = Cursor { at_us: row.get("active_at_us")?, id: row.get("row")? };
            alerts.push((cursor, code::json::<Alert>("alert.body", row.get("body")?)?));
        }
        Ok(Page::new(alerts, limit))
    }
}
