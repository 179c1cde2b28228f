//! Which alerts a notifier is to be told of, and which it was.

use bmon_analysis::alert::{Alert, AlertId};
use bmon_event::ServerTime;

use crate::{Reader, Store, StoreError, code};

/// Alerts that fired: those that are open, those that ended lately, those that ended and were not told, and those of whose end it
/// was not told, those first that are news. What began before `?3` and is over is left alone if nothing of it was told.
const TO_TELL: &str = "
    WITH me AS (SELECT id, since_us FROM notifier WHERE name = ?1),
    candidate (row) AS (
        SELECT row FROM alert INDEXED BY alert_open WHERE state <> 'resolved'
        UNION
        SELECT row FROM alert INDEXED BY alert_by_time WHERE state = 'resolved' AND active_at_us >= ?3
        UNION
        SELECT told.alert FROM me JOIN told INDEXED BY told_open ON told.notifier = me.id
        WHERE told.at_us IS NOT NULL AND told.ended_at_us IS NULL
    )
    SELECT body, told.at_us, told.ended_at_us
    FROM candidate JOIN alert USING (row) JOIN me LEFT JOIN told ON told.notifier = me.id AND told.alert = alert.row
    WHERE body ->> 'fired_at_us' IS NOT NULL AND (told.alert IS NULL OR told.at_us IS NOT NULL) AND (
        state <> 'resolved' OR body ->> 'resolved_at_us' >= ?2
        OR (told.alert IS NULL AND body ->> 'fired_at_us' >= me.since_us)
        OR (told.alert IS NOT NULL AND told.ended_at_us IS NULL)
    )
    ORDER BY told.alert IS NOT NULL AND (state <> 'resolved' OR told.ended_at_us IS NOT NULL), alert.row LIMIT ?4";

const NOTE: &str = "
    INSERT INTO told (notifier, alert, at_us, ended_at_us)
    SELECT notifier.id, alert.row, ?3, CASE WHEN ?4 THEN ?3 END FROM notifier JOIN alert ON alert.id = ?2
    WHERE notifier.name = ?1
    ON CONFLICT DO UPDATE SET ended_at_us = coalesce(ended_at_us, excluded.ended_at_us)";

const PASS_OVER: &str = "
    INSERT INTO told (notifier, alert, at_us)
    SELECT notifier.id, alert.row, NULL FROM notifier JOIN alert ON alert.id = ?2 WHERE notifier.name = ?1
    ON CONFLICT DO NOTHING";

const GIVE_UP: &str = "
    INSERT INTO told (notifier, alert, at_us)
    SELECT notifier.id, alert.row, NULL FROM notifier JOIN alert INDEXED BY alert_by_time ON alert.active_at_us >= ?3
    WHERE notifier.name = ?1 AND state = 'resolved' AND body ->> 'fired_at_us' >= notifier.since_us
      AND body ->> 'resolved_at_us' < ?2
      AND NOT EXISTS (SELECT 1 FROM told WHERE told.notifier = notifier.id AND told.alert = alert.row)";

const GIVE_UP_END: &str = "
    UPDATE told INDEXED BY told_open SET ended_at_us = ?3
    WHERE notifier = (SELECT id FROM notifier WHERE name = ?1) AND at_us IS NOT NULL AND ended_at_us IS NULL
      AND alert IN (SELECT row FROM alert WHERE state = 'resolved' AND body ->> 'resolved_at_us' < ?2)";

/// An alert that a notifier is to be told of, again or for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToTell {
    /// The alert.
    pub alert: Alert,
    /// When the notifier first took it, `None` if it has not.
    pub told_at: Option<ServerTime>,
    /// When it took that the alert is over, `None` if it has not.
    pub told_over_at: Option<ServerTime>,
}

/// What a notifier took of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The alert.
    pub alert: AlertId,
    /// That it is over; else that it fires.
    pub is_over: bool,
}

impl Reader {
    /// The alerts that a notifier is to be told of, at most so many, those that are news first: all that fire, those that ended
    /// since `ended`, those that it was not told of while they fired, and those of which it knows and not that they are over. Of
    /// those that are over and of which it was not told none that began before `begun`.
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
            let at =
                |column| Ok::<_, StoreError>(row.get::<_, Option<i64>>(column)?.map(ServerTime::from_micros));
            alerts.push(ToTell {
                alert: code::json::<Alert>("alert.body", row.get("body")?)?,
                told_at: at("at_us")?,
                told_over_at: at("ended_at_us")?,
            });
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

    /// Notes what a notifier took of alerts. The first time of each stays.
    pub fn note_told(&mut self, notifier: &str, told: &[Told], at: ServerTime) -> Result<(), StoreError> {
        self.flushed(|transaction| {
            for Told { alert, is_over } in told {
                transaction.execute(NOTE, (notifier, alert.0, at.as_micros(), is_over))?;
            }
            Ok(())
        })
    }

    /// Notes that a notifier is not to be told of these alerts, of which it was told nothing.
    pub fn pass_over(&mut self, notifier: &str, alerts: &[AlertId]) -> Result<(), StoreError> {
        self.flushed(|transaction| {
            for alert in alerts {
                transaction.execute(PASS_OVER, (notifier, alert.0))?;
            }
            Ok(())
        })
    }

    /// Gives up the alerts that ended before `ended` and that a notifier did not take, of those that began since `begun`, and those
    /// of which it did not take that they are over. How many that are.
    pub fn give_up_telling(
        &mut self,
        notifier: &str,
        ended: ServerTime,
        begun: ServerTime,
    ) -> Result<u64, StoreError> {
        let ended = ended.as_micros();
        let given_up = self.flushed(|transaction| {
            let untold = transaction.execute(GIVE_UP, (notifier, ended, begun.as_micros()))?;
            Ok(untold + transaction.execute(GIVE_UP_END, (notifier, ended, ended))?)
        })?;
        Ok(given_up as u64)
    }
}
