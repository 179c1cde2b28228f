//! Alertmanager, which groups, silences and routes: it is told of alerts as Prometheus tells it, by `POST /api/v2/alerts`
//! (`api/v2/openapi.yaml` of Alertmanager 0.25).
//!
//! To Alertmanager an alert is its labels, and lasts until its end. So all that fire are told again and again, each with an
//! end a little after the next telling: what is told no more ends by itself.

use std::{collections::BTreeMap, time::Duration};

use bmon_analysis::alert::Alert;
use bmon_event::ServerTime;
use bmon_store::ToTell;
use serde::Serialize;
use ureq::http::StatusCode;

use crate::clock;

const SECOND_US: i64 = 1_000_000;
/// How long an alert lasts that is not told again: four tellings, as Prometheus has it (`sendAlerts` in
/// `rules/alerting.go@v2.42`).
const LASTING_US: i64 = 4 * 30 * SECOND_US;
/// How long one lasts that is over when it is first told: longer than Alertmanager waits for others of its group
/// (`group_wait`, 30 s).
const LATE_US: i64 = 5 * 60 * SECOND_US;
const TIMEOUT: Duration = Duration::from_secs(10);
/// What of an answer is read.
const LARGEST_ANSWER: u64 = 64 * 1024;
const LONGEST_PROBLEM: usize = 200;

/// Alertmanager at one address.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    url: String,
    http: ureq::Agent,
}

/// Alertmanager was not told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Nobody answers at its address.
    #[error("reach Alertmanager at {url}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        source: ureq::Error,
    },
    /// It does not take them.
    #[error("have Alertmanager at {url} take the alerts: HTTP status {status}: {problem}")]
    Refused {
        /// The address.
        url: String,
        /// The status of its answer.
        status: u16,
        /// What it says, its beginning.
        problem: String,
    },
}

/// An alert as the API takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
}

impl Alertmanager {
    /// The word for it in configuration, metrics and the store.
    pub const NAME: &'static str = "alertmanager";

    /// At this address, as `http://127.0.0.1:9093`.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections(1);
        let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
        Self { url, http: config.build().new_agent() }
    }

    /// Ends the telling that another thread waits for, and all that follow.
    pub(crate) fn interrupt(&self) {
        self.http.clone().shutdown();
    }

    /// Tells of an alert `bmon-test`, which ends after a minute.
    pub fn test(&self) -> Result<(), NotifyError> {
        let now = clock::now();
        let labels = [("alertname", "bmon-test"), ("severity", "info")];
        let annotations =
            [("summary", "bmon can tell Alertmanager of alerts. This one ends after a minute.")];
        self.post(&[Posted {
            labels: labels.map(|(name, value)| (name, value.to_owned())).into(),
            annotations: annotations.map(|(name, value)| (name, value.to_owned())).into(),
            starts_at: now.to_string(),
            ends_at: now.plus_micros(60 * SECOND_US).to_string(),
        }])
    }

    pub(super) fn tell(&self, alerts: &[ToTell], now: ServerTime) -> Result<(), NotifyError> {
        let posted: Vec<Posted> = alerts.iter().map(|told| Posted::new(told, now)).collect();
        self.post(&posted)
    }

    fn post(&self, alerts: &[Posted]) -> Result<(), NotifyError> {
        let unreachable = |source| NotifyError::Unreachable { url: self.url.clone(), source };
        let mut answer = self.http.post(&self.url).send_json(alerts).map_err(unreachable)?;
        let status = answer.status();
        // Read to its end: only then can the connection be used again.
        let text = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string();
        let text = text.map_err(unreachable)?;
        if status == StatusCode::OK {
            return Ok(());
        }
        let problem = text.trim().chars().take(LONGEST_PROBLEM).collect();
        Err(NotifyError::Refused { url: self.url.clone(), status: status.as_u16(), problem })
    }
}

impl Posted {
    fn new(ToTell { alert, told_at }: &ToTell, now: ServerTime) -> Self {
        let labels = [
            ("alertname", alert.rule.clone()),
            ("severity", alert.severity.to_string()),
            ("network", alert.network.to_string()),
            ("subject", alert.subject.clone()),
        ];
        let node = alert.node.as_ref().map(|node| ("node", node.to_string()));
        let annotations =
            [("summary", alert.summary.clone()), ("runbook", format!("docs/runbooks/{}.md", alert.rule))];
        Self {
            labels: labels.into_iter().chain(node).collect(),
            annotations: annotations.into(),
            starts_at: alert.active_at_us.to_string(),
            ends_at: ends_at(alert, *told_at, now).to_string(),
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
        ToTell { alert, told_at: told.map(ago) }
    }

    #[test]
    fn an_alert_is_its_labels_and_lasts_for_four_tellings() {
        let posted = Posted::new(&to_tell(None, Some(700)), NOW);
        let expected = json!({
            "labels": {
                "alertname": "node-silent", "network": "main", "node": "alice", "severity": "warning", "subject": "alice"
            },
            "annotations": {
                "runbook": "docs/runbooks/node-silent.md", "summary": "nothing is heard of alice"
            },
            "startsAt": "2023-11-14T21:58:20.000000Z",
            "endsAt": "2023-11-14T22:15:20.000000Z",
        });
        assert_eq!(serde_json::to_value(posted).unwrap(), expected);
    }

    #[test]
    fn one_that_ended_ends_then_and_one_that_is_told_late_lasts_a_while() {
        let end = |resolved, told| {
            let ToTell { alert, told_at } = to_tell(Some(resolved), told);
            ends_at(&alert, told_at, NOW)
        };
        assert_eq!(end(60, Some(700)), ago(60));
        assert_eq!(end(600, None), ago(-300));
        assert_eq!(end(600, Some(200)), ago(-100));
        assert_eq!(end(600, Some(400)), ago(100));
    }
}
