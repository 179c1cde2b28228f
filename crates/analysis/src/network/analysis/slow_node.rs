//! Nodes that have become slow: beside the others in the same blocks or hours, and by their own numbers, far above what both
//! were in the four weeks before.

use bmon_event::NodeName;

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Beside, Body, FindingId, Measure, Slowness},
    network::{
        Axis, Grain, History, Ledger, Seen,
        slowness::{Judged, Stretch, begun, least_scale, saying, to_others},
    },
    row::Row,
    statistic::{Shift, ShiftTest},
};

const ID: &str = "slow-node";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node has become slower than it was and than the others, in which stage of a block or with transactions, and what \
            else changed.",
    make: || Box::new(SlowNodes::default()),
};

/// Stretches at the end that are judged, three days; those before that tell what is usual, four weeks; and the fewest, one week.
const RECENT: u32 = 18;
const PAST: u32 = 168;
const LEAST_PAST: usize = 42;
/// Chosen in simulated honest years, see `docs/false-alarms.md`: one stretch ten and a half standard deviations above the
/// usual, or two that are six and a half above, or four that are four and a half.
const BOUND: f64 = 8.0;
/// A stretch ends it if it is nearer to the usual, and so is the one before.
const BACK: usize = 2;
/// After four weeks it is usual.
const USUAL: u32 = PAST;

/// What lets a value pass. Hours take more: what is left when hundreds of transactions are put together are slow changes, and
/// those make a run of values that are all a little above the usual.
const fn slack(measure: Measure) -> f64 {
    match measure.axis() {
        Axis::Height => 2.5,
        Axis::Hour => 3.0,
    }
}

/// The least shift that is worth a look: three quarters as long again, or three tenths of the blocks or transactions.
const fn least_shift(measure: Measure) -> f64 {
    // ln 1.75.
    if measure.is_by_ratio() { 0.559_615_787_935_422_7 } else { 0.3 }
}

/// Whether a node became slow at about this place, so that a step there is no news.
pub(super) fn has_shifted(history: &History, node: &NodeName, measure: Measure, place: u32) -> bool {
    let at = place / Grain::Period.places(measure.axis());
    (at.saturating_sub(RECENT)..at + RECENT).any(|period| {
        let series = to_others(&history.series(node, measure, Grain::Period, period, RECENT + PAST));
        let test = test(measure, RECENT);
        let last = series.last().copied().flatten();
        test.judge(&series).zip(last).is_some_and(|(shift, last)| test.is_alarm(&shift, last))
    })
}

#[derive(Debug, Default)]
struct SlowNodes {
    ledger: Ledger,
    judged: Judged,
}

impl NetworkAnalysis for SlowNodes {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        for (stretch, node, measure) in self.judged.due(look.network.history(), Grain::Period) {
            self.judge(look, &node, measure, stretch, out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl SlowNodes {
    fn judge(&mut self, look: &Look<'_>, node: &NodeName, measure: Measure, period: u32, out: &mut Vec<Row>) {
        match self.last(node, measure) {
            Some((at, found)) if found.over_at_us.is_none() => {
                if is_over(look, node, &found, period) {
                    let found = found.over(look.now, Grain::Period, period);
                    self.say(look, node, at, found, out);
                }
            }
            over => {
                let after = over.map_or(0, |(_, found)| periods(&found).1);
                self.begin(look, node, measure, period, after, out);
            }
        }
    }

    /// What was last said of the node in this measure.
    fn last(&self, node: &NodeName, measure: Measure) -> Option<((FindingId, Seen), Slowness)> {
        let said = |body: &Body| match body {
            Body::SlowNode(found) if found.measure == measure => Some((**found).clone()),
            _ => None,
        };
        let last = self.ledger.of_node(node, said).max_by_key(|(_, _, found)| found.extent.places());
        last.map(|(id, seen, found)| ((id, seen), found))
    }

    fn begin(
        &mut self,
        look: &Look<'_>,
        node: &NodeName,
        measure: Measure,
        period: u32,
        after: u32,
        out: &mut Vec<Row>,
    ) {
        let history = look.network.history();
        let recent = RECENT.min(period.saturating_sub(after)).max(1);
        let series = to_others(&history.series(node, measure, Grain::Period, period, recent + PAST));
        let test = test(measure, recent);
        let Some(shift) = test.judge(&series) else { return };
        let last = series.last().copied().flatten();
        if !last.is_some_and(|last| test.is_alarm(&shift, last)) {
            return;
        }
        let behind = u32::try_from(series.len() - 1 - shift.from).unwrap_or_default();
        let from = period.saturating_sub(behind);
        let (axis, grain, last) = (measure.axis(), Grain::Period, period);
        let stretch = Stretch { node, axis, grain, from, last, now: period - from + 1, past: PAST };
        let Some(found) = found(look, &stretch, measure, &shift) else { return };
        self.say(look, node, begun(look, ID, node, &found), found, out);
    }

    fn say(
        &mut self,
        look: &Look<'_>,
        node: &NodeName,
        at: (FindingId, Seen),
        found: Slowness,
        out: &mut Vec<Row>,
    ) {
        self.ledger.say(look.network.network, saying(look, node, at, found, Body::SlowNode), out);
    }
}

fn test(measure: Measure, recent: u32) -> ShiftTest {
    ShiftTest {
        recent: recent as usize,
        past: PAST as usize,
        least_past: LEAST_PAST,
        slack: slack(measure),
        bound: BOUND,
        least_scale: least_scale(measure),
        least_shift: least_shift(measure),
    }
}

/// What is told, `None` if the node's own numbers have not risen: then the others have become faster.
fn found(look: &Look<'_>, stretch: &Stretch<'_>, measure: Measure, shift: &Shift) -> Option<Slowness> {
    let history = look.network.history();
    let (own, risen) = stretch.own(history, measure)?;
    if risen < least_shift(measure) / 2.0 {
        return None;
    }
    let to_others = Beside {
        usual: measure.shown(shift.usual.median),
        now: measure.shown(shift.now),
        z: shift.z(),
        rank: shift.rank,
        score: shift.score,
        shape: None,
    };
    Some(Slowness {
        measure,
        extent: stretch.extent(),
        own,
        to_others,
        factor_a_week: None,
        also: stretch.also(history, measure),
        version_change: stretch.version_change(history),
        over_at_us: None,
    })
}

/// The first stretch and the last that it was found in, by number.
fn periods(found: &Slowness) -> (u32, u32) {
    let (from, to) = found.extent.places();
    let places = Grain::Period.places(found.measure.axis());
    (from / places, to / places)
}

/// Whether the node is as it was, or has been slow for so long that it is usual.
fn is_over(look: &Look<'_>, node: &NodeName, found: &Slowness, period: u32) -> bool {
    let (begun, last) = periods(found);
    if period >= begun + USUAL {
        return true;
    }
    let [usual, now] =
        [found.to_others.usual, found.to_others.now].map(|shown| found.measure.compared(shown));
    let series = look.network.history().series(node, found.measure, Grain::Period, period, PAST);
    let since: Vec<f64> = to_others(&series).into_iter().flatten().rev().take(BACK).collect();
    last < period && since.len() == BACK && since.iter().all(|value| *value < f64::midpoint(usual, now))
}
