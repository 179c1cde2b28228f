//! Which blocks have the transactions that nodes tell of.

use std::collections::BTreeSet;

use bitcoin::Transaction;
use bmon_analysis::Settings;
use bmon_event::{BlockHash, Kind, ServerTime, Source, Txid, Wanted};

use crate::{
    fork::common,
    watch::txid,
    world::{MINUTE, PART_BYTES, SECOND, World, node},
};

const NODES: [&str; 3] = ["alice", "bob", "carol"];

/// Three nodes after some common blocks, and some transactions.
fn world() -> (World, BlockHash, Vec<Transaction>) {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let transactions = world.payments(12);
    (world, fork, transactions)
}

impl World {
    /// The blocks that have the transaction, of all chunks together.
    pub(crate) fn blocks_of(&self, txid: Txid) -> BTreeSet<BlockHash> {
        let mined = self.tx_chunks.values().flat_map(|chunk| {
            chunk.mined.iter().map(|(place, block)| (chunk.txs[usize::from(*place)].txid, *block))
        });
        mined.filter(|(of, _)| *of == txid).map(|(_, block)| block).collect()
    }

    /// All that waits for its time is said now.
    pub(crate) fn say_all(&mut self) {
        let mut rows = Vec::new();
        self.engine.say_all(ServerTime::from_micros(self.now), &mut rows);
        self.take(rows);
    }

    /// In how many chunks the transaction is.
    fn chunks_with(&self, txid: Txid) -> usize {
        self.tx_chunks.values().filter(|chunk| chunk.txs.iter().any(|tx| tx.txid == txid)).count()
    }

    /// How often a part of the block was asked for.
    fn parts_of(&self, block: BlockHash) -> usize {
        self.parts.iter().filter(|(of, _)| *of == block).count()
    }

    /// Parts that the whole block takes.
    fn all_parts(&self, block: BlockHash) -> usize {
        self.body(block).len().div_ceil(PART_BYTES)
    }
}

#[test]
fn a_transaction_is_known_to_be_in_the_block_that_has_it_whether_nodes_told_of_it_or_not() {
    let (mut world, tip, txs) = world();
    world.accept("alice", &txs[0]);
    world.accept("bob", &txs[0]);
    world.accept("carol", &txs[1]);
    let block = world.mined(tip, "", &[txs[0].clone(), txs[2].clone()]);
    world.connect_all(&NODES, &[block]);
    world.poll();
    let blocks = |tx: usize| world.blocks_of(txid(&txs[tx]));
    assert_eq!((blocks(0), blocks(1), blocks(2)), ([block].into(), [].into(), [block].into()));
    // Nothing else is there, the coinbase neither: what blocks have that are older than the nodes' first word of a transaction
    // is their coinbase alone.
    assert_eq!(world.tx_chunks.len(), 1);
    let chunk = &world.tx_chunks[&1];
    assert_eq!(chunk.txs.iter().map(|tx| tx.txid).collect::<Vec<_>>(), [0, 1, 2].map(|tx| txid(&txs[tx])));
    let told = chunk.nodes.iter().map(|column| column.accepted.iter().map(Option::is_some).collect());
    let told: Vec<Vec<bool>> = told.collect();
    assert_eq!(told, [[true, false, false], [true, false, false], [false, true, false]]);
    assert_eq!(world.parts_of(block), world.all_parts(block));
}

#[test]
fn what_is_mined_when_it_is_long_out_of_mind_is_known_all_the_same() {
    let (mut world, tip, txs) = world();
    world.accept("alice", &txs[0]);
    world.wait(2 * MINUTE);
    world.wait(180 * MINUTE);
    let block = world.mined(tip, "", &txs[..1]);
    world.connect_all(&NODES, &[block]);
    world.poll();
    assert_eq!(world.blocks_of(txid(&txs[0])), [block].into());
    assert_eq!(world.chunks_with(txid(&txs[0])), 2);
    assert_eq!(world.engine.counters().late_transactions, 0);
}

#[test]
fn a_transaction_in_blocks_that_compete_is_in_all_of_them() {
    let (mut world, fork, txs) = world();
    world.accept("alice", &txs[0]);
    let (a, b) = (world.mined(fork, "", &txs[..2]), world.mined(fork, "", &txs[..1]));
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let next = world.mined(b, "", &txs[1..2]);
    world.connect_all(&["bob", "carol"], &[next]);
    world.reorganize("alice", &[a], fork, &[b, next]);
    world.poll();
    assert_eq!(world.blocks_of(txid(&txs[0])), [a, b].into());
    assert_eq!(world.blocks_of(txid(&txs[1])), [a, next].into());
}

#[test]
fn after_a_restart_the_last_blocks_are_read_again_and_that_is_no_news() {
    let (mut world, tip, txs) = world();
    world.accept("alice", &txs[0]);
    let block = world.mined(tip, "", &txs);
    world.connect_all(&NODES, &[block]);
    world.poll();
    let (before, asked) = (world.tx_chunks.clone(), world.parts_of(block));
    world.restart();
    world.poll();
    assert_eq!(world.parts_of(block), asked, "nobody told of a transaction yet");
    world.accept("bob", &txs[0]);
    world.poll();
    assert_eq!(world.parts_of(block), asked + world.all_parts(block));
    assert_eq!(world.tx_chunks.len(), 1);
    assert_eq!(world.tx_chunks[&1].mined, before[&1].mined);
    assert_eq!(world.tx_chunks[&1].txs, before[&1].txs);
    // What was not read before the restart is now.
    world.tx_chunks.clear();
    world.restart();
    world.accept("bob", &txs[3]);
    world.poll();
    assert!(txs.iter().all(|tx| world.blocks_of(txid(tx)) == [block].into()));
}

#[test]
fn only_the_last_blocks_are_read_and_their_coinbases_first() {
    let (mut world, genesis) = World::new();
    let txs = world.payments(12);
    world.silent = NODES.map(node).into();
    let mut blocks = vec![genesis];
    for _ in 0..9 {
        blocks.push(world.mined(*blocks.last().unwrap(), "", &txs));
    }
    world.connect("alice", &blocks[1..]);
    world.accept("alice", &txs[0]);
    let needs = world.engine.needs().into_iter().filter_map(|need| match need.what {
        Wanted::BlockPart { block, offset, bytes } => Some((block, offset, bytes)),
        _ => None,
    });
    let last: Vec<_> = blocks[4..].iter().rev().copied().collect();
    let coinbases: Vec<_> = last.iter().map(|block| (*block, 0, 64 << 10)).collect();
    assert_eq!(needs.collect::<Vec<_>>(), coinbases);
    world.silent.clear();
    world.serve();
    assert!(last.iter().all(|block| world.parts_of(*block) == world.all_parts(*block)));
    world.poll();
    assert_eq!(world.blocks_of(txid(&txs[0])), last.into_iter().collect());
    assert!(world.parts_of(blocks[3]) < world.all_parts(blocks[3]));
}

#[test]
fn blocks_that_compete_are_asked_for_before_the_rest_of_those_that_are_only_looked_through() {
    let (mut world, fork, txs) = world();
    world.accept("alice", &txs[0]);
    world.silent = NODES.map(node).into();
    let looked_through = world.mined(fork, "", &txs);
    world.connect_all(&NODES, &[looked_through]);
    let part = world.part(looked_through, 0, 64 << 10);
    world.tell("alice", Source::Agent, vec![Kind::BlockPart(part)]);
    let (a, b) = (world.mined(looked_through, "", &[]), world.mined(looked_through, "", &[]));
    world.connect("alice", &[a]);
    world.connect_all(&["bob", "carol"], &[b]);
    let whole = world.engine.needs().into_iter().filter_map(|need| match need.what {
        Wanted::BlockPart { block, bytes: u64::MAX, .. } => Some(block),
        _ => None,
    });
    let whole: Vec<_> = whole.collect();
    assert_eq!(whole.len(), 3);
    assert_eq!((whole[..2].iter().collect::<BTreeSet<_>>(), whole[2]), ([&a, &b].into(), looked_through));
}

#[test]
fn what_is_told_of_a_block_while_transactions_are_passed_over_is_read_again() {
    let (mut world, tip, txs) = world();
    let block = world.mined(tip, "", &txs[..1]);
    world.engine.set_catching_up(true);
    world.engine.set_passing_transactions(true);
    world.accept("alice", &txs[0]);
    // Whole in one part.
    let mut part = world.part(block, 0, u64::MAX);
    part.bytes = world.body(block).to_vec();
    world.silent = NODES.map(node).into();
    world.connect_all(&NODES, &[block]);
    world.tell("alice", Source::Agent, vec![Kind::BlockPart(part)]);
    world.wait(SECOND);
    assert!(world.tx_chunks.is_empty());
    world.engine.set_catching_up(false);
    world.engine.set_passing_transactions(false);
    world.silent.clear();
    world.accept("bob", &txs[0]);
    let next = world.block(block);
    world.connect_all(&NODES, &[next]);
    world.poll();
    assert_eq!(world.blocks_of(txid(&txs[0])), [block].into());
}

#[test]
fn no_block_is_read_whole_while_no_node_tells_of_transactions_or_if_they_are_not_looked_at() {
    for (track_transactions, tells) in [(true, false), (false, true)] {
        let (mut world, genesis) = World::with(Settings { track_transactions, ..Settings::default() });
        let fork = common(&mut world, genesis);
        let txs = world.payments(12);
        if tells {
            world.accept("alice", &txs[0]);
        }
        let block = world.mined(fork, "", &txs);
        world.connect_all(&NODES, &[block]);
        world.wait(SECOND);
        world.serve();
        // The coinbase is in the first part.
        assert_eq!(world.parts_of(block), 1);
        assert!(world.tx_chunks.is_empty());
    }
}
