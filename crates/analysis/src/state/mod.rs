//! What is known of each node. A node's state depends on its own events alone, so that the order in which the nodes'
//! batches arrive changes nothing.

pub(crate) mod chain;
pub(crate) mod clock;
pub(crate) mod follow;
pub(crate) mod gain;
pub(crate) mod node;
pub(crate) mod sighting;

use std::collections::BTreeMap;

use bmon_event::{AgentTime, BlockHash, Epoch, Event, Kind, Network, NodeName, ServerTime, Source};

use self::{
    chain::{Chain, Step, Voice},
    clock::Clock,
    follow::{Moment, Switch},
    node::Node,
    sighting::Sightings,
};
use crate::{
    row::{NodeRow, Sighted, Stage},
    settings::Settings,
};

/// What analyses are told: an event as it is, or what the state makes of it.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    /// A source told this.
    Told(&'a Event),
    /// A source told of a stage of a block.
    Block(BlockTold),
    /// A voice told that the node left blocks, maybe for others.
    Switch(Voice, Switch),
}

/// A source told of a stage of a block.
#[derive(Debug)]
pub(crate) struct BlockTold {
    pub(crate) block: BlockHash,
    pub(crate) height: Option<u32>,
    pub(crate) source: Source,
    pub(crate) stage: Stage,
    pub(crate) at: AgentTime,
    /// Whether this is the first time, or earlier than what was the first time.
    pub(crate) is_first: bool,
}

/// How a batch stands to those applied before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was applied before, or is older than one that was.
    Repeated,
    /// It is the first, or nothing is missing before it.
    Next,
    /// Batches before it may be missing.
    AfterLoss,
}

/// The state of one node.
#[derive(Debug)]
pub(crate) struct NodeState {
    pub(crate) network: Network,
    pub(crate) name: NodeName,
    settings: Settings,
    /// The last batch of each spool.
    batches: BTreeMap<Epoch, u64>,
    chain: Chain,
    sightings: Sightings,
    clock: Clock,
    node: Node,
    /// The latest event, by the clock of node and agent since it was last set.
    latest: Option<AgentTime>,
}

impl NodeState {
    pub(crate) fn new(network: Network, name: NodeName, settings: Settings) -> Self {
        Self {
            network,
            settings,
            batches: BTreeMap::new(),
            chain: Chain::new(settings),
            sightings: Sightings::new(&settings),
            clock: Clock::default(),
            node: Node::new(network, name.clone()),
            name,
            latest: None,
        }
    }

    /// How this batch stands to those applied before, which it counts as from now on. Sequences rise one by one within
    /// one spool; a new spool may have lost what the one before still held.
    pub(crate) fn place(&mut self, epoch: Epoch, sequence: u64) -> Place {
        let is_first = self.batches.is_empty();
        let last = self.batches.get(&epoch).copied();
        if sequence <= last.unwrap_or(0) {
            return Place::Repeated;
        }
        self.batches.insert(epoch, sequence);
        let is_next = last.is_some_and(|last| last.checked_add(1) == Some(sequence));
        if is_first || is_next { Place::Next } else { Place::AfterLoss }
    }

    /// Forgets what only holds if every batch was heard: some were not.
    pub(crate) fn lose(&mut self, out: &mut Vec<Change<'_>>) {
        let steps = self.chain.lose();
        self.note_steps(steps, out);
    }

    /// Learns the clock from a batch's time exchanges before its other events are looked at, so that they hold for
    /// what was told just before them too.
    pub(crate) fn learn_clock(&mut self, events: &[Event]) {
        for event in events {
            if let Kind::Clock(sample) = event.kind {
                self.clock.insert(sample, &self.settings);
            }
        }
    }

    /// Takes in that the node told something at `at` that tells nothing of itself.
    pub(crate) fn note_time(&mut self, at: AgentTime) {
        self.latest = self.latest.max(Some(at));
    }

    /// Takes in one event.
    pub(crate) fn apply<'a>(&mut self, event: &'a Event, heard: ServerTime, out: &mut Vec<Change<'a>>) {
        let when = Moment { at: event.time(), heard };
        if let Kind::Clock(sample) = &event.kind
            && self.clock.was_set(sample)
        {
            // No time from before may look newer than those that follow.
            self.latest = None;
            self.node.clock_was_set();
        }
        self.note_time(when.at);
        let (chain, sightings) = (&mut self.chain, &self.sightings);
        let steps = chain.apply(event, when, |block| sightings.is_arriving(block, event.source));
        self.node.apply(event, &self.settings);
        out.push(Change::Told(event));
        self.note_arrival(event, out);
        self.note_steps(steps, out);
    }

    /// Tells what has waited long enough.
    pub(crate) fn tick(&mut self, now: ServerTime, out: &mut Vec<Change<'_>>) {
        let steps = self.chain.tick(now);
        self.note_steps(steps, out);
    }

    /// The node's row, if it is news.
    pub(crate) fn row(&mut self, heard: ServerTime) -> Option<NodeRow> {
        let offset = self.latest.and_then(|at| self.clock.offset(at, &self.settings));
        self.node.news(heard, offset, &self.settings)
    }

    /// A time together with where the clock stood then.
    pub(crate) fn sighted(&self, at: AgentTime) -> Sighted {
        Sighted { at, offset: self.clock.offset(at, &self.settings) }
    }

    /// A time together with where the clock stood in that second, at the cost of 50 µs in the bound. For what is told by the
    /// thousand.
    pub(crate) fn sighted_in_second(&mut self, at: AgentTime) -> Sighted {
        Sighted { at, offset: self.clock.offset_in_second(at, &self.settings) }
    }

    /// First times forgotten since the start.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.sightings.forgotten()
    }

    /// How often the clock was seen to have been set.
    pub(crate) const fn clock_steps(&self) -> u64 {
        self.clock.steps()
    }

    fn note_arrival(&mut self, event: &Event, out: &mut Vec<Change<'_>>) {
        let at = event.time();
        match event.kind {
            Kind::HeaderSeen { block, height, .. } => {
                self.note_block(block, height, event.source, Stage::Header, at, out);
            }
            Kind::BlockReceived { block, .. } | Kind::BlockReconstructed { block, .. } => {
                self.note_block(block, None, event.source, Stage::Block, at, out);
            }
            Kind::BlockValid { block } => {
                self.note_block(block, None, event.source, Stage::Checked, at, out);
            }
            Kind::BlockInvalid { block, height, .. } => {
                self.note_block(block, height, event.source, Stage::Checked, at, out);
            }
            _ => {}
        }
    }

    fn note_steps(&mut self, steps: Vec<Step>, out: &mut Vec<Change<'_>>) {
        for step in steps {
            self.node.follow(&step);
            match step {
                Step::Connected { source, block, height, at } => {
                    self.note_block(block, height, source, Stage::Connected, at, out);
                }
                Step::Switch(voice, switch) => out.push(Change::Switch(voice, switch)),
                Step::Tip { .. } => {}
            }
        }
    }

    fn note_block(
        &mut self,
        block: BlockHash,
        height: Option<u32>,
        source: Source,
        stage: Stage,
        at: AgentTime,
        out: &mut Vec<Change<'_>>,
    ) {
        let is_first = self.sightings.block(block, source, stage, at);
        out.push(Change::Block(BlockTold { block, height, source, stage, at, is_first }));
    }
}
