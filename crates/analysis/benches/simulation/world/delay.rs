//! How long a block takes to others.
//!
//! From its first announcement a block reaches 50 % of peers in 1.11 s, 90 % in 3.57 s and 99 % in 14.7 s (KIT, measured
//! from November 2024 to October 2025). The tail is heavier than what goes through the first two.
//!
//! Assumed, since no source tells it: how much of a delay is the block's own (a block with unknown transactions is slow to
//! everyone) and how much each receiver's; and that pools hear of blocks in half of a peer's time, which is chosen so that
//! stale blocks come out as often as on the network.

use super::random::Random;

const LAW: Law = Law([1.11, 3.57, 14.7]);
/// The standard normal law's points for 90 % and 99 %.
const Z90: f64 = 1.281_552;
const Z99: f64 = 2.326_348;

/// Share of the variance of a delay's logarithm that is the block's.
const OF_THE_BLOCK: f64 = 0.4;
/// A pool's delay as part of a peer's.
const OF_A_POOL: f64 = 0.5;
/// What a block that is published together with its parent takes longer on average.
const BEHIND_PARENT_S: f64 = 0.1;

/// A law of delays, lognormal through three points: what goes through two of them misses the third. The seconds after which
/// 50 %, 90 % and 99 % are over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law(pub(super) [f64; 3]);

impl Law {
    /// The delay that stands at this place of a standard normal law.
    pub(super) fn at_s(&self, z: f64) -> f64 {
        let Self([half, most, nearly_all]) = self;
        let to_p90 = (most / half).ln() / Z90;
        let beyond = (nearly_all / most).ln() / (Z99 - Z90);
        half * (to_p90 * z.min(Z90) + beyond * (z - Z90).max(0.0)).exp()
    }
}

/// How one publication spreads. Blocks that are published together take the same ways.
#[derive(Debug)]
pub(crate) struct Spread {
    pools_s: Vec<f64>,
    nodes_s: Vec<f64>,
}

impl Spread {
    pub(crate) fn new(random: &mut Random, pools: usize, nodes: usize) -> Self {
        let of_the_block = random.normal() * OF_THE_BLOCK.sqrt();
        let mut delay_s = || LAW.at_s(of_the_block + random.normal() * (1.0 - OF_THE_BLOCK).sqrt());
        let pools_s = (0..pools).map(|_| delay_s() * OF_A_POOL).collect();
        let nodes_s = (0..nodes).map(|_| delay_s()).collect();
        Self { pools_s, nodes_s }
    }

    pub(crate) fn to_pool_s(&self, pool: usize) -> f64 {
        self.pools_s[pool]
    }

    pub(crate) fn to_node_s(&self, node: usize) -> f64 {
        self.nodes_s[node]
    }

    /// Goes on to the next of the blocks that are published together.
    pub(crate) fn next(&mut self, random: &mut Random) {
        for delay_s in self.pools_s.iter_mut().chain(&mut self.nodes_s) {
            *delay_s += random.exponential(BEHIND_PARENT_S);
        }
    }
}
