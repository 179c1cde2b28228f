//! How blocks came into nodes, step by step.

use bmon_analysis::row::{BlockStep, Sighted};
use bmon_event::NodeName;
use bmon_store::{Cursor, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{AtNode, Column, Value, headings},
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

struct Row {
    height: Option<u32>,
    step: BlockStep,
}

impl AtNode for Row {
    fn node(&self) -> Option<&NodeName> {
        Some(&self.step.node)
    }

    fn sighted(&self) -> Sighted {
        self.step.sighted
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column { name: "block", meaning: "the block", value: |row, _| Value::shown(&row.step.block) },
    Column {
        name: "height",
        meaning: "its height; null while no node told it",
        value: |row, _| row.height.into(),
    },
    Column::NODE,
    Column::NODE_VERSION,
    Column {
        name: "step",
        meaning: "`announced`, `requested`, `compact-block`, `transactions-requested`, `received`, `reconstructed` or `tip`",
        value: |row, _| row.step.step.as_str().into(),
    },
    Column { name: "source", meaning: "who told", value: |row, _| row.step.source.as_str().into() },
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
    Column {
        name: "detail",
        meaning: "the step with what was told of it, as JSON: peers by the node's own numbers, transactions, sizes in bytes",
        value: |row, _| Value::json(&row.step.step),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Cursor>,
    part: &mut Part<'_, Row>,
) -> Result<Option<Cursor>, StoreError> {
    let mut failed = None;
    let place = reader.visit_blocks(stretch, after, &mut |block| match reader.block_steps(&block.row) {
        Ok(steps) => {
            for step in steps {
                part.row(&Row { height: block.row.height, step });
            }
            part.go_on()
        }
        Err(error) => {
            failed = Some(error);
            std::ops::ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(place), Err)
}
