//! What Alertmanager and its webhooks know an alert by.

use std::collections::BTreeMap;

use bmon_analysis::alert::Alert;

use crate::Links;

/// Names and values.
pub(super) type Words = BTreeMap<&'static str, String>;

/// What an alert is to them.
pub(super) fn labels(alert: &Alert) -> Words {
    let labels = [
        ("alertname", alert.rule.clone()),
        ("severity", alert.severity.to_string()),
        ("network", alert.network.to_string()),
        ("subject", alert.subject.clone()),
    ];
    let node = alert.node.as_ref().map(|node| ("node", node.to_string()));
    labels.into_iter().chain(node).collect()
}

/// What else is said of it.
pub(super) fn annotations(alert: &Alert, links: &Links) -> Words {
    [("summary", alert.summary.clone()), ("runbook_url", links.runbook(&alert.rule))].into()
}

/// The labels of the alert `bmon-test`.
pub(super) fn test_labels() -> Words {
    [("alertname", "bmon-test"), ("severity", "info")].map(|(name, value)| (name, value.to_owned())).into()
}

/// What is said of it.
pub(super) fn test_annotations(summary: &str) -> Words {
    [("summary", summary.to_owned())].into()
}
