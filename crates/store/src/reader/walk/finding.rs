use bmon_analysis::{finding::FindingId, row::Sighted};
use bmon_event::{NodeName, Source};
use rusqlite::{OptionalExtension, Row};
use serde::de::IgnoredAny;

use super::{Stretch, Visit};
use crate::{Cursor, Reader, StoreError, code};

/// A finding of any kind, even one that this version of bmon does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRow {
    /// What names it.
    pub id: FindingId,
    /// The analysis that found it.
    pub kind: String,
    /// 1 when first said; one more each time it was said with other content.
    pub revision: u32,
    /// The node it is about, `None` for the network as a whole.
    pub node: Option<NodeName>,
    /// When it happened.
    pub sighted: Sighted,
    /// Who told.
    pub sources: Vec<Source>,
    /// What was found: JSON on one line.
    pub body: String,
}

/// A place in a walk through findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingPlace {
    kind: String,
    cursor: Cursor,
}

/// The next kind there is: one look into the index for each.
const NEXT_KIND: &str = "SELECT min(kind) FROM finding INDEXED BY finding_by_time WHERE kind > ?1";

const OF_KIND: &str = "
    SELECT row, finding.id, kind, revision, node.name, at_us, offset_min_us, offset_max_us, sources, body, server_at_us
    FROM finding INDEXED BY finding_by_time LEFT JOIN node ON node.id = finding.node
    WHERE kind = ?1 AND (server_at_us, row) > (?2, ?3) AND server_at_us < ?4
      AND finding.network = (SELECT id FROM network WHERE genesis = ?5)
    ORDER BY server_at_us, row";

impl Reader {
    /// Walks through the findings of the stretch: of one kind, or of every kind there is, kind by kind.
    pub fn visit_findings(
        &self,
        stretch: &Stretch,
        only: Option<&str>,
        after: Option<FindingPlace>,
        visit: Visit<'_, FoundRow>,
    ) -> Result<Option<FindingPlace>, StoreError> {
        let mut place = match (after, only) {
            (Some(place), _) => Some(place),
            (None, Some(kind)) => Some(FindingPlace { kind: kind.to_owned(), cursor: stretch.start() }),
            (None, None) => self.next_kind("", stretch)?,
        };
        while let Some(FindingPlace { kind, cursor }) = place {
            if let Some(cursor) = self.visit_kind(stretch, &kind, cursor, visit)? {
                return Ok(Some(FindingPlace { kind, cursor }));
            }
            place = if only.is_some() { None } else { self.next_kind(&kind, stretch)? };
        }
        Ok(None)
    }

    fn next_kind(&self, kind: &str, stretch: &Stretch) -> Result<Option<FindingPlace>, StoreError> {
        let mut statement = self.connection.prepare_cached(NEXT_KIND)?;
        let next: Option<Option<String>> = statement.query_row([kind], |row| row.get(0)).optional()?;
        Ok(next.flatten().map(|kind| FindingPlace { kind, cursor: stretch.start() }))
    }

    fn visit_kind(
        &self,
        stretch: &Stretch,
        kind: &str,
        after: Cursor,
        visit: Visit<'_, FoundRow>,
    ) -> Result<Option<Cursor>, StoreError> {
        let mut statement = self.connection.prepare_cached(OF_KIND)?;
        let genesis = stretch.network.genesis.as_bytes();
        let mut rows = statement.query((kind, after.at_us, after.id, stretch.until.as_micros(), genesis))?;
        while let Some(row) = rows.next()? {
            let cursor = Cursor { at_us: row.get("server_at_us")?, id: row.get("row")? };
            if visit(found(row)?).is_break() {
                return Ok(Some(cursor));
            }
        }
        Ok(None)
    }
}

fn found(row: &Row<'_>) -> Result<FoundRow, StoreError> {
    Ok(FoundRow {
        id: FindingId(row.get("id")?),
        kind: row.get("kind")?,
        revision: row.get("revision")?,
        node: row.get::<_, Option<String>>("name")?.map(code::node_name).transpose()?,
        sighted: code::sighted(row)?,
        sources: code::json("finding.sources", row.get("sources")?)?,
        body: one_line(row.get("body")?)?,
    })
}

/// JSON that has no line break, as every version of bmon writes it.
fn one_line(body: String) -> Result<String, StoreError> {
    let is_json = serde_json::from_str::<IgnoredAny>(&body).is_ok();
    if is_json && !body.contains(['\n', '\r']) {
        Ok(body)
    } else {
        Err(StoreError::Value { column: "finding.body", value: body })
    }
}
