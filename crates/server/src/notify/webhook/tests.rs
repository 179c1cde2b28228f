use bmon_analysis::alert::{AlertId, AlertState, Severity};
use serde_json::json;

use super::*;

const NOW: ServerTime = ServerTime::from_micros(1_700_000_000_000_000);

fn ago(seconds: i64) -> ServerTime {
    NOW.plus_micros(-seconds * 1_000_000)
}

fn to_tell(node: &str, told: Option<ServerTime>, resolved: Option<ServerTime>) -> ToTell {
    let alert = Alert {
        id: AlertId([1; 16]),
        revision: 2,
        network: Network::from_chain("main").unwrap(),
        rule: "node-silent".to_owned(),
        subject: node.to_owned(),
        node: Some(node.parse().unwrap()),
        severity: Severity::Warning,
        state: if resolved.is_some() { AlertState::Resolved } else { AlertState::Firing },
        active_at_us: ago(900),
        fired_at_us: Some(ago(780)),
        resolved_at_us: resolved,
        summary: "nothing is heard of it".to_owned(),
        findings: Vec::new(),
    };
    ToTell { alert, told_at: told, told_over_at: None }
}

fn webhook() -> Webhook {
    Webhook::new(
        &Target { url: "http://127.0.0.1:1/hook".to_owned(), authorization: None },
        &Links::new(Some("https://a.example"), ([127, 0, 0, 1], 1).into()),
    )
}

#[test]
fn a_message_is_what_the_webhooks_of_alertmanager_take() {
    let group = [to_tell("alice", Some(ago(700)), Some(ago(5))), to_tell("bob", None, None)];
    let expected = json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"node-silent\", network=\"main\"}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "bmon",
        "groupLabels": { "alertname": "node-silent", "network": "main" },
        "commonLabels": { "alertname": "node-silent", "network": "main", "severity": "warning" },
        "commonAnnotations": {
            "runbook_url": "https://a.example/runbooks/node-silent", "summary": "nothing is heard of it"
        },
        "externalURL": "https://a.example/",
        "alerts": [{
            "status": "resolved",
            "labels": {
                "alertname": "node-silent", "network": "main", "node": "alice", "severity": "warning", "subject": "alice"
            },
            "annotations": {
                "runbook_url": "https://a.example/runbooks/node-silent", "summary": "nothing is heard of it"
            },
            "startsAt": "2023-11-14T21:58:20.000000Z",
            "endsAt": "2023-11-14T22:13:15.000000Z",
            "generatorURL": "https://a.example/#alert=01010101010101010101010101010101",
            "fingerprint": "01010101010101010101010101010101",
        }, {
            "status": "firing",
            "labels": {
                "alertname": "node-silent", "network": "main", "node": "bob", "severity": "warning", "subject": "bob"
            },
            "annotations": {
                "runbook_url": "https://a.example/runbooks/node-silent", "summary": "nothing is heard of it"
            },
            "startsAt": "2023-11-14T21:58:20.000000Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://a.example/#alert=01010101010101010101010101010101",
            "fingerprint": "01010101010101010101010101010101",
        }],
    });
    assert_eq!(serde_json::to_value(webhook().message(&group)).unwrap(), expected);
}

#[test]
fn what_was_told_is_no_news_and_a_message_of_ends_alone_is_resolved() {
    let known = to_tell("alice", Some(ago(700)), None);
    let ended = to_tell("bob", Some(ago(700)), Some(ago(5)));
    let over = ToTell { told_over_at: Some(ago(4)), ..ended.clone() };
    let messages = webhook().messages(vec![known, ended.clone(), over]);
    assert_eq!(messages, [vec![ended]]);
    assert_eq!(webhook().message(&messages[0]).status, RESOLVED);
}
