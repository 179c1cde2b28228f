//! What each event tells of the chain: words about blocks for the tree, first times, and headers.

use bmon_event::{
    BlockHash, Event, Kind, NodeName, Source,
    event::{ChainInfo, ChainTip, Headers, RawHeader, TipStatus},
};

use super::{NetworkState, need};
use crate::{
    row::{HeaderRow, Row, Sighted},
    tree::{Header, Stamp, Tree, Word},
};

/// Who said something, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speaker<'a> {
    pub(super) node: &'a NodeName,
    pub(super) source: Source,
    pub(super) sighted: Sighted,
}

/// What a node said of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    block: BlockHash,
    height: Option<u32>,
    word: Word,
    stamp: Stamp,
}

/// Most words that are kept until there is a tree: it takes one answer of an agent.
const MOST_EARLY: usize = 4_096;

impl NetworkState {
    /// Whether an event of this kind tells something of the chain. Most tell of transactions.
    pub(crate) const fn concerns(kind: &Kind) -> bool {
        matches!(
            kind,
            Kind::HeaderSeen { .. }
                | Kind::BlockReceived { .. }
                | Kind::BlockReconstructed { .. }
                | Kind::BlockValid { .. }
                | Kind::BlockInvalid { .. }
                | Kind::BlockConnected { .. }
                | Kind::Tip { .. }
                | Kind::ChainInfo(_)
                | Kind::ChainTips(_)
                | Kind::Deployments(_)
                | Kind::Headers(_)
                | Kind::SourceState { .. }
                | Kind::BlockPart(_)
                | Kind::BlockProcessed { .. }
                | Kind::NetworkInfo(_)
                | Kind::PeerInfo(_)
                | Kind::Clock(_)
                | Kind::RawTx(_)
                | Kind::MempoolSpends(_)
                | Kind::NodeStarted { .. }
                | Kind::NodeStopping
                | Kind::Gap(_)
                | Kind::AgentHealth(_)
        )
    }

    /// Takes in one event of a node, whose time stands where `sighted` says.
    pub(crate) fn apply(&mut self, node: &NodeName, event: &Event, sighted: Sighted, out: &mut Vec<Row>) {
        let by = Speaker { node, source: event.source, sighted };
        let member = self.member(node);
        member.absence.note(sighted.at, &event.kind);
        member.note_itself(&event.kind);
        self.note_passage(node, event);
        match &event.kind {
            Kind::HeaderSeen { block, height, .. } => self.seen(by, *block, *height, Word::Header),
            Kind::BlockReceived { block, .. } | Kind::BlockReconstructed { block, .. } => {
                self.seen(by, *block, None, Word::Header);
            }
            Kind::BlockValid { block } => self.seen(by, *block, None, Word::Valid),
            Kind::BlockInvalid { block, height, reason } => {
                self.invalid(by, *block, *height, reason.as_deref());
            }
            Kind::BlockConnected { block, height } if event.source == Source::Log => {
                self.seen(by, *block, *height, Word::Valid);
            }
            Kind::Tip { block, height, .. } | Kind::BlockConnected { block, height } => {
                self.tip(by, event.source, *block, *height);
            }
            Kind::ChainInfo(info) => self.chain_info(by, info),
            Kind::ChainTips(tips) => self.chain_tips(by, tips),
            Kind::Deployments(deployments) => {
                self.member(node).version_bits = deployments.iter().filter_map(|told| told.bit).collect();
            }
            Kind::Headers(Headers { headers, .. }) => self.headers(headers, out),
            Kind::SourceState { source, working, detail } => {
                self.member(node).note_source(*source, *working, detail, sighted.on_server_clock());
            }
            Kind::AgentHealth(health) => {
                self.member(node).delivery.note_health(health, sighted.on_server_clock());
            }
            Kind::BlockPart(part) => self.block_part(by, part, out),
            Kind::RawTx(answer) => self.watch.raw_tx(answer),
            Kind::MempoolSpends(answer) => self.watch.mempool_spends(node, sighted, answer),
            _ => {}
        }
    }

    /// Notes how a block goes through the node, unless it is one that everybody has had for long.
    fn note_passage(&mut self, node: &NodeName, event: &Event) {
        let height = match event.kind {
            Kind::HeaderSeen { height, .. } => height,
            Kind::BlockProcessed { height, .. } => Some(height),
            _ => None,
        };
        let is_long_past = self.is_long_past(height);
        if let Some(member) = self.members.get(node).filter(|_| !is_long_past) {
            self.passages.note(node, member, event);
        }
    }

    /// Notes that the node told of a block when it came, unless a node in initial block download tells of what others have
    /// had for long: that would make it forgotten what came lately.
    fn note_arrival(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>) {
        if !self.is_long_past(height) {
            if self.arrivals.get(block).is_none() {
                self.delays.note(block);
            }
            self.arrivals.note(block, by.node, by.sighted, height);
        }
    }

    fn is_long_past(&self, height: Option<u32>) -> bool {
        height.is_some_and(|height| height.saturating_add(need::DEPTH) < self.best_height)
    }

    fn seen(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>, word: Word) {
        self.note_arrival(by, block, height);
        self.say(by, block, height, word);
    }

    fn invalid(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>, reason: Option<&str>) {
        if reason.is_some_and(is_of_the_moment) {
            return;
        }
        self.note_arrival(by, block, height);
        self.arrivals.note_invalid(block, by.node, reason);
        self.say(by, block, height, Word::Invalid);
    }

    /// The log names every tip, in order; ZMQ tells the same a little later, so that it counts only where there is no log.
    fn tip(&mut self, by: Speaker<'_>, source: Source, block: BlockHash, height: Option<u32>) {
        let member = self.member(by.node);
        member.has_log_tips |= source == Source::Log;
        let counts = source == Source::Log || !member.has_log_tips;
        self.note_arrival(by, block, height);
        if counts {
            self.active(by, block, height);
        } else {
            self.say(by, block, height, Word::Valid);
        }
    }

    pub(super) fn active(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>) {
        self.member(by.node).note_tip(block, height, by.sighted);
        self.say(by, block, height, Word::Active);
    }

    /// A reply was true when the node made it, a moment before it was heard: it tells of the tip only what nothing else
    /// has told for a while.
    fn poll(&mut self, by: Speaker<'_>, block: BlockHash, height: u32) {
        let lateness_us = self.settings.lateness_us;
        if self.member(by.node).is_tip_missed(block, by.sighted.at, lateness_us) {
            self.active(by, block, Some(height));
        }
    }

    fn chain_info(&mut self, by: Speaker<'_>, info: &ChainInfo) {
        self.member(by.node).initial_block_download = info.initial_block_download;
        if let Some(block) = info.best_block {
            self.poll(by, block, info.blocks);
        }
    }

    fn chain_tips(&mut self, by: Speaker<'_>, tips: &[ChainTip]) {
        for tip in tips {
            match (&tip.status, Word::of(&tip.status)) {
                (TipStatus::Active, _) => self.poll(by, tip.block, tip.height),
                (_, Some(word)) => self.say(by, tip.block, Some(tip.height), word),
                (_, None) => {}
            }
        }
    }

    fn say(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>, word: Word) {
        self.serial += 1;
        let height = height.or_else(|| self.arrivals.height(block));
        let stamp = Stamp { at: by.sighted.at, serial: self.serial };
        let said = Said { block, height, word, stamp };
        if !self.is_long_past(height) {
            self.arrivals.note_source(block, by.source, by.sighted.at);
        }
        if self.tree.is_some() {
            self.pass_on(by.node, said);
        } else if self.early.len() < MOST_EARLY {
            self.early.push((by.node.clone(), said));
        } else {
            self.dropped += 1;
        }
    }

    /// Tells the tree what a node said, unless it is about what everybody has had for long.
    fn pass_on(&mut self, node: &NodeName, said: Said) {
        let Some(tree) = &mut self.tree else { return };
        let Said { block, height, word, stamp } = said;
        let floor = self.best_height.max(tree.root().1).saturating_sub(self.settings.header_depth);
        let is_downloading =
            || self.members.get(node).is_some_and(|member| member.initial_block_download == Some(true));
        let is_unplaced = || height.is_none() && tree.height(block).is_none();
        if height.is_some_and(|height| height < floor.min(tree.root().1)) || is_unplaced() && is_downloading()
        {
            return;
        }
        if let Some(height) = height {
            tree.height_told(block, height);
        }
        let before = tree.status(node, block);
        tree.said(node, block, word, stamp);
        if tree.status(node, block) != before {
            self.touched.insert(block);
        }
        let best = tree.active_tip(node).and_then(|tip| tree.height(tip));
        self.best_height = self.best_height.max(best.unwrap_or(0));
    }

    fn headers(&mut self, headers: &[RawHeader], out: &mut Vec<Row>) {
        for RawHeader { block, raw } in headers {
            let Ok(header) = Header::decode(raw, Some(*block)) else {
                self.bad_headers += 1;
                continue;
            };
            let joined = match &mut self.tree {
                Some(tree) => tree.insert(header),
                None => self.plant(header),
            };
            let Some(tree) = &self.tree else { continue };
            let rows = joined.iter().filter_map(|block| {
                Some(Row::Header(HeaderRow {
                    network: self.network,
                    block: *block,
                    height: tree.height(*block)?,
                    raw: tree.get(*block)?.to_raw(),
                }))
            });
            out.extend(rows);
            self.touched.extend(joined);
        }
    }

    /// Makes the tree of its first header, if its height is known, and lets it hear what is known of the nodes.
    fn plant(&mut self, header: Header) -> Vec<BlockHash> {
        let block = header.hash();
        let known = self.members.values().find_map(|member| member.height_of(block));
        let Some(height) = known.or_else(|| self.arrivals.height(block)) else { return Vec::new() };
        self.tree = Some(Tree::new(header, height));
        for (node, said) in std::mem::take(&mut self.early) {
            self.pass_on(&node, said);
        }
        vec![block]
    }
}

/// Whether a node that gives this reason does not hold it against the block for ever: `BLOCK_TIME_FUTURE` and
/// `BLOCK_MUTATED` (`src/consensus/validation.h@v30`), which `InvalidBlockFound` does not mark as failed.
pub fn is_of_the_moment(reason: &str) -> bool {
    const CODES: [&str; 6] = [
        "time-too-new",
        "bad-txnmrklroot",
        "bad-txns-duplicate",
        "bad-witness-nonce-size",
        "bad-witness-merkle-match",
        "unexpected-witness",
    ];
    let code = reason.split(',').next().unwrap_or_default().trim();
    CODES.contains(&code)
}
