//! The nodes that watch: when they are away, where their clocks stand, and how well that is known.

use std::f64::consts::TAU;

use bmon_event::ServerTime;

use super::{fault::Fault, random::Random, second, server};

const DAY_S: f64 = 86_400.0;
/// A node is restarted or cut off this often and for so long on average.
const OUTAGE_EVERY_S: f64 = 30.0 * DAY_S;
const OUTAGE_S: f64 = 3_600.0;
/// For so long after that a caller leaves it out.
const CATCHING_UP_S: f64 = 600.0;
/// A node's clock is not known this often and for so long on average.
const CLOCKLESS_EVERY_S: f64 = 15.0 * DAY_S;
const CLOCKLESS_S: f64 = 1_800.0;
/// Farthest that a clock is from the server's.
const OFFSET_US: f64 = 500_000.0;
/// How far a clock swings about right, and how long that takes: 3 parts per million at most.
const SWING_US: f64 = 5_000.0;
const SWING_S: f64 = 3.0 * 3_600.0;
/// One way of a time exchange on average, on most ways and on a bad one.
const WAY_US: f64 = 20_000.0;
const BAD_WAY_US: f64 = 500_000.0;
const BAD_WAYS: f64 = 0.01;

#[derive(Debug)]
pub(crate) struct Node {
    seed: u64,
    /// Server's clock minus the node's, on average.
    offset_us: i64,
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
    outages: Vec<Span>,
    clockless: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from_s: f64,
    to_s: f64,
}

/// A stretch of time in which a node sees nothing, or is not heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
    pub(crate) trouble: Trouble,
}

/// What an outage is. Each in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The node was restarted.
    Stopped,
    /// It had no peers.
    CutOff,
    /// Its agent did not run, or did not reach the server: what it tells comes late.
    Unheard,
}

/// An interval, in microseconds, that holds the server's clock minus a node's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) min_us: i64,
    pub(crate) max_us: i64,
}

impl Node {
    /// A node of a world that lasts until `end_s`.
    pub(crate) fn new(mut random: Random, end_s: f64) -> Self {
        let offset_us = micros((random.unit() * 2.0 - 1.0) * OFFSET_US);
        let outages = spans(&mut random, end_s, OUTAGE_EVERY_S, OUTAGE_S);
        let clockless = spans(&mut random, end_s, CLOCKLESS_EVERY_S, CLOCKLESS_S);
        Self { seed: random.bits(), offset_us, fault: None, outages, clockless }
    }

    /// Server's clock minus the node's at this time: it is set right all the time, and swings about right.
    pub(crate) fn offset_us(&self, at_s: f64) -> i64 {
        let swing_us = SWING_US * (TAU * at_s / SWING_S).sin();
        let gained_us = self.fault.map_or(0.0, |fault| fault.gained_us(at_s));
        self.offset_us + micros(swing_us - gained_us)
    }

    /// Numbers that have to do with this node and `what` alone.
    pub(super) const fn random(&self, what: u64) -> Random {
        Random::new(self.seed ^ what.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    /// All outages, in order.
    pub(crate) fn outages(&self) -> impl Iterator<Item = Outage> {
        let troubles = [Trouble::Stopped, Trouble::CutOff, Trouble::Unheard].into_iter().cycle();
        let outage =
            |(span, trouble): (&Span, Trouble)| Outage { from_s: span.from_s, to_s: span.to_s, trouble };
        self.outages.iter().zip(troubles).map(outage)
    }

    /// The outage that this time is in, `None` if it is in none.
    pub(crate) fn outage(&self, at_s: f64) -> Option<Outage> {
        let span = find(&self.outages, at_s, 0.0)?;
        self.outages().find(|outage| outage.from_s.total_cmp(&span.from_s).is_eq())
    }

    /// When the server hears what is sent at this time.
    pub(crate) fn heard_at(&self, sent: ServerTime) -> ServerTime {
        match self.outage(second(sent)) {
            Some(Outage { trouble: Trouble::Unheard, to_s, .. }) => server(to_s).max(sent),
            _ => sent,
        }
    }

    /// Whether it follows the network at this time, as far as a caller can tell.
    pub(crate) fn is_following(&self, at_s: f64) -> bool {
        find(&self.outages, at_s, CATCHING_UP_S).is_none()
    }

    /// What is known of its clock when it sees this block then, `None` if nothing is.
    pub(crate) fn clock(&self, block: usize, at_s: f64) -> Option<Bounds> {
        if find(&self.clockless, at_s, 0.0).is_some() {
            return None;
        }
        let mut random = self.random(block as u64);
        let way_us = if random.is(BAD_WAYS) { BAD_WAY_US } else { WAY_US };
        let [out_us, back_us] = [(); 2].map(|()| micros(random.exponential(way_us)) + 1_000);
        let offset_us = self.offset_us(at_s);
        Some(Bounds { min_us: offset_us - back_us, max_us: offset_us + out_us })
    }
}

/// The span that holds a time, or ended less than `margin_s` before it.
fn find(spans: &[Span], at_s: f64, margin_s: f64) -> Option<Span> {
    let next = spans.partition_point(|span| span.from_s <= at_s);
    let span = *spans[..next].last()?;
    (at_s < span.to_s + margin_s).then_some(span)
}

fn spans(random: &mut Random, end_s: f64, every_s: f64, length_s: f64) -> Vec<Span> {
    let (mut spans, mut at_s) = (Vec::new(), 0.0);
    while at_s < end_s {
        let from_s = at_s + random.exponential(every_s);
        at_s = from_s + random.exponential(length_s);
        spans.push(Span { from_s, to_s: at_s });
    }
    spans
}

#[expect(clippy::cast_possible_truncation, reason = "a simulation ends long before its time is too large")]
pub(crate) fn micros(us: f64) -> i64 {
    us.round() as i64
}
