//! `bmon backtest`.

use std::{collections::BTreeSet, path::Path};

use bmon_analysis::{
    backtest::{RULES, run},
    finding::{Body, Finding},
    row::TxSpread,
};
use bmon_store::Reader;
use clap::Args;
use serde::Serialize;

use super::{load, print};
use crate::{
    failure::{Code, Failure, Result},
    text::{many, or_dash},
};

const DAY_US: i64 = 86_400 * 1_000_000;
/// Days before the first that is asked for that count as its past: what the rules look back, and some more.
const PAST_DAYS: i64 = 120;
/// Records that are read at once.
const PART: u32 = 1_000;

/// When a rule would have fired over one's own history, read from the server's database on this machine.
#[derive(Args)]
pub(crate) struct Backtest {
    /// The rule: `slow-node`, `delay-drift` or `version-comparison`
    rule: String,
    /// How far back from the last block or hour that was measured, in days, as `90d`
    #[arg(long, value_name = "DAYS", default_value = "90d", value_parser = days)]
    since: i64,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What came out.
#[derive(Serialize)]
struct Report {
    rule: String,
    days: i64,
    /// Nodes of which anything was measured in these days.
    nodes: usize,
    fired: Vec<Fired>,
}

#[derive(Serialize)]
struct Fired {
    at: String,
    node: Option<String>,
    explanation: String,
    #[serde(flatten)]
    body: Body,
}

impl Backtest {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        if !RULES.contains(&self.rule.as_str()) {
            let why = anyhow::anyhow!("judge `{}` by what is kept", self.rule);
            return Err(
                Failure::new(Code::Usage, why).hint(format!("one of these can: {}", RULES.join(", ")))
            );
        }
        let database = bmon_server::database_path(&load(config)?.server.data_dir);
        let reader = Reader::open(&database)?;
        let (records, end_us) = records(&reader, self.since)?;
        let hours = hours(&reader, self.since)?;
        let end_us = end_us.max(hours.last().map_or(0, |hour| hour.begun_at.as_micros()));
        let from_us = end_us - self.since * DAY_US;
        let at_us = |finding: &Finding| finding.sighted.on_server_clock().as_micros();
        let nodes = nodes(&records, &hours, from_us);
        let found = run(&self.rule, records, hours).unwrap_or_default();
        let fired = found.into_iter().filter(|finding| at_us(finding) >= from_us).map(Fired::of).collect();
        let report = Report { rule: self.rule, days: self.since, nodes, fired };
        print(&report, self.json, text)
    }
}

/// How many nodes something was measured of since then.
fn nodes(records: &[Finding], hours: &[TxSpread], from_us: i64) -> usize {
    let of_blocks = records
        .iter()
        .filter(|record| record.sighted.on_server_clock().as_micros() >= from_us)
        .filter_map(|record| Some((record.network, record.node.clone()?)));
    let of_hours = hours
        .iter()
        .filter(|hour| hour.begun_at.as_micros() >= from_us)
        .flat_map(|hour| hour.spread.nodes.keys().map(|node| (hour.network, node.clone())));
    of_blocks.chain(of_hours).collect::<BTreeSet<_>>().len()
}

impl Fired {
    fn of(finding: Finding) -> Self {
        let explanation = match &finding.body {
            Body::SlowNode(found) | Body::DelayDrift(found) => {
                format!("{}: {}", found.measure.as_str(), found.explain())
            }
            Body::VersionComparison(found) => format!("{}: {}", found.measure.as_str(), found.explain()),
            other => other.kind().to_owned(),
        };
        Self {
            at: finding.sighted.on_server_clock().to_string(),
            node: finding.node.map(|node| node.to_string()),
            explanation,
            body: finding.body,
        }
    }
}

/// The records of these days and of those that count as their past, and when the last of them began.
fn records(reader: &Reader, days: i64) -> Result<(Vec<Finding>, i64)> {
    let (mut records, mut after, mut end_us) = (Vec::new(), None, None);
    loop {
        let page = reader.findings("block-times", PART, after)?;
        for record in page.items {
            let at_us = record.sighted.on_server_clock().as_micros();
            let end_us = *end_us.get_or_insert(at_us);
            if at_us < end_us - (days + PAST_DAYS) * DAY_US {
                return Ok((records, end_us));
            }
            records.push(record);
        }
        after = page.next;
        if after.is_none() {
            return Ok((records, end_us.unwrap_or_default()));
        }
    }
}

/// The transactions of the hours of these days, and of those that count as their past.
fn hours(reader: &Reader, days: i64) -> Result<Vec<TxSpread>> {
    let mut hours = Vec::new();
    let Some(last) = reader.last_tx_hour()? else { return Ok(hours) };
    // The last may not be whole.
    reader.tx_hours(last.plus_micros(-(days + PAST_DAYS) * DAY_US), last, |hour| hours.push(hour))?;
    Ok(hours)
}

fn text(report: &Report) -> String {
    let count = report.fired.len();
    let node_years = report.nodes as f64 * report.days as f64 / 365.25;
    let mut text = format!(
        "{} would have fired {} in {} at {}: {:.2} a node and year\n",
        report.rule,
        many(count as u64, "time"),
        many(report.days.unsigned_abs(), "day"),
        many(report.nodes as u64, "node"),
        if node_years > 0.0 { count as f64 / node_years } else { 0.0 }
    );
    for fired in &report.fired {
        text.push_str(&format!("{} {}\n  {}\n", fired.at, or_dash(fired.node.clone()), fired.explanation));
    }
    text
}

fn days(text: &str) -> std::result::Result<i64, String> {
    let number = text.strip_suffix('d').and_then(|number| number.parse().ok());
    number.filter(|days| (1..=36_500).contains(days)).ok_or_else(|| "expected days, as `90d`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days() {
        assert_eq!(days("90d"), Ok(90));
        for wrong in ["90", "d", "-1d", "0d", "3w", ""] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_report_says_how_often_that_is() {
        let report = Report { rule: "slow-node".to_owned(), days: 90, nodes: 4, fired: Vec::new() };
        assert_eq!(
            text(&report),
            "slow-node would have fired 0 times in 90 days at 4 nodes: 0.00 a node and year\n"
        );
    }
}
