//! Which alerts a notifier is to be told of, and which it was.

use bmon_analysis::alert::{Alert, AlertId};
use bmon_event::ServerTime;

use crate::{Reader, Store, StoreError, code};

/// Alerts that fired: those that are open, those that ended lately, and those that ended and were not told. What began
/// before `?3` and is over is left alone.
const TO_TELL: &str = "
    WITH me AS (SELECT id, since_us FROM notifier WHERE name = ?1),
    fired AS (
        SELECT row, state, body FROM alert INDEXED BY alert_open WHERE state <> 'resolved'
        UNION ALL
        SELECT row, state, body FROM alert INDEXED BY alert_by_time WHERE state = 'resolved' AND active_at_us >= ?3
    )
    SELECT body, told.alert IS NOT NULL AS is_told, told.at_us
    FROM fired JOIN me LEFT JOIN told ON told.notifier = me.id AND told.alert = fired.row
    WHERE body ->> 'fired_at_us' IS NOT NULL AND (
        state <> 'resolved' OR body ->> 'resolved_at_us' >= ?2
        OR (told.alert IS NULL AND body ->> 'fired_at_us' >= me.since_us)
    )
    ORDER BY fired.row LIMIT ?4";

const GIVE_UP: &str = "
    INSERT INTO told (notifier, alert, at_us)
    SELECT notifier.id, alert.row, NULL FROM notifier JOIN alert INDEXED BY alert_by_time ON alert.active_at_us >= ?3
    WHERE notifier.name = ?1 AND state = 'resolved' AND body ->> 'fired_at_us' >= notifier.since_us
      AND body ->> 'resolved_at_us' < ?2
      AND NOT EXISTS (SELECT 1 FROM told WHERE told.notifier = notifier.id AND told.alert = alert.row)";

/// An alert that a notifier is to be told of, again or for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToTell {
    /// The alert.
    pub alert: Alert,
    /// When the notifier first took it, `None` if it has not.
    pub told_at: Option<ServerTime>,
}

impl Reader {
    /// The alerts that a notifier is to be told of, at most so many: all that fire, those that ended since `ended`, and those
    /// that it was not told of while they fired. Of those that are over none that began before `begun`.
    pub fn alerts_to_tell(
        &self,
        notifier: &str,
        ended: ServerTime,
        begun: ServerTime,
        most: u32,
    ) -> Result<Vec<ToTell>, StoreError> {
        let mut statement = self.connection.prepare_cached(TO_TELL)?;
        let mut rows = statement.query((notifier, ended.as_micros(), begun.as_micros(), most))?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            let (is_told, at_us): (bool, Option<i64>) = (row.get("is_told")?, row.get("at_us")?);
            // One that was given up is told no more.
            if !is_told || at_us.is_some() {
                let alert = code::json::<Alert>("alert.body", row.get("body")?)?;
                alerts.push(ToTell { alert, told_at: at_us.map(ServerTime::from_micros) });
            }
        }
        Ok(alerts)
    }
}

impl Store {
    /// Lets a notifier be told of what fires from now on, if it was not known before.
    pub fn add_notifier(&mut self, name: &str, now: ServerTime) -> Result<(), StoreError> {
        let sql = "INSERT INTO notifier (name, since_us) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.flushed(|transaction| Ok(transaction.execute(sql, (name, now.as_micros())).map(drop)?))
    }

    /// Notes that a notifier took these alerts.
    pub fn note_told(
        &mut self,
        notifier: &str,
        alerts: &[AlertId],
        at: ServerTime,
    ) -> Result<(), StoreError> {
        let sql = "
            INSERT INTO told (notifier, alert, at_us)
            SELECT notifier.id, alert.row, ?3 FROM notifier JOIN alert ON alert.id = ?2 WHERE notifier.name = ?1
            ON CONFLICT DO NOTHING";
        self.flushed(|transaction| {
            for alert in alerts {
                transaction.execute(sql, (notifier, alert.0, at.as_micros()))?;
            }
            Ok(())
        })
    }

    /// Gives up the alerts that a notifier did not take and that ended before `ended`, of those that began since `begun`. How many
    /// that are.
    pub fn give_up_telling(
        &mut self,
        notifier: &str,
        ended: ServerTime,
        begun: ServerTime,
    ) -> Result<u64, StoreError> {
        let given_up = self.flushed(|transaction| {
            Ok(transaction.execute(GIVE_UP, (notifier, ended.as_micros(), begun.as_micros()))?)
        })?;
        Ok(given_up as u64)
    }
}
