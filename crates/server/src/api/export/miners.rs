//! Who mined blocks, as far as their coinbases tell.

use bmon_analysis::{
    pool::{Mark, Recognised},
    row::MinerRow,
};
use bmon_event::BlockHash;
use bmon_store::{Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "miners",
    about: "Who mined a block, as far as its coinbase tells, by the pools that were known when it was read; in the order of \
            hashes. Anyone can write another's tag.",
    of: &["miner"],
    by: None,
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

struct Row {
    height: Option<u32>,
    miner: MinerRow,
}

impl Row {
    const fn pool(&self) -> Option<&Recognised> {
        self.miner.miner.pool.as_ref()
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column { name: "block", meaning: "the block", value: |row, _| Value::shown(&row.miner.block) },
    Column {
        name: "height",
        meaning: "its height; null while its header is not known",
        value: |row, _| row.height.into(),
    },
    Column {
        name: "pool",
        meaning: "the pool; null if the coinbase shows none that is known",
        value: |row, _| row.pool().map(|pool| pool.name.as_str()).into(),
    },
    Column {
        name: "address",
        meaning: "the address by which it was recognised; null if it was not by one",
        value: |row, _| match row.pool().map(|pool| &pool.by) {
            Some(Mark::Address { address }) => address.as_str().into(),
            _ => Value::Null,
        },
    },
    Column {
        name: "tag",
        meaning: "the tag by which it was recognised; null if it was not by one",
        value: |row, _| match row.pool().map(|pool| &pool.by) {
            Some(Mark::Tag { tag }) => tag.as_str().into(),
            _ => Value::Null,
        },
    },
    Column {
        name: "coinbase_text",
        meaning: "what a person can read in the coinbase; of no characters if nothing",
        value: |row, _| row.miner.miner.coinbase_text.as_str().into(),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<BlockHash>,
    part: &mut Part<'_, Row>,
) -> Result<Option<BlockHash>, StoreError> {
    reader.visit_miners(stretch, after, &mut |(height, miner)| {
        part.row(&Row { height, miner });
        part.go_on()
    })
}
