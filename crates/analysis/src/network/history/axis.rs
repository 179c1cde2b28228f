//! What is measured lies along heights or along hours, and is put together to stretches.

use bmon_event::ServerTime;

use crate::finding::{DAY, Extent, Measure};

const HOUR_US: i64 = 3_600 * 1_000_000;

/// Along what something is measured. A place is a height, or the number of an hour since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Axis {
    /// Heights of the main chain.
    Height,
    /// Hours of the server's clock.
    Hour,
}

/// How long a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grain {
    /// A sixth of a day: 24 heights or 4 hours.
    Period,
    /// 144 heights or 24 hours.
    Day,
}

impl Axis {
    pub(crate) const ALL: [Self; 2] = [Self::Height, Self::Hour];

    /// Places of a day: of blocks those that the difficulty aims at.
    pub(crate) const fn day(self) -> u32 {
        match self {
            Self::Height => DAY,
            Self::Hour => 24,
        }
    }

    /// From one place to another, both included.
    pub(in crate::network) fn extent(self, from: u32, to: u32) -> Extent {
        match self {
            Self::Height => Extent::Heights { from, to },
            Self::Hour => Extent::Hours { from_us: begin_of_hour(from), to_us: begin_of_hour(to + 1) },
        }
    }
}

impl Grain {
    /// Its places.
    pub(crate) const fn places(self, axis: Axis) -> u32 {
        match self {
            Self::Period => axis.day() / 6,
            Self::Day => axis.day(),
        }
    }
}

impl Measure {
    /// In what a node can be slow along this axis.
    pub(crate) fn slow_along(axis: Axis) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |measure| measure.axis() == axis && measure.is_slowness())
    }

    /// Along what it is measured.
    pub(crate) const fn axis(self) -> Axis {
        match self {
            Self::Arrival
            | Self::ArrivalScatter
            | Self::Reconstruction
            | Self::Requests
            | Self::Processing
            | Self::Peers => Axis::Height,
            Self::TxArrival | Self::TxScatter | Self::TxMissed => Axis::Hour,
        }
    }
}

impl Extent {
    /// The first place and the last.
    pub(crate) fn places(self) -> (u32, u32) {
        match self {
            Self::Heights { from, to } => (from, to),
            Self::Hours { from_us, to_us } => (hour_of(from_us), hour_of(to_us).saturating_sub(1)),
        }
    }
}

/// The number of the hour that a time is in; 0 before 1970.
pub(super) fn hour_of(at: ServerTime) -> u32 {
    u32::try_from(at.as_micros().div_euclid(HOUR_US)).unwrap_or_default()
}

pub(super) fn begin_of_hour(hour: u32) -> ServerTime {
    ServerTime::from_micros(i64::from(hour) * HOUR_US)
}
