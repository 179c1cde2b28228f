use bmon_analysis::alert::{Alert, AlertState};
use bmon_event::ServerTime;

use super::page::{Cursor, Page};
use crate::{Reader, StoreError, code};

const ALL: &str = "
    SELECT row, active_at_us, body FROM alert INDEXED BY alert_by_time
    WHERE (active_at_us, row) < (?1, ?2) AND (?4 IS NULL OR state = ?4)
      AND (?5 IS NULL OR state <> 'resolved' OR body ->> 'resolved_at_us' >= ?5)
    ORDER BY active_at_us DESC, row DESC LIMIT ?3";
const OPEN: &str = "
    SELECT row, active_at_us, body FROM alert INDEXED BY alert_open
    WHERE state <> 'resolved' AND (active_at_us, row) < (?1, ?2) ORDER BY active_at_us DESC, row DESC LIMIT ?3";

impl Reader {
    /// Alerts, those that began last first: at most `limit` of those after `after`, from the newest when that is `None`.
    pub fn alerts(&self, limit: u32, after: Option<Cursor>) -> Result<Page<Alert>, StoreError> {
        self.alerts_of(None, None, limit, after)
    }

    /// The same of those in this state, and of those that were not over before `since`.
    pub fn alerts_of(
        &self,
        state: Option<AlertState>,
        since: Option<ServerTime>,
        limit: u32,
        after: Option<Cursor>,
    ) -> Result<Page<Alert>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(Cursor::START);
        let (state, since) = (state.map(AlertState::as_str), since.map(ServerTime::as_micros));
        self.select_alerts(ALL, (at_us, id, i64::from(limit) + 1, state, since), limit)
    }

    /// Those that are not over.
    pub fn open_alerts(&self, limit: u32, after: Option<Cursor>) -> Result<Page<Alert>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(Cursor::START);
        self.select_alerts(OPEN, (at_us, id, i64::from(limit) + 1), limit)
    }

    fn select_alerts(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        limit: u32,
    ) -> Result<Page<Alert>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            let cursor = Cursor { at_us: row.get("active_at_us")?, id: row.get("row")? };
            alerts.push((cursor, code::json::<Alert>("alert.body", row.get("body")?)?));
        }
        Ok(Page::new(alerts, limit))
    }
}
