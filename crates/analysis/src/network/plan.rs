//! Which blocks' bytes to ask for, and whom.
//!
//! First come the coinbases of the last blocks and of those that compete, then whole blocks that compete, then those of the
//! best chain that are to be looked through for the transactions that nodes tell of and for what is watched, then the
//! coinbases of the blocks below: so many back as windows of selfish mining need, the newest first, a few in a minute, and
//! only while nothing else is lacking that was not lacking for long already.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use bmon_event::{BlockHash, NodeName, ServerTime, Wanted};

use super::{DEPTH, Need, NetworkState, Rivalry, Side, recent::Recent, side::SETTLED};
use crate::{
    double_spend::{MAX_BLOCKS, MAX_BRANCHES},
    tree::Status,
};

/// Blocks at the end of the main chain whose miners are asked for at once.
const LAST: usize = 6;
/// Bytes of a block that its coinbase is in, nearly always: a payout to a thousand miners takes 40 kB. In the back-fill,
/// where an agent gives 1 MiB in a minute to all who ask, less is asked for: a payout to four hundred.
const COINBASE_BYTES: u64 = 64 << 10;
const BACKFILL_BYTES: u64 = 16 << 10;
/// Most whole blocks that are asked for at once, and most that are planned: those of one fork.
const WHOLE_AT_ONCE: usize = 3;
const MOST_WHOLE: usize = MAX_BRANCHES * MAX_BLOCKS;
/// How long something that is lacking keeps the back-fill waiting. A block of 2 MB takes an agent two minutes.
const URGENT_US: i64 = 10 * MINUTE_US;
/// The pause between two blocks of the back-fill, times the nodes that share it: two thirds of the 30 blocks that an agent
/// reads in a minute for all who ask.
const PAUSE_US: i64 = 3 * SECOND_US;
/// The shortest pause, however many nodes there are.
const SHORTEST_PAUSE_US: i64 = SECOND_US;
/// How long an older block is asked for before the next one's turn comes, and when it is asked for again.
const BACKFILL_PATIENCE_US: i64 = 15 * SECOND_US;
const BACKFILL_AGAIN_US: i64 = 60 * MINUTE_US;
/// When it is looked again for older blocks that are lacking, after none was.
const REST_US: i64 = MINUTE_US;

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;

/// The bytes that are lacking.
#[derive(Debug)]
pub(super) struct Plan {
    /// Blocks of which the coinbase is lacking, the most important first.
    coinbases: Vec<BlockHash>,
    /// Blocks that are wanted whole to be compared and kept, the most important first.
    whole: Vec<BlockHash>,
    /// Blocks that are wanted whole to be looked through, the most important first.
    watched: Vec<BlockHash>,
    /// Since when each of them is lacking.
    since: BTreeMap<BlockHash, ServerTime>,
    backfill: Backfill,
}

/// Older blocks of which the coinbase is lacking.
#[derive(Debug)]
struct Backfill {
    is_on: bool,
    /// Something more important is lacking.
    is_paused: bool,
    /// What is asked for now, and since when.
    open: Vec<(BlockHash, ServerTime)>,
    /// When each was last asked for.
    tried: Recent<ServerTime>,
    next_at: ServerTime,
}

impl Plan {
    pub(super) fn new(has_backfill: bool) -> Self {
        let backfill = Backfill {
            is_on: has_backfill,
            is_paused: false,
            open: Vec::new(),
            tried: Recent::new(2 * DEPTH as usize),
            next_at: ServerTime::default(),
        };
        Self {
            coinbases: Vec::new(),
            whole: Vec::new(),
            watched: Vec::new(),
            since: BTreeMap::new(),
            backfill,
        }
    }

    /// Whether the whole block is wanted.
    pub(super) fn wants_whole(&self, block: BlockHash) -> bool {
        self.is_to_compare(block) || self.watched.contains(&block)
    }

    /// Whether the whole block is wanted to be compared with others.
    pub(super) fn is_to_compare(&self, block: BlockHash) -> bool {
        self.whole.contains(&block)
    }

    /// Wants these blocks whole.
    #[cfg(test)]
    pub(super) fn set_whole(&mut self, whole: Vec<BlockHash>, now: ServerTime) {
        self.whole = whole;
        self.note_times(now);
    }

    fn note_times(&mut self, now: ServerTime) {
        let lacking = self.coinbases.iter().chain(&self.whole).chain(&self.watched);
        self.since = lacking.map(|block| (*block, self.since.get(block).copied().unwrap_or(now))).collect();
    }
}

impl NetworkState {
    /// Decides what to ask for, of the chain as it is now.
    pub(crate) fn plan(&mut self, main: BlockHash, sides: &[Side], rivalries: &[Rivalry], now: ServerTime) {
        let height = self.known_tree().height(main).unwrap_or_default();
        let is_recent = |fork_height: u32, length: u32| height < fork_height + length + SETTLED;
        let sides: Vec<_> = sides.iter().filter(|side| is_recent(side.fork_height, side.length)).collect();
        let coinbases = self.lacking_coinbases(main, &sides);
        let mut whole = Vec::new();
        for rivalry in rivalries.iter().filter(|rivalry| sides.iter().any(|side| side.fork == rivalry.fork)) {
            let lacking = self.lacking_blocks(rivalry);
            if lacking.is_empty() && rivalry.blocks().all(|block| self.bodies.summary(block).is_some()) {
                self.bodies.note_compared(rivalry.fork, rivalry.branches.clone());
            }
            whole.extend(lacking);
        }
        let mut whole = once(whole);
        whole.truncate(MOST_WHOLE);
        let mut watched = self.blocks_to_look_through(main);
        watched.retain(|block| !whole.contains(block));
        let plan = &mut self.bodies.plan;
        (plan.coinbases, plan.whole, plan.watched) = (coinbases, whole, watched);
        plan.note_times(now);
    }

    /// The coinbases that are lacking of the last blocks, of these branches, and of the main chain beside them.
    fn lacking_coinbases(&self, main: BlockHash, sides: &[&Side]) -> Vec<BlockHash> {
        let mut blocks: Vec<_> = self.down_from(main).take(LAST).collect();
        for side in sides {
            for tip in [side.tip, main] {
                blocks.extend(self.first_blocks(side.fork, side.fork_height, tip, MAX_BLOCKS));
            }
        }
        blocks.retain(|block| !self.bodies.is_miner_known(*block));
        once(blocks)
    }

    /// The blocks of a fork that are lacking whole: to be compared, and to be kept where they were left behind.
    fn lacking_blocks(&self, rivalry: &Rivalry) -> Vec<BlockHash> {
        let is_compared = self.bodies.is_compared(rivalry.fork, &rivalry.branches);
        let to_compare =
            rivalry.blocks().filter(|block| !is_compared && self.bodies.summary(*block).is_none());
        let mut lacking: Vec<_> = rivalry.beside().filter(|block| !self.bodies.is_kept(*block)).collect();
        for block in to_compare {
            if !lacking.contains(&block) {
                lacking.push(block);
            }
        }
        lacking
    }

    /// Takes the next turn of the back-fill if it is time.
    pub(crate) fn plan_backfill(&mut self, main: BlockHash, now: ServerTime) {
        let is_urgent = |(block, since): (&BlockHash, &ServerTime)| {
            now.micros_since(*since) < URGENT_US
                && self.is_lacking(*block)
                && !self.holders(*block).is_empty()
        };
        let is_paused = self.bodies.plan.since.iter().any(is_urgent);
        let is_open = |(block, since): &(BlockHash, ServerTime)| {
            now.micros_since(*since) < BACKFILL_PATIENCE_US && !self.bodies.is_miner_known(*block)
        };
        let open: Vec<_> =
            self.bodies.plan.backfill.open.iter().filter(|open| is_open(open)).copied().collect();
        let backfill = &mut self.bodies.plan.backfill;
        (backfill.is_paused, backfill.open) = (is_paused, open);
        if !backfill.is_on || is_paused || now < backfill.next_at {
            return;
        }
        let next = self.backfill_candidates(main).find(|block| self.is_to_be_filled(*block, now));
        let pause_us = match next {
            Some(block) => {
                let nodes = i64::try_from(self.holders(block).len()).unwrap_or(i64::MAX);
                (PAUSE_US / nodes.max(1)).max(SHORTEST_PAUSE_US)
            }
            None => REST_US,
        };
        let backfill = &mut self.bodies.plan.backfill;
        backfill.next_at = now.plus_micros(pause_us);
        if let Some(block) = next {
            backfill.tried.insert(block, now);
            backfill.open.push((block, now));
        }
    }

    /// The blocks of branches that nobody competes on any more, and the main chain from its end down.
    fn backfill_candidates(&self, main: BlockHash) -> impl Iterator<Item = BlockHash> {
        let lowest = self.known_tree().height(main).unwrap_or_default().saturating_sub(DEPTH);
        let branches = self.known_tree().branches_from(main, lowest).unwrap_or_default();
        let branches = branches.into_iter().flat_map(|branch| {
            let fork_height = branch.tip_height - branch.length;
            self.first_blocks(branch.fork, fork_height, branch.tip, MAX_BLOCKS)
        });
        branches.chain(self.down_from(main).take(DEPTH as usize))
    }

    fn is_to_be_filled(&self, block: BlockHash, now: ServerTime) -> bool {
        let tried = self.bodies.plan.backfill.tried.get(block);
        !self.bodies.is_miner_known(block)
            && tried.is_none_or(|tried| now.micros_since(*tried) >= BACKFILL_AGAIN_US)
            && !self.holders(block).is_empty()
    }

    /// The block and those below it.
    pub(super) fn down_from(&self, block: BlockHash) -> impl Iterator<Item = BlockHash> {
        let tree = self.known_tree();
        std::iter::successors(tree.get(block), |header| tree.get(header.parent())).map(|header| header.hash())
    }

    /// Whether what the plan wants of the block has not come.
    fn is_lacking(&self, block: BlockHash) -> bool {
        let plan = &self.bodies.plan;
        plan.wants_whole(block) || plan.coinbases.contains(&block) && !self.bodies.is_miner_known(block)
    }

    /// The parts of blocks that are lacking, the most important first.
    pub(super) fn block_needs(&self) -> Vec<Need> {
        if self.tree.is_none() {
            return Vec::new();
        }
        let plan = &self.bodies.plan;
        let is_unread = |block: &&BlockHash| !self.bodies.is_miner_known(**block);
        let coinbases = plan.coinbases.iter().filter(is_unread).filter(|block| !plan.is_to_compare(**block));
        let coinbases: Vec<_> = coinbases.collect();
        let mut needs: Vec<_> =
            coinbases.iter().filter_map(|block| self.block_need(**block, COINBASE_BYTES)).collect();
        // The rest of what is only looked through waits for its turn until its coinbase came.
        let watched = plan.watched.iter().filter(|block| !coinbases.contains(block));
        // What was begun is ended first; of most blocks the coinbase is there already.
        let mut whole: Vec<_> = plan.whole.iter().chain(watched).copied().collect();
        whole.sort_by_key(|block| Reverse(self.bodies.length(*block) as u64 > COINBASE_BYTES));
        needs.extend(
            whole.into_iter().filter_map(|block| self.block_need(block, u64::MAX)).take(WHOLE_AT_ONCE),
        );
        if !plan.backfill.is_paused {
            let open = plan.backfill.open.iter().map(|(block, _)| block).filter(is_unread);
            needs.extend(open.filter_map(|block| self.backfill_need(*block)));
        }
        needs
    }

    /// What follows what there is of the block: at first no more than `bytes`, then as much as an agent gives.
    fn block_need(&self, block: BlockHash, bytes: u64) -> Option<Need> {
        let offset = self.bodies.length(block) as u64;
        let bytes = if offset == 0 { bytes } else { u64::MAX };
        let nodes = self.holders(block);
        let what = Wanted::BlockPart { block, offset, bytes };
        (!nodes.is_empty()).then_some(Need { network: self.network, what, nodes })
    }

    /// The nodes share the work: each height is another one's turn.
    fn backfill_need(&self, block: BlockHash) -> Option<Need> {
        let mut need = self.block_need(block, BACKFILL_BYTES)?;
        let height = self.known_tree().height(block).unwrap_or_default();
        let turn = height as usize % need.nodes.len().max(1);
        need.nodes.rotate_left(turn);
        Some(need)
    }

    /// The nodes that may have the block: those that found it valid, then invalid, then those that have not told of it.
    /// None if none of the first two kinds is there. One that only has the header has nothing to give.
    fn holders(&self, block: BlockHash) -> Vec<NodeName> {
        let rank = |status| match status {
            Status::Active | Status::Valid => Some(0),
            Status::Invalid => Some(1),
            Status::Unknown => Some(2),
            Status::HeaderOnly => None,
        };
        let Some(tree) = self.tree() else { return Vec::new() };
        let last = self.bodies.last_giver(block);
        let mut holders: Vec<_> = self
            .members()
            .iter()
            .filter(|(node, _)| self.bodies.may_ask(node, block))
            .filter_map(|(node, member)| {
                let rank = rank(tree.status(node, block))?;
                Some((rank, Some(node) != last, Reverse(member.heard_at), node))
            })
            .collect();
        holders.sort_unstable();
        let is_anywhere = holders.first().is_some_and(|(rank, ..)| *rank < 2);
        let nodes = holders.into_iter().filter(|_| is_anywhere).map(|(.., node)| node.clone());
        nodes.collect()
    }
}

/// The blocks in their order, each once.
fn once(mut blocks: Vec<BlockHash>) -> Vec<BlockHash> {
    let mut seen = BTreeSet::new();
    blocks.retain(|block| seen.insert(*block));
    blocks
}
