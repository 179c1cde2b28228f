//! Batches in, rows out.

mod restore;
mod transaction;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use bmon_event::{Batch, BlockHash, Event, Network, NodeName, ServerTime};

use crate::{
    analysis::{self, Analysis},
    histogram::Histogram,
    network::{
        Need, NetworkState,
        analysis::{self as network_analysis, Look, NetworkAnalysis},
    },
    pool::{self, Pools},
    row::{NodeRow, Row},
    rule::{Ground, alarm::Alarms, board::Board},
    server_health::ServerHealth,
    settings::Settings,
    state::{Change, NodeState, Place},
    transaction::{Telling, Transactions},
};

/// Owns the state of every node and the analyses that look at it.
///
/// The same batches in the same order, with the same times, give the same rows; and what is said of one node does not
/// depend on how its batches are interleaved with those of others.
pub struct Engine {
    settings: Settings,
    server: ServerHealth,
    pools: Arc<Pools>,
    indices: BTreeMap<(Network, NodeName), NodeIndex>,
    nodes: Vec<Watched>,
    networks: BTreeMap<Network, Watching>,
    /// What happened long ago is told: the networks are looked at when it is over.
    is_catching_up: bool,
    /// What is applied is known of transactions already.
    passes_transactions: bool,
    /// The last number given to a chunk of transactions.
    last_chunk: u64,
    /// Calls of [`Self::apply`].
    applied: u64,
    batches: u64,
    repeated_batches: u64,
    events: u64,
}

/// Stands for a node in one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeIndex(usize);

/// A node and what looks at it.
struct Watched {
    state: NodeState,
    analyses: Vec<Box<dyn Analysis>>,
}

/// A network and what looks at it.
struct Watching {
    state: NetworkState,
    analyses: Vec<(&'static str, Box<dyn NetworkAnalysis>)>,
    board: Board,
    alarms: Alarms,
    transactions: Transactions,
}

/// How late a node told of what came since the engine was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDelays {
    /// The network.
    pub network: Network,
    /// The node.
    pub node: NodeName,
    /// Of blocks, after the first node: until the node told of them in any way.
    pub blocks: Histogram,
    /// Of transactions, accepted or refused, after the first node.
    pub transactions: Histogram,
    /// Of batches: from when the node's agent made them until the server received them, where the clocks' difference is known.
    pub batches: Histogram,
}

/// What an engine has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Batches applied.
    pub batches: u64,
    /// Batches left out because they had been applied before.
    pub repeated_batches: u64,
    /// Events applied.
    pub events: u64,
    /// First times forgotten, by age or because there were too many. Told again, they are said again.
    pub forgotten_sightings: u64,
    /// Transactions forgotten before their time because there were too many.
    pub forgotten_transactions: u64,
    /// Transactions that came too late to be counted in the spread of their hour, or whose clocks are hours wrong.
    pub late_transactions: u64,
    /// How often a node's clock was seen to have been set.
    pub clock_steps: u64,
    /// Headers, and words about blocks, that were dropped because too many waited or because no node could have said them.
    pub dropped_words: u64,
    /// Parts of blocks that were dropped because they cannot be of the block, or contradict others.
    pub bad_block_parts: u64,
    /// Parts of blocks that were dropped because nobody needed them, or not any more.
    pub unneeded_block_parts: u64,
}

impl Engine {
    /// An engine that knows nothing yet but the pools that are known without a list.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            server: ServerHealth::default(),
            pools: Arc::new(Pools::new(pool::known())),
            indices: BTreeMap::new(),
            nodes: Vec::new(),
            networks: BTreeMap::new(),
            is_catching_up: false,
            passes_transactions: false,
            last_chunk: 0,
            applied: 0,
            batches: 0,
            repeated_batches: 0,
            events: 0,
        }
    }

    /// With these pools instead. To be said before anything else.
    #[must_use]
    pub fn with_pools(mut self, pools: Pools) -> Self {
        self.pools = Arc::new(pools);
        self
    }

    /// Takes in one batch, in the order of the journal, that the server received at `received_at`. What follows from
    /// it is appended to `out`. A batch that was applied before changes nothing. After batches that are missing, the
    /// chain is followed anew.
    pub fn apply(&mut self, batch: &Batch, received_at: ServerTime, out: &mut Vec<Row>) {
        self.applied += 1;
        let node = self.node(batch.network, &batch.node);
        match self.nodes[node.0].state.place(batch.epoch, batch.sequence) {
            Place::Repeated => {
                self.repeated_batches += 1;
                return;
            }
            Place::Next => {}
            Place::AfterLoss => self.nodes[node.0].lose(out),
        }
        self.batches += 1;
        let before = out.len();
        self.nodes[node.0].state.learn_clock(&batch.events);
        let number = self.watching(batch.network).transactions.number_of(&batch.node);
        let by = Telling { node: number, batch: self.applied, now: received_at };
        for event in &batch.events {
            let is_all = self.settings.track_transactions && self.note_transaction(node, event, by);
            if !is_all {
                self.observe(node, event, received_at, out);
            }
        }
        self.note_mined(batch.network, by);
        self.look_if_touched(batch, received_at, before, out);
        out.extend(self.nodes[node.0].state.row(received_at).map(|row| Row::Node(Box::new(row))));
    }

    /// Says what has waited long enough for more. To be called about once a second, with a clock that does not run
    /// behind that of [`Self::apply`].
    pub fn tick(&mut self, now: ServerTime, out: &mut Vec<Row>) {
        let (mut changes, before) = (Vec::new(), out.len());
        for node in &mut self.nodes {
            node.state.tick(now, &mut changes);
            node.analyse(&mut changes, out);
        }
        for row in &out[before..] {
            if let Row::Finding(finding) = row
                && let Some(watching) = self.networks.get_mut(&finding.network)
            {
                watching.board.put(finding);
            }
        }
        for watching in self.networks.values_mut() {
            watching.transactions.tick(now, out);
            let (hours, before) = watching.transactions.take_hours();
            watching.state.measure_hours(&hours, before);
            if self.is_catching_up {
                watching.state.pass_delays();
            } else {
                watching.state.count_delays(now);
                watching.look(&self.server, now, out);
            }
        }
    }

    /// How many of the last calls of [`Self::apply`] told of transactions what is not said yet. It is said at ticks; whoever
    /// stops before must apply these again.
    pub fn unsaid_batches(&self) -> u64 {
        let since = self.networks.values().filter_map(|watching| watching.transactions.unsaid_since()).min();
        since.map_or(0, |since| self.applied + 1 - since)
    }

    /// Says all that waits for a tick.
    pub fn say_all(&mut self, now: ServerTime, out: &mut Vec<Row>) {
        for watching in self.networks.values_mut() {
            watching.transactions.say_all(now, out);
        }
    }

    /// Headers and parts of blocks that are lacking, of every network.
    pub fn needs(&self) -> Vec<Need> {
        self.networks.values().flat_map(|network| network.state.needs()).collect()
    }

    /// Says how the server does, until it is said again.
    pub fn note_server(&mut self, server: ServerHealth) {
        self.server = server;
    }

    /// Says whether what is applied from now on happened long ago, as when a journal is read again. The networks are
    /// looked at when that is over, so that nothing is found of what they once were.
    pub const fn set_catching_up(&mut self, is_catching_up: bool) {
        self.is_catching_up = is_catching_up;
    }

    /// Says whether what is applied from now on told of transactions what [`Self::restore_tx_chunk`] tells too, or what is
    /// older than that.
    pub const fn set_passing_transactions(&mut self, passes_transactions: bool) {
        self.passes_transactions = passes_transactions;
    }

    fn watching(&mut self, network: Network) -> &mut Watching {
        let (settings, pools) = (self.settings, &self.pools);
        self.networks.entry(network).or_insert_with(|| Watching {
            state: NetworkState::new(network, settings, Arc::clone(pools)),
            analyses: network_analysis::make_all(),
            board: Board::default(),
            alarms: Alarms::default(),
            transactions: Transactions::new(network, settings.transactions),
        })
    }

    /// Looks at the network of a batch if that told something of the chain, or if something was found, which is in `out`
    /// from `before` on. The rest can wait for the next tick.
    fn look_if_touched(&mut self, batch: &Batch, now: ServerTime, before: usize, out: &mut Vec<Row>) {
        if !self.settings.track_networks {
            return;
        }
        let is_catching_up = self.is_catching_up;
        let node = self.node(batch.network, &batch.node);
        let made = self.nodes[node.0].state.sighted(batch.made_at);
        let watching = self.watching(batch.network);
        watching.state.hear(&batch.node, now, made, &batch.events);
        let is_news = watching.post(&out[before..]) || watching.state.is_touched();
        if is_catching_up {
            return;
        }
        watching.state.count_batch(&batch.node, now, made);
        if is_news && let Some(watching) = self.networks.get_mut(&batch.network) {
            watching.look(&self.server, now, out);
        }
    }

    /// How late each node told, by network and node.
    pub fn delays(&self) -> Vec<NodeDelays> {
        let of_network = |(network, watching): (&Network, &Watching)| {
            let (blocks, transactions) = (watching.state.delays(), watching.transactions.delays());
            let batches = watching.state.batch_delays();
            let names: BTreeSet<&NodeName> =
                blocks.keys().chain(transactions.keys()).chain(batches.keys()).collect();
            let of_node = |node: &NodeName| NodeDelays {
                network: *network,
                node: node.clone(),
                blocks: blocks.get(node).copied().unwrap_or_default(),
                transactions: transactions.get(node).copied().unwrap_or_default(),
                batches: batches.get(node).copied().unwrap_or_default(),
            };
            names.into_iter().map(of_node).collect::<Vec<_>>()
        };
        self.networks.iter().flat_map(of_network).collect()
    }

    /// What has been counted.
    pub fn counters(&self) -> Counters {
        let states = || self.nodes.iter().map(|node| &node.state);
        let parts = self.networks.values().map(|network| network.state.dropped_parts());
        let (bad_block_parts, unneeded_block_parts) =
            parts.fold((0, 0), |sum, parts| (sum.0 + parts.0, sum.1 + parts.1));
        Counters {
            batches: self.batches,
            repeated_batches: self.repeated_batches,
            events: self.events,
            forgotten_sightings: states().map(NodeState::forgotten).sum(),
            forgotten_transactions: self
                .networks
                .values()
                .map(|network| network.transactions.forgotten())
                .sum(),
            late_transactions: self.networks.values().map(|network| network.transactions.late()).sum(),
            clock_steps: states().map(NodeState::clock_steps).sum(),
            dropped_words: self.networks.values().map(|network| network.state.dropped()).sum(),
            bad_block_parts,
            unneeded_block_parts,
        }
    }

    /// The node of this name on this network.
    pub(crate) fn node(&mut self, network: Network, name: &NodeName) -> NodeIndex {
        let (nodes, settings) = (&mut self.nodes, self.settings);
        *self.indices.entry((network, name.clone())).or_insert_with(|| {
            let state = NodeState::new(network, name.clone(), settings);
            nodes.push(Watched { state, analyses: analysis::make_all(&settings) });
            NodeIndex(nodes.len() - 1)
        })
    }

    /// A node as it is now, if that is news.
    pub(crate) fn row(&mut self, node: NodeIndex, heard_at: ServerTime) -> Option<NodeRow> {
        self.nodes[node.0].state.row(heard_at)
    }

    /// Takes in one event of a node.
    pub(crate) fn observe(
        &mut self,
        node: NodeIndex,
        event: &Event,
        received_at: ServerTime,
        out: &mut Vec<Row>,
    ) {
        self.events += 1;
        let node = &mut self.nodes[node.0];
        let mut changes = Vec::new();
        node.state.apply(event, received_at, &mut changes);
        node.analyse(&mut changes, out);
        if self.settings.track_networks && NetworkState::concerns(&event.kind) {
            let (network, sighted) = (node.state.network, node.state.sighted(event.time()));
            let name = node.state.name.clone();
            self.watching(network).state.apply(&name, event, sighted, out);
        }
    }
}

impl Watched {
    fn lose(&mut self, out: &mut Vec<Row>) {
        let mut changes = Vec::new();
        self.state.lose(&mut changes);
        self.analyse(&mut changes, out);
    }

    fn analyse(&mut self, changes: &mut Vec<Change<'_>>, out: &mut Vec<Row>) {
        for change in changes.drain(..) {
            for analysis in &mut self.analyses {
                analysis.apply(&self.state, &change, out);
            }
        }
    }
}

impl Watching {
    /// Looks at the network as it is now.
    fn look(&mut self, server: &ServerHealth, now: ServerTime, out: &mut Vec<Row>) {
        self.state.note_look(now);
        for txid in self.state.watch_mut().take_new_txs() {
            for told in self.transactions.told(&txid) {
                self.state.watch_mut().note(&txid, told);
            }
        }
        self.state.plan_watch(now);
        let touched = self.state.take_touched();
        let (main, before) = (self.state.main_tip(), out.len());
        if let Some(main) = main {
            self.look_at(main, &touched, now, out);
        }
        self.post(&out[before..]);
        self.board.tidy(now);
        let ground = Ground { network: &self.state, main, board: &self.board, server, now };
        self.alarms.look(&ground, out);
    }

    /// Looks at the network, whose main chain ends in `main`.
    fn look_at(
        &mut self,
        main: BlockHash,
        touched: &BTreeSet<BlockHash>,
        now: ServerTime,
        out: &mut Vec<Row>,
    ) {
        self.state.say_raw_blocks(main, out);
        let sides = if touched.is_empty() { Vec::new() } else { self.state.sides(main, touched) };
        let rivalries = self.state.rivalries(main, &sides);
        if !touched.is_empty() {
            self.state.plan(main, &sides, &rivalries, now);
        }
        self.state.plan_backfill(main, now);
        self.state.measure_blocks(main, now);
        let (sides, rivalries) = (&sides[..], &rivalries[..]);
        let look = Look { network: &self.state, main, sides, rivalries, touched, now };
        for (_, analysis) in &mut self.analyses {
            analysis.look(&look, out);
        }
    }

    /// Puts the findings among these rows where the rules see them. Whether there were any that a rule looks at.
    fn post(&mut self, rows: &[Row]) -> bool {
        let mut is_news = false;
        for row in rows {
            if let Row::Finding(finding) = row {
                is_news |= self.board.put(finding);
            }
        }
        is_news
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut engine = f.debug_struct("Engine");
        engine
            .field("nodes", &self.indices.keys())
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
