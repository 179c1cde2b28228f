//! Nodes that become slow bit by bit: a cumulative sum of days beside the others, against the days with which the last sixteen
//! weeks, or the node's version, began.

use bmon_event::NodeName;

use super::{Declaration, Look, NetworkAnalysis, slow_node::has_shifted};
use crate::{
    finding::{Beside, Body, FindingId, Measure, Slowness},
    network::{
        DAYS, Grain, History, Ledger, Seen,
        slowness::{Judged, Stretch, begun, least_scale, saying, to_others},
    },
    row::Row,
    statistic::{Creep, CreepTest, Shape},
};

const ID: &str = "delay-drift";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node becomes slower bit by bit than it was and than the others, in which stage of a block or with \
            transactions, and how fast.",
    make: || Box::new(DelayDrifts::default()),
};

const WEEK: u32 = 7;
/// Chosen in simulated honest years, see `docs/false-alarms.md`.
const SLACK: f64 = 1.25;
const BOUND: f64 = 12.0;
/// No day counts for more.
const MOST: f64 = 2.0;
/// Days of the reference at most.
const REFERENCE: usize = 42;
/// What is left of the sum when it is over.
const OVER: f64 = BOUND / 2.0;

#[derive(Debug, Default)]
struct DelayDrifts {
    ledger: Ledger,
    judged: Judged,
}

impl NetworkAnalysis for DelayDrifts {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        for (stretch, node, measure) in self.judged.due(look.network.history(), Grain::Day) {
            self.judge(look, &node, measure, stretch, out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl DelayDrifts {
    fn judge(&mut self, look: &Look<'_>, node: &NodeName, measure: Measure, day: u32, out: &mut Vec<Row>) {
        let creep = judge(look, node, measure, day);
        if let Some((at, found)) = self.open(node, measure) {
            if creep.is_none_or(|creep| creep.score < OVER) {
                let found = found.over(look.now, Grain::Day, day);
                self.say(look, node, at, found, out);
            }
            return;
        }
        let creep = creep.filter(|creep| test(measure).is_alarm(creep));
        let Some(found) = creep.and_then(|creep| found(look, node, measure, day, &creep)) else { return };
        self.say(look, node, begun(look, ID, node, &found), found, out);
    }

    /// The drift of the node in this measure that is not over.
    fn open(&self, node: &NodeName, measure: Measure) -> Option<((FindingId, Seen), Slowness)> {
        let open = |body: &Body| match body {
            Body::DelayDrift(found) if found.measure == measure && found.over_at_us.is_none() => {
                Some((**found).clone())
            }
            _ => None,
        };
        self.ledger.of_node(node, open).next().map(|(id, seen, found)| ((id, seen), found))
    }

    fn say(
        &mut self,
        look: &Look<'_>,
        node: &NodeName,
        at: (FindingId, Seen),
        found: Slowness,
        out: &mut Vec<Row>,
    ) {
        self.ledger.say(look.network.network, saying(look, node, at, found, Body::DelayDrift), out);
    }
}

const fn test(measure: Measure) -> CreepTest {
    CreepTest {
        values: DAYS as usize,
        least_values: REFERENCE * 3 / 2,
        reference: REFERENCE,
        slack: SLACK,
        most: MOST,
        bound: BOUND,
        now: WEEK as usize,
        least_scale: least_scale(measure),
        least_change: least_change(measure),
    }
}

/// The least change that is worth a look: a fifth, or a tenth of the blocks or transactions.
const fn least_change(measure: Measure) -> f64 {
    // ln 1.2.
    if measure.is_by_ratio() { 0.182_321_556_793_954_6 } else { 0.1 }
}

/// The days of the node's version beside the others.
fn judge(look: &Look<'_>, node: &NodeName, measure: Measure, day: u32) -> Option<Creep> {
    let history = look.network.history();
    let mut series = to_others(&history.series(node, measure, Grain::Day, day, DAYS));
    let (axis, places) = (measure.axis(), measure.axis().day());
    if let Some(since) = history.version_since(node, axis, (day + 1) * places - 1) {
        let days = (day + 1).saturating_sub(since.div_ceil(places)) as usize;
        let other = series.len().saturating_sub(days);
        series.iter_mut().take(other).for_each(|value| *value = None);
    }
    test(measure).judge(&series)
}

/// What is told, `None` if the node's own numbers have not risen, or if it became slow at once by so much that it is a slow node.
fn found(look: &Look<'_>, node: &NodeName, measure: Measure, day: u32, creep: &Creep) -> Option<Slowness> {
    let history = look.network.history();
    let first = (day + 1).saturating_sub(DAYS);
    let day_of = |place: usize| first + u32::try_from(place).unwrap_or_default();
    if is_shift(history, node, measure, creep, day_of) {
        return None;
    }
    let from = day_of(creep.from).min((day + 1).saturating_sub(WEEK));
    let axis = measure.axis();
    let stretch = Stretch { node, axis, grain: Grain::Day, from, last: day, now: WEEK, past: DAYS };
    let (own, risen) = stretch.own(history, measure)?;
    if risen < least_change(measure) / 2.0 {
        return None;
    }
    let (shape, factor_a_week) = match creep.shape {
        Shape::Step { at } => (Shape::Step { at: (day_of(at) * axis.day()) as usize }, None),
        Shape::Slope { per_place } => {
            let factor_a_week = measure.is_by_ratio().then(|| (per_place * f64::from(WEEK)).exp());
            (Shape::Slope { per_place: per_place / f64::from(axis.day()) }, factor_a_week)
        }
    };
    Some(Slowness {
        measure,
        extent: stretch.extent(),
        own,
        to_others: Beside {
            usual: measure.shown(creep.usual.median),
            now: measure.shown(creep.now),
            z: creep.usual.z(creep.now),
            rank: creep.rank,
            score: creep.score,
            shape: Some(shape),
        },
        factor_a_week,
        also: stretch.also(history, measure),
        version_change: stretch.version_change(history),
        over_at_us: None,
    })
}

/// Whether the node became slow at once, so that it is a slow node: where the sum began to grow, or at the best step, even if a
/// slope fits better, as it may for some days.
fn is_shift(
    history: &History,
    node: &NodeName,
    measure: Measure,
    creep: &Creep,
    day_of: impl Fn(usize) -> u32,
) -> bool {
    let places = [creep.from, creep.step];
    places.into_iter().any(|place| has_shifted(history, node, measure, day_of(place) * measure.axis().day()))
}
