//! A network of miners, with nodes that watch it: which blocks there are, and who saw them when.
//!
//! Blocks are found at exponential intervals by pools whose shares drift; the rate of a fortnight is what its difficulty
//! did not foresee. Each pool mines on the best block it has heard of, the first of equals, so that races and stale blocks
//! come about as they do: from delay. Some blocks are invalid, and only their finder mines on them. Nodes see blocks with
//! delays of their own, are away at times, miss one in a thousand until the next one comes, and have clocks that are off,
//! within bounds that hold.

pub(crate) mod attack;
mod delay;
pub(crate) mod fault;
pub(crate) mod header;
mod node;
mod pace;
mod pool;
mod random;
pub(crate) mod relay;
pub(crate) mod telling;

use bmon_analysis::selfish::{Seen, SeenBlock, Sight};
use bmon_event::ServerTime;

pub(crate) use self::node::{Outage, Trouble};
use self::{
    attack::{Attack, Private},
    delay::Spread,
    fault::{Fault, FaultKind, upgrades},
    node::{Bounds, Node, micros},
    pace::Pace,
    pool::Pools,
    random::Random,
};

/// Time between two blocks that the difficulty aims at.
pub(crate) const INTERVAL_S: f64 = 600.0;
/// Blocks between two adjustments, and the standard deviation of the rate's logarithm between them.
const PERIOD: usize = 2_016;
const RATE: f64 = 0.04;
/// Part of the blocks that are invalid: some five a year.
const INVALID: f64 = 1e-4;
/// Part of the announcements that a node misses. Two ordinary nodes saw one in a thousand common blocks ten minutes apart.
const MISSED: f64 = 1e-3;
/// How long the selfish miner takes to answer.
const ANSWER_S: f64 = 0.05;
/// So that the times are those of our days: 2023-11-14.
const START_S: f64 = 1_700_000_000.0;
/// What sets the numbers of the nodes' paces apart from others.
const PACE: u64 = 1 << 50;
/// Blocks among which a pool looks for the best one. No branch is near as long.
const RECENT: usize = 128;

/// What to simulate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Blocks found, on whatever branch.
    pub(crate) blocks: usize,
    /// Nodes that watch.
    pub(crate) nodes: usize,
    pub(crate) attack: Option<Attack>,
}

/// What took place. Times are seconds of the server's clock since the start; infinity is never.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) blocks: Vec<Block>,
    nodes: Vec<Node>,
    paces: Vec<Pace>,
    /// When each node is started with the next version.
    upgrades: Vec<Option<f64>>,
}

/// A block; its number is its place.
#[derive(Debug)]
pub(crate) struct Block {
    /// The block before, `None` for the first.
    pub(crate) parent: Option<usize>,
    pub(crate) height: u32,
    pub(crate) pool: usize,
    pub(crate) found_s: f64,
    pub(crate) invalid: bool,
    /// When each pool heard of it. Never of an invalid one.
    heard_s: Vec<f64>,
    /// When it came to each node, had the node been there.
    seen_s: Vec<f64>,
}

/// A race that has been decided: both branches from the fork on, lowest first, up to the block that decided it.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) loser: Vec<usize>,
    pub(crate) winner: Vec<usize>,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let mut mining = Mining::new(plan);
        while mining.world.blocks.len() < plan.blocks {
            mining.step();
        }
        mining.world
    }

    /// With this wrong from now on.
    pub(crate) fn with_fault(mut self, fault: Fault) -> Self {
        self.nodes[fault.node].fault = Some(fault);
        if let FaultKind::Version { .. } = fault.kind {
            self.upgrades = vec![None; self.nodes.len()];
            self.upgrades[fault.node] = Some(fault.from_s);
        }
        self
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, node: usize) -> &Node {
        &self.nodes[node]
    }

    /// When the last block was found.
    pub(crate) fn end_s(&self) -> f64 {
        self.blocks.last().map_or(0.0, |block| block.found_s)
    }

    /// The longest chain that was published, lowest first.
    pub(crate) fn chain(&self) -> Vec<usize> {
        let public =
            self.blocks.iter().enumerate().filter(|(_, block)| !block.invalid && block.is_published());
        let tip = public.max_by_key(|(number, block)| (block.height, usize::MAX - number));
        let mut chain: Vec<_> = self.down_from(tip.map_or(0, |(number, _)| number)).collect();
        chain.reverse();
        chain
    }

    /// The races that `chain` won, in the order of the blocks that lost them.
    pub(crate) fn forks(&self, chain: &[usize]) -> Vec<Fork> {
        let mut is_parent = vec![false; self.blocks.len()];
        for block in self.blocks.iter().filter(|block| block.is_published()) {
            block.parent.into_iter().for_each(|parent| is_parent[parent] = true);
        }
        let is_in_chain = |number: usize| chain.get(self.blocks[number].height as usize) == Some(&number);
        let tips = (0..self.blocks.len()).filter(|number| {
            !is_parent[*number] && self.blocks[*number].is_published() && !is_in_chain(*number)
        });
        let fork = |tip: usize| {
            let mut loser: Vec<_> = self.down_from(tip).take_while(|number| !is_in_chain(*number)).collect();
            loser.reverse();
            let first = self.blocks[loser[0]].height as usize;
            let last = self.blocks[tip].height as usize + 1;
            let winner = chain.get(first..=last)?.to_vec();
            Some(Fork { loser, winner })
        };
        tips.filter_map(fork).collect()
    }

    /// The block as a caller who knows what each node did would show it to the signals.
    pub(crate) fn seen(&self, number: usize) -> SeenBlock {
        let nodes = (0..self.nodes.len()).map(|node| self.sight(number, node)).collect();
        SeenBlock { nodes, invalid: self.blocks[number].invalid }
    }

    fn sight(&self, number: usize, node: usize) -> Sight {
        let at_s = self.blocks[number].seen_s[node];
        if !at_s.is_finite() {
            return Sight::Unseen;
        }
        let node = &self.nodes[node];
        if !node.is_following(at_s) {
            return Sight::NotFollowing;
        }
        let Some(Bounds { min_us, max_us }) = node.clock(number, at_s) else { return Sight::ClockUnknown };
        let shown_us = server(at_s).as_micros() - node.offset_us(at_s);
        let [earliest, latest] = [min_us, max_us].map(|us| ServerTime::from_micros(shown_us + us));
        Sight::Seen(Seen { earliest, latest })
    }

    /// A block and those before it.
    fn down_from(&self, number: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(number), |number| self.blocks[*number].parent)
    }
}

impl Block {
    /// Whether anybody but its finder could see it.
    pub(crate) fn is_published(&self) -> bool {
        self.seen_s.iter().any(|at_s| at_s.is_finite())
    }
}

/// A second since the start, on the server's clock.
pub(crate) fn server(at_s: f64) -> ServerTime {
    ServerTime::from_micros(micros((START_S + at_s) * 1e6))
}

/// The second since the start that the server's clock shows.
pub(crate) fn second(at: ServerTime) -> f64 {
    at.as_micros() as f64 / 1e6 - START_S
}

struct Mining {
    world: World,
    random: Random,
    pools: Pools,
    attack: Option<Attack>,
    private: Private,
    /// Blocks that the selfish miner will hear of.
    coming: Vec<(f64, usize)>,
    now_s: f64,
    rate: f64,
}

impl Mining {
    fn new(plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let pools = Pools::new(random.split(), plan.attack.map(|attack| attack.share));
        let end_s = plan.blocks as f64 * INTERVAL_S * 1.5;
        let nodes: Vec<_> = (0..plan.nodes).map(|_| Node::new(random.split(), end_s)).collect();
        let first = Block {
            parent: None,
            height: 0,
            pool: pools.count() - 1,
            found_s: 0.0,
            invalid: false,
            heard_s: vec![0.0; pools.count()],
            seen_s: vec![0.0; nodes.len()],
        };
        // Of numbers of their own, so that who mines what does not depend on them.
        let paces = nodes.iter().map(|node| Pace::new(node.random(PACE), end_s)).collect();
        let upgrades = upgrades(&mut Random::new(plan.seed ^ PACE), nodes.len(), end_s / 1.5);
        let world = World { blocks: vec![first], nodes, paces, upgrades };
        let (attack, private) = (plan.attack, Private::default());
        Self { world, random, pools, attack, private, coming: Vec::new(), now_s: 0.0, rate: 1.0 }
    }

    /// Until the next block is found.
    fn step(&mut self) {
        if self.world.blocks.len().is_multiple_of(PERIOD) {
            self.rate = (self.random.normal() * RATE).exp();
        }
        self.now_s += self.random.exponential(INTERVAL_S / self.rate);
        self.let_attacker_hear();
        let pool = self.pools.draw(self.now_s);
        let is_attacker = pool == 0 && self.attack.is_some();
        let private = if is_attacker { self.private.tip() } else { None };
        let number = self.found(private.unwrap_or_else(|| self.best(pool)), pool);
        if is_attacker {
            let published = self.private.found(number, self.world.blocks[number].height);
            self.publish(&published, self.now_s);
        } else {
            self.publish(&[number], self.now_s);
        }
    }

    fn found(&mut self, parent: usize, pool: usize) -> usize {
        let is_attacker = pool == 0 && self.attack.is_some();
        let before = &self.world.blocks[parent];
        let invalid = before.invalid || (!is_attacker && self.random.is(INVALID));
        self.world.blocks.push(Block {
            parent: Some(parent),
            height: before.height + 1,
            pool,
            found_s: self.now_s,
            invalid,
            heard_s: vec![f64::INFINITY; self.pools.count()],
            seen_s: vec![f64::INFINITY; self.world.nodes.len()],
        });
        self.world.blocks.len() - 1
    }

    /// The block that a pool mines on now: the highest it has heard of, the first of equals.
    fn best(&self, pool: usize) -> usize {
        let (blocks, mut best) = (&self.world.blocks, 0);
        for number in blocks.len().saturating_sub(RECENT)..blocks.len() {
            let (block, known) = (&blocks[number], &blocks[best]);
            let is_better = block.height > known.height
                || (block.height == known.height && block.heard_s[pool] < known.heard_s[pool]);
            if block.heard_s[pool] <= self.now_s && is_better {
                best = number;
            }
        }
        best
    }

    /// The selfish miner hears of what has come to him until now, and answers.
    fn let_attacker_hear(&mut self) {
        let Some(attack) = self.attack else { return };
        let mut heard: Vec<_> = self.coming.extract_if(.., |(at_s, _)| *at_s <= self.now_s).collect();
        heard.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (at_s, number) in heard {
            let height = self.world.blocks[number].height;
            let published = self.private.heard(height);
            self.publish(&published, at_s + ANSWER_S);
            if let [.., last] = published[..]
                && self.world.blocks[last].height == height
            {
                self.divide(attack.gamma, number, last);
            }
        }
    }

    /// These blocks, each the parent of the next, become public.
    fn publish(&mut self, numbers: &[usize], at_s: f64) {
        if numbers.is_empty() {
            return;
        }
        let mut spread = Spread::new(&mut self.random, self.pools.count(), self.world.nodes.len());
        let pause_s = self.attack.map_or(0.0, |attack| attack.pause_s);
        for (before, number) in numbers.iter().enumerate() {
            let at_s = at_s + pause_s * before as f64;
            self.let_pools_hear(*number, at_s, &spread);
            self.let_nodes_see(*number, at_s, &spread);
            spread.next(&mut self.random);
        }
    }

    fn let_pools_hear(&mut self, number: usize, at_s: f64, spread: &Spread) {
        let (pool, invalid) = (self.world.blocks[number].pool, self.world.blocks[number].invalid);
        for other in 0..self.pools.count() {
            let heard_s = if other == pool { at_s } else { at_s + spread.to_pool_s(other) };
            let heard_s = heard_s.max(self.parent(number).heard_s[other]);
            if other == pool || !invalid {
                self.world.blocks[number].heard_s[other] = heard_s;
            }
        }
        if self.attack.is_some() && pool != 0 && !invalid {
            self.coming.push((self.world.blocks[number].heard_s[0], number));
        }
    }

    fn let_nodes_see(&mut self, number: usize, at_s: f64, spread: &Spread) {
        for node in 0..self.world.nodes.len() {
            let mut seen_s = at_s + spread.to_node_s(node);
            // What was missed comes with the next block after it.
            let mut before = self.world.blocks[number].parent;
            while let Some(parent) = before {
                let parent = &mut self.world.blocks[parent];
                if parent.seen_s[node].is_finite() {
                    seen_s = seen_s.max(parent.seen_s[node]);
                    break;
                }
                parent.seen_s[node] = seen_s;
                before = parent.parent;
            }
            if !self.random.is(MISSED) {
                self.world.blocks[number].seen_s[node] = seen_s;
            }
        }
    }

    /// Of the pools that hear of two equal blocks, this part is made to hear of the selfish miner's first. How he does that
    /// is left open, as in the paper.
    fn divide(&mut self, gamma: f64, others: usize, own: usize) {
        let finder = self.world.blocks[others].pool;
        for pool in (1..self.pools.count()).filter(|pool| *pool != finder) {
            if self.random.is(gamma) {
                let before_s = self.world.blocks[others].heard_s[pool] - 1e-6;
                let heard_s = &mut self.world.blocks[own].heard_s[pool];
                *heard_s = heard_s.min(before_s);
            }
        }
    }

    fn parent(&self, number: usize) -> &Block {
        &self.world.blocks[self.world.blocks[number].parent.unwrap_or(0)]
    }
}
