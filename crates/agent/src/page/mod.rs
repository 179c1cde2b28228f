//! The pages of metrics: each is one table or more of declarations, from which `docs/metrics.md` is written too.
//!
//! A page is made of what the sources told last and of the agent's own counters. To look at it costs the node nothing.

mod amount;
mod bitcoin;
mod bitcoind;
mod own;

use std::{fmt, sync::Arc};

use bmon_event::{AgentTime, NodeName, event::AgentHealth};
use bmon_metric::{Family, Sample};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use crate::{
    clock::Clock,
    health::{Counters, Work},
    loki::{LokiCounters, LokiCounts},
    observed::{Observed, Seen},
    outbox::Outbox,
    shipper::{Delivery, DeliveryState},
};

/// A page of metrics.
pub struct Page {
    /// Its path, for example `/metrics`.
    pub path: &'static str,
    /// Its metrics, in the order in which they stand.
    tables: &'static [Table],
}

/// Metrics that are told once for each node, or once for all.
struct Table {
    metrics: &'static [Metric],
    whose: Whose,
}

/// Of which node a table is told.
enum Whose {
    /// Of each.
    Each,
    /// Of the first whose host is known: they share it.
    Any,
}

/// One metric of a node.
struct Metric {
    family: Family<View>,
    unit: &'static str,
    /// Which RPC call, file or counter tells it.
    from: &'static str,
    /// Its labels.
    labels: &'static [&'static str],
}

/// What a metric says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// The name, without the suffix `_total` of a counter.
    pub name: &'static str,
    /// Whether it is a counter.
    pub counter: bool,
    /// The unit, empty for what has none.
    pub unit: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it is.
    pub help: &'static str,
    /// Which RPC call, file or counter tells it.
    pub from: &'static str,
}

/// Every page.
pub const ALL: &[Page] = &[
    Page {
        path: "/metrics",
        tables: &[
            Table { metrics: own::OF_ALL, whose: Whose::Any },
            Table { metrics: own::OF_A_NODE, whose: Whose::Each },
        ],
    },
    Page {
        path: "/metrics/compat",
        tables: &[
            Table { metrics: bitcoin::METRICS, whose: Whose::Each },
            Table { metrics: bitcoind::METRICS, whose: Whose::Each },
        ],
    },
];

impl Page {
    /// Its metrics.
    pub fn declared(&self) -> impl Iterator<Item = Declared> + use<> {
        self.tables.iter().flat_map(|table| table.metrics).map(|Metric { family, unit, from, labels }| {
            Declared { name: family.name, counter: family.counter, unit, labels, help: family.help, from }
        })
    }

    /// The text for some nodes.
    pub(crate) fn text(&self, views: Vec<View>) -> String {
        let page = bmon_metric::open_metrics(Box::new(Scrape { tables: self.tables, views }));
        bmon_metric::classic(&page)
    }
}

struct Scrape {
    tables: &'static [Table],
    views: Vec<View>,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrape").field("nodes", &self.views.len()).finish_non_exhaustive()
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let known = self.views.iter().position(|view| view.seen.host.is_some()).unwrap_or_default();
        for table in self.tables {
            let views = match table.whose {
                Whose::Each => self.views.as_slice(),
                Whose::Any => self.views.get(known..=known).unwrap_or_default(),
            };
            for metric in table.metrics {
                metric.family.encode(&mut encoder, views.iter())?;
            }
        }
        Ok(())
    }
}

/// What one agent's metrics are read from.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) node: NodeName,
    pub(crate) clock: Clock,
    pub(crate) started_at: AgentTime,
    pub(crate) counters: Counters,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) delivery: DeliveryState,
    /// `None` where no lines go to Loki.
    pub(crate) loki: Option<LokiCounters>,
    pub(crate) observed: Observed,
}

impl Probe {
    /// What is to be seen now.
    pub(crate) fn views(probes: &[Self]) -> Vec<View> {
        let view = |probe: &Self| View {
            node: probe.node.clone(),
            is_alone: probes.len() == 1,
            now: probe.clock.now(),
            health: probe.counters.read(probe.started_at, probe.outbox.backlog()),
            work: probe.counters.work(),
            loki: probe.loki.as_ref().map(LokiCounters::get),
            delivers: probe.delivery.get() == Delivery::Working,
            seen: probe.observed.get(),
        };
        probes.iter().map(view).collect()
    }
}

/// All that is known of a node and its agent at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    node: NodeName,
    /// Whether it is the only node beside this agent.
    is_alone: bool,
    now: AgentTime,
    health: AgentHealth,
    work: Work,
    /// Whether the server takes batches.
    delivers: bool,
    loki: Option<LokiCounts>,
    seen: Seen,
}

impl View {
    /// The sample of a value of all nodes.
    #[expect(clippy::unused_self, reason = "as the samples of one node are made")]
    fn of_all(&self, value: Option<f64>) -> Vec<Sample> {
        value.map(|value| (Vec::new(), value)).into_iter().collect()
    }

    /// The sample of a value of the node.
    fn of_node(&self, value: Option<f64>) -> Vec<Sample> {
        value.map(|value| (self.node_label(), value)).into_iter().collect()
    }

    /// The sample of a value of the node for dashboards that expect one node and no label for it.
    fn of_only_node(&self, value: Option<f64>) -> Vec<Sample> {
        value.map(|value| (self.label_if_several(), value)).into_iter().collect()
    }

    fn node_label(&self) -> Vec<(&'static str, String)> {
        vec![("node", self.node.to_string())]
    }

    fn label_if_several(&self) -> Vec<(&'static str, String)> {
        if self.is_alone { Vec::new() } else { self.node_label() }
    }
}

/// Samples that differ by one more label.
fn by(
    labels: &[(&'static str, String)],
    name: &'static str,
    values: impl IntoIterator<Item = (&'static str, f64)>,
) -> Vec<Sample> {
    let sample = |(word, value): (&str, f64)| {
        let more = [(name, word.to_owned())];
        (labels.iter().cloned().chain(more).collect(), value)
    };
    values.into_iter().map(sample).collect()
}

/// One entry of a table: a value that may be unknown, which `?` says.
macro_rules! metric {
    ($of:ident $labels:expr, $name:literal, $kind:ident, $unit:literal, $from:literal, $help:literal, |$view:ident| $value:expr) => {
        $crate::page::Metric {
            family: ::bmon_metric::Family {
                name: $name,
                help: $help,
                counter: $crate::page::is_counter!($kind),
                samples: |view| {
                    fn value($view: &$crate::page::View) -> Option<f64> {
                        Some($value)
                    }
                    view.$of(value(view))
                },
            },
            unit: $unit,
            from: $from,
            labels: $labels,
        }
    };
}

macro_rules! is_counter {
    (counter) => {
        true
    };
    (gauge) => {
        false
    };
}

/// A number of a node on the page of other exporters' names, where one node alone has no label.
macro_rules! of_only_node {
    ($($entry:tt)*) => { $crate::page::metric!(of_only_node &[], $($entry)*) };
}

/// A number of the node's pool of locked memory there.
macro_rules! memory {
    ($name:literal, $unit:literal, $help:literal, $field:ident) => {
        $crate::page::of_only_node!($name, gauge, $unit, "`getmemoryinfo`", $help, |view| {
            view.seen.replies.memory.as_ref()?.$field? as f64
        })
    };
}

use {is_counter, memory, metric, of_only_node};

fn flag(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

fn signed_seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests;
