//! When nodes reached which stage with blocks.

use bmon_analysis::row::BlockSighting;
use bmon_store::{Cursor, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, headings},
    of_block::{self, OfBlock},
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

type Row = OfBlock<BlockSighting>;

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column::BLOCK,
    Column::HEIGHT,
    Column::NODE,
    Column::NODE_VERSION,
    Column {
        name: "stage",
        meaning: "`header` seen, whole `block` there, `checked`, or `connected` to the active chain",
        value: |row, _| row.told.stage.as_str().into(),
    },
    Column {
        name: "source",
        meaning: "who told: `log`, `zmq` or `rpc`",
        value: |row, _| row.told.source.as_str().into(),
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
    of_block::read(reader, stretch, after, part, |block| Ok(block.sightings))
}
