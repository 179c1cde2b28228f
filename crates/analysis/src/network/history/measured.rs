//! One block at one node.

use bmon_event::{BlockHash, NodeName, ServerTime};

use super::{axis::Axis, course::Record};
use crate::{
    finding::{BlockTimes, Measure, VersionFrom},
    network::{NetworkState, passage::Passage},
    selfish::{Seen, Sight},
    statistic::ln_at_least,
};

/// Times of nodes are compared if the server knows each to so much, in microseconds: on a way around the earth and back an
/// exchange leaves 300 ms open.
const WIDEST_US: i64 = 500_000;
/// Delays between nodes below this are alike: clocks are known no better.
const LEAST_ARRIVAL_US: f64 = 50_000.0;
/// Durations on one clock below this are alike.
const LEAST_DURATION_US: f64 = 1_000.0;

/// What was measured of one block at one node; `None` is what was not.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    arrival_us: Option<u32>,
    reconstruction_us: Option<u32>,
    requested: Option<u32>,
    processing_us: Option<u32>,
    peers: Option<u32>,
    version: Option<String>,
}

impl Measured {
    /// As it is compared: of what is compared by ratio the logarithm, of requests whether there was any.
    pub(super) fn of(&self, measure: Measure) -> Option<f64> {
        let ln = |us: Option<u32>, least_us| Some(ln_at_least(f64::from(us?), least_us));
        match measure {
            Measure::Arrival | Measure::ArrivalScatter => ln(self.arrival_us, LEAST_ARRIVAL_US),
            Measure::Reconstruction => ln(self.reconstruction_us, LEAST_DURATION_US),
            Measure::Processing => ln(self.processing_us, LEAST_DURATION_US),
            Measure::Requests => Some(f64::from(u8::from(self.requested? > 0))),
            Measure::Peers => Some(f64::from(self.peers?)),
            Measure::TxArrival | Measure::TxScatter | Measure::TxMissed => None,
        }
    }
}

impl Record for BlockTimes {
    const AXIS: Axis = Axis::Height;

    fn of(&self, measure: Measure, place: u32) -> Option<f64> {
        self.measured(place).of(measure)
    }
}

impl BlockTimes {
    /// Heights from the first to the last that was measured.
    pub(in crate::network) fn length(&self) -> u32 {
        u32::try_from(self.arrival_us.len()).unwrap_or(u32::MAX)
    }

    /// Of the heights below this one.
    pub(in crate::network) fn until(&self, height: u32) -> Self {
        let length = height.saturating_sub(self.from_height) as usize;
        let mut times = self.clone();
        for list in times.lists() {
            list.truncate(length);
        }
        times.versions.retain(|told| told.height < height);
        times
    }

    /// Whether anything was measured.
    pub(in crate::network) fn is_known(&self) -> bool {
        let lists =
            [&self.arrival_us, &self.reconstruction_us, &self.requested, &self.processing_us, &self.peers];
        lists.into_iter().any(|list| list.iter().any(Option::is_some))
    }

    const fn lists(&mut self) -> [&mut Vec<Option<u32>>; 5] {
        [
            &mut self.arrival_us,
            &mut self.reconstruction_us,
            &mut self.requested,
            &mut self.processing_us,
            &mut self.peers,
        ]
    }

    /// What was measured of the block of this height.
    pub(super) fn measured(&self, height: u32) -> Measured {
        let place = height.wrapping_sub(self.from_height) as usize;
        let at = |list: &[Option<u32>]| list.get(place).copied().flatten();
        Measured {
            arrival_us: at(&self.arrival_us),
            reconstruction_us: at(&self.reconstruction_us),
            requested: at(&self.requested),
            processing_us: at(&self.processing_us),
            peers: at(&self.peers),
            version: None,
        }
    }

    /// Takes in what was measured of the block of this height, which is above all before.
    pub(super) fn put(&mut self, height: u32, measured: Measured) {
        self.fill(height);
        self.arrival_us.push(measured.arrival_us);
        self.reconstruction_us.push(measured.reconstruction_us);
        self.requested.push(measured.requested);
        self.processing_us.push(measured.processing_us);
        self.peers.push(measured.peers);
        if let Some(version) = measured.version
            && self.versions.last().is_none_or(|last| last.version != version)
        {
            self.versions.push(VersionFrom { height, version });
        }
    }

    /// Notes that nothing more was measured below this height.
    pub(super) fn fill(&mut self, height: u32) {
        let length = height.saturating_sub(self.from_height) as usize;
        for list in self.lists() {
            list.resize(list.len().max(length), None);
        }
    }
}

impl NetworkState {
    /// What is measured of the block at each node that was following.
    pub(super) fn measured(&self, block: BlockHash, now: ServerTime) -> Vec<(NodeName, Measured)> {
        let Some(seen) = self.seen_block(block, now) else { return Vec::new() };
        let nodes = || self.members().keys().zip(&seen.nodes);
        let times: Vec<i64> = nodes().filter_map(|(_, sight)| middle_us(sight)).collect();
        let first_us = times.iter().min().copied().filter(|_| times.len() > 1);
        let of_node = |(node, sight): (&NodeName, &Sight)| {
            let arrival_us = middle_us(sight).zip(first_us).map(|(at, first)| at - first);
            let passage = self.passages.get(block, node);
            let version = passage.and_then(|passage| passage.version.clone());
            (
                node.clone(),
                Measured {
                    arrival_us: arrival_us.map(clipped),
                    reconstruction_us: passage.and_then(Passage::reconstruction_us).map(clipped),
                    requested: passage.and_then(Passage::requested),
                    processing_us: passage.and_then(Passage::processing_us).map(clipped),
                    peers: passage.and_then(|passage| passage.peers),
                    version,
                },
            )
        };
        let is_following =
            |(_, sight): &(&NodeName, &Sight)| matches!(sight, Sight::Seen(_) | Sight::ClockUnknown);
        nodes().filter(is_following).map(of_node).collect()
    }
}

/// When a node saw the block, if that is known well enough.
fn middle_us(sight: &Sight) -> Option<i64> {
    let Sight::Seen(Seen { earliest, latest }) = sight else { return None };
    let is_known = latest.micros_since(*earliest) <= WIDEST_US;
    is_known.then(|| earliest.as_micros().midpoint(latest.as_micros()))
}

fn clipped<T: TryInto<u32>>(us: T) -> u32 {
    us.try_into().unwrap_or(u32::MAX)
}
