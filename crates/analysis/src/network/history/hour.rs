//! One hour's transactions at one node.

use bmon_event::{NodeName, ServerTime, Source};

use super::{
    History,
    axis::{Axis, hour_of},
    course::Record,
};
use crate::{
    finding::Measure,
    network::NetworkState,
    spread::{NodeSpread, Spread},
};

/// Fewer transactions tell too little of an hour: with a hundred their median is known to some 10 %.
const LEAST: u64 = 100;
/// The first of four nodes hears of a transaction so long after it was sent, in microseconds, where half of all peers do after
/// 4.66 s and nine in ten after 14.1 s (KIT, measured from November 2024 to October 2025). What is compared is how long it was
/// on its way: to be first by chance is not to be infinitely faster.
pub(super) const BEFORE_FIRST_US: f64 = 2_000_000.0;
/// The hour's times are compared if most of them are known to so much, in microseconds, as with blocks.
const WIDEST_BOUND_US: f64 = 250_000.0;

/// What was measured of one node over the transactions of one hour.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TxHour {
    seen: u64,
    missed: u64,
    delays: Option<Delays>,
    sources: Vec<Source>,
}

/// How long after the first node it told of them, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Delays {
    median_us: f64,
    ninth_decile_us: f64,
}

/// The hours of one day.
pub(super) type TxHours = [Option<TxHour>; Axis::Hour.day() as usize];

impl TxHour {
    fn of(spread: &NodeSpread) -> Self {
        Self {
            seen: spread.seen,
            missed: spread.missed,
            delays: Delays::of(spread),
            sources: spread.delays.keys().copied().collect(),
        }
    }
}

impl Delays {
    fn of(spread: &NodeSpread) -> Option<Self> {
        let delay = spread.delay();
        let is_known = spread.bounds.quantile(0.5)? <= WIDEST_BOUND_US && delay.count() >= LEAST;
        is_known.then_some(Self { median_us: delay.quantile(0.5)?, ninth_decile_us: delay.quantile(0.9)? })
    }
}

impl Record for TxHours {
    const AXIS: Axis = Axis::Hour;

    fn of(&self, measure: Measure, place: u32) -> Option<f64> {
        let hour = self.get((place % Axis::Hour.day()) as usize)?.as_ref()?;
        let ln = |us: f64| (us + BEFORE_FIRST_US).ln();
        match measure {
            Measure::TxArrival => hour.delays.map(|delays| ln(delays.median_us)),
            Measure::TxScatter => hour.delays.map(|delays| ln(delays.ninth_decile_us) - ln(delays.median_us)),
            Measure::TxMissed => {
                let all = hour.seen + hour.missed;
                (all >= LEAST).then(|| hour.missed as f64 / all as f64)
            }
            _ => None,
        }
    }
}

impl History {
    fn put_hour(&mut self, hour: u32, spread: &Spread) {
        let day = Axis::Hour.day();
        for (node, of_node) in &spread.nodes {
            let hours = self.hours.records.entry((node.clone(), hour / day)).or_default();
            hours[(hour % day) as usize] = Some(TxHour::of(of_node));
        }
    }

    /// Whose word the times of a node's transactions in this hour are.
    pub(crate) fn tx_sources(&self, node: &NodeName, hour: u32) -> Vec<Source> {
        let hours = self.hours.records.get(&(node.clone(), hour / Axis::Hour.day()));
        let hour = hours.and_then(|hours| hours[(hour % Axis::Hour.day()) as usize].as_ref());
        hour.map(|hour| hour.sources.clone()).unwrap_or_default()
    }
}

impl NetworkState {
    /// Takes in the transactions of an hour as an earlier engine counted them in the end.
    pub(crate) fn restore_hour(&mut self, begun_at: ServerTime, spread: &Spread) {
        let hour = hour_of(begun_at);
        self.history.put_hour(hour, spread);
        self.history.hours.restore_to(hour + 1);
    }

    /// Takes in the hours before this one that are counted for good. One that is not among them had no transactions.
    pub(crate) fn measure_hours(&mut self, hours: &[(ServerTime, Spread)], before: ServerTime) {
        let (known, end) = (self.history.hours.next.unwrap_or_default(), hour_of(before));
        if known >= end {
            return;
        }
        for (begun_at, spread) in hours {
            let hour = hour_of(*begun_at);
            if (known..end).contains(&hour) {
                self.history.put_hour(hour, spread);
            }
        }
        self.history.hours.go_to(end);
    }
}
