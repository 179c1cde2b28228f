//! Versions beside each other in the same blocks: each day anew over up to two weeks, for every two versions that nodes run.
//!
//! Two nodes differ by more than their versions. So a difference is an alarm only where the same nodes stood otherwise to
//! each other before one of them came to its version.

use std::collections::{BTreeMap, BTreeSet};

use bmon_event::NodeName;

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Before, Body, DAY, FindingId, Measure, VersionComparison},
    network::{Axis, Grain, History, Ledger, Saying, Seen, slowness::sources},
    row::{Row, Sighted},
    selfish::law::at_least_of,
    statistic::{Robust, SignTest, mean, median},
};

const ID: &str = "version-comparison";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "How two versions compare in the same blocks: arrival, reconstruction and processing, with an exact sign test.",
    make: || Box::new(VersionComparisons { ledger: Ledger::default(), judged: None }),
};

/// Heights that are compared at most: two weeks on main, as far before a change of version as since.
const WINDOW: u32 = 2_016;
/// Blocks that both versions must have measured, now and before.
const LEAST_BLOCKS: u32 = 288;
/// What makes it an alarm: by so much more than before, as a ratio or of a share, so unlikely without a change, and so many
/// standard errors of the days above those before. Blocks that follow each other are alike, so that the chance alone is too
/// small: how the days scatter tells what a node does by itself.
const LEAST_RATIO: f64 = 1.05;
const LEAST_SHARE: f64 = 0.05;
const MOST_CHANCE: f64 = 1e-6;
const LEAST_Z: f64 = 3.0;
/// What is an alarm stays one while it is half as far above, so that it does not come and go with the days.
const LASTING_Z: f64 = LEAST_Z / 2.0;
/// So many days tell as much as one that has nothing to do with the day before: (1 + r) / (1 − r), for a correlation r of 0.6
/// from day to day.
const ALIKE: f64 = 4.0;
/// Blocks that a day must have to count, and the least scale of days, of a ratio or a share.
const OF_DAY: usize = 48;
/// Days before a change of version that it takes.
const LEAST_DAYS: usize = 5;
const LEAST_SCALE: f64 = 0.01;

#[derive(Debug)]
struct VersionComparisons {
    ledger: Ledger,
    /// The last day that was judged.
    judged: Option<u32>,
}

/// Nodes that run one version now.
struct Group<'a> {
    version: &'a str,
    nodes: Vec<NodeName>,
    /// The height from which on all of them do, and whether one ran another before.
    since: u32,
    has_changed: bool,
}

impl NetworkAnalysis for VersionComparisons {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        let Some(last) = look.network.history().last(Axis::Height, Grain::Day) else { return };
        for day in self.judged.map_or(last, |judged| judged + 1)..=last {
            self.judge(look, day, out);
        }
        self.judged = self.judged.max(Some(last));
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl VersionComparisons {
    fn judge(&mut self, look: &Look<'_>, day: u32, out: &mut Vec<Row>) {
        let (history, last) = (look.network.history(), (day + 1) * DAY - 1);
        let mut groups = groups(history, last);
        // Of two the one that came later comes first.
        groups.sort_by(|one, other| {
            (other.has_changed, other.since, other.version).cmp(&(one.has_changed, one.since, one.version))
        });
        let mut said = BTreeSet::new();
        for (place, group) in groups.iter().enumerate() {
            for other in groups.iter().skip(place + 1) {
                for measure in Measure::OF_EACH_BLOCK {
                    let Some(mut found) = compare(history, measure, [group, other], last) else { continue };
                    found.is_alarm = is_alarm(&found, self.was_alarm(look, &found));
                    said.insert(self.say(look, found, None, out));
                }
            }
        }
        self.end(look, &said, out);
    }

    fn was_alarm(&self, look: &Look<'_>, found: &VersionComparison) -> bool {
        let before = self.ledger.get(&id(look, found)).map(|before| &before.body);
        matches!(before, Some(Body::VersionComparison(before)) if before.is_alarm)
    }

    /// What is no more compared is no alarm.
    fn end(&mut self, look: &Look<'_>, said: &BTreeSet<FindingId>, out: &mut Vec<Row>) {
        let open: Vec<_> =
            self.ledger.iter().filter(|finding| !said.contains(&finding.id)).cloned().collect();
        for finding in open {
            if let Body::VersionComparison(found) = finding.body
                && found.is_alarm
            {
                let found = VersionComparison { is_alarm: false, ..*found };
                self.say(look, found, Some(finding.sighted), out);
            }
        }
    }

    /// Says how it stands with two versions. What has become an alarm keeps the time at which it did.
    fn say(
        &mut self,
        look: &Look<'_>,
        found: VersionComparison,
        at: Option<Sighted>,
        out: &mut Vec<Row>,
    ) -> FindingId {
        let id = id(look, &found);
        let before = self.ledger.get(&id).filter(|before| {
            matches!(&before.body, Body::VersionComparison(before) if before.is_alarm == found.is_alarm)
        });
        let sighted = at.or(before.map(|before| before.sighted)).unwrap_or(Sighted::by_server(look.now));
        let seen = Seen { sighted, is_told: true };
        let sources = sources(look, found.to_height);
        let body = Body::VersionComparison(Box::new(found));
        self.ledger.say(look.network.network, Saying { id, node: None, seen, sources, body }, out);
        id
    }
}

/// The id of what is said of these two versions in this measure.
fn id(look: &Look<'_>, found: &VersionComparison) -> FindingId {
    let mut versions = [found.version.as_bytes(), found.other_version.as_bytes()];
    versions.sort_unstable();
    let subject = [found.measure.as_str().as_bytes(), versions[0], versions[1]];
    FindingId::new(&look.network.network, ID, &subject)
}

/// Whether the first version is slower than its nodes were before, by enough and surely enough to be its doing.
fn is_alarm(found: &VersionComparison, was_alarm: bool) -> bool {
    let Some(before) = &found.before else { return false };
    let more = (found.value - found.other_value) - (before.value - before.other_value);
    found.to_height < before.to_height + 1 + WINDOW
        && found.ratio >= LEAST_RATIO * before.ratio
        && (found.measure.is_by_ratio() || more >= LEAST_SHARE)
        && before.p < MOST_CHANCE
        && before.z >= if was_alarm { LASTING_Z } else { LEAST_Z }
}

/// The nodes by the version that they run at this height.
fn groups(history: &History, height: u32) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for node in history.nodes(Axis::Height) {
        let (version, before, since) = history.last_change(&node, height);
        let Some(version) = version else { continue };
        let group = groups.entry(version).or_insert_with(|| Group {
            version,
            nodes: Vec::new(),
            since: 0,
            has_changed: false,
        });
        group.nodes.push(node);
        group.since = group.since.max(since);
        group.has_changed |= before.is_some();
    }
    groups.into_values().collect()
}

/// How the first group compares with the other up to the height `last`. `None` if too few blocks were measured by both.
fn compare(
    history: &History,
    measure: Measure,
    [one, other]: [&Group<'_>; 2],
    last: u32,
) -> Option<VersionComparison> {
    let since = one.since.max(other.since);
    let from_height = since.max((last + 1).saturating_sub(WINDOW));
    let now = Pairs::of(history, measure, [one, other], from_height, last);
    let (value, other_value) = now.values().filter(|_| now.count() >= LEAST_BLOCKS)?;
    let has_changed = one.has_changed || other.has_changed;
    let before = since.checked_sub(1).filter(|_| has_changed).and_then(|last| {
        let from_height = since.saturating_sub(WINDOW);
        now.before(&Pairs::of(history, measure, [one, other], from_height, last), from_height, last)
    });
    let (pairs, ratio) = (now.signs(), ratio(value, other_value));
    Some(VersionComparison {
        measure,
        version: one.version.to_owned(),
        nodes: one.nodes.clone(),
        other_version: other.version.to_owned(),
        other_nodes: other.nodes.clone(),
        from_height,
        to_height: last,
        unit: measure.unit(),
        value,
        other_value,
        ratio,
        pairs,
        p: pairs.chance(),
        before,
        is_alarm: false,
    })
}

/// What two groups of nodes measured of the same blocks, as it is compared.
struct Pairs {
    measure: Measure,
    /// By height.
    values: Vec<(u32, f64, f64)>,
}

impl Pairs {
    fn of(
        history: &History,
        measure: Measure,
        [one, other]: [&Group<'_>; 2],
        from_height: u32,
        to_height: u32,
    ) -> Self {
        let of_group = |group: &Group<'_>, height: u32| {
            let of_node = |node| history.of_block(node, measure, height);
            median(&group.nodes.iter().filter_map(of_node).collect::<Vec<_>>())
        };
        let pair = |height| Some((height, of_group(one, height)?, of_group(other, height)?));
        Self { measure, values: (from_height..=to_height).filter_map(pair).collect() }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    fn differences(&self) -> Vec<f64> {
        self.values.iter().map(|(_, one, other)| one - other).collect()
    }

    fn signs(&self) -> SignTest {
        SignTest::of(self.differences())
    }

    /// Both medians, of shares both means, in the measure's unit. `None` of no pairs.
    fn values(&self) -> Option<(f64, f64)> {
        let (one, other): (Vec<f64>, Vec<f64>) =
            self.values.iter().map(|(_, one, other)| (*one, *other)).unzip();
        Some(if self.measure.is_by_ratio() {
            (median(&one)?.exp(), median(&other)?.exp())
        } else {
            (mean(&one)?, mean(&other)?)
        })
    }

    /// How the same nodes stood before, and how likely these pairs are if nothing has changed since.
    fn before(&self, before: &Self, from_height: u32, to_height: u32) -> Option<Before> {
        let (value, other_value) = before.values().filter(|_| before.count() >= LEAST_BLOCKS)?;
        let p = if self.measure.is_by_ratio() {
            let usual = median(&before.differences())?;
            SignTest::of(self.differences().into_iter().map(|difference| difference - usual)).chance()
        } else {
            // Of the blocks in which the two differ, as large a part would be the first one's.
            let (usual, now) = (before.signs(), self.signs());
            let differ = f64::from(usual.larger + usual.smaller);
            let chance = (f64::from(usual.larger) + 1.0) / (differ + 2.0);
            2.0 * at_least_of(now.larger, now.larger + now.smaller, chance)
        };
        let (blocks, ratio) = (before.count(), ratio(value, other_value));
        let z = self.z(before);
        Some(Before { from_height, to_height, blocks, value, other_value, ratio, p: p.min(1.0), z })
    }

    /// How many standard errors the days lie above those before: 0 if there are too few to tell.
    fn z(&self, before: &Self) -> f64 {
        let (usual, now) = (before.days(), self.days());
        let (Some(usual_middle), Some(now_middle)) = (median(&usual), median(&now)) else { return 0.0 };
        if usual.len() < LEAST_DAYS {
            return 0.0;
        }
        let about = |days: &[f64], middle: f64| days.iter().map(|day| day - middle).collect::<Vec<f64>>();
        let scatter = [about(&usual, usual_middle), about(&now, now_middle)].concat();
        let Some(Robust { scale, .. }) = Robust::of(&scatter, LEAST_SCALE) else { return 0.0 };
        (now_middle - usual_middle) / (scale * (ALIKE / usual.len() as f64 + ALIKE / now.len() as f64).sqrt())
    }

    /// The difference of each day.
    fn days(&self) -> Vec<f64> {
        let day = |one: &(u32, f64, f64), other: &(u32, f64, f64)| one.0 / DAY == other.0 / DAY;
        let days = self.values.chunk_by(day).filter(|day| day.len() >= OF_DAY);
        let middle = |day: &[(u32, f64, f64)]| {
            let differences: Vec<f64> = day.iter().map(|(_, one, other)| one - other).collect();
            if self.measure.is_by_ratio() { median(&differences) } else { mean(&differences) }
        };
        days.filter_map(middle).collect()
    }
}

/// The one through the other. Shares can be 0: what no block had, one in ten thousand may have.
fn ratio(one: f64, other: f64) -> f64 {
    one.max(1e-4) / other.max(1e-4)
}
