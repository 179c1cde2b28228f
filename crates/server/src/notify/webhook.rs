//! A webhook, which takes the JSON that Alertmanager's webhooks take, so that receivers people already have do: `Message` in
//! `notify/webhook/webhook.go@v0.25` and `Data` in `template/template.go@v0.25` of Alertmanager.
//!
//! What changes within a second at one rule and network is one message. An alert that was over before it could be told is told as
//! one that fires first, and that it is over with the next telling: so every receiver sees each alert begin and end.

use std::{collections::BTreeMap, time::Duration};

use bmon_analysis::alert::Alert;
use bmon_event::{Network, ServerTime};
use bmon_store::ToTell;
use serde::Serialize;

use super::{
    Notifier, NotifierKind, NotifyError, Target,
    label::{Words, annotations, labels, test_annotations, test_labels},
    post::Poster,
};
use crate::{Links, clock};

const GROUP_WAIT: Duration = Duration::from_secs(1);
/// The end of an alert that has none yet: the zero time of Go, as Alertmanager has it.
const NO_END: &str = "0001-01-01T00:00:00Z";
const FIRING: &str = "firing";
const RESOLVED: &str = "resolved";

/// A webhook at one address.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    poster: Poster,
    links: Links,
}

/// A message to a webhook.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    version: &'static str,
    group_key: String,
    truncated_alerts: u32,
    status: &'static str,
    receiver: &'static str,
    group_labels: Words,
    common_labels: Words,
    common_annotations: Words,
    #[serde(rename = "externalURL")]
    external_url: String,
    alerts: Vec<Told>,
}

/// An alert in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    status: &'static str,
    labels: Words,
    annotations: Words,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

impl Webhook {
    pub(super) fn new(target: &Target, links: &Links) -> Self {
        Self { poster: Poster::new(target, ""), links: links.clone() }
    }
}

impl Notifier for Webhook {
    fn kind(&self) -> NotifierKind {
        NotifierKind::Webhook
    }

    fn group_wait(&self) -> Duration {
        GROUP_WAIT
    }

    fn messages(&self, to_tell: Vec<ToTell>) -> Vec<Vec<ToTell>> {
        let mut groups: BTreeMap<(Network, String), Vec<ToTell>> = BTreeMap::new();
        for told in to_tell.into_iter().filter(is_news) {
            groups.entry((told.alert.network, told.alert.rule.clone())).or_default().push(told);
        }
        groups.into_values().collect()
    }

    fn tell(&self, message: &[ToTell], _: ServerTime) -> Result<(), NotifyError> {
        self.poster.post(&self.message(message))
    }

    fn test(&self) -> Result<&'static str, NotifyError> {
        let told = Told {
            status: FIRING,
            labels: test_labels(),
            annotations: test_annotations("bmon can tell this webhook of alerts. This one does not end."),
            starts_at: clock::now().to_string(),
            ends_at: NO_END.to_owned(),
            generator_url: self.links.page(),
            fingerprint: "bmon-test".to_owned(),
        };
        self.poster.post(&Message::new(vec![told], &self.links))?;
        Ok("nothing more is told of it")
    }

    fn interrupt(&self) {
        self.poster.interrupt();
    }
}

impl Webhook {
    fn message(&self, message: &[ToTell]) -> Message {
        Message::new(message.iter().map(|told| self.told(told)).collect(), &self.links)
    }

    fn told(&self, told: &ToTell) -> Told {
        let Alert { active_at_us, resolved_at_us, id, .. } = &told.alert;
        let ended = resolved_at_us.filter(|_| told.told_at.is_some());
        Told {
            status: if ended.is_some() { RESOLVED } else { FIRING },
            labels: labels(&told.alert),
            annotations: annotations(&told.alert, &self.links),
            starts_at: active_at_us.to_string(),
            ends_at: ended.map_or_else(|| NO_END.to_owned(), |at| at.to_string()),
            generator_url: self.links.alert(id),
            fingerprint: id.to_string(),
        }
    }
}

/// Whether it was not told that the alert fires, or that it is over.
fn is_news(told: &ToTell) -> bool {
    told.told_at.is_none() || (told.alert.resolved_at_us.is_some() && told.told_over_at.is_none())
}

impl Message {
    /// With these alerts, which are of one rule and network.
    fn new(alerts: Vec<Told>, links: &Links) -> Self {
        let common_labels = common(alerts.iter().map(|told| &told.labels));
        let mut group_labels = common_labels.clone();
        group_labels.retain(|name, _| ["alertname", "network"].contains(name));
        let labels: Vec<_> = group_labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        Self {
            version: "4",
            group_key: format!("{{}}:{{{}}}", labels.join(", ")),
            truncated_alerts: 0,
            status: if alerts.iter().any(|told| told.status == FIRING) { FIRING } else { RESOLVED },
            receiver: "bmon",
            group_labels,
            common_labels,
            common_annotations: common(alerts.iter().map(|told| &told.annotations)),
            external_url: links.page(),
            alerts,
        }
    }
}

/// What all have.
fn common<'a>(mut all: impl Iterator<Item = &'a Words>) -> Words {
    let mut common = all.next().cloned().unwrap_or_default();
    all.for_each(|words| common.retain(|name, value| words.get(name) == Some(value)));
    common
}

#[cfg(test)]
mod tests;
