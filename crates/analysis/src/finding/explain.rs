//! Findings about delays and clocks in words, for alerts and for people.

use super::{
    Before, Change, ClockDrift, ClockStep, Extent, Measure, Slowness, Unit, VersionChange, VersionComparison,
};
use crate::statistic::Rank;

impl Measure {
    /// What the number before it is.
    const fn words(self) -> &'static str {
        match self {
            Self::Arrival => "to tell of a block after the first node",
            Self::ArrivalScatter => "its median delay after the first node for one block in ten",
            Self::Reconstruction => "to complete a compact block",
            Self::Requests => "of compact blocks with a request for transactions",
            Self::Processing => "to connect a block",
            Self::Peers => "peers",
            Self::TxArrival => "to tell of a transaction after the first node",
            Self::TxScatter => "its median delay after the first node for one transaction in ten",
            Self::TxMissed => "of transactions that only others told of",
        }
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Us if value < 999.5 => format!("{value:.0} µs"),
            Self::Us if value < 999_500.0 => format!("{:.1} ms", value / 1e3),
            Self::Us => format!("{:.2} s", value / 1e6),
            Self::Ratio => format!("{value:.2} times"),
            Self::Share => format!("{:.0} %", value * 100.0),
            Self::Count => format!("{value:.0}"),
        }
    }
}

impl Change {
    /// `1.20 s to connect a block, usually 310 ms`.
    pub fn explain(&self) -> String {
        let [now, usual] = [self.now, self.usual].map(|value| self.unit.show(value));
        format!("{now} {}, usually {usual}", self.measure.words())
    }
}

impl Extent {
    /// `from height 960000 on`.
    fn explain(self) -> String {
        match self {
            Self::Heights { from, .. } => format!("from height {from} on"),
            Self::Hours { from_us, .. } => format!("from {from_us} on"),
        }
    }

    /// What is compared with the others'.
    const fn words(self) -> &'static str {
        match self {
            Self::Heights { .. } => "in the same blocks",
            Self::Hours { .. } => "in the same hours",
        }
    }
}

impl Slowness {
    /// What is so, how unusual it is, and what else has changed, in one sentence.
    pub fn explain(&self) -> String {
        let Self { own, to_others, extent, .. } = self;
        let beside = if self.measure.is_by_ratio() {
            format!(
                "{:.2} times the other nodes' {}, usually {:.2}",
                to_others.now,
                extent.words(),
                to_others.usual
            )
        } else {
            let [now, usual] = [to_others.now, to_others.usual].map(|share| share * 100.0);
            format!("{now:.0} points above the other nodes' {}, usually {usual:.0}", extent.words())
        };
        let slope = self
            .factor_a_week
            .map_or_else(String::new, |factor| format!(", {:+.1} % a week", (factor - 1.0) * 100.0));
        format!(
            "{} {}{slope}; {beside}, {:.1} standard deviations above that: {}; {}",
            extent.explain(),
            own.explain(),
            to_others.z,
            past(to_others.rank),
            self.cause()
        )
    }

    /// What else has changed then.
    fn cause(&self) -> String {
        let unusual = self.also.iter().filter(|change| change.is_unusual());
        let mut causes: Vec<String> = unusual.map(Change::explain).collect();
        if let Some(VersionChange { before, now, height }) = &self.version_change {
            causes.push(format!("{now} in place of {before} from height {height} on"));
        }
        if causes.is_empty() {
            return "nothing else that is measured of it has changed".to_owned();
        }
        format!("also {}", causes.join("; "))
    }
}

/// How often such a value came.
fn past(Rank { past, as_large }: Rank) -> String {
    match as_large {
        0 => format!("none of {past} stretches before was so high"),
        1 => format!("1 of {past} stretches before was so high"),
        _ => format!("{as_large} of {past} stretches before were so high"),
    }
}

impl VersionComparison {
    /// What is so, with the numbers that tell how sure that is.
    pub fn explain(&self) -> String {
        let [value, other] = [self.value, self.other_value].map(|value| self.unit.show(value));
        let before = self.before.as_ref().map_or_else(
            || "the nodes are not known from before".to_owned(),
            |Before { ratio, blocks, p, .. }| {
                format!("{ratio:.3} times in {blocks} blocks before, chance of the change {p:.1e}")
            },
        );
        format!(
            "{} took {value} {}, {} {other}: {:.3} times in {} blocks from height {} on, chance {:.1e}; {before}",
            self.version,
            self.measure.words(),
            self.other_version,
            self.ratio,
            self.pairs.pairs(),
            self.from_height,
            self.p
        )
    }
}

impl ClockStep {
    /// By how much, and how sure that is.
    pub fn explain(&self) -> String {
        let direction = if self.middle_us() < 0 { "back" } else { "forward" };
        let middle_s = self.middle_us() as f64 / 1e6;
        let bound_s = (self.most_us - self.least_us) as f64 / 2e6;
        format!(
            "set {direction} by {:.3} s ± {bound_s:.3} s, between two time exchanges {:.0} s apart",
            middle_s.abs(),
            self.within_us as f64 / 1e6
        )
    }
}

impl ClockDrift {
    /// How fast, and how sure that is.
    pub fn explain(&self) -> String {
        let direction = if self.gained_us < 0 { "loses" } else { "gains" };
        let [one, other] = [self.least_ppm, self.most_ppm].map(f64::abs);
        format!(
            "{direction} {:.0} to {:.0} parts per million on the server's: {:.0} ms or more in {:.0} minutes",
            one.min(other),
            one.max(other),
            self.gained_us.saturating_abs() as f64 / 1e3,
            self.within_us as f64 / 60e6
        )
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::ServerTime;

    use super::*;
    use crate::finding::Beside;

    fn change(measure: Measure, usual: f64, now: f64, z: f64) -> Change {
        Change { measure, unit: measure.unit(), usual, now, z, rank: Rank { past: 168, as_large: 0 } }
    }

    #[test]
    fn a_slow_node_is_told_with_what_else_has_changed() {
        let rank = Rank { past: 168, as_large: 1 };
        let found = Slowness {
            measure: Measure::Arrival,
            extent: Extent::Heights { from: 960_000, to: 960_047 },
            own: change(Measure::Arrival, 820_000.0, 4_100_000.0, 7.0),
            to_others: Beside { usual: 1.1, now: 4.9, z: 6.04, rank, score: 4.1, shape: None },
            factor_a_week: Some(1.052),
            also: vec![
                change(Measure::Requests, 0.12, 0.71, 9.0),
                change(Measure::Processing, 110.0, 111.0, 0.1),
                change(Measure::Peers, 10.0, 3.0, -14.0),
            ],
            version_change: None,
            over_at_us: None,
        };
        assert_eq!(
            found.explain(),
            "from height 960000 on 4.10 s to tell of a block after the first node, usually 820.0 ms, +5.2 % a week; 4.90 \
             times the other nodes' in the same blocks, usually 1.10, 6.0 standard deviations above that: 1 of 168 \
             stretches before was so high; also 71 % of compact blocks with a request for transactions, usually 12 %; 3 \
             peers, usually 10"
        );
        let hour = |hour: i64| ServerTime::from_micros(hour * 3_600_000_000);
        let extent = Extent::Hours { from_us: hour(490_000), to_us: hour(490_004) };
        let scatter = Slowness {
            measure: Measure::TxScatter,
            extent,
            own: change(Measure::TxScatter, 3.0, 9.5, 8.0),
            ..found.clone()
        };
        let expected = "from 2025-11-24T16:00:00.000000Z on 9.50 times its median delay after the first node for one transaction \
                        in ten, usually 3.00 times, +5.2 % a week; 4.90 times the other nodes' in the same hours, usually 1.10,";
        assert!(scatter.explain().starts_with(expected), "{}", scatter.explain());
        let alone = Slowness { also: Vec::new(), ..found };
        assert!(alone.explain().ends_with("nothing else that is measured of it has changed"));
    }

    #[test]
    fn a_clock_is_told_with_its_direction_and_bounds() {
        let step = ClockStep { least_us: -2_010_000, most_us: -1_990_000, within_us: 10_000_000 };
        assert_eq!(step.explain(), "set back by 2.000 s ± 0.010 s, between two time exchanges 10 s apart");
        let drift = ClockDrift {
            least_ppm: -210.0,
            most_ppm: -190.0,
            gained_us: -228_000,
            within_us: 1_200_000_000,
            over_at_us: None,
        };
        assert_eq!(
            drift.explain(),
            "loses 190 to 210 parts per million on the server's: 228 ms or more in 20 minutes"
        );
    }
}
