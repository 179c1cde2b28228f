//! Some nodes of a simulated network, and a server that asks them for headers and blocks.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    absolute::LockTime,
    block::{Header as BlockHeader, Version as BlockVersion},
    consensus::serialize,
    hashes::Hash as _,
    transaction::Version,
};
use bmon_analysis::{
    Engine, Need, Settings,
    alert::{Alert, AlertId, AlertState, Severity},
    finding::{Body, Finding, FindingId},
    row::{HeaderRow, MinerRow, NodeRow, RawBlockRow, Row, TipsRow, TxChunk, TxSpread},
    tree::Header,
    watch::WatchItem,
};
use bmon_event::{
    AgentTime, Batch, BlockHash, Epoch, Event, Kind, Network, NodeName, NodeTime, Positions, ServerTime,
    Source, Wanted,
    event::{BlockPart, ChainInfo, ChainTip, ClockSample, Headers, RawHeader, TipStatus},
};

pub(crate) const MS: i64 = 1_000;
pub(crate) const SECOND: i64 = 1_000 * MS;
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// When the simulation begins: the time of block 0.
const START: i64 = 1_700_000_000 * SECOND;
/// The easiest target of regtest.
const EASY: u32 = 0x207f_ffff;

/// Most bytes of a block in one answer: few, so that most blocks with transactions take several.
pub(crate) const PART_BYTES: usize = 200;

/// All blocks that there are, and an engine that hears of them.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: i64,
    settings: Settings,
    raw: HashMap<BlockHash, Vec<u8>>,
    heights: HashMap<BlockHash, u32>,
    /// Whole blocks, with their headers.
    bodies: HashMap<BlockHash, Vec<u8>>,
    made: u32,
    /// The version of blocks that are made.
    pub(crate) version: u32,
    /// What the miner of the next blocks writes into the coinbase.
    pub(crate) tag: &'static str,
    /// Transactions of the next block.
    pub(crate) transactions: Vec<Transaction>,
    /// Nodes that give nothing of blocks.
    pub(crate) silent: HashSet<NodeName>,
    /// The transactions of each node's mempool.
    pub(crate) mempools: BTreeMap<NodeName, Vec<Transaction>>,
    /// Nodes that cannot tell what spends a coin in their mempool.
    pub(crate) blind: HashSet<NodeName>,
    /// What is watched.
    watched: BTreeSet<WatchItem>,
    /// Parts of blocks that were asked for.
    pub(crate) parts: Vec<(BlockHash, NodeName)>,
    sequences: BTreeMap<NodeName, u64>,
    /// Server's clock minus each node's, in microseconds; 0 where none is set.
    pub(crate) offsets_us: BTreeMap<NodeName, i64>,
    /// Batches in the order in which they were given.
    pub(crate) batches: Vec<(Batch, ServerTime)>,
    pub(crate) findings: BTreeMap<FindingId, Finding>,
    /// How often something was said.
    pub(crate) said: usize,
    pub(crate) headers: Vec<HeaderRow>,
    pub(crate) nodes: BTreeMap<NodeName, NodeRow>,
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    /// How often each alert came into each state.
    pub(crate) turns: BTreeMap<(AlertId, AlertState), usize>,
    /// The ends of the branches as last said, and how often they were.
    pub(crate) tips: (Option<TipsRow>, usize),
    pub(crate) miners: BTreeMap<BlockHash, MinerRow>,
    pub(crate) raw_blocks: BTreeMap<BlockHash, RawBlockRow>,
    /// The transactions of each hour, as last said.
    pub(crate) tx_hours: BTreeMap<ServerTime, TxSpread>,
    pub(crate) tx_chunks: BTreeMap<u64, TxChunk>,
}

pub(crate) fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

pub(crate) fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

/// A transaction that spends this coin and pays each of these scripts.
pub(crate) fn transaction(coin: OutPoint, pays: &[(u8, u64)]) -> Transaction {
    let input = TxIn {
        previous_output: coin,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = |(who, value): &(u8, u64)| TxOut {
        value: Amount::from_sat(*value),
        script_pubkey: vec![*who].into(),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: pays.iter().map(output).collect(),
    }
}

impl World {
    /// Block 0 alone.
    pub(crate) fn new() -> (Self, BlockHash) {
        Self::with(Settings::default())
    }

    /// Block 0 alone, and an engine with these settings.
    pub(crate) fn with(settings: Settings) -> (Self, BlockHash) {
        let mut world = Self {
            engine: Engine::new(settings),
            now: START,
            settings,
            raw: HashMap::new(),
            heights: HashMap::new(),
            bodies: HashMap::new(),
            made: 0,
            version: 0x2000_0000,
            tag: "",
            transactions: Vec::new(),
            silent: HashSet::new(),
            mempools: BTreeMap::new(),
            blind: HashSet::new(),
            watched: BTreeSet::new(),
            parts: Vec::new(),
            sequences: BTreeMap::new(),
            offsets_us: BTreeMap::new(),
            batches: Vec::new(),
            findings: BTreeMap::new(),
            said: 0,
            headers: Vec::new(),
            nodes: BTreeMap::new(),
            alerts: BTreeMap::new(),
            turns: BTreeMap::new(),
            tips: (None, 0),
            miners: BTreeMap::new(),
            raw_blocks: BTreeMap::new(),
            tx_hours: BTreeMap::new(),
            tx_chunks: BTreeMap::new(),
        };
        let genesis = world.make(BlockHash::from_bytes([0; 32]), 0, EASY);
        (world, genesis)
    }

    /// A new block after `parent`. Nobody knows it yet.
    pub(crate) fn block(&mut self, parent: BlockHash) -> BlockHash {
        self.make(parent, self.heights[&parent] + 1, EASY)
    }

    /// One with the longer header of another proof of work.
    pub(crate) fn blake2b_block(&mut self, parent: BlockHash) -> BlockHash {
        let block = self.block_after(parent, EASY);
        let mut raw = serialize(&block.header);
        raw.resize(164, 0);
        let mut bytes = [0xb2; 32];
        bytes[..4].copy_from_slice(&self.made.to_be_bytes());
        self.keep(BlockHash::from_bytes(bytes), raw, &block, self.heights[&parent] + 1)
    }

    /// One that this pool mined, with these transactions.
    pub(crate) fn mined(
        &mut self,
        parent: BlockHash,
        tag: &'static str,
        transactions: &[Transaction],
    ) -> BlockHash {
        (self.tag, self.transactions) = (tag, transactions.to_vec());
        let block = self.block(parent);
        self.tag = "";
        block
    }

    /// Has the same blocks, and the same nodes go on.
    pub(crate) fn share(&mut self, other: &Self) {
        (self.raw, self.bodies, self.heights) =
            (other.raw.clone(), other.bodies.clone(), other.heights.clone());
        self.sequences = other.sequences.clone();
        (self.mempools, self.blind) = (other.mempools.clone(), other.blind.clone());
    }

    /// So many transactions, each of a coin of its own.
    pub(crate) fn payments(&self, count: u8) -> Vec<Transaction> {
        let coin = |number| OutPoint { txid: bitcoin::Txid::from_byte_array([number; 32]), vout: self.made };
        (1..=count).map(|number| transaction(coin(number), &[(number, 1_000)])).collect()
    }

    /// A chain of `count` new blocks.
    pub(crate) fn chain(&mut self, parent: BlockHash, count: usize) -> Vec<BlockHash> {
        let next = |parent: &BlockHash| Some(*parent);
        let (mut blocks, mut last) = (Vec::new(), next(&parent));
        while blocks.len() < count {
            last = last.map(|parent| self.block(parent));
            blocks.extend(last);
        }
        blocks
    }

    fn make(&mut self, parent: BlockHash, height: u32, bits: u32) -> BlockHash {
        let mut block = self.block_after(parent, bits);
        let hash = loop {
            if let Ok(header) = Header::decode(&serialize(&block.header), None) {
                break header.hash();
            }
            block.header.nonce += 1;
        };
        self.keep(hash, serialize(&block.header), &block, height)
    }

    fn block_after(&mut self, parent: BlockHash, bits: u32) -> Block {
        self.made += 1;
        let mut parent = *parent.as_bytes();
        parent.reverse();
        let script = [&[4][..], &self.made.to_le_bytes(), self.tag.as_bytes()].concat();
        let mut txdata = vec![transaction(OutPoint::null(), &[(0, 50)])];
        txdata[0].input[0].script_sig = ScriptBuf::from_bytes(script);
        txdata.append(&mut self.transactions);
        let header = BlockHeader {
            version: BlockVersion::from_consensus(self.version.cast_signed()),
            prev_blockhash: bitcoin::BlockHash::from_byte_array(parent),
            merkle_root: bitcoin::TxMerkleNode::all_zeros(),
            time: u32::try_from(self.now / SECOND).unwrap(),
            bits: bitcoin::CompactTarget::from_consensus(bits),
            nonce: 0,
        };
        let mut block = Block { header, txdata };
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        block
    }

    fn keep(&mut self, hash: BlockHash, header: Vec<u8>, block: &Block, height: u32) -> BlockHash {
        let mut body = header.clone();
        body.extend_from_slice(&serialize(&block.txdata));
        self.raw.insert(hash, header);
        self.bodies.insert(hash, body);
        self.heights.insert(hash, height);
        hash
    }

    /// The bytes of a whole block.
    pub(crate) fn body(&self, block: BlockHash) -> &[u8] {
        &self.bodies[&block]
    }

    /// Time passes, with a tick each second of the last minute.
    pub(crate) fn wait(&mut self, us: i64) {
        let end = self.now + us;
        self.now = self.now.max(end - MINUTE);
        while self.now < end {
            self.now = end.min(self.now + SECOND);
            let mut rows = Vec::new();
            self.engine.tick(ServerTime::from_micros(self.now), &mut rows);
            self.take(rows);
        }
    }

    /// Time passes, and all nodes are heard of all the while.
    pub(crate) fn pass(&mut self, us: i64) {
        let end = self.now + us;
        while self.now < end {
            for name in self.nodes.keys().cloned().collect::<Vec<_>>() {
                self.deliver(name.as_str(), Source::Agent, vec![]);
            }
            self.wait((end - self.now).min(20 * SECOND));
        }
    }

    /// Alerts of a rule: severity, state and what they are about, in the order in which they began.
    pub(crate) fn alerts_of(&self, rule: &str) -> Vec<(Severity, AlertState, String)> {
        let mut alerts: Vec<_> = self.alerts.values().filter(|alert| alert.rule == rule).collect();
        alerts.sort_by_key(|alert| (alert.active_at_us, alert.id));
        alerts.into_iter().map(|alert| (alert.severity, alert.state, alert.subject.clone())).collect()
    }

    /// A block's header, as an engine says it.
    pub(crate) fn header_row(&self, block: BlockHash) -> HeaderRow {
        let (height, raw) = (self.heights[&block], self.raw[&block].clone());
        HeaderRow { network: network(), block, height, raw }
    }

    /// The block at this height below `tip`.
    pub(crate) fn at_height(&self, tip: BlockHash, height: u32) -> BlockHash {
        let mut block = tip;
        while self.heights[&block] > height {
            let mut parent: [u8; 32] = self.raw[&block][4..36].try_into().unwrap();
            parent.reverse();
            block = BlockHash::from_bytes(parent);
        }
        block
    }

    /// What is told from now on is not delivered.
    pub(crate) fn hold_back(&mut self) -> Engine {
        self.miners.clear();
        self.raw_blocks.clear();
        let engine = self.new_engine();
        std::mem::replace(&mut self.engine, engine)
    }

    /// One with the settings of this world, that knows nothing yet.
    pub(crate) fn new_engine(&self) -> Engine {
        Engine::new(self.settings)
    }

    /// What was held back is delivered after all, so much later.
    pub(crate) fn release(&mut self, engine: Engine, later_us: i64) {
        let all = std::mem::take(&mut self.batches);
        self.miners.clear();
        self.raw_blocks.clear();
        self.engine = engine;
        (self.findings, self.alerts, self.turns) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.now += later_us;
        for (batch, _) in all {
            // Those that were delivered before are passed over.
            self.apply(batch, ServerTime::from_micros(self.now));
        }
        self.wait(20 * SECOND);
    }

    /// The node's log tells this now.
    pub(crate) fn log(&mut self, name: &str, kinds: Vec<Kind>) {
        self.tell(name, Source::Log, kinds);
    }

    /// The node tells this now, and the server gets the headers that it lacks then.
    pub(crate) fn tell(&mut self, name: &str, source: Source, kinds: Vec<Kind>) {
        self.deliver(name, source, kinds);
        self.serve();
    }

    fn deliver(&mut self, name: &str, source: Source, kinds: Vec<Kind>) {
        let offset_us = self.offsets_us.get(&node(name)).copied().unwrap_or_default();
        let at = self.now - offset_us;
        let event = |kind| Event {
            source,
            node_time: (source == Source::Log).then(|| NodeTime::from_micros(at)),
            agent_time: AgentTime::from_micros(at),
            kind,
        };
        let clock = Kind::Clock(ClockSample {
            at: AgentTime::from_micros(at),
            offset_min_us: offset_us - 100,
            offset_max_us: offset_us + 100,
        });
        let clock = Event {
            source: Source::Agent,
            node_time: None,
            agent_time: AgentTime::from_micros(at),
            kind: clock,
        };
        let events = std::iter::once(clock).chain(kinds.into_iter().map(event)).collect();
        self.deliver_at(name, at, events);
    }

    /// These events come now, in a batch that the agent made then, by its own clock.
    pub(crate) fn deliver_at(&mut self, name: &str, made_at: i64, events: Vec<Event>) {
        let sequence = self.sequences.entry(node(name)).or_default();
        *sequence += 1;
        let batch = Batch {
            network: network(),
            node: node(name),
            epoch: Epoch(1),
            sequence: *sequence,
            made_at: AgentTime::from_micros(made_at),
            positions: Positions::default(),
            events,
            unknown_events: 0,
        };
        self.apply(batch, ServerTime::from_micros(self.now + MS));
    }

    pub(crate) fn apply(&mut self, batch: Batch, at: ServerTime) {
        let mut rows = Vec::new();
        self.engine.apply(&batch, at, &mut rows);
        self.take(rows);
        self.batches.push((batch, at));
    }

    /// Gives the engine what it needs, from whom it would ask. Blocks only a node that is not silent gives.
    pub(crate) fn serve(&mut self) {
        for _ in 0..1_000 {
            let Some((name, kind)) = self.engine.needs().into_iter().find_map(|need| self.answer(&need))
            else {
                return;
            };
            if let Kind::BlockPart(part) = &kind {
                self.parts.push((part.block, name.clone()));
            }
            self.deliver(name.as_str(), Source::Agent, vec![kind]);
        }
        unreachable!("the engine needs more and more: {:?}", self.engine.needs());
    }

    fn answer(&self, need: &Need) -> Option<(NodeName, Kind)> {
        match &need.what {
            Wanted::Headers { block, count } => {
                let kind = Kind::Headers(Headers { want: 1, headers: self.headers_from(*block, *count) });
                Some((need.nodes[0].clone(), kind))
            }
            Wanted::BlockPart { block, offset, bytes } => {
                let node = need.nodes.iter().find(|node| !self.silent.contains(*node))?;
                Some((node.clone(), Kind::BlockPart(self.part(*block, *offset, *bytes))))
            }
            Wanted::RawTx { txid } => self.raw_tx(&need.nodes, *txid),
            Wanted::MempoolSpends { outpoints } => {
                let node = need.nodes.first().filter(|node| !self.silent.contains(*node))?;
                Some((node.clone(), Kind::MempoolSpends(self.spends(node, outpoints))))
            }
            Wanted::LogLines { .. } => unreachable!("{need:?}"),
        }
    }

    fn headers_from(&self, block: BlockHash, count: u32) -> Vec<RawHeader> {
        let (mut headers, mut next) = (Vec::new(), Some(block));
        while let Some((block, raw)) = next.and_then(|block| Some((block, self.raw.get(&block)?.clone())))
            && headers.len() < count as usize
        {
            let mut parent: [u8; 32] = raw[4..36].try_into().unwrap();
            parent.reverse();
            next = Some(BlockHash::from_bytes(parent));
            headers.push(RawHeader { block, raw });
        }
        headers
    }

    /// As much of the block as an agent gives in one answer.
    pub(crate) fn part(&self, block: BlockHash, offset: u64, bytes: u64) -> BlockPart {
        let whole = &self.bodies[&block];
        let rest = &whole[usize::try_from(offset).unwrap()..];
        let length = usize::try_from(bytes).unwrap().min(PART_BYTES).min(rest.len());
        BlockPart { want: 1, block, size_bytes: whole.len() as u64, offset, bytes: rest[..length].to_vec() }
    }

    pub(crate) fn take(&mut self, rows: Vec<Row>) {
        for row in rows {
            match row {
                Row::Finding(finding) => {
                    let before = self.findings.insert(finding.id, *finding.clone());
                    assert!(before.is_none_or(|before| before.revision < finding.revision));
                    self.said += 1;
                }
                Row::Alert(alert) => {
                    let before = self.alerts.insert(alert.id, *alert.clone());
                    assert!(before.as_ref().is_none_or(|before| before.revision < alert.revision));
                    if before.is_none_or(|before| before.state != alert.state) {
                        *self.turns.entry((alert.id, alert.state)).or_default() += 1;
                    }
                }
                Row::Header(row) => self.headers.push(row),
                Row::Tips(row) => self.tips = (Some(*row), self.tips.1 + 1),
                Row::Node(row) => drop(self.nodes.insert(row.node.clone(), *row)),
                Row::TxSpread(row) => drop(self.tx_hours.insert(row.begun_at, *row)),
                Row::Miner(row) => assert!(self.miners.insert(row.block, row).is_none()),
                Row::RawBlock(row) => assert!(self.raw_blocks.insert(row.block, row).is_none()),
                Row::TxChunk(row) => drop(self.tx_chunks.insert(row.id, *row)),
                _ => {}
            }
        }
    }

    /// The node connects these blocks, one after the other, as its log tells it.
    pub(crate) fn connect(&mut self, name: &str, blocks: &[BlockHash]) {
        for block in blocks {
            let height = Some(self.heights[block]);
            self.now += MS;
            let tip = Kind::Tip { block: *block, height, log2_work: None, transactions: None };
            self.log(name, vec![Kind::HeaderSeen { block: *block, height, peer: None, compact: false }, tip]);
        }
    }

    /// Each of these nodes connects these blocks.
    pub(crate) fn connect_all(&mut self, names: &[&str], blocks: &[BlockHash]) {
        for block in blocks {
            for name in names {
                self.connect(name, &[*block]);
            }
        }
    }

    /// The node switches from the last of `old` to `new`.
    pub(crate) fn reorganize(&mut self, name: &str, old: &[BlockHash], fork: BlockHash, new: &[BlockHash]) {
        let below = old.iter().rev().skip(1).copied().chain([fork]);
        for tip in below.collect::<Vec<_>>() {
            self.now += MS;
            let height = Some(self.heights[&tip]);
            self.log(name, vec![Kind::Tip { block: tip, height, log2_work: None, transactions: None }]);
        }
        self.connect(name, new);
    }

    pub(crate) fn chain_info(&mut self, name: &str, block: BlockHash, is_downloading: bool) {
        let info = ChainInfo {
            best_block: Some(block),
            blocks: self.heights[&block],
            initial_block_download: Some(is_downloading),
            ..ChainInfo::default()
        };
        self.tell(name, Source::Rpc, vec![Kind::ChainInfo(info)]);
    }

    pub(crate) fn chain_tips(&mut self, name: &str, tips: &[(BlockHash, TipStatus)]) {
        let tip = |(block, status): &(BlockHash, TipStatus)| ChainTip {
            block: *block,
            height: self.heights[block],
            branch_length: 0,
            status: status.clone(),
        };
        let tips = tips.iter().map(tip).collect();
        self.tell(name, Source::Rpc, vec![Kind::ChainTips(tips)]);
    }

    /// A new engine takes over, that knows what the store kept of the old one.
    pub(crate) fn restart(&mut self) {
        let mut engine = self.new_engine();
        let mut headers = self.headers.clone();
        headers.sort_by_key(|row| row.height);
        for row in &headers {
            engine.restore_header(row);
        }
        for row in self.miners.values() {
            engine.restore_miner(row.clone());
        }
        for row in self.raw_blocks.values() {
            engine.restore_raw_block(row);
        }
        for row in self.nodes.values() {
            engine.restore_node(row);
        }
        for (_, hour) in self.tx_hours.range(..Engine::open_hours_since(ServerTime::from_micros(self.now))) {
            engine.restore_tx_spread(hour);
        }
        for chunk in self.tx_chunks.values() {
            engine.restore_tx_chunk(chunk);
        }
        for finding in self.findings.values() {
            engine.restore_finding(finding.clone());
        }
        for alert in self.alerts.values() {
            engine.restore_alert(alert.clone());
        }
        engine.set_watch_items(network(), self.watched.clone());
        self.engine = engine;
    }

    /// These are watched from now on, and nothing else.
    pub(crate) fn watch(&mut self, items: &[WatchItem]) {
        self.watched = items.iter().copied().collect();
        self.engine.set_watch_items(network(), self.watched.clone());
    }

    /// What was found of one kind, as last said.
    pub(crate) fn found(&self, kind: &str) -> Vec<&Finding> {
        let mut found: Vec<_> =
            self.findings.values().filter(|finding| finding.body.kind() == kind).collect();
        found.sort_by_key(|finding| (finding.sighted.at, finding.id));
        found
    }

    /// The body of the only finding of this kind.
    pub(crate) fn only(&self, kind: &str) -> Body {
        let found = self.found(kind);
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0].body.clone()
    }
}
