use std::collections::BTreeMap;

use bmon_event::BlockHash;

use super::{INTERVAL_US, Look, id, said};
use crate::{
    finding::{Body, SelfishMining},
    network::{Ledger, Saying, Side},
    row::Row,
    selfish::{
        Burst, SeenBlock, Signal, SignalName,
        burst::{self, Race},
    },
};

/// Longest losing branch that is a race: what goes on for longer is a partition.
const MOST_BLOCKS: u32 = 12;
/// For so long after a race was decided what is told of it changes what was found.
const REVISED_US: i64 = 3_600 * 1_000_000;

/// The races that are decided and not settled, by the block after which they began.
#[derive(Debug, Default)]
pub(super) struct Bursts(BTreeMap<BlockHash, Decided>);

/// A race that was decided.
#[derive(Clone, Copy, Debug)]
struct Decided {
    /// The longest branch that lost.
    loser: BlockHash,
    fork_height: u32,
    length: u32,
    /// The block that made the main chain the longer one.
    decider: BlockHash,
    is_judged: bool,
}

impl Bursts {
    pub(super) fn look(&mut self, look: &Look<'_>, ledger: &mut Ledger, out: &mut Vec<Row>) {
        let is_news = !look.touched.is_empty();
        if is_news {
            self.collect(look);
        }
        for (fork, decided) in &mut self.0 {
            if decided.is_judged && !is_news {
                continue;
            }
            let age_us = look.now.micros_since(look.network.first_time(decided.decider));
            // Until what is a little late has come too.
            let is_due = age_us >= look.network.lateness_us() && (!decided.is_judged || age_us <= REVISED_US);
            if is_due {
                decided.is_judged = true;
                judge(look, *fork, *decided, ledger, out);
            }
        }
    }

    fn collect(&mut self, look: &Look<'_>) {
        let mut found: BTreeMap<BlockHash, Decided> = BTreeMap::new();
        for side in look.sides.iter().filter(|side| side.length <= MOST_BLOCKS) {
            let Some(decided) = decided(look, side) else { continue };
            let rank = |race: &Decided| (race.length, look.network.first_time(race.loser), race.loser);
            let best = found.entry(side.fork).or_insert(decided);
            if rank(best) < rank(&decided) {
                *best = decided;
            }
        }
        for (fork, decided) in &mut found {
            let before = self.0.get(fork);
            decided.is_judged = before.is_some_and(|before| before.is_judged && before.is_same(decided));
        }
        self.0 = found;
    }
}

impl Decided {
    fn is_same(&self, other: &Self) -> bool {
        (self.loser, self.decider) == (other.loser, other.decider)
    }
}

/// The branch as one that lost, `None` while no block has decided.
fn decided(look: &Look<'_>, side: &Side) -> Option<Decided> {
    let Side { tip, fork_height, length, .. } = *side;
    if !side.comparison.by_work()?.is_gt() {
        return None;
    }
    let decider = super::at_height(look, fork_height + length + 1)?;
    Some(Decided { loser: tip, fork_height, length, decider, is_judged: false })
}

fn judge(look: &Look<'_>, fork: BlockHash, decided: Decided, ledger: &mut Ledger, out: &mut Vec<Row>) {
    let network = look.network;
    let Some(burst) = find(look, fork, decided) else { return };
    let id = id(network, SignalName::Burst, fork.as_bytes());
    // What was said once is said as it is now, even if it is not an alarm any more.
    if !burst.is_alarm() && said(ledger, &id).is_none() {
        return;
    }
    let (from, to) = (decided.fork_height + 1, decided.fork_height + decided.length + 1);
    let body = Body::SelfishMining(Box::new(SelfishMining::of(Signal::Burst(burst), fork, from, to)));
    let seen = network.first_seen(decided.decider);
    let sources = network.sources([decided.loser, decided.decider]);
    ledger.say(network.network, Saying { id, node: None, seen, sources, body }, out);
}

fn find(look: &Look<'_>, fork: BlockHash, decided: Decided) -> Option<Burst> {
    let (loser, winner) = (branch(look, fork, decided.loser)?, branch(look, fork, decided.decider)?);
    burst::judge(Race { loser: &loser, winner: &winner }, INTERVAL_US).ok()
}

/// A branch as it was seen, `None` if a block of it was not, or that is forgotten.
fn branch(look: &Look<'_>, fork: BlockHash, tip: BlockHash) -> Option<Vec<SeenBlock>> {
    let blocks = look.network.known_tree().blocks_between(fork, tip)?;
    blocks.into_iter().map(|block| look.network.seen_block(block, look.now)).collect()
}
