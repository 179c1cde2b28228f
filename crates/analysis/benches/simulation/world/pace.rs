//! How long a node takes for a block: to complete it from its mempool, and to connect it.
//!
//! A compact block is complete after some 15 ms, or 130 ms where transactions had to be requested. Assumed, since no source tells
//! it: that three in ten have to, most of them at all nodes; that connecting one takes 120 ms, in which blocks differ more
//! than nodes do, with a heavy tail for what is written to disk meanwhile; and that a node has slow hours, in which it takes a
//! fifth to a half longer.
//!
//! What follows each other is alike: days have a correlation of 0.6 with the day before, in how long blocks take to a node, in
//! requests and in connecting.

use bmon_event::event::PeerInfo;

use super::{Block, World, random::Random};

const DAY_S: f64 = 86_400.0;
/// The step in which slow changes are drawn, and what is left of one after it: 0.6 after a day.
const STEP_S: f64 = DAY_S / 6.0;
const LEFT: f64 = 0.918_4;
/// The standard deviation of slow changes, of logarithms, and of the place at which a block needs a request.
const OF_DELAY: f64 = 0.15;
const OF_REQUESTS: f64 = 0.15;
const OF_CONNECTING: f64 = 0.1;

/// Part of the blocks that need a request, as a place of the standard normal law, and how much of that is the block's.
const REQUEST_ABOVE: f64 = 0.524;
const REQUEST_OF_BLOCK: f64 = 0.7;
const COMPLETE_US: f64 = 15_000.0;
const REQUESTED_US: f64 = 130_000.0;
const CONNECT_US: f64 = 120_000.0;
/// Part of the blocks while which something is written to disk, and the exponent of how many times as long that takes.
const WRITTEN: f64 = 0.02;
const TAIL: f64 = 0.6;
/// What sets the numbers of a block apart from those of time exchanges.
const OF_BLOCKS: u64 = 1 << 51;
/// Slow hours: how often, for how long on average, and how many times as long they make connecting.
const SPELL_EVERY_S: f64 = 15.0 * DAY_S;
const SPELL_S: f64 = 6.0 * 3_600.0;
const SPELL: [f64; 2] = [1.2, 1.5];

/// How one node does over time.
#[derive(Debug)]
pub(super) struct Pace {
    delay: Vec<f64>,
    requests: Vec<f64>,
    connecting: Vec<f64>,
    relay: Vec<f64>,
    spells: Vec<(f64, f64, f64)>,
}

/// How long a node took for one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) complete_us: i64,
    pub(super) requested: u32,
    pub(super) connect_us: u64,
}

impl Pace {
    pub(super) fn new(mut random: Random, end_s: f64) -> Self {
        let [delay, requests, connecting] =
            [OF_DELAY, OF_REQUESTS, OF_CONNECTING].map(|deviation| wander(&mut random, end_s, deviation));
        let (mut spells, mut at_s) = (Vec::new(), 0.0);
        while at_s < end_s {
            let from_s = at_s + random.exponential(SPELL_EVERY_S);
            at_s = from_s + random.exponential(SPELL_S);
            spells.push((from_s, at_s, SPELL[0] + random.unit() * (SPELL[1] - SPELL[0])));
        }
        let relay = wander(&mut random, end_s, OF_DELAY);
        Self { delay, requests, connecting, relay, spells }
    }

    /// How many times as long as usual blocks take to come to the node now.
    pub(super) fn delay(&self, at_s: f64) -> f64 {
        at(&self.delay, at_s).exp()
    }

    /// How many times as long as usual transactions take to come to the node now.
    pub(super) fn relay(&self, at_s: f64) -> f64 {
        at(&self.relay, at_s).exp() * self.spell(at_s)
    }

    /// How many times as long as usual things take in a slow hour; 1 in any other.
    fn spell(&self, at_s: f64) -> f64 {
        let next = self.spells.partition_point(|(from_s, ..)| *from_s <= at_s);
        let last = next.checked_sub(1).map(|last| self.spells[last]);
        last.filter(|(_, to_s, _)| at_s < *to_s).map_or(1.0, |(.., factor)| factor)
    }

    /// What the node takes for a block; `of_block` is the same at all nodes, `random` the node's own.
    pub(super) fn take(&self, at_s: f64, mut of_block: Random, mut random: Random) -> Taken {
        let unknown = of_block.normal() * REQUEST_OF_BLOCK.sqrt()
            + random.normal() * (1.0 - REQUEST_OF_BLOCK).sqrt()
            + at(&self.requests, at_s);
        let is_requested = unknown > REQUEST_ABOVE;
        let usual_us = if is_requested { REQUESTED_US } else { COMPLETE_US };
        let complete_us = usual_us * (random.normal() * 0.4).exp();
        let written = if random.is(WRITTEN) { random.unit().powf(-TAIL) * 2.0 } else { 1.0 };
        let connect_us = CONNECT_US
            * (of_block.normal() * 0.5 + random.normal() * 0.2 + at(&self.connecting, at_s)).exp()
            * self.spell(at_s)
            * written;
        Taken {
            complete_us: super::micros(complete_us),
            requested: if is_requested { 1 + u32::from(of_block.is(0.5)) * 12 } else { 0 },
            connect_us: super::micros(connect_us).unsigned_abs(),
        }
    }
}

impl World {
    /// When a block comes to a node; with slow changes, if `is_wandering`, which are for blocks that were published when they were
    /// found.
    pub(super) fn told_s(&self, node: usize, block: &Block, is_wandering: bool) -> f64 {
        let factor = if is_wandering { self.paces[node].delay(block.found_s) } else { 1.0 };
        let delay_s = (block.seen_s[node] - block.found_s) * factor;
        let later_s = self.nodes[node].fault.map_or(0.0, |fault| fault.later_s(block.found_s, delay_s));
        // As it is, and not by a sum that rounds.
        let usual_s = if is_wandering { block.found_s + delay_s } else { block.seen_s[node] };
        usual_s + later_s
    }

    /// What a node takes for a block that came at this time.
    pub(super) fn taken(&self, node: usize, block: usize, at_s: f64) -> Taken {
        let [of_block, mut of_node] = [0, node].map(|node| self.nodes[node].random(OF_BLOCKS + block as u64));
        let mut taken = self.paces[node].take(at_s, of_block, of_node.split());
        let slower = self.nodes[node].fault.map_or(1.0, |fault| fault.slower(at_s));
        taken.connect_us = super::micros(taken.connect_us as f64 * slower).unsigned_abs();
        taken
    }

    /// The peers of a node at this time: ten that it chose, and some that come and go.
    pub(crate) fn peers(&self, node: usize, at_s: f64) -> PeerInfo {
        let hour = super::micros(at_s / 3_600.0).unsigned_abs();
        let mut random = self.nodes[node].random((1 << 52) + hour);
        let inbound = u32::from(random.is(0.5)) + u32::from(random.is(0.5)) + 20;
        PeerInfo { inbound, outbound: 10, min_ping_us: None }
    }
}

/// A slow change around 0.
fn wander(random: &mut Random, end_s: f64, deviation: f64) -> Vec<f64> {
    let new = deviation * (1.0 - LEFT * LEFT).sqrt();
    let (mut values, mut value, mut at_s) = (Vec::new(), random.normal() * deviation, 0.0);
    while at_s < end_s {
        values.push(value);
        value = value * LEFT + random.normal() * new;
        at_s += STEP_S;
    }
    values
}

fn at(values: &[f64], at_s: f64) -> f64 {
    let place = super::micros(at_s / STEP_S).unsigned_abs();
    usize::try_from(place).ok().and_then(|place| values.get(place)).copied().unwrap_or_default()
}
