//! Alertmanager, which groups, silences and routes: it is told of alerts as Prometheus tells it, by `POST /api/v2/alerts`
//! (`api/v2/openapi.yaml` of Alertmanager 0.25).
//!
//! To Alertmanager an alert is its labels, and lasts until its end. So all that fire are told again and again, each with an
//! end a little after the next telling: what is told no more ends by itself.

use std::time::Duration;

use bmon_analysis::alert::Alert;
use bmon_event::ServerTime;
use bmon_store::ToTell;
use serde::Serialize;

use super::{
    Notifier, NotifierKind, NotifyError, Target,
    label::{Words, annotations, labels, test_annotations, test_labels},
    post::Poster,
};
use crate::{Links, clock};

const SECOND_US: i64 = 1_000_000;
/// How long an alert lasts that is not told again: four tellings, as Prometheus has it (`sendAlerts` in
/// `rules/alerting.go@v2.42`).
const LASTING_US: i64 = 4 * 30 * SECOND_US;
/// How long one lasts that is over when it is first told: longer than Alertmanager waits for others of its group
/// (`group_wait`, 30 s).
const LATE_US: i64 = 5 * 60 * SECOND_US;

/// Alertmanager at one address.
#[derive(Clone, Debug)]
pub(super) struct Alertmanager {
    poster: Poster,
    links: Links,
}

/// An alert as the API takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: Words,
    annotations: Words,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
}

impl Alertmanager {
    pub(super) fn new(target: &Target, links: &Links) -> Self {
        Self { poster: Poster::new(target, "/api/v2/alerts"), links: links.clone() }
    }
}

impl Notifier for Alertmanager {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Alertmanager
    }

    /// It waits by itself.
    fn group_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// All at once, again and again.
    fn messages(&self, to_tell: Vec<ToTell>) -> Vec<Vec<ToTell>> {
        if to_tell.is_empty() { Vec::new() } else { vec![to_tell] }
    }

    fn tell(&self, message: &[ToTell], now: ServerTime) -> Result<(), NotifyError> {
        let posted: Vec<Posted> = message.iter().map(|told| Posted::new(told, &self.links, now)).collect();
        self.poster.post(&posted)
    }

    fn test(&self) -> Result<&'static str, NotifyError> {
        let now = clock::now();
        self.poster.post(&[Posted {
            labels: test_labels(),
            annotations: test_annotations(
                "bmon can tell Alertmanager of alerts. This one ends after a minute.",
            ),
            starts_at: now.to_string(),
            ends_at: now.plus_micros(60 * SECOND_US).to_string(),
            generator_url: self.links.page(),
        }])?;
        Ok("it ends after a minute")
    }

    fn interrupt(&self) {
        self.poster.interrupt();
    }
}

impl Posted {
    fn new(ToTell { alert, told_at, .. }: &ToTell, links: &Links, now: ServerTime) -> Self {
        Self {
            labels: labels(alert),
            annotations: annotations(alert, links),
            starts_at: alert.active_at_us.to_string(),
            ends_at: ends_at(alert, *told_at, now).to_string(),
            generator_url: links.alert(&alert.id),
        }
    }
}

/// When the alert ends if nothing else is told.
fn ends_at(alert: &Alert, told_at: Option<ServerTime>, now: ServerTime) -> ServerTime {
    match (alert.resolved_at_us, told_at) {
        (None, _) => now.plus_micros(LASTING_US),
        (Some(_), None) => now.plus_micros(LATE_US),
        // One that was told late lasts as it was told then.
        (Some(ended), Some(told)) if told > ended => told.plus_micros(LATE_US),
        (Some(ended), Some(_)) => ended,
    }
}

#[cfg(test)]
mod tests {
    use bmon_analysis::alert::{AlertId, AlertState, Severity};
    use bmon_event::Network;
    use serde_json::json;

    use super::*;

    const NOW: ServerTime = ServerTime::from_micros(1_700_000_000 * SECOND_US);

    fn ago(seconds: i64) -> ServerTime {
        NOW.plus_micros(-seconds * SECOND_US)
    }

    fn to_tell(resolved: Option<i64>, told: Option<i64>) -> ToTell {
        let alert = Alert {
            id: AlertId([1; 16]),
            revision: 2,
            network: Network::from_chain("main").unwrap(),
            rule: "node-silent".to_owned(),
            subject: "alice".to_owned(),
            node: Some("alice".parse().unwrap()),
            severity: Severity::Warning,
            state: if resolved.is_some() { AlertState::Resolved } else { AlertState::Firing },
            active_at_us: ago(900),
            fired_at_us: Some(ago(780)),
            resolved_at_us: resolved.map(ago),
            summary: "nothing is heard of alice".to_owned(),
            findings: Vec::new(),
        };
        ToTell { alert, told_at: told.map(ago), told_over_at: None }
    }

    #[test]
    fn an_alert_is_its_labels_and_lasts_for_four_tellings() {
        let posted = Posted::new(
            &to_tell(None, Some(700)),
            &Links::new(Some("https://a.example"), ([127, 0, 0, 1], 1).into()),
            NOW,
        );
        let expected = json!({
            "labels": {
                "alertname": "node-silent", "network": "main", "node": "alice", "severity": "warning", "subject": "alice"
            },
            "annotations": {
                "runbook_url": "https://a.example/runbooks/node-silent", "summary": "nothing is heard of alice"
            },
            "startsAt": "2023-11-14T21:58:20.000000Z",
            "endsAt": "2023-11-14T22:15:20.000000Z",
            "generatorURL": "https://a.example/#alert=01010101010101010101010101010101",
        });
        assert_eq!(serde_json::to_value(posted).unwrap(), expected);
    }

    #[test]
    fn one_that_ended_ends_then_and_one_that_is_told_late_lasts_a_while() {
        let end = |resolved, told| {
            let ToTell { alert, told_at, .. } = to_tell(Some(resolved), told);
            ends_at(&alert, told_at, NOW)
        };
        assert_eq!(end(60, Some(700)), ago(60));
        assert_eq!(end(600, None), ago(-300));
        assert_eq!(end(600, Some(200)), ago(-100));
        assert_eq!(end(600, Some(400)), ago(100));
    }
}
