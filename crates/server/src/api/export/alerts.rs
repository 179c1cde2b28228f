//! What someone should know, and what there was.

use bmon_analysis::alert::Alert;
use bmon_event::{NodeName, ServerTime};
use bmon_store::{Cursor, Reader, StoreError, Stretch};

use super::{
    Table,
    column::{Column, OfNode, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "alerts",
    about: "The alerts, each as it last stood. Times are on the server's clock. `docs/rules.md` says what each rule tells.",
    of: &["alert"],
    by: Some("since when its condition held"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

struct Row {
    alert: Alert,
    bound_us: Option<i64>,
}

impl OfNode for Row {
    fn node(&self) -> Option<&NodeName> {
        self.alert.node.as_ref()
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column {
        name: "id",
        meaning: "names the alert, through every revision",
        value: |row, _| Value::shown(&row.alert.id),
    },
    Column {
        name: "revision",
        meaning: "1 when first said, one more each time its content changed",
        value: |row, _| row.alert.revision.into(),
    },
    Column { name: "rule", meaning: "the rule", value: |row, _| row.alert.rule.as_str().into() },
    Column {
        name: "subject",
        meaning: "what it is about among all that the rule may find: a block's hash, a node's name",
        value: |row, _| row.alert.subject.as_str().into(),
    },
    Column::NODE_IF_ANY,
    Column::NODE_VERSION,
    Column {
        name: "severity",
        meaning: "`info`, `warning` or `critical`",
        value: |row, _| row.alert.severity.as_str().into(),
    },
    Column {
        name: "state",
        meaning: "`pending`, `firing` or `resolved`",
        value: |row, _| row.alert.state.as_str().into(),
    },
    Column {
        name: "active_at",
        meaning: "since when its condition holds",
        value: |row, _| Value::shown(&row.alert.active_at_us),
    },
    Column {
        name: "active_at_us",
        meaning: "the same in microseconds since the Unix epoch",
        value: |row, _| row.alert.active_at_us.as_micros().into(),
    },
    Column {
        name: "clock_bound_us",
        meaning: "largest error of the times of the findings that it rests on, in microseconds; null when one is unknown or \
                  there are none",
        value: |row, _| row.bound_us.into(),
    },
    Column {
        name: "fired_at_us",
        meaning: "when it fired; null if it did not, or not yet",
        value: |row, _| row.alert.fired_at_us.map(ServerTime::as_micros).into(),
    },
    Column {
        name: "resolved_at_us",
        meaning: "when it was over; null while it is not",
        value: |row, _| row.alert.resolved_at_us.map(ServerTime::as_micros).into(),
    },
    Column {
        name: "summary",
        meaning: "what is so, with the numbers",
        value: |row, _| row.alert.summary.as_str().into(),
    },
    Column {
        name: "findings",
        meaning: "the ids of the findings that it rests on: a list",
        value: |row, _| Value::json(&row.alert.findings),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Cursor>,
    part: &mut Part<'_, Row>,
) -> Result<Option<Cursor>, StoreError> {
    reader.visit_alerts(stretch, after, &mut |(alert, bound_us)| {
        part.row(&Row { alert, bound_us });
        part.go_on()
    })
}
