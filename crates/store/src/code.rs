//! How values of the model stand in columns, in both directions.

use bmon_analysis::row::{Offset, Sighted, Stage, Step};
use bmon_event::{AgentTime, Network, NodeName, Source};
use rusqlite::Row;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Position in `all`, counted from 1: the number that the tables `source` and `stage` explain.
fn code<T: PartialEq>(all: &[T], value: &T) -> i64 {
    let index = all.iter().position(|other| other == value).expect("`ALL` holds every variant");
    i64::try_from(index + 1).expect("an enum has few variants")
}

fn decode<T: Copy>(all: &[T], column: &'static str, code: i64) -> Result<T, StoreError> {
    let index = usize::try_from(code).ok().and_then(|code| code.checked_sub(1));
    let value = index.and_then(|index| all.get(index)).copied();
    value.ok_or_else(|| StoreError::Value { column, value: code.to_string() })
}

pub(crate) fn source_code(source: Source) -> i64 {
    code(&Source::ALL, &source)
}

/// The same in one byte.
pub(crate) fn small_source_code(source: Source) -> u8 {
    u8::try_from(source_code(source)).expect("there are few sources")
}

pub(crate) fn stage_code(stage: Stage) -> i64 {
    code(&Stage::ALL, &stage)
}

pub(crate) fn step_code(step: &Step) -> i64 {
    code(&Step::NAMES, &step.as_str())
}

pub(crate) fn source(code: i64) -> Result<Source, StoreError> {
    decode(&Source::ALL, "source", code)
}

pub(crate) fn stage(code: i64) -> Result<Stage, StoreError> {
    decode(&Stage::ALL, "stage", code)
}

pub(crate) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Number(number))
}

/// A count or position, of which the tables hold none below zero.
pub(crate) fn unsigned(column: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Value { column, value: number.to_string() })
}

pub(crate) fn node_name(text: String) -> Result<NodeName, StoreError> {
    text.parse().map_err(|_| StoreError::Value { column: "node.name", value: text })
}

pub(crate) fn network(genesis: [u8; 32]) -> Network {
    Network::from_genesis(bmon_event::BlockHash::from_bytes(genesis))
}

/// A value that `column` holds as JSON.
pub(crate) fn json<T: DeserializeOwned>(column: &'static str, text: String) -> Result<T, StoreError> {
    serde_json::from_str(&text).map_err(|_| StoreError::Value { column, value: text })
}

/// The columns `at_us`, `offset_min_us` and `offset_max_us` of `row`.
pub(crate) fn sighted(row: &Row<'_>) -> rusqlite::Result<Sighted> {
    let bounds: (Option<i64>, Option<i64>) = (row.get("offset_min_us")?, row.get("offset_max_us")?);
    let offset = match bounds {
        (Some(min_us), Some(max_us)) => Some(Offset { min_us, max_us }),
        _ => None,
    };
    Ok(Sighted { at: AgentTime::from_micros(row.get("at_us")?), offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_the_schema_name_every_source_and_stage_by_its_number() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        crate::migration::migrate(&mut connection).unwrap();
        let names = |table: &str| {
            let sql = format!("SELECT id, name FROM {table} ORDER BY id");
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect::<Vec<(i64, String)>>()
        };
        let sources = Source::ALL.map(|source| (source_code(source), source.as_str().to_owned()));
        let stages = Stage::ALL.map(|stage| (stage_code(stage), stage.as_str().to_owned()));
        assert_eq!(names("source"), sources);
        assert_eq!(names("stage"), stages);
        assert_eq!(names("step"), (1..).zip(Step::NAMES.map(str::to_owned)).collect::<Vec<_>>());
        assert!(source(0).is_err() && source(6).is_err() && stage(-1).is_err());
    }
}
