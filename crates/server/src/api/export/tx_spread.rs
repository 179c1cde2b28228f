//! How far apart nodes saw transactions, hour by hour.

use bmon_analysis::{
    sketch::{RELATIVE_ERROR, Sketch},
    spread::NodeSpread,
};
use bmon_event::{NodeName, ServerTime};
use bmon_store::{Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, OfNode, Value, headings},
    walk::{self, Part},
};
use crate::api::spread::Durations;

pub(super) const TABLE: Table = Table {
    name: "tx-spread",
    about: "How long after the first node one node saw the transactions of one hour. Kept for ever. Durations are from \
            sketches; only transactions seen while the node's clock was known are in them.",
    of: &["tx_spread"],
    by: Some("the hour: the one in which `since` is is the first, the one in which `until` is the last"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

struct Row {
    begun_at: ServerTime,
    items: u64,
    node: NodeName,
    spread: NodeSpread,
    delay: Durations,
    bound: Durations,
}

impl Row {
    fn new(begun_at: ServerTime, items: u64, node: NodeName, spread: NodeSpread) -> Self {
        let durations = |sketch: &Sketch| Durations::new(sketch);
        let (delay, bound) = (durations(&spread.delay()), durations(&spread.bounds));
        Self { begun_at, items, node, spread, delay, bound }
    }
}

impl OfNode for Row {
    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column {
        name: "at",
        meaning: "when the hour began, on the server's clock",
        value: |row, _| Value::shown(&row.begun_at),
    },
    Column {
        name: "at_us",
        meaning: "the same in microseconds since the Unix epoch",
        value: |row, _| row.begun_at.as_micros().into(),
    },
    Column {
        name: "items",
        meaning: "transactions that any node first saw in the hour",
        value: |row, _| row.items.into(),
    },
    Column::NODE,
    Column::NODE_VERSION,
    Column { name: "seen", meaning: "transactions that it saw", value: |row, _| row.spread.seen.into() },
    Column {
        name: "missed",
        meaning: "those that it did not see although it saw others of about that minute",
        value: |row, _| row.spread.missed.into(),
    },
    Column {
        name: "refused",
        meaning: "of those that it saw, how many it refused",
        value: |row, _| row.spread.refused.into(),
    },
    Column {
        name: "clock_unknown",
        meaning: "of those that it saw, how many while its clock was not known, which are compared with nothing",
        value: |row, _| row.spread.clock_unknown.into(),
    },
    Column {
        name: "first",
        meaning: "those that it saw first as far as is known",
        value: |row, _| row.spread.first.into(),
    },
    Column {
        name: "surely_first",
        meaning: "of those, how many it saw first whatever the clocks' errors are",
        value: |row, _| row.spread.surely_first.into(),
    },
    Column {
        name: "delay_count",
        meaning: "those whose delay is known",
        value: |row, _| row.delay.count.into(),
    },
    Column {
        name: "delay_p50_us",
        meaning: "median of how long after the first node, in microseconds; null when there are none",
        value: |row, _| row.delay.p50_us.into(),
    },
    Column {
        name: "delay_p90_us",
        meaning: "nine in ten are not longer",
        value: |row, _| row.delay.p90_us.into(),
    },
    Column {
        name: "delay_p99_us",
        meaning: "99 in a hundred are not longer",
        value: |row, _| row.delay.p99_us.into(),
    },
    Column { name: "delay_max_us", meaning: "the longest", value: |row, _| row.delay.max_us.into() },
    Column {
        name: "clock_bound_p50_us",
        meaning: "median of the largest error of the node's times, in microseconds; null when unknown",
        value: |row, _| row.bound.p50_us.into(),
    },
    Column {
        name: "relative_error",
        meaning: "largest error of each of these durations, as a share of it",
        value: |_, _| Value::Number(RELATIVE_ERROR),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<ServerTime>,
    part: &mut Part<'_, Row>,
) -> Result<Option<ServerTime>, StoreError> {
    reader.visit_tx_spread(stretch, after, &mut |(begun_at, spread)| {
        for (node, of_node) in spread.nodes {
            part.row(&Row::new(begun_at, spread.items, node, of_node));
        }
        part.go_on()
    })
}
