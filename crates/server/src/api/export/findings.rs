//! What the analyses found.

use bmon_analysis::row::Sighted;
use bmon_event::NodeName;
use bmon_store::{FindingPlace, FoundRow, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{AtNode, Column, OfNode, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "findings",
    about: "What the analyses found, of every kind, kind by kind: the highest revision of each.",
    of: &["finding"],
    by: Some("when it happened"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

impl OfNode for FoundRow {
    fn node(&self) -> Option<&NodeName> {
        self.node.as_ref()
    }
}

impl AtNode for FoundRow {
    fn sighted(&self) -> Sighted {
        self.sighted
    }
}

const COLUMNS: &[Column<FoundRow>] = &[
    Column::NETWORK,
    Column { name: "kind", meaning: "the analysis that found it", value: |row, _| row.kind.as_str().into() },
    Column {
        name: "id",
        meaning: "names the finding, through every revision",
        value: |row, _| Value::shown(&row.id),
    },
    Column {
        name: "revision",
        meaning: "1 when first said, one more each time its content changed",
        value: |row, _| row.revision.into(),
    },
    Column::NODE_IF_ANY,
    Column::NODE_VERSION,
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
    Column { name: "sources", meaning: "who told: a list", value: |row, _| Value::json(&row.sources) },
    Column {
        name: "body",
        meaning: "what was found, as the store keeps it: an object whose instants are in microseconds since the Unix epoch",
        value: |row, _| Value::Json(row.body.as_str().into()),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<FindingPlace>,
    part: &mut Part<'_, FoundRow>,
) -> Result<Option<FindingPlace>, StoreError> {
    reader.visit_findings(stretch, None, after, &mut |found| {
        part.row(&found);
        part.go_on()
    })
}
