//! The headers of a network's blocks.

use bmon_analysis::row::HeaderRow;
use bmon_store::{Place, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "headers",
    about: "The headers that are known, of every branch, the lowest first.",
    of: &["header"],
    by: None,
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

const COLUMNS: &[Column<HeaderRow>] = &[
    Column::NETWORK,
    Column { name: "height", meaning: "the block's height", value: |row, _| row.height.into() },
    Column { name: "block", meaning: "the block", value: |row, _| Value::shown(&row.block) },
    Column {
        name: "header",
        meaning: "its header as it is serialised, in hexadecimal: 80 bytes, or 164 from Knots 29.4 on its own chain",
        value: |row, _| Value::shown(&hex(&row.raw)),
    },
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Place>,
    part: &mut Part<'_, HeaderRow>,
) -> Result<Option<Place>, StoreError> {
    reader.visit_headers(stretch, after, &mut |header| {
        part.row(&header);
        part.go_on()
    })
}
