//! One entry per number of the server itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bmon_analysis::{
    NodeDelays,
    alert::{Alert, AlertState, Severity},
    row::NodeRow,
    rule,
};
use bmon_event::ServerTime;
use bmon_store::{Counts, TableCount};

use super::{
    chain::{self, Counted},
    family::{Family, Sample},
    node::seconds,
};
use crate::{
    api::{Api, Refusal},
    ingest::{Counters, NotifyCounters},
    notify::NotifierKind,
};

/// What one scrape shows.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) nodes: Vec<NodeRow>,
    alerts: Vec<Alert>,
    pub(super) chains: Vec<Counted>,
    counts: Counts,
    store_bytes: u64,
    started_at: ServerTime,
    streams: usize,
    pub(super) delays: Vec<NodeDelays>,
    counters: Arc<Counters>,
}

/// Open alerts that are counted: far more than can be of use.
const MOST_ALERTS: u32 = 10_000;

pub(super) async fn snapshot(api: &Api) -> Result<Snapshot, Refusal> {
    let (started_at, streams) = (api.started_at(), api.notices().subscribers());
    let counters = Arc::clone(api.counters());
    let read = api.read(move |reader| {
        Ok(Snapshot {
            nodes: reader.nodes()?,
            alerts: reader.open_alerts(MOST_ALERTS, None)?.items,
            chains: chain::read(reader)?,
            counts: reader.counts()?,
            store_bytes: reader.size_bytes()?,
            started_at,
            streams,
            delays: counters.delays(),
            counters,
        })
    });
    read.await
}

/// A number that is counted since the server started, in units of which one is `$of` of the metric's.
macro_rules! since_start {
    ($name:literal, $help:literal, $counter:literal, $field:ident) => {
        since_start!($name, $help, $counter, $field, 1.0)
    };
    ($name:literal, $help:literal, $counter:literal, $field:ident, $of:literal) => {
        Family {
            name: $name,
            help: $help,
            counter: $counter,
            samples: |snapshot| one(load(&snapshot.counters.$field) / $of),
        }
    };
}

pub(super) const FAMILIES: &[Family<Snapshot>] = &[
    Family {
        name: "bmon_build_info",
        help: "Version of the server",
        counter: false,
        samples: |_| vec![(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
    },
    Family {
        name: "bmon_server_start_time_seconds",
        help: "When the server started",
        counter: false,
        samples: |snapshot| one(seconds(snapshot.started_at.as_micros())),
    },
    Family {
        name: "bmon_server_streams",
        help: "Live streams that are open",
        counter: false,
        samples: |snapshot| one(snapshot.streams as f64),
    },
    Family {
        name: "bmon_analysis_findings",
        help: "What the analyses found, by kind and node",
        counter: true,
        samples: findings,
    },
    Family {
        name: "bmon_alerts",
        help: "Alerts that are open, by rule, severity and state; 0 for each rule that has none firing",
        counter: false,
        samples: alerts,
    },
    Family {
        name: "bmon_store_size_bytes",
        help: "Size of the database file without its write-ahead log",
        counter: false,
        samples: |snapshot| one(snapshot.store_bytes as f64),
    },
    Family {
        name: "bmon_store_rows",
        help: "Rows in the store, by table",
        counter: false,
        samples: |snapshot| tables(&snapshot.counts, |count| count.kept),
    },
    Family {
        name: "bmon_store_deleted_rows",
        help: "Rows that were deleted because of their age, by table",
        counter: true,
        samples: |snapshot| tables(&snapshot.counts, |count| count.deleted),
    },
    Family {
        name: "bmon_ingest_refusals",
        help: "Calls of agents that were refused, by reason",
        counter: true,
        samples: refusals,
    },
    since_start!("bmon_ingest_batches", "Batches accepted, repeats not included", true, batches),
    since_start!("bmon_ingest_batch_bytes", "Size of the accepted batches as delivered", true, batch_bytes),
    since_start!("bmon_ingest_events", "Events in the accepted batches", true, events),
    since_start!(
        "bmon_ingest_unknown_events",
        "Events that this version does not know",
        true,
        unknown_events
    ),
    since_start!(
        "bmon_ingest_repeats",
        "Batches delivered again after they had been accepted",
        true,
        repeats
    ),
    since_start!("bmon_ingest_jumps", "Batches whose sequence does not follow the one before", true, jumps),
    since_start!(
        "bmon_journal_syncs",
        "Syncs of the journal, each for all batches that waited",
        true,
        journal_syncs
    ),
    since_start!(
        "bmon_journal_sync_seconds",
        "Time spent in syncs of the journal",
        true,
        journal_sync_us,
        1e6
    ),
    Family {
        name: "bmon_notify_alerts",
        help: "Alerts that a notifier was told of and took",
        counter: true,
        samples: |snapshot| notifiers(snapshot, |notifier| &notifier.alerts),
    },
    Family {
        name: "bmon_notify_failures",
        help: "Times that a notifier could not be told of alerts",
        counter: true,
        samples: |snapshot| notifiers(snapshot, |notifier| &notifier.failures),
    },
    Family {
        name: "bmon_notify_dead_letters",
        help: "Alerts of which a notifier could not be told, or not that they ended, for a day after they did",
        counter: true,
        samples: |snapshot| notifiers(snapshot, |notifier| &notifier.given_up),
    },
    since_start!("bmon_wants", "Wants asked of agents", true, wants),
    since_start!("bmon_want_answers", "Wants that were answered", true, want_answers),
    since_start!(
        "bmon_want_ignored_answers",
        "Answers that came late, were not asked for, or were larger than allowed",
        true,
        want_answers_ignored
    ),
    since_start!(
        "bmon_analysis_dropped_words",
        "Headers, and words about blocks, dropped because too many waited or no node can have said them",
        true,
        dropped_words
    ),
    since_start!(
        "bmon_analysis_bad_block_parts",
        "Parts of blocks dropped because they cannot be of the block, or contradict others",
        true,
        bad_block_parts
    ),
    since_start!(
        "bmon_analysis_unneeded_block_parts",
        "Parts of blocks dropped because nobody needed them, or not any more",
        true,
        unneeded_block_parts
    ),
    since_start!(
        "bmon_analysis_forgotten_transactions",
        "Transactions forgotten before their time because there were too many; what is told of them later is kept beside",
        true,
        forgotten_transactions
    ),
    since_start!(
        "bmon_analysis_late_transactions",
        "Transactions that came too late to be counted in the spread of their hour",
        true,
        late_transactions
    ),
    since_start!("bmon_journal_size_bytes", "Size of the journal on disk", false, journal_bytes),
    since_start!(
        "bmon_journal_last_record",
        "Number of the journal's newest durable record",
        false,
        journal_last
    ),
    since_start!(
        "bmon_journal_stored_record",
        "Number of the last journal record whose rows are in the store",
        false,
        journal_stored
    ),
    since_start!(
        "bmon_journal_released_early_records",
        "Journal records released before the horizon because of the byte bound",
        true,
        journal_released_early
    ),
    since_start!(
        "bmon_journal_damaged_records",
        "Journal records found damaged when the server started",
        true,
        journal_damaged
    ),
    since_start!(
        "bmon_analysis_lag_seconds",
        "How long the last batch waited to be analysed",
        false,
        analysis_lag_us,
        1e6
    ),
    since_start!("bmon_analysis_batches", "Batches analysed", true, analysed_batches),
    since_start!(
        "bmon_analysis_batch_seconds",
        "Time spent in the analysis of batches",
        true,
        batch_analysis_us,
        1e6
    ),
    since_start!(
        "bmon_analysis_ticks",
        "Times that the analyses looked at what time alone changes, about once a second",
        true,
        analysis_ticks
    ),
    since_start!("bmon_analysis_tick_seconds", "Time spent in these looks", true, tick_analysis_us, 1e6),
    since_start!(
        "bmon_store_commit_seconds",
        "Time spent in writing rows to the store, failures included",
        true,
        store_commit_us,
        1e6
    ),
    since_start!("bmon_store_commits", "Transactions of rows written to the store", true, store_commits),
    since_start!("bmon_store_written_rows", "Rows written to the store", true, store_rows),
    since_start!(
        "bmon_store_failed_commits",
        "Commits that failed and were tried again",
        true,
        store_failures
    ),
    since_start!(
        "bmon_store_impossible_rows",
        "Rows left out of commits because no table takes them",
        true,
        store_impossible_rows
    ),
];

fn load(counter: &AtomicU64) -> f64 {
    counter.load(Relaxed) as f64
}

fn refusals(snapshot: &Snapshot) -> Vec<Sample> {
    let refused = snapshot.counters.refused();
    refused.map(|(reason, count)| (vec![("reason", reason.as_str().to_owned())], count as f64)).collect()
}

fn notifiers(snapshot: &Snapshot, counter: fn(&NotifyCounters) -> &AtomicU64) -> Vec<Sample> {
    let sample = |kind: NotifierKind| {
        (vec![("notifier", kind.to_string())], load(counter(snapshot.counters.notifier(kind))))
    };
    NotifierKind::ALL.map(sample).to_vec()
}

fn one(value: f64) -> Vec<Sample> {
    vec![(Vec::new(), value)]
}

fn findings(snapshot: &Snapshot) -> Vec<Sample> {
    let sample = |count: &bmon_store::FindingCount| {
        let network = ("network", count.network.to_string());
        // What is about a network as a whole has no node, which an empty label says.
        let node = count.node.as_ref().map(ToString::to_string).unwrap_or_default();
        (vec![network, ("node", node), ("kind", count.kind.clone())], count.findings as f64)
    };
    snapshot.counts.findings.iter().map(sample).collect()
}

fn alerts(snapshot: &Snapshot) -> Vec<Sample> {
    type Key = (String, String, Option<Severity>, AlertState);
    let mut counts: BTreeMap<Key, f64> = BTreeMap::new();
    for alert in &snapshot.alerts {
        let key = (alert.network.to_string(), alert.rule.clone(), Some(alert.severity), alert.state);
        *counts.entry(key).or_default() += 1.0;
    }
    let networks: BTreeSet<String> = snapshot.nodes.iter().map(|node| node.network.to_string()).collect();
    for (network, rule) in
        networks.iter().flat_map(|network| rule::ALL.iter().map(move |rule| (network, rule.id)))
    {
        let is_firing =
            |(of, id, _, state): &Key| of == network && id == rule && *state == AlertState::Firing;
        if !counts.keys().any(is_firing) {
            counts.insert((network.clone(), rule.to_owned(), None, AlertState::Firing), 0.0);
        }
    }
    let sample = |((network, rule, severity, state), count): (Key, f64)| {
        let severity = severity.map(|severity| severity.to_string()).unwrap_or_default();
        let labels =
            [("network", network), ("rule", rule), ("severity", severity), ("state", state.to_string())];
        (labels.to_vec(), count)
    };
    counts.into_iter().map(sample).collect()
}

fn tables(counts: &Counts, number: fn(TableCount) -> u64) -> Vec<Sample> {
    let tables = [("block", counts.blocks), ("tx", counts.transactions)];
    tables.map(|(table, count)| (vec![("table", table.to_owned())], number(count) as f64)).to_vec()
}
