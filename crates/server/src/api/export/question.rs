use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use bmon_event::{Network, ServerTime};
use bmon_store::Stretch;
use serde::Deserialize;

use super::{TABLES, Table};
use crate::api::{Refusal, format::Format, parameter::OfNetwork, when::When};

/// Which file is asked for.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) table: &'static Table,
    pub(super) format: Format,
    pub(super) network: OfNetwork,
    since: Option<When>,
    until: Option<When>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    network: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Question {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(file) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::bad_request(error.body_text(), "give a name like `txs.csv`"))?;
        let (table, format) = named(&file)?;
        let Query(raw) = Query::<Raw>::try_from_uri(&parts.uri).map_err(|error| {
            Refusal::bad_request(error.body_text(), "the parameters are `network`, `since` and `until`")
        })?;
        if table.by.is_none() && (raw.since.is_some() || raw.until.is_some()) {
            let error = format!("`since` and `until` say nothing of {}", table.name);
            return Err(Refusal::bad_request(error, "leave them out: the whole table is given"));
        }
        let when = |name, text: Option<String>| text.map(|text| When::parse(name, &text)).transpose();
        let (since, until) = (when("since", raw.since)?, when("until", raw.until)?);
        Ok(Self { table, format, network: OfNetwork::named(raw.network), since, until })
    }
}

impl Question {
    /// What is wanted, seen from `now`.
    pub(super) fn stretch(&self, network: Network, now: ServerTime) -> Result<Stretch, Refusal> {
        let from = self.since.map_or(ServerTime::from_micros(i64::MIN), |when| when.instant(now));
        let until = self.until.map_or(ServerTime::from_micros(i64::MAX), |when| when.instant(now));
        if from < until {
            Ok(Stretch { network, from, until })
        } else {
            Err(Refusal::bad_request("`until` is not later than `since`", "nothing lies between them"))
        }
    }
}

/// The table and the format of the file of this name.
fn named(file: &str) -> Result<(&'static Table, Format), Refusal> {
    let (name, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let short = |text: &str| text.chars().take(80).collect::<String>();
    let table = TABLES.iter().find(|table| table.name == name).copied().ok_or_else(|| {
        Refusal::not_found(
            format!("there is no table `{}`", short(name)),
            "`/api/v1/export` lists the tables",
        )
    })?;
    let format = Format::from_extension(extension).ok_or_else(|| {
        let error = format!("there is no format `{}`", short(extension));
        Refusal::not_found(error, "the name ends with `.csv` or `.jsonl`")
    })?;
    Ok((table, format))
}
