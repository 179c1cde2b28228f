//! Alerts as a feed. What never fired is no entry, and when an alert is over its entry says so.

use axum::{extract::State, response::Response, routing::get};
use bmon_analysis::alert::Alert;
use bmon_event::ServerTime;
use bmon_store::{Reader, StoreError};

use super::{ENTRIES, atom, head, xml::escape};
use crate::{
    Links,
    api::{Api, Endpoint, Refusal, parameter::Nothing},
};

pub(in crate::api) const ENDPOINT: Endpoint = Endpoint {
    path: "/alerts.atom",
    summary: "The newest 50 alerts that fired and were not silenced, as an Atom feed (RFC 4287). An entry's id is `urn:bmon:` and the alert's id; it \
              stays when the alert is over, which its title and time then tell. It links to the alert on the page, and to what \
              to do.",
    parameters: &[],
    example: "/alerts.atom",
    route: || get(answer),
};

/// Most alerts that are looked at for some that fired.
const MOST: u32 = 1_000;

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Response, Refusal> {
    let now = api.now();
    let alerts = api.read(move |reader| newest(reader, now)).await?;
    let times = alerts.iter().map(changed_at).max();
    let mut feed =
        head("bmon:alerts", "bmon: alerts", "alerts.atom", times.unwrap_or_else(|| api.started_at()));
    for alert in &alerts {
        feed.push_str(&entry(alert, api.links()));
    }
    Ok(atom(feed))
}

fn newest(reader: &Reader, now: ServerTime) -> Result<Vec<Alert>, StoreError> {
    let silences = reader.silences()?;
    let mut alerts = reader.alerts(MOST, None)?.items;
    // What fired before the silence was told.
    alerts.retain(|alert| {
        alert.fired_at_us.is_some_and(|fired| {
            !silences.iter().any(|silence| silence.begins_at <= fired && silence.holds(alert, now))
        })
    });
    alerts.truncate(ENTRIES as usize);
    Ok(alerts)
}

/// When the alert fired, or was over.
fn changed_at(alert: &Alert) -> ServerTime {
    alert.resolved_at_us.or(alert.fired_at_us).unwrap_or(alert.active_at_us)
}

fn entry(alert: &Alert, links: &Links) -> String {
    let Alert { id, network, rule, severity, active_at_us, resolved_at_us, summary, .. } = alert;
    let over = if resolved_at_us.is_some() { ", over" } else { "" };
    let end = resolved_at_us.map_or_else(String::new, |at| format!(" It was over at {at}."));
    format!(
        "<entry>\n<id>urn:bmon:{id}</id>\n<title>{}</title>\n<updated>{}</updated>\n<category term=\"{}\"/>\n\
         <link rel=\"alternate\" href=\"{}\"/>\n<link rel=\"related\" title=\"what to do\" href=\"{}\"/>\n\
         <content type=\"text\">{}</content>\n</entry>\n",
        escape(&format!("{network}: {severity}: {rule}{over}")),
        changed_at(alert),
        escape(rule),
        escape(&links.alert(id)),
        escape(&links.runbook(rule)),
        escape(&format!("{summary}. Since {active_at_us}.{end}")),
    )
}
