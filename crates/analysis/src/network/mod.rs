//! What the nodes of one network say together: the headers as one tree, and what each node says of each block.
//!
//! Fed by logs, ZMQ, `getchaintips` and `getblockchaininfo`, and by headers that the server asks agents for: no source
//! but those tells what a block's parent is. What is kept depends on what was told and not on the order in which it came,
//! as that of the tree does.
//!
//! A node in initial block download speaks of a hundred thousand blocks that everybody else has had for years. Those far
//! below the best tip are passed over, so that no node can make the tree grow down.

mod absence;
pub mod analysis;
mod arrival;
mod bodies;
mod ledger;
mod member;
mod need;
mod plan;
mod recent;
mod rivalry;
mod side;
mod sight;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bmon_event::{
    BlockHash, Event, Kind, Network, NodeName, ServerTime, Source,
    event::{ChainInfo, ChainTip, Headers, RawHeader, TipStatus},
};

pub(crate) use self::{
    arrival::Arrival,
    ledger::{Ledger, Saying},
    member::Member,
    recent::Recent,
    rivalry::Rivalry,
    side::{Seen, Side},
};
use self::{arrival::Arrivals, bodies::Bodies};
use crate::{
    finding::NodeStatus,
    pool::Pools,
    row::{HeaderRow, Row, Sighted},
    settings::Settings,
    tree::{Header, Stamp, Status, Tree, Word},
};
pub use need::{DEPTH, Need};

/// The state of one network.
#[derive(Debug)]
pub(crate) struct NetworkState {
    pub(crate) network: Network,
    settings: Settings,
    /// `None` until the first header whose height is known.
    tree: Option<Tree>,
    members: BTreeMap<NodeName, Member>,
    arrivals: Arrivals,
    bodies: Bodies,
    /// Blocks of which something was told since the analyses last looked.
    touched: BTreeSet<BlockHash>,
    /// Branches that end below this height are decided for good, and said.
    settled_below: u32,
    /// What was said before there was a tree.
    early: Vec<(NodeName, Said)>,
    /// The highest end of an active chain that there was.
    best_height: u32,
    /// Words left out because too many came early.
    dropped: u64,
    /// Counts words: of two that a node said at one time the later is the one that came later.
    serial: u64,
    /// Headers that no node could have accepted.
    bad_headers: u64,
    /// When this engine first looked at the network: nobody could be heard before.
    looked_since: Option<ServerTime>,
    is_mined_in_earnest: bool,
}

/// Who said something, and when.
#[derive(Clone, Copy, Debug)]
struct Speaker<'a> {
    node: &'a NodeName,
    source: Source,
    sighted: Sighted,
}

/// What a node said of a block.
#[derive(Clone, Copy, Debug)]
struct Said {
    block: BlockHash,
    height: Option<u32>,
    word: Word,
    stamp: Stamp,
}

/// Most words that are kept until there is a tree: it takes one answer of an agent.
const MOST_EARLY: usize = 4_096;

impl NetworkState {
    pub(crate) fn new(network: Network, settings: Settings, pools: Arc<Pools>) -> Self {
        Self {
            network,
            settings,
            tree: None,
            members: BTreeMap::new(),
            arrivals: Arrivals::new(settings.blocks),
            bodies: Bodies::new(&settings, pools),
            touched: BTreeSet::new(),
            settled_below: 0,
            early: Vec::new(),
            best_height: 0,
            dropped: 0,
            serial: 0,
            bad_headers: 0,
            looked_since: None,
            is_mined_in_earnest: settings.selfish_mining_everywhere || network.chain() == Some("main"),
        }
    }

    /// A node was heard of at this time, by a batch that its agent made then.
    pub(crate) fn hear(&mut self, node: &NodeName, at: ServerTime, made: Sighted) {
        let made_at = made.offset.map_or(at, |_| made.on_server_clock().min(at));
        let member = self.member(node);
        member.heard_at = member.heard_at.max(at);
        member.told_until = member.told_until.max(made_at);
    }

    /// Notes that the network is looked at.
    pub(crate) fn note_look(&mut self, now: ServerTime) {
        self.looked_since.get_or_insert(now);
    }

    /// Since when nothing is heard of a node: no earlier than somebody listened.
    pub(crate) fn silent_since(&self, member: &Member) -> ServerTime {
        member.heard_at.max(self.looked_since.unwrap_or_default())
    }

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
                | Kind::NodeStarted { .. }
                | Kind::NodeStopping
                | Kind::Gap(_)
        )
    }

    /// Takes in one event of a node, whose time stands where `sighted` says.
    pub(crate) fn apply(&mut self, node: &NodeName, event: &Event, sighted: Sighted, out: &mut Vec<Row>) {
        let by = Speaker { node, source: event.source, sighted };
        self.member(node).absence.note(sighted.at, &event.kind);
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
            Kind::BlockPart(part) => self.block_part(by, part, out),
            _ => {}
        }
    }

    /// Takes in a header that was kept, with its height.
    pub(crate) fn restore_header(&mut self, block: BlockHash, height: u32, raw: &[u8]) {
        let Ok(header) = Header::decode(raw, Some(block)) else {
            self.bad_headers += 1;
            return;
        };
        match &mut self.tree {
            Some(tree) => drop(tree.insert(header)),
            None => self.tree = Some(Tree::new(header, height)),
        }
    }

    /// Takes in what was kept of a node: the end of its active chain, since when, and when it was last heard of.
    pub(crate) fn restore_member(
        &mut self,
        node: &NodeName,
        tip: Option<(BlockHash, Option<u32>, Sighted)>,
        initial_block_download: Option<bool>,
        heard_at: ServerTime,
    ) {
        let member = self.member(node);
        (member.heard_at, member.told_until) = (heard_at, heard_at);
        member.initial_block_download = initial_block_download;
        if let Some((block, height, sighted)) = tip {
            self.active(Speaker { node, source: Source::Rpc, sighted }, block, height);
        }
    }

    /// Whether something was told since the analyses last looked.
    pub(crate) fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// What was told since the last call.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<BlockHash> {
        std::mem::take(&mut self.touched)
    }

    /// The headers, `None` while not one is known with its height.
    pub(crate) const fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// The nodes by name.
    pub(crate) const fn members(&self) -> &BTreeMap<NodeName, Member> {
        &self.members
    }

    /// The nodes that follow the chain now: they told something of the last minutes, and are past initial block download.
    pub(crate) fn live(&self, now: ServerTime) -> impl Iterator<Item = (&NodeName, BlockHash)> {
        let silence_us = self.settings.silence_us;
        let is_live = move |member: &Member| {
            member.initial_block_download != Some(true) && now.micros_since(member.told_until) <= silence_us
        };
        let live = self.members.iter().filter(move |(_, member)| is_live(member));
        live.filter_map(|(node, _)| Some((node, self.tree()?.active_tip(node)?)))
    }

    /// When each node first told of a block, and why some found it invalid.
    pub(crate) fn arrival(&self, block: BlockHash) -> Option<&Arrival> {
        self.arrivals.get(block)
    }

    /// What the block is to each node that knows it.
    pub(crate) fn statuses(&self, block: BlockHash) -> impl Iterator<Item = (&NodeName, Status)> {
        let status = move |node| Some((node, self.tree()?.status(node, block)));
        self.members.keys().filter_map(status).filter(|(_, status)| *status != Status::Unknown)
    }

    /// The same by name, to be told.
    pub(crate) fn node_statuses(&self, block: BlockHash) -> Vec<NodeStatus> {
        let of_node = |(node, status): (&NodeName, Status)| NodeStatus { node: node.clone(), status };
        self.statuses(block).map(of_node).collect()
    }

    /// Words and headers that were dropped, or that no node could have said.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped + self.bad_headers + self.tree().map_or(0, Tree::dropped)
    }

    /// Parts of blocks that were dropped: those that cannot be of the block, and those that nobody needed.
    pub(crate) const fn dropped_parts(&self) -> (u64, u64) {
        self.bodies.dropped()
    }

    fn member(&mut self, node: &NodeName) -> &mut Member {
        if !self.members.contains_key(node) {
            self.members.insert(node.clone(), Member::default());
        }
        self.members.get_mut(node).expect("it was just looked up")
    }

    fn seen(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>, word: Word) {
        self.arrivals.note(block, by.node, by.sighted, height);
        self.say(by, block, height, word);
    }

    fn invalid(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>, reason: Option<&str>) {
        if reason.is_some_and(is_of_the_moment) {
            return;
        }
        self.arrivals.note(block, by.node, by.sighted, height);
        self.arrivals.note_invalid(block, by.node, reason);
        self.say(by, block, height, Word::Invalid);
    }

    /// The log names every tip, in order; ZMQ tells the same a little later, so that it counts only where there is no log.
    fn tip(&mut self, by: Speaker<'_>, source: Source, block: BlockHash, height: Option<u32>) {
        let member = self.member(by.node);
        member.has_log_tips |= source == Source::Log;
        let counts = source == Source::Log || !member.has_log_tips;
        self.arrivals.note(block, by.node, by.sighted, height);
        if counts {
            self.active(by, block, height);
        } else {
            self.say(by, block, height, Word::Valid);
        }
    }

    fn active(&mut self, by: Speaker<'_>, block: BlockHash, height: Option<u32>) {
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
        self.arrivals.note_source(block, by.source, by.sighted.at);
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
        let floor = self.best_height.max(tree.root().1).saturating_sub(need::DEPTH);
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
    const CODES: [&str; 7] = [
        "time-too-new",
        "bad-txnmrklroot",
        "bad-txns-duplicate",
        "bad-witness-nonce-size",
        "bad-witness-merkle-match",
        "unexpected-witness",
        "bad-signet-blksig",
    ];
    let code = reason.split(',').next().unwrap_or_default().trim();
    CODES.contains(&code)
}
