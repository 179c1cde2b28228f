//! The nodes as they are now.

use bmon_analysis::row::{NodeRow, Offset};
use bmon_store::{Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "nodes",
    about: "Every node as it is now.",
    of: &["node", "network"],
    by: None,
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

const COLUMNS: &[Column<NodeRow>] = &[
    Column::NETWORK,
    Column {
        name: "node",
        meaning: "the node, as its operator named it",
        value: |row, _| (&row.node).into(),
    },
    Column {
        name: "node_version",
        meaning: "user agent (BIP 14), else the banner of its log; null while it has not told it",
        value: |row, _| row.version.as_deref().into(),
    },
    Column {
        name: "heard_at",
        meaning: "when the server last heard of it, on the server's own clock",
        value: |row, _| Value::shown(&row.heard_at),
    },
    Column {
        name: "heard_at_us",
        meaning: "the same in microseconds since the Unix epoch",
        value: |row, _| row.heard_at.as_micros().into(),
    },
    Column {
        name: "clock_offset_us",
        meaning: "the server's clock minus that of its host, in microseconds: the middle of the interval it lies in; null \
                  when unknown",
        value: |row, _| row.offset.map(Offset::middle_us).into(),
    },
    Column {
        name: "clock_bound_us",
        meaning: "largest error of `clock_offset_us` in microseconds; null when unknown",
        value: |row, _| row.offset.map(Offset::bound_us).into(),
    },
    Column {
        name: "tip",
        meaning: "last block of its active chain; null while it has not told it",
        value: |row, _| Value::shown_if(row.tip.as_ref()),
    },
    Column { name: "height", meaning: "the height of that block", value: |row, _| row.height.into() },
    Column {
        name: "initial_block_download",
        meaning: "whether it is in initial block download; null while it has not told it",
        value: |row, _| row.initial_block_download.map_or(Value::Null, Value::Is),
    },
    Column {
        name: "agent_version",
        meaning: "the version of bmon beside it; null while its agent has not told it",
        value: |row, _| Some(row.agent.version.as_str()).filter(|version| !version.is_empty()).into(),
    },
    Column {
        name: "sources",
        meaning: "what tells of it: a list of the sources, each with whether it works and what it reads",
        value: |row, _| Value::json(&row.sources),
    },
];

/// There are few nodes: all are one part.
fn read(
    reader: &Reader,
    stretch: &Stretch,
    _: Option<()>,
    part: &mut Part<'_, NodeRow>,
) -> Result<Option<()>, StoreError> {
    let nodes = reader.nodes()?;
    nodes.iter().filter(|node| node.network == stretch.network).for_each(|node| part.row(node));
    Ok(None)
}
