//! What is made to go wrong with one node, from a second on.

use super::random::Random;

const WEEK_S: f64 = 7.0 * 86_400.0;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) node: usize,
    pub(crate) from_s: f64,
    pub(crate) kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FaultKind {
    /// Every block comes so many seconds later.
    Late { s: f64 },
    /// Blocks take so many times as long to come, each week again.
    LaterEachWeek { factor: f64 },
    /// Every transaction comes so many seconds later.
    TxLate { s: f64 },
    /// Transactions take so many times as long to come, each week again.
    TxLaterEachWeek { factor: f64 },
    /// This share of the transactions takes so many times as long to come.
    TxScatter { share: f64, factor: f64 },
    /// This share of the transactions does not come.
    TxMissed { share: f64 },
    /// Blocks take so many times as long to connect.
    Slow { factor: f64 },
    /// The same, each week again.
    SlowerEachWeek { factor: f64 },
    /// The node is started with another version, which takes so many times as long to connect a block.
    Version { factor: f64 },
    /// The clock is set by so much, once.
    ClockStep { us: i64 },
    /// The clock gains so much.
    ClockDrift { ppm: f64 },
}

impl Fault {
    /// Weeks since it began, `None` before.
    fn weeks(&self, at_s: f64) -> Option<f64> {
        (at_s >= self.from_s).then_some((at_s - self.from_s) / WEEK_S)
    }

    /// How much later than usual a block comes that usually takes `delay_s`, in seconds.
    pub(super) fn later_s(&self, at_s: f64, delay_s: f64) -> f64 {
        match (self.kind, self.weeks(at_s)) {
            (FaultKind::Late { s }, Some(_)) => s,
            (FaultKind::LaterEachWeek { factor }, Some(weeks)) => delay_s * (factor.powf(weeks) - 1.0),
            _ => 0.0,
        }
    }

    /// How long a transaction takes to come that usually takes `delay_s`, in seconds; `unit` decides what chance does.
    pub(super) fn tx_delay_s(&self, at_s: f64, delay_s: f64, unit: f64) -> f64 {
        match (self.kind, self.weeks(at_s)) {
            (FaultKind::TxLate { s }, Some(_)) => delay_s + s,
            (FaultKind::TxLaterEachWeek { factor }, Some(weeks)) => delay_s * factor.powf(weeks),
            (FaultKind::TxScatter { share, factor }, Some(_)) if unit < share => delay_s * factor,
            _ => delay_s,
        }
    }

    /// The share of transactions that does not come, besides the usual.
    pub(super) fn missed(&self, at_s: f64) -> f64 {
        match (self.kind, self.weeks(at_s)) {
            (FaultKind::TxMissed { share }, Some(_)) => share,
            _ => 0.0,
        }
    }

    /// How many times as long as usual a block takes to connect.
    pub(super) fn slower(&self, at_s: f64) -> f64 {
        match (self.kind, self.weeks(at_s)) {
            (FaultKind::Slow { factor } | FaultKind::Version { factor }, Some(_)) => factor,
            (FaultKind::SlowerEachWeek { factor }, Some(weeks)) => factor.powf(weeks),
            _ => 1.0,
        }
    }

    /// What the node's clock has gained, in microseconds.
    pub(super) fn gained_us(&self, at_s: f64) -> f64 {
        match self.kind {
            FaultKind::ClockStep { us } if at_s >= self.from_s => us as f64,
            FaultKind::ClockDrift { ppm } if at_s >= self.from_s => (at_s - self.from_s) * ppm,
            _ => 0.0,
        }
    }
}

/// When each node is started with the next version, in order, somewhere in a world that lasts until `end_s`: `None` for one
/// that keeps its version.
pub(super) fn upgrades(random: &mut Random, nodes: usize, end_s: f64) -> Vec<Option<f64>> {
    let upgrade = |node| (node % 2 == 0).then(|| end_s * (0.2 + 0.6 * random.unit()));
    (0..nodes).map(upgrade).collect()
}
