//! What may have been missed: what every other table rests on.

use std::ops::ControlFlow;

use bmon_analysis::{
    finding::{Body, FindingId, Gap},
    row::Sighted,
};
use bmon_event::{AgentTime, NodeName};
use bmon_store::{FindingPlace, FoundRow, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{AtNode, Column, OfNode, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "gaps",
    about: "The stretches of time for which a source of a node may have said more than was heard. Every other table rests on \
            what was heard: what is absent there may only be missing.",
    of: &["finding"],
    by: Some("when it was over"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

struct Row {
    id: FindingId,
    revision: u32,
    node: Option<NodeName>,
    sighted: Sighted,
    gap: Gap,
}

impl OfNode for Row {
    fn node(&self) -> Option<&NodeName> {
        self.node.as_ref()
    }
}

impl AtNode for Row {
    fn sighted(&self) -> Sighted {
        self.sighted
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
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
    Column::NODE,
    Column::NODE_VERSION,
    Column {
        name: "source",
        meaning: "the source that may have said more",
        value: |row, _| row.gap.source.as_str().into(),
    },
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
    Column {
        name: "node_from_us",
        meaning: "start, by the clock of node and agent, in microseconds since the Unix epoch; null when it is not known",
        value: |row, _| row.gap.from.map(AgentTime::as_micros).into(),
    },
    Column {
        name: "node_to_us",
        meaning: "end, by the same clock",
        value: |row, _| row.gap.to.as_micros().into(),
    },
    Column {
        name: "lost",
        meaning: "events known to be missing; null when their number is not known",
        value: |row, _| row.gap.lost.into(),
    },
    Column {
        name: "reason",
        meaning: "why, for a person to read",
        value: |row, _| row.gap.reason.as_str().into(),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<FindingPlace>,
    part: &mut Part<'_, Row>,
) -> Result<Option<FindingPlace>, StoreError> {
    let mut damaged = None;
    let place = reader.visit_findings(stretch, Some("gap"), after, &mut |found| {
        let FoundRow { id, revision, node, sighted, body, .. } = found;
        let Ok(Body::Gap(gap)) = serde_json::from_str(&body) else {
            damaged = Some(StoreError::Value { column: "finding.body", value: body });
            return ControlFlow::Break(());
        };
        part.row(&Row { id, revision, node, sighted, gap });
        part.go_on()
    })?;
    damaged.map_or(Ok(place), Err)
}
