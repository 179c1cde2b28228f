//! What a node says of its active chain.
//!
//! Three voices may tell the same: `UpdateTip` lines, which every log has and which name the tip after every block that
//! is connected or disconnected; the validation lines, which name the block itself; and ZMQ `sequence`. Each is followed
//! by itself, since they lag behind each other; who listens puts them together.

use std::mem;

use bmon_event::{AgentTime, BlockHash, Event, Kind, ServerTime, Source, event::ChainInfo};

use super::follow::{Follow, Link, Moment, Switch};
use crate::settings::Settings;

/// A voice that tells of the active chain. In the order of how much it knows: a tip comes with its height and work, a
/// validation line with its height, ZMQ with neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Voice {
    /// `UpdateTip` lines.
    Tips,
    /// `BlockConnected` and `BlockDisconnected` lines.
    Steps,
    /// ZMQ `sequence`.
    Zmq,
}

impl Voice {
    pub(crate) const ALL: [Self; 3] = [Self::Tips, Self::Steps, Self::Zmq];

    /// Where it speaks.
    pub(crate) const fn source(self) -> Source {
        match self {
            Self::Tips | Self::Steps => Source::Log,
            Self::Zmq => Source::Zmq,
        }
    }
}

/// What became of the active chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A block was added.
    Connected { source: Source, block: BlockHash, height: Option<u32>, at: AgentTime },
    /// The chain now ends here.
    Tip { block: BlockHash, height: Option<u32>, at: AgentTime },
    /// The node left blocks, maybe for others.
    Switch(Voice, Switch),
}

/// A tip of which nothing tells whether its block came or the one above it left.
#[derive(Debug)]
struct Unplaced {
    block: BlockHash,
    height: u32,
    when: Moment,
}

/// The tip as RPC told it.
#[derive(Clone, Copy, Debug)]
struct Polled {
    block: BlockHash,
    height: u32,
    at: AgentTime,
}

/// The active chain of one node, as each voice tells it.
#[derive(Debug)]
pub(crate) struct Chain {
    settings: Settings,
    tips: Follow,
    steps: Follow,
    zmq: Follow,
    /// The node started and has not told a tip since.
    restarted: bool,
    unplaced: Option<Unplaced>,
    polled: Option<Polled>,
}

impl Chain {
    pub(crate) fn new(settings: Settings) -> Self {
        let (tips, steps, zmq) = (Follow::default(), Follow::default(), Follow::default());
        Self { settings, tips, steps, zmq, restarted: false, unplaced: None, polled: None }
    }

    /// Follows one event. `is_told` says whether the node has told of receiving or checking a block.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
        when: Moment,
        is_told: impl Fn(BlockHash) -> bool,
    ) -> Vec<Step> {
        let mut out = Vec::new();
        match &event.kind {
            Kind::NodeStarted { .. } => {
                self.restarted = true;
                self.voice(Voice::Tips, &mut out, Follow::close);
            }
            Kind::Gap(gap) => {
                for voice in Voice::ALL.into_iter().filter(|voice| voice.source() == gap.source) {
                    self.voice(voice, &mut out, Follow::lose);
                }
            }
            Kind::ChainInfo(ChainInfo { best_block: Some(block), blocks: height, .. }) => {
                self.polled = Some(Polled { block: *block, height: *height, at: when.at });
                for voice in Voice::ALL {
                    self.follow(voice).learn_height(*block, *height);
                }
            }
            kind if event.source == Source::Log => self.log(kind, when, is_told, &mut out),
            kind if event.source == Source::Zmq => self.zmq(kind, when, &mut out),
            _ => {}
        }
        out
    }

    /// Forgets the chain as every voice told it: something of each may have been missed.
    pub(crate) fn lose(&mut self) -> Vec<Step> {
        let mut out = Vec::new();
        for voice in Voice::ALL {
            self.voice(voice, &mut out, Follow::lose);
        }
        out
    }

    fn log(&mut self, kind: &Kind, when: Moment, is_told: impl Fn(BlockHash) -> bool, out: &mut Vec<Step>) {
        match *kind {
            Kind::Tip { block, height: Some(height), log2_work, .. } => {
                self.tip(Link { block, log2_work }, height, when, is_told, out);
            }
            Kind::BlockConnected { block, height } => self.connected(Voice::Steps, block, height, when, out),
            Kind::BlockDisconnected { block, height } => {
                self.unplaced = None;
                self.disconnected(Voice::Steps, block, height, when, out);
            }
            _ => {}
        }
    }

    /// ZMQ tells no heights: they are those of the log's lines about the same block, or counted.
    fn zmq(&mut self, kind: &Kind, when: Moment, out: &mut Vec<Step>) {
        match *kind {
            // `hashblock` names the last block of an activation, and is silent when blocks only leave
            // (`CZMQNotificationInterface::UpdatedBlockTip`, `src/zmq/zmqnotificationinterface.cpp@v30`).
            Kind::Tip { block, height, .. } => {
                let known = || self.zmq.height_of(block).or_else(|| self.tips.height_of(block));
                let (height, at) = (height.or_else(known), when.at);
                out.push(Step::Connected { source: Source::Zmq, block, height, at });
                out.push(Step::Tip { block, height, at });
            }
            Kind::BlockConnected { block, height } => {
                let height = height.or_else(|| self.tips.height_of(block));
                self.connected(Voice::Zmq, block, height, when, out);
            }
            Kind::BlockDisconnected { block, height } => {
                self.disconnected(Voice::Zmq, block, height, when, out);
            }
            _ => {}
        }
    }

    /// Tells what has waited long enough.
    pub(crate) fn tick(&mut self, now: ServerTime) -> Vec<Step> {
        let (settings, mut out) = (self.settings, Vec::new());
        for voice in Voice::ALL {
            self.voice(voice, &mut out, |follow, switches| follow.tick(now, &settings, switches));
        }
        let is_due = |unplaced: &mut Unplaced| now.micros_since(unplaced.when.heard) >= settings.lateness_us;
        out.extend(self.unplaced.take_if(is_due).map(Unplaced::connected));
        out
    }

    fn tip(
        &mut self,
        link: Link,
        height: u32,
        when: Moment,
        is_told: impl Fn(BlockHash) -> bool,
        out: &mut Vec<Step>,
    ) {
        let (block, at) = (link.block, when.at);
        // Blocks follow each other faster than this while a node switches branches or downloads many, and hardly
        // ever else: only a tip that stands for a while surely came as a new block.
        let unplaced =
            self.unplaced.take().filter(|tip| at.micros_since(tip.when.at) > self.settings.lateness_us);
        out.extend(unplaced.map(Unplaced::connected));
        match self.place(link, height, when, out) {
            Placed::Connected => {
                out.push(Step::Connected { source: Source::Log, block, height: Some(height), at });
            }
            Placed::Unknown if height == 0 || is_told(block) => {
                out.push(Step::Connected { source: Source::Log, block, height: Some(height), at });
            }
            Placed::Unknown => self.unplaced = Some(Unplaced { block, height, when }),
            Placed::Known => {}
        }
        out.push(Step::Tip { block, height: Some(height), at });
    }

    /// Finds out what a tip means beside the one before: a tip one lower is what remains after a disconnection.
    fn place(&mut self, link: Link, height: u32, when: Moment, out: &mut Vec<Step>) -> Placed {
        let (settings, restarted) = (self.settings, mem::take(&mut self.restarted));
        let polled = self.polled.filter(|polled| polled.at < when.at && self.tips.tip().is_none());
        self.voice(Voice::Tips, out, |tips, switches| {
            tips.expire(when.at, &settings, switches);
            if let Some(polled) = polled {
                tips.start(Link { block: polled.block, log2_work: None }, Some(polled.height), switches);
            }
            let (Some(tip), Some(tip_height)) = (tips.tip(), tips.height()) else {
                tips.start(link, Some(height), switches);
                return Placed::Unknown;
            };
            let is_below = tips.below_tip().is_none_or(|below| below == link.block);
            if Some(height) == tip_height.checked_add(1) {
                tips.connect(link, Some(height), when, switches);
                Placed::Connected
            } else if height.checked_add(1) == Some(tip_height) && is_below {
                tips.disconnect(tip, Some(tip_height), when, switches);
                tips.name_tip(link);
                if restarted {
                    tips.doubt();
                }
                Placed::Known
            } else if tips.rewind(link.block, switches) {
                Placed::Known
            } else {
                tips.start(link, Some(height), switches);
                Placed::Unknown
            }
        })
    }

    fn connected(
        &mut self,
        voice: Voice,
        block: BlockHash,
        height: Option<u32>,
        when: Moment,
        out: &mut Vec<Step>,
    ) {
        let (settings, link) = (self.settings, Link { block, log2_work: None });
        self.voice(voice, out, |follow, switches| {
            follow.expire(when.at, &settings, switches);
            follow.connect(link, height, when, switches);
        });
        let height = self.follow(voice).height();
        out.push(Step::Connected { source: voice.source(), block, height, at: when.at });
        if voice == Voice::Zmq {
            out.push(Step::Tip { block, height, at: when.at });
        }
    }

    fn disconnected(
        &mut self,
        voice: Voice,
        block: BlockHash,
        height: Option<u32>,
        when: Moment,
        out: &mut Vec<Step>,
    ) {
        let settings = self.settings;
        self.voice(voice, out, |follow, switches| {
            follow.expire(when.at, &settings, switches);
            follow.disconnect(block, height, when, switches);
        });
    }

    const fn follow(&mut self, voice: Voice) -> &mut Follow {
        match voice {
            Voice::Tips => &mut self.tips,
            Voice::Steps => &mut self.steps,
            Voice::Zmq => &mut self.zmq,
        }
    }

    /// Lets one voice speak, and passes on the switches that it tells of.
    fn voice<T>(
        &mut self,
        voice: Voice,
        out: &mut Vec<Step>,
        speak: impl FnOnce(&mut Follow, &mut Vec<Switch>) -> T,
    ) -> T {
        let mut switches = Vec::new();
        let result = speak(self.follow(voice), &mut switches);
        out.extend(switches.into_iter().map(|switch| Step::Switch(voice, switch)));
        result
    }
}

/// How a tip stands to the chain known before.
enum Placed {
    /// It is the next block.
    Connected,
    /// It was part of the chain already.
    Known,
    /// Nothing tells.
    Unknown,
}

impl Unplaced {
    const fn connected(self) -> Step {
        Step::Connected {
            source: Source::Log,
            block: self.block,
            height: Some(self.height),
            at: self.when.at,
        }
    }
}
