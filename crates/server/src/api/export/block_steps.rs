//! How blocks came into nodes, step by step.

use bmon_analysis::row::BlockStep;
use bmon_store::{Cursor, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, Value, headings},
    of_block::{self, OfBlock},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "block-steps",
    about: "When one source of one node first told of one step of a block's way into the node that tells more than a time. \
            The other stages are in `block-sightings`.",
    of: &["block_step", "step"],
    by: Some("when any node first saw the block"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

type Row = OfBlock<BlockStep>;

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column::BLOCK,
    Column::HEIGHT,
    Column::NODE,
    Column::NODE_VERSION,
    Column {
        name: "step",
        meaning: "`announced`, `requested`, `compact-block`, `transactions-requested`, `received`, `reconstructed` or `tip`",
        value: |row, _| row.told.step.as_str().into(),
    },
    Column { name: "source", meaning: "who told", value: |row, _| row.told.source.as_str().into() },
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
    Column {
        name: "detail",
        meaning: "the step with what was told of it, as JSON: peers by the node's own numbers, transactions, sizes in bytes",
        value: |row, _| Value::json(&row.told.step),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Cursor>,
    part: &mut Part<'_, Row>,
) -> Result<Option<Cursor>, StoreError> {
    of_block::read(reader, stretch, after, part, |block| reader.block_steps(&block.row))
}
