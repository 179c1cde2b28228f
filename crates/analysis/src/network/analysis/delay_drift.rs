//! Nodes that become slow bit by bit: a cumulative sum of days beside the others, against the days with which the last sixteen
//! weeks, or the node's version, began.

use bmon_event::NodeName;

use super::{Declaration, Look, NetworkAnalysis, slow_node::has_shifted};
use crate::{
    finding::{Beside, Body, DAY, FindingId, Measure, Slowness},
    network::{
        DAYS, Grain, History, Ledger, Seen,
        slowness::{Stretch, begun, compared, least_scale, saying, shown, to_others},
    },
    row::Row,
    statistic::{Creep, CreepTest, Shape},
};

const ID: &str = "delay-drift";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node becomes slower bit by bit than it was and than the others, in which stage of a block, and how fast.",
    make: || Box::new(DelayDrifts { ledger: Ledger::default(), judged: None }),
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

#[derive(Debug)]
struct DelayDrifts {
    ledger: Ledger,
    /// The last day that was judged.
    judged: Option<u32>,
}

impl NetworkAnalysis for DelayDrifts {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        let history = look.network.history();
        let days = history.last_period().map(|last| (last + 1) * Grain::Period.heights() / DAY);
        let Some(last) = days.and_then(|days| days.checked_sub(1)) else { return };
        for day in self.judged.map_or(last, |judged| judged + 1)..=last {
            for node in history.nodes() {
                for measure in Measure::SLOW {
                    self.judge(look, &node, measure, day, out);
                }
            }
        }
        self.judged = self.judged.max(Some(last));
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
                let to_height = (day + 1) * DAY - 1;
                let found = Slowness { over_at_us: Some(look.now), to_height, ..found };
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

/// The least change that is worth a look: a fifth, or a tenth of the blocks.
const fn least_change(measure: Measure) -> f64 {
    // ln 1.2.
    if measure.is_duration() { 0.182_321_556_793_954_6 } else { 0.1 }
}

/// The days of the node's version beside the others.
fn judge(look: &Look<'_>, node: &NodeName, measure: Measure, day: u32) -> Option<Creep> {
    let history = look.network.history();
    let mut series = to_others(&history.series(node, measure, Grain::Day, day, DAYS));
    let (_, before, since) = history.last_change(node, (day + 1) * DAY - 1);
    if before.is_some() {
        let days = (day + 1).saturating_sub(since.div_ceil(DAY)) as usize;
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
    let stretch = Stretch { node, grain: Grain::Day, from, last: day, now: WEEK, past: DAYS };
    let own = stretch.change(history, measure)?;
    if compared(measure, own.now) - compared(measure, own.usual) < least_change(measure) / 2.0 {
        return None;
    }
    let (shape, factor_a_week) = match creep.shape {
        Shape::Step { at } => (Shape::Step { at: (day_of(at) * DAY) as usize }, None),
        Shape::Slope { per_place } => {
            let per_place = per_place / f64::from(DAY);
            (Shape::Slope { per_place }, measure.is_duration().then(|| (per_place * 1_008.0).exp()))
        }
    };
    Some(Slowness {
        measure,
        from_height: stretch.first_height(),
        to_height: stretch.last_height(),
        own,
        to_others: Beside {
            usual: shown(measure, creep.usual.median),
            now: shown(measure, creep.now),
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
    places.into_iter().any(|place| has_shifted(history, node, measure, day_of(place) * DAY))
}
