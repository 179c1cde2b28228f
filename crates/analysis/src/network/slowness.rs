//! What is told of a node that is slower than it was: since when, how unusual that is, and what else has changed.

use std::collections::BTreeMap;

use bmon_event::{BlockHash, NodeName, ServerTime, Source};

use super::{Axis, Grain, History, Saying, Seen, Value, analysis::Look};
use crate::{
    finding::{Body, Change, DAY, Extent, FindingId, Measure, Slowness, VersionChange},
    row::Sighted,
    statistic::{Rank, Robust, median},
};

/// The least scale of what is compared as a ratio, of shares and of counts: 3 %, 3 % of the blocks, half a peer.
pub(super) const fn least_scale(measure: Measure) -> f64 {
    match measure {
        Measure::Peers => 0.5,
        _ => 0.03,
    }
}

/// A stretch of a node's history, in which it is slow, after one in which it was not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<'a> {
    pub(super) node: &'a NodeName,
    pub(super) axis: Axis,
    pub(super) grain: Grain,
    /// The first and the last stretch in which it is, by number.
    pub(super) from: u32,
    pub(super) last: u32,
    /// How many of the last of them tell how it is now.
    pub(super) now: u32,
    /// Stretches before that tell what is usual.
    pub(super) past: u32,
}

impl Stretch<'_> {
    pub(super) fn extent(&self) -> Extent {
        self.axis.extent(self.first_place(), self.last_place())
    }

    const fn first_place(&self) -> u32 {
        self.from * self.grain.places(self.axis)
    }

    const fn last_place(&self) -> u32 {
        (self.last + 1) * self.grain.places(self.axis) - 1
    }

    /// What the node did by itself in this measure, then and before. `None` if one of the two is not known.
    pub(super) fn change(&self, history: &History, measure: Measure) -> Option<Change> {
        self.own(history, measure).map(|(change, _)| change)
    }

    /// The same, and by how much it is more as it is compared.
    pub(super) fn own(&self, history: &History, measure: Measure) -> Option<(Change, f64)> {
        let own = |last: u32, count: u32| -> Vec<f64> {
            let series = history.series(self.node, measure, self.grain, last, count);
            series.into_iter().flatten().map(|value| value.own).collect()
        };
        let before = own(self.from.checked_sub(1)?, self.past);
        let usual = Robust::of(&before, least_scale(measure))?;
        let now = median(&own(self.last, self.now))?;
        let change = Change {
            measure,
            unit: measure.unit(),
            usual: measure.told(usual.median),
            now: measure.told(now),
            z: usual.z(now),
            rank: Rank::of(now, &before),
        };
        Some((change, now - usual.median))
    }

    /// The same of every other measure, about the same time.
    pub(super) fn also(&self, history: &History, measure: Measure) -> Vec<Change> {
        let others = Measure::ALL.into_iter().filter(|other| *other != measure);
        others.filter_map(|other| self.along(other.axis(), history)?.change(history, other)).collect()
    }

    /// The node's change of version since a day before it became slow, if there was one.
    pub(super) fn version_change(&self, history: &History) -> Option<VersionChange> {
        let blocks = self.along(Axis::Height, history)?;
        let (now, before, height) = history.last_change(self.node, blocks.last_place());
        let (now, before) = (now?, before?);
        (height + DAY >= blocks.first_place()).then(|| VersionChange {
            before: before.version.clone(),
            now: now.to_owned(),
            height,
        })
    }

    /// About the same time along this axis. `None` if nothing was measured then.
    fn along(&self, axis: Axis, history: &History) -> Option<Self> {
        if axis == self.axis {
            return Some(*self);
        }
        let place = |place| history.place_at(axis, history.time_of(self.axis, place)?);
        let places = self.grain.places(axis);
        let measured = (history.last(axis, Grain::Period)? + 1) * Grain::Period.places(axis);
        let last = ((place(self.last_place())?.min(measured - 1) + 1) / places).checked_sub(1)?;
        let from = (place(self.first_place())? / places).min(last);
        Some(Self { axis, from, last, now: self.now.min(last - from + 1), ..*self })
    }
}

/// The last stretch that was judged along each axis.
#[derive(Debug, Default)]
pub(super) struct Judged(BTreeMap<Axis, u32>);

impl Judged {
    /// Every stretch that has ended since the last call, with each node and what it can be slow in.
    pub(super) fn due(&mut self, history: &History, grain: Grain) -> Vec<(u32, NodeName, Measure)> {
        let mut due = Vec::new();
        for axis in Axis::ALL {
            let Some(last) = history.last(axis, grain) else { continue };
            let first = self.0.insert(axis, last).map_or(last, |judged| judged + 1);
            for stretch in first..=last {
                for node in history.nodes(axis) {
                    due.extend(Measure::slow_along(axis).map(|measure| (stretch, node.clone(), measure)));
                }
            }
        }
        due
    }
}

impl Slowness {
    /// That it is over since this stretch.
    pub(super) fn over(self, now: ServerTime, grain: Grain, last: u32) -> Self {
        let (axis, (from, _)) = (self.measure.axis(), self.extent.places());
        let extent = axis.extent(from, (last + 1) * grain.places(axis) - 1);
        Self { over_at_us: Some(now), extent, ..self }
    }
}

/// A slowness that was found now: of it nothing was said yet.
pub(super) fn begun(look: &Look<'_>, analysis: &str, node: &NodeName, found: &Slowness) -> (FindingId, Seen) {
    let subject = [node.as_str(), found.measure.as_str()].map(str::as_bytes);
    let from = found.extent.places().0.to_le_bytes();
    let id = FindingId::new(&look.network.network, analysis, &[subject[0], subject[1], &from]);
    (id, Seen { sighted: Sighted::by_server(look.now), is_told: true })
}

/// What is said of it. `body` makes a finding of one analysis or of another.
pub(super) fn saying(
    look: &Look<'_>,
    node: &NodeName,
    (id, seen): (FindingId, Seen),
    found: Slowness,
    body: fn(Box<Slowness>) -> Body,
) -> Saying {
    let (_, last) = found.extent.places();
    let sources = match found.measure.axis() {
        Axis::Height => sources(look, last),
        Axis::Hour => look.network.history().tx_sources(node, last),
    };
    Saying { id, node: Some(node.clone()), seen, sources, body: body(Box::new(found)) }
}

/// The series beside the others.
pub(super) fn to_others(series: &[Option<Value>]) -> Vec<Option<f64>> {
    series.iter().map(|value| (*value)?.to_others).collect()
}

/// The sources of what was measured of the block at this height.
pub(super) fn sources(look: &Look<'_>, height: u32) -> Vec<Source> {
    let block: Option<BlockHash> = look.network.tree().and_then(|tree| tree.ancestor(look.main, height));
    let sources = look.network.sources(block);
    if sources.is_empty() { vec![Source::Log] } else { sources }
}
