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
mod clock_rate;
mod delay;
mod delivery;
mod history;
mod ledger;
mod member;
mod need;
mod passage;
mod plan;
mod recent;
mod rivalry;
mod side;
mod sight;
mod slowness;
mod version;
mod watch;
mod word;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bmon_event::{BlockHash, Event, Network, NodeName, ServerTime, Source, Txid};

pub(crate) use self::{
    arrival::Arrival,
    clock_rate::Rate,
    history::{Axis, Grain, History, Value},
    ledger::{Ledger, Saying},
    member::Member,
    recent::Recent,
    rivalry::Rivalry,
    side::{Seen, Side},
    watch::{Watch, WatchedCoin, WatchedTx},
};
use self::{
    arrival::Arrivals,
    bodies::Bodies,
    delay::Delays,
    passage::Passages,
    word::{Said, Speaker},
};
pub use self::{
    history::DAYS,
    need::{DEPTH, Need},
    word::is_of_the_moment,
};
use crate::{
    finding::NodeStatus,
    pool::Pools,
    row::Sighted,
    settings::Settings,
    tree::{Header, Status, Tree},
    watch::WatchItem,
};

/// The state of one network.
#[derive(Debug)]
pub(crate) struct NetworkState {
    pub(crate) network: Network,
    settings: Settings,
    /// `None` until the first header whose height is known.
    tree: Option<Tree>,
    members: BTreeMap<NodeName, Member>,
    arrivals: Arrivals,
    delays: Delays,
    passages: Passages,
    history: History,
    bodies: Bodies,
    watch: Watch,
    /// Blocks that were read whole, and their transactions but for the coinbase, until they are taken.
    mined: Vec<(BlockHash, Vec<Txid>)>,
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

impl NetworkState {
    pub(crate) fn new(network: Network, settings: Settings, pools: Arc<Pools>) -> Self {
        Self {
            network,
            settings,
            tree: None,
            members: BTreeMap::new(),
            arrivals: Arrivals::new(settings.blocks),
            delays: Delays::default(),
            passages: Passages::new(settings.blocks),
            history: History::default(),
            bodies: Bodies::new(&settings, pools),
            watch: Watch::default(),
            mined: Vec::new(),
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

    /// A node was heard of at this time, by a batch of these events that its agent made then.
    pub(crate) fn hear(&mut self, node: &NodeName, at: ServerTime, made: Sighted, events: &[Event]) {
        let made_at = made.offset.map_or(at, |_| made.on_server_clock().min(at));
        let member = self.member(node);
        member.heard_at = member.heard_at.max(at);
        member.told_until = member.told_until.max(made_at);
        member.delivery.note_batch(at, made, events);
    }

    /// Notes that the network is looked at.
    pub(crate) fn note_look(&mut self, now: ServerTime) {
        self.looked_since.get_or_insert(now);
    }

    /// Since when nothing is heard of a node: no earlier than somebody listened.
    pub(crate) fn silent_since(&self, member: &Member) -> ServerTime {
        member.heard_at.max(self.looked_since.unwrap_or_default())
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

    /// Takes in how many peers a node had.
    pub(crate) fn restore_peers(&mut self, node: &NodeName, inbound: Option<u32>, outbound: Option<u32>) {
        self.member(node).peers = inbound.zip(outbound).map(|(inbound, outbound)| inbound + outbound);
    }

    /// What is watched.
    pub(crate) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The same, to tell it more.
    pub(crate) const fn watch_mut(&mut self) -> &mut Watch {
        &mut self.watch
    }

    /// Watches these and nothing else. Whether it was otherwise before.
    pub(crate) fn set_watch_items(&mut self, items: BTreeSet<WatchItem>) -> bool {
        let heard_at = self.members.values().map(|member| member.heard_at).max().unwrap_or_default();
        let is_new = self.watch.set_items(items, heard_at);
        self.bodies.reads_contents = !self.watch.items().is_empty();
        if is_new {
            // So that it is decided anew which blocks to ask for.
            self.touched.extend(self.main_tip());
        }
        is_new
    }

    /// A node told of a transaction, so that it is of interest which blocks have those that are told of.
    pub(crate) fn note_transactions(&mut self) {
        if !self.bodies.reads_txids {
            self.bodies.reads_txids = true;
            self.watch.forget_looked_through();
            // So that it is decided anew which blocks to ask for.
            self.touched.extend(self.main_tip());
        }
    }

    /// What blocks that were read have is not taken in: they are to be read again.
    pub(crate) fn pass_mined(&mut self) {
        if !std::mem::take(&mut self.mined).is_empty() {
            self.watch.forget_looked_through();
        }
    }

    /// Blocks that were read whole since the last call, with their transactions but for the coinbase.
    pub(crate) fn take_mined(&mut self) -> Vec<(BlockHash, Vec<Txid>)> {
        std::mem::take(&mut self.mined)
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

    /// Words and headers that were dropped, or that no node could have said; blocks and spends of coins of which too many waited.
    pub(crate) fn dropped(&self) -> u64 {
        let waiting = self.delays.dropped() + self.watch.dropped();
        self.dropped + self.bad_headers + waiting + self.tree().map_or(0, Tree::dropped)
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
}
