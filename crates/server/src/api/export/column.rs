//! Columns: one declaration for both formats and for the documentation.

use std::{borrow::Cow, collections::HashMap};

use bmon_analysis::row::{Offset, Sighted};
use bmon_event::NodeName;

use super::Heading;

/// A column of a table whose rows are `R`.
pub(super) struct Column<R: 'static> {
    /// Its name, with the unit.
    pub(super) name: &'static str,
    /// What it tells, and what its absence means.
    pub(super) meaning: &'static str,
    pub(super) value: for<'a> fn(&'a R, &'a Context) -> Value<'a>,
}

/// What is the same for all rows of a part.
#[derive(Debug)]
pub(super) struct Context {
    /// The network's name.
    pub(super) network: String,
    /// The version of each node as it is now.
    pub(super) versions: HashMap<NodeName, String>,
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Unknown, or not there.
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Count(u64),
    /// A finite one.
    Number(f64),
    Is(bool),
    /// JSON on one line.
    Json(Cow<'a, str>),
}

impl Value<'_> {
    /// What `value` shows for people: hashes, names, instants.
    pub(super) fn shown(value: &impl ToString) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }

    /// The same, null for `None`.
    pub(super) fn shown_if(value: Option<&impl ToString>) -> Self {
        value.map_or(Self::Null, Self::shown)
    }

    /// A list or object.
    pub(super) fn json(value: &impl serde::Serialize) -> Self {
        Self::Json(Cow::Owned(serde_json::to_string(value).expect("rows have text keys only")))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a NodeName> for Value<'a> {
    fn from(name: &'a NodeName) -> Self {
        name.as_str().into()
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Value<'_> {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row about a node.
pub(super) trait OfNode {
    /// `None` for the network as a whole.
    fn node(&self) -> Option<&NodeName>;
}

/// A row that says when something was so at a node.
pub(super) trait AtNode: OfNode {
    fn sighted(&self) -> Sighted;
}

impl<R> Column<R> {
    pub(super) const NETWORK: Self = Self {
        name: "network",
        meaning: "the network: its name in `getblockchaininfo`, else its genesis hash",
        value: |_, context| context.network.as_str().into(),
    };
}

impl<R: OfNode> Column<R> {
    pub(super) const NODE: Self = Self {
        name: "node",
        meaning: "the node, as its operator named it",
        value: |row, _| row.node().into(),
    };
    pub(super) const NODE_IF_ANY: Self = Self {
        name: "node",
        meaning: "the node it is about; null when it is about the network as a whole",
        value: |row, _| row.node().into(),
    };
    pub(super) const NODE_VERSION: Self = Self {
        name: "node_version",
        meaning: "the node's version as it is now; null while it has not told it",
        value: |row, context| {
            row.node().and_then(|node| context.versions.get(node)).map(String::as_str).into()
        },
    };
}

impl<R: AtNode> Column<R> {
    pub(super) const AT: Self = Self {
        name: "at",
        meaning: "when, on the server's clock; on the node's own where `clock_bound_us` is null",
        value: |row, _| Value::shown(&row.sighted().on_server_clock()),
    };
    pub(super) const AT_US: Self = Self {
        name: "at_us",
        meaning: "the same in microseconds since the Unix epoch",
        value: |row, _| row.sighted().on_server_clock().as_micros().into(),
    };
    pub(super) const NODE_AT_US: Self = Self {
        name: "node_at_us",
        meaning: "the same by the clock of node and agent, uncorrected",
        value: |row, _| row.sighted().at.as_micros().into(),
    };
    pub(super) const OFFSET_MIN_US: Self = Self {
        name: "offset_min_us",
        meaning: "the server's clock minus that one is not less, in microseconds; null when unknown",
        value: |row, _| row.sighted().offset.map(|offset| offset.min_us).into(),
    };
    pub(super) const OFFSET_MAX_US: Self = Self {
        name: "offset_max_us",
        meaning: "nor more; null when unknown",
        value: |row, _| row.sighted().offset.map(|offset| offset.max_us).into(),
    };
    pub(super) const CLOCK_BOUND_US: Self = Self {
        name: "clock_bound_us",
        meaning: "largest error of `at` in microseconds; null when unknown",
        value: |row, _| row.sighted().offset.map(Offset::bound_us).into(),
    };
}

/// What the documentation says of columns.
pub(super) fn headings<R>(columns: &[Column<R>]) -> Vec<Heading> {
    let heading =
        |column: &Column<R>| Heading { name: column.name.to_owned(), meaning: column.meaning.to_owned() };
    columns.iter().map(heading).collect()
}
