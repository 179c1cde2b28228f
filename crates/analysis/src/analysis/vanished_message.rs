//! Messages that were common in a node's last day and are absent since its version changed: their wording may have
//! changed, and then bmon no longer understands this node.
//!
//! The stretches that a log tells of are kept for two days, and looked at anew with each one that comes, so that only
//! their own times count.

use std::collections::{BTreeMap, BTreeSet};

use bmon_event::{Kind, NodeTime, Source, event::LogMessages};

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, Finding, FindingId, VanishedMessage},
    row::Row,
    state::{Change, NodeState},
};

const ID: &str = "vanished-message";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which messages were common in a node's log and are absent since its version changed.",
    make: |_| Box::new(Vanished::default()),
};

const HOUR_US: i64 = 60 * 60 * 1_000_000;

/// The last day of the old version is compared, and after a day of the new one the comparison is over.
const DAY_US: i64 = 24 * HOUR_US;

/// The most stretches and starts kept: a node tells of a stretch every ten minutes and at each start.
const MOST: usize = 1_024;

/// Least that must be watched of the old version, and of the new one, which at first has its start to do.
const LEAST_BEFORE_US: i64 = 6 * HOUR_US;
const LEAST_AFTER_US: i64 = HOUR_US;

/// Lines of a message expected at the old rate, of which none came. If they come independently of one another, the
/// probability of that is e^-20, one in 500 million.
const EXPECTED: f64 = 20.0;

/// The old version's day is cut into parts; a message must be in most of them. One that comes 20 times a day is in
/// fewer than 6 of 8 in three days of a hundred; a burst and initial block download are in few.
const PARTS: usize = 8;
const PARTS_WITH_MESSAGE: usize = 6;

/// What the share of lines that are no known message must rise by, and by which factor, to be told.
const UNMATCHED_RISE: f64 = 0.1;
const UNMATCHED_FACTOR: f64 = 2.0;

/// Lines below which a share says little.
const LEAST_LINES: u64 = 1_000;

#[derive(Debug, Default)]
struct Vanished {
    /// Banners by the time of their start.
    starts: BTreeMap<NodeTime, String>,
    /// Stretches by the time of their first line.
    stretches: BTreeMap<NodeTime, LogMessages>,
    /// What was said and not taken back.
    open: BTreeMap<FindingId, (NodeTime, VanishedMessage)>,
}

/// What several stretches hold together.
#[derive(Debug, Default)]
struct Sum<'a> {
    watched_us: i64,
    lines: u64,
    unmatched: u64,
    /// Lines of each message, the parts that it is in, and its category.
    messages: BTreeMap<&'a str, (u64, BTreeSet<usize>, &'a str)>,
    settings: Vec<&'a str>,
}

impl Analysis for Vanished {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        match &event.kind {
            Kind::NodeStarted { banner } => {
                let Some(at) = event.node_time else { return };
                self.starts.insert(at, banner.clone());
            }
            Kind::LogMessages(told) => {
                self.stretches.insert(told.from, told.clone());
            }
            _ => return,
        }
        self.forget();
        self.take_back(node, out);
        self.look(node, out);
    }
}

impl Vanished {
    /// Keeps two days, and of older starts only the last: its version is that of the first stretch.
    fn forget(&mut self) {
        let Some((last, _)) = self.stretches.last_key_value() else { return };
        let oldest = last.plus_micros(-2 * DAY_US);
        self.stretches.retain(|from, _| *from >= oldest);
        let before = self.starts.range(..oldest).next_back().map(|(at, _)| *at);
        self.starts.retain(|at, _| *at >= oldest || Some(*at) == before);
        while self.stretches.len() > MOST {
            self.stretches.pop_first();
        }
        while self.starts.len() > MOST {
            self.starts.pop_first();
        }
    }

    /// Looks at the last change of version.
    fn look(&mut self, node: &NodeState, out: &mut Vec<Row>) {
        let Some((changed_at, before, after)) = self.last_change() else { return };
        let (old, new) = (self.day_before(changed_at), self.day_after(changed_at));
        if old.watched_us < LEAST_BEFORE_US || new.watched_us < LEAST_AFTER_US {
            return;
        }
        let body = |message: Option<&str>, lines_before, expected| VanishedMessage {
            message: message.map(str::to_owned),
            version_before: before.to_owned(),
            version_after: after.to_owned(),
            lines_before,
            expected,
            unmatched_before: old.unmatched_share(),
            unmatched_after: new.unmatched_share(),
            watched_from: changed_at.on_agent_clock(),
            watched_to: self.watched_to().on_agent_clock(),
            came_at: None,
        };
        let mut found = Vec::new();
        for (name, (lines, parts, category)) in &old.messages {
            let expected = *lines as f64 * new.share_of(&old);
            let is_absent = !new.messages.contains_key(name);
            let is_common = expected >= EXPECTED && parts.len() >= PARTS_WITH_MESSAGE;
            if is_absent && is_common && new.asks_for(category) {
                found.push(body(Some(name), *lines, expected));
            }
        }
        if new.has_more_unmatched(&old) {
            found.push(body(None, old.unmatched, old.unmatched as f64 * new.share_of(&old)));
        }
        for body in found {
            self.say(node, changed_at, body, out);
        }
    }

    fn say(&mut self, node: &NodeState, at: NodeTime, body: VanishedMessage, out: &mut Vec<Row>) {
        let message = body.message.as_deref().unwrap_or_default();
        let subject = [node.name.as_str().as_bytes(), message.as_bytes(), &at.as_micros().to_le_bytes()];
        let id = FindingId::new(&node.network, ID, &subject);
        if self.open.contains_key(&id) {
            return;
        }
        out.push(finding(node, id, 1, at, body.clone()));
        self.open.insert(id, (at, body));
    }

    /// Takes back what is no longer so: the message came after all. Forgets what can come no more, since the version
    /// changed again.
    fn take_back(&mut self, node: &NodeState, out: &mut Vec<Row>) {
        let last_change = self.last_change().map(|(at, ..)| at);
        let Self { open, stretches, .. } = self;
        open.retain(|id, (at, body)| {
            let came = stretches.range(*at..).map(|(_, told)| told).find(|told| {
                told.messages.iter().any(|count| Some(count.name.as_str()) == body.message.as_deref())
            });
            if let Some(told) = came {
                let body = VanishedMessage { came_at: Some(told.to.on_agent_clock()), ..body.clone() };
                out.push(finding(node, *id, 2, *at, body));
            }
            came.is_none() && last_change.is_none_or(|change| change <= *at)
        });
    }

    /// When the version last changed, from which banner to which.
    fn last_change(&self) -> Option<(NodeTime, &str, &str)> {
        let mut pairs = self.starts.values().zip(self.starts.iter().skip(1));
        pairs
            .rfind(|(before, (_, after))| before != after)
            .map(|(before, (at, after))| (*at, &**before, &**after))
    }

    /// The last day before a change.
    fn day_before(&self, changed_at: NodeTime) -> Sum<'_> {
        let stretches = || self.stretches.range(..changed_at).map(|(_, told)| told);
        let Some(end) = stretches().next_back().map(|told| told.to) else { return Sum::default() };
        Sum::of(stretches().filter(|told| end.micros_since(told.from) <= DAY_US))
    }

    /// The first day after it.
    fn day_after(&self, changed_at: NodeTime) -> Sum<'_> {
        let stretches = self.stretches.range(changed_at..).map(|(_, told)| told);
        Sum::of(stretches.filter(|told| told.to.micros_since(changed_at) <= DAY_US))
    }

    fn watched_to(&self) -> NodeTime {
        self.stretches.last_key_value().map_or(NodeTime::default(), |(_, told)| told.to)
    }
}

impl<'a> Sum<'a> {
    fn of(stretches: impl Iterator<Item = &'a LogMessages>) -> Self {
        let stretches: Vec<_> = stretches.collect();
        let mut sum = Self::default();
        for (place, told) in stretches.iter().enumerate() {
            let part = place * PARTS / stretches.len();
            sum.watched_us += told.to.micros_since(told.from).max(0);
            sum.lines += told.lines;
            sum.unmatched += told.unmatched;
            for count in &told.messages {
                let (lines, parts, category) = sum.messages.entry(&count.name).or_default();
                *lines += count.lines;
                parts.insert(part);
                *category = &count.category;
            }
            // A start tells all of its settings anew.
            if !told.settings.is_empty() {
                sum.settings = told.settings.iter().map(String::as_str).collect();
            }
        }
        sum
    }

    fn unmatched_share(&self) -> f64 {
        self.unmatched as f64 / self.lines.max(1) as f64
    }

    /// How much of the old version this is, by time or by lines, whichever is less: a node that has less to say says
    /// each message less often.
    fn share_of(&self, old: &Self) -> f64 {
        let by_time = self.watched_us as f64 / old.watched_us.max(1) as f64;
        by_time.min(self.lines as f64 / old.lines.max(1) as f64)
    }

    fn has_more_unmatched(&self, old: &Self) -> bool {
        let (before, after) = (old.unmatched_share(), self.unmatched_share());
        self.lines.min(old.lines) >= LEAST_LINES
            && after - before >= UNMATCHED_RISE
            && after >= before * UNMATCHED_FACTOR
    }

    /// Whether the node's settings ask for a debug category (`SetLoggingCategories`, `src/init/common.cpp@v30`). One that
    /// RPC `logging` had switched on is off after a start, and nodes up to 0.19 do not log their settings: of these
    /// only messages without a category can be missed.
    fn asks_for(&self, category: &str) -> bool {
        if category.is_empty() {
            return true;
        }
        let names = |setting: &str, value: &str| {
            let value = setting.strip_prefix(value);
            value.is_some_and(|value| matches!(value, "" | "1" | "all") || value == category)
        };
        let is_asked = self.settings.iter().any(|setting| names(setting, "debug="));
        is_asked && !self.settings.iter().any(|setting| names(setting, "debugexclude="))
    }
}

fn finding(node: &NodeState, id: FindingId, revision: u32, at: NodeTime, body: VanishedMessage) -> Row {
    Row::Finding(Box::new(Finding {
        id,
        revision,
        network: node.network,
        node: Some(node.name.clone()),
        sighted: node.sighted(at.on_agent_clock()),
        sources: vec![Source::Log],
        body: Body::VanishedMessage(body),
    }))
}
