//! A node that is simulated: it changes its active chain as Bitcoin Core does, and tells of it as Core's log and ZMQ do.

use bmon_analysis::finding::Reorg;
use bmon_event::{AgentTime, BlockHash, Event, Kind, NodeTime, Source, event::Gap};

pub(crate) const MS: i64 = 1_000;
pub(crate) const SECOND: i64 = 1_000 * MS;

/// Which of a node's voices are heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voices {
    pub(crate) tips: bool,
    pub(crate) validation: bool,
    pub(crate) zmq: bool,
}

impl Voices {
    pub(crate) const LOG: Self = Self { tips: true, validation: false, zmq: false };
    pub(crate) const VALIDATION: Self = Self { tips: true, validation: true, zmq: false };
    pub(crate) const ALL: Self = Self { tips: true, validation: true, zmq: true };
    pub(crate) const ZMQ: Self = Self { tips: false, validation: false, zmq: true };
}

#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) voices: Voices,
    pub(crate) events: Vec<Event>,
    /// The reorgs that took place.
    pub(crate) reorgs: Vec<Reorg>,
    /// The active chain; the index is the height.
    pub(crate) chain: Vec<BlockHash>,
    pub(crate) now: i64,
    blocks: u64,
}

impl Sim {
    pub(crate) fn new(voices: Voices) -> Self {
        let (events, reorgs, chain) = (Vec::new(), Vec::new(), Vec::new());
        let mut sim = Self { voices, events, reorgs, chain, now: 1_700_000_000 * SECOND, blocks: 0 };
        sim.start();
        sim.extend(1);
        sim
    }

    /// Forgets what was told and what took place so far: somebody starts to listen now.
    pub(crate) fn unheard(mut self) -> Self {
        self.events.clear();
        self.reorgs.clear();
        self
    }

    pub(crate) fn wait(&mut self, us: i64) {
        self.now += us;
    }

    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.chain.len()).unwrap() - 1
    }

    pub(crate) fn tip(&self) -> BlockHash {
        *self.chain.last().unwrap()
    }

    pub(crate) fn new_block(&mut self) -> BlockHash {
        self.blocks += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.blocks.to_be_bytes());
        BlockHash::from_bytes(bytes)
    }

    pub(crate) fn log(&mut self, kind: Kind) {
        self.now += MS;
        let node_time = Some(NodeTime::from_micros(self.now));
        let agent_time = AgentTime::from_micros(self.now + 2 * MS);
        self.events.push(Event { source: Source::Log, node_time, agent_time, kind });
    }

    pub(crate) fn zmq(&mut self, kind: Kind) {
        self.now += 1;
        let agent_time = AgentTime::from_micros(self.now + 3 * MS);
        self.events.push(Event { source: Source::Zmq, node_time: None, agent_time, kind });
    }

    pub(crate) fn tell_tip(&mut self) {
        if self.voices.tips {
            let (block, height) = (self.tip(), self.height());
            // Six decimals, as `UpdateTip` prints it.
            let log2_work = Some((f64::from(height + 1).log2() * 1e6).round() / 1e6);
            self.log(Kind::Tip { block, height: Some(height), log2_work, transactions: None });
        }
    }

    pub(crate) fn start(&mut self) {
        self.log(Kind::NodeStarted { banner: "Bitcoin Core version v30.0.0 (release build)".to_owned() });
    }

    /// Part of what a source tells from here on has been missed.
    pub(crate) fn gap(&mut self, source: Source) {
        let (from, to) = (AgentTime::from_micros(self.now - 1), AgentTime::from_micros(self.now));
        self.log(Kind::Gap(Gap { source, from: Some(from), to, lost: None, reason: "test".to_owned() }));
    }

    /// One activation step (`ActivateBestChainStep`).
    pub(crate) fn step(&mut self, disconnect: usize, connect: &[BlockHash]) {
        let mut zmq = Vec::new();
        for _ in 0..disconnect {
            let (block, height) = (self.tip(), self.height());
            self.chain.pop();
            self.tell_tip();
            if self.voices.validation {
                self.log(Kind::BlockDisconnected { block, height: Some(height) });
            }
            zmq.push(Kind::BlockDisconnected { block, height: None });
        }
        let mut connected = Vec::new();
        for block in connect {
            self.chain.push(*block);
            self.tell_tip();
            connected.push((*block, self.height()));
        }
        for (block, height) in connected {
            if self.voices.validation {
                self.log(Kind::BlockConnected { block, height: Some(height) });
            }
            zmq.push(Kind::BlockConnected { block, height: None });
        }
        if self.voices.zmq {
            for kind in zmq {
                self.zmq(kind);
            }
        }
    }

    /// Blocks come one after the other.
    pub(crate) fn extend(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let block = self.new_block();
            self.step(0, &[block]);
        }
    }

    /// The `depth` last blocks give way to another branch of `length` blocks.
    pub(crate) fn reorg(&mut self, depth: usize, length: usize) -> Reorg {
        let new: Vec<_> = (0..length).map(|_| self.new_block()).collect();
        // The step ends with the block that makes the branch the longer one.
        let (first, rest) = new.split_at(length.min(depth + 1));
        let reorg = self.switch(depth, first);
        for block in rest {
            self.step(0, &[*block]);
        }
        reorg
    }

    /// The `depth` last blocks give way to `new`.
    pub(crate) fn switch(&mut self, depth: usize, new: &[BlockHash]) -> Reorg {
        let fork = self.chain.len() - depth;
        let reorg = Reorg {
            fork_height: Some(u32::try_from(fork).unwrap() - 1),
            depth: u32::try_from(depth).unwrap(),
            old: self.chain[fork..].to_vec(),
            new: new.to_vec(),
            duration_us: None,
        };
        self.step(depth, new);
        self.reorgs.push(reorg.clone());
        reorg
    }

    /// The node switches to a branch whose `valid` first blocks connect and whose next one turns out invalid, and
    /// comes back.
    pub(crate) fn failed_reorg(&mut self, depth: usize, valid: usize) {
        let old = self.chain[self.chain.len() - depth..].to_vec();
        let new: Vec<_> = (0..valid).map(|_| self.new_block()).collect();
        if new.is_empty() {
            self.step(depth, &[]);
            self.step(0, &old);
            return;
        }
        self.switch(depth, &new);
        let (first, rest) = old.split_at((valid + 1).min(depth));
        self.switch(valid, first);
        self.step(0, rest);
    }

    /// The node dies with its last `lost` blocks not yet on disk, and connects them again when it comes back.
    pub(crate) fn crash(&mut self, lost: usize) {
        self.start();
        let blocks = self.chain.split_off(self.chain.len() - lost);
        self.step(0, &blocks);
    }
}
