//! When nodes reached which stage with blocks.

use bmon_analysis::row::{BlockSighting, Sighted};
use bmon_event::NodeName;
use bmon_store::{Cursor, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{AtNode, Column, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "block-sightings",
    about: "When one source of one node first told of one stage of one block.",
    of: &["block", "block_sighting", "source", "stage"],
    by: Some("when any node first saw the block: a block has all its rows or none"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

struct Row {
    height: Option<u32>,
    sighting: BlockSighting,
}

impl AtNode for Row {
    fn node(&self) -> Option<&NodeName> {
        Some(&self.sighting.node)
    }

    fn sighted(&self) -> Sighted {
        self.sighting.sighted
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column { name: "block", meaning: "the block", value: |row, _| Value::shown(&row.sighting.block) },
    Column {
        name: "height",
        meaning: "its height; null while no node told it",
        value: |row, _| row.height.into(),
    },
    Column::NODE,
    Column::NODE_VERSION,
    Column {
        name: "stage",
        meaning: "`header` seen, whole `block` there, `checked`, or `connected` to the active chain",
        value: |row, _| row.sighting.stage.as_str().into(),
    },
    Column {
        name: "source",
        meaning: "who told: `log`, `zmq` or `rpc`",
        value: |row, _| row.sighting.source.as_str().into(),
    },
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Cursor>,
    part: &mut Part<'_, Row>,
) -> Result<Option<Cursor>, StoreError> {
    reader.visit_blocks(stretch, after, &mut |block| {
        for sighting in block.sightings {
            part.row(&Row { height: block.row.height, sighting });
        }
        part.go_on()
    })
}
