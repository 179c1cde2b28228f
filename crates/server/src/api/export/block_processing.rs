//! How long nodes took to connect blocks.

use bmon_analysis::row::BlockProcessing;
use bmon_store::{Cursor, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, headings},
    of_block::{self, OfBlock},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "block-processing",
    about: "How long one node took to connect one block to its active chain, the first time, as its `-debug=bench` tells. \
            `at` is when it was done. Durations are rounded to tens by the node; null where it did not tell.",
    of: &["block_processing"],
    by: Some("when any node first saw the block"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

type Row = OfBlock<BlockProcessing>;

/// A column for a step.
macro_rules! step {
    ($name:ident, $meaning:literal) => {
        Column {
            name: stringify!($name),
            meaning: $meaning,
            value: |row: &Row, _| row.told.processing.$name.into(),
        }
    };
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column::BLOCK,
    Column::HEIGHT,
    Column::NODE,
    Column::NODE_VERSION,
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
    step!(total_us, "all of it, in microseconds"),
    step!(load_us, "reading the block from disk; null if the first lines are missing"),
    step!(connect_us, "everything from `sanity_us` to `index_us`, and telling the other parts of the node"),
    step!(sanity_us, "the checks that need no context"),
    step!(forks_us, "the checks that depend on the chain before the block"),
    step!(transactions_us, "applying the transactions to the UTXO set"),
    step!(scripts_us, "verifying the scripts, `transactions_us` included"),
    step!(undo_us, "writing the undo data"),
    step!(index_us, "updating the block index"),
    step!(flush_us, "moving the block's changes into the cache of the UTXO set"),
    step!(chainstate_us, "writing that cache to disk where it was due"),
    step!(postprocess_us, "freeing the mempool of the block's transactions, and moving the tip"),
    step!(transactions, "transactions in the block"),
    step!(inputs, "inputs of all of them but the coinbase"),
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Cursor>,
    part: &mut Part<'_, Row>,
) -> Result<Option<Cursor>, StoreError> {
    of_block::read(reader, stretch, after, part, |block| Ok(block.processing))
}
