//! Nodes that follow different chains and go on to do so: one lasting state, not an endless row of reorgs.
//!
//! Found by comparing the active chains of nodes with each other. `getchaintips` of one node does not show it where the
//! other side's headers are none to that node, as after a change of the proof of work.

use std::collections::BTreeMap;

use bmon_event::{BlockHash, NodeName, ServerTime};

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, FindingId, Partition, PartitionSide},
    network::{Ledger, Member, NetworkState, Saying},
    row::Row,
    tree::{Comparison, Status},
};

const ID: &str = "partition";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which nodes follow a chain of their own, since which block, and how far each side has come.",
    make: || Box::new(Partitions { ledger: Ledger::default(), standing: BTreeMap::new() }),
};

/// Blocks on each side from which on it is no race. The last race of three blocks on main was in 2013; two happen once in
/// some years, as one stale block in 760 squared says.
pub(super) const BLOCKS: u32 = 3;
/// A side that is shorter counts when the other has so many and this has lasted for so long: half an hour without one of
/// them being told of the other, where 99 % of nodes have a block within 15 s. But not one node alone that was stopped, or cut
/// off from its peers, while it was on the losing side of a race: it is behind, which is another finding.
const LASTING_US: i64 = 30 * 60 * 1_000_000;
/// For so long nodes must be seen to stand on a short side. A slow machine takes minutes for a few full blocks.
const STANDING_US: i64 = 10 * 60 * 1_000_000;
/// A node that was last heard of longer ago than this is on no side any more.
const GONE_US: i64 = 24 * 3_600 * 1_000_000;

#[derive(Debug)]
struct Partitions {
    ledger: Ledger,
    /// Since when nodes stand on a short side of these forks: one that hears of the other side is about to change over.
    standing: BTreeMap<BlockHash, ServerTime>,
}

impl NetworkAnalysis for Partitions {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        let tips = tips(look);
        let found = self.find(look, &tips);
        for partition in &found {
            let mut partition = partition.clone();
            self.order(look.network, &mut partition);
            self.say(look.network, partition, out);
        }
        let is_over = |partition: &&Partition| {
            partition.healed_at_us.is_none() && !found.iter().any(|other| other.fork == partition.fork)
        };
        let open = self.ledger.iter().filter_map(|finding| match &finding.body {
            Body::Partition(partition) => Some(partition),
            _ => None,
        });
        for partition in open.filter(is_over).cloned().collect::<Vec<_>>() {
            let healed = Partition { healed_at_us: Some(look.now), ..revised(look, &tips, &partition) };
            self.say(look.network, healed, out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl Partitions {
    /// Puts the sides into the order in which they were seen, as far as it was known when they were last said.
    fn order(&self, network: &NetworkState, partition: &mut Partition) {
        let said = self.ledger.get(&FindingId::new(&network.network, ID, &[partition.fork.as_bytes()]));
        let known = match said.map(|finding| &finding.body) {
            Some(Body::Partition(said)) => said.sides.iter().map(|side| side.first).collect(),
            _ => Vec::new(),
        };
        let place = |first: BlockHash| known.iter().position(|known| *known == first).unwrap_or(known.len());
        partition.sides.sort_by_key(|side| (place(side.first), network.first_time(side.first), side.first));
    }

    /// The partitions that there are: of those that go through one fork, one.
    fn find(&mut self, look: &Look<'_>, tips: &BTreeMap<NodeName, BlockHash>) -> Vec<Partition> {
        let mut distinct: Vec<_> = tips.values().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let (mut forks, mut standing): (BTreeMap<BlockHash, u32>, _) = (BTreeMap::new(), BTreeMap::new());
        for (place, left) in distinct.iter().enumerate() {
            for right in &distinct[place + 1..] {
                let Some(pair) = Pair::of(look, *left, *right) else { continue };
                if self.is_parted(look, pair, &mut standing) {
                    forks.insert(pair.comparison.fork, pair.comparison.fork_height);
                }
            }
        }
        self.standing = standing;
        forks.into_iter().map(|(fork, fork_height)| partition(look, tips, fork, fork_height)).collect()
    }

    fn is_parted(&self, look: &Look<'_>, pair: Pair, standing: &mut BTreeMap<BlockHash, ServerTime>) -> bool {
        if pair.less == 0 || pair.more < BLOCKS {
            return false;
        }
        if pair.less >= BLOCKS {
            return true;
        }
        let fork = pair.comparison.fork;
        if is_side(look, pair) {
            standing.insert(fork, self.standing.get(&fork).copied().unwrap_or(look.now));
        }
        let stands = standing.get(&fork).is_some_and(|since| look.now.micros_since(*since) >= STANDING_US);
        // What was told goes on until it heals, also while a side is not heard.
        lasts(look, pair) && (stands || self.is_open(look.network, fork))
    }

    fn is_open(&self, network: &NetworkState, fork: BlockHash) -> bool {
        let said = self.ledger.get(&FindingId::new(&network.network, ID, &[fork.as_bytes()]));
        matches!(said.map(|finding| &finding.body), Some(Body::Partition(said)) if said.healed_at_us.is_none())
    }

    fn say(&mut self, network: &NetworkState, partition: Partition, out: &mut Vec<Row>) {
        let firsts = partition.sides.iter().map(|side| side.first);
        let appeared = firsts.clone().max_by_key(|first| network.first_time(*first));
        let saying = Saying {
            id: FindingId::new(&network.network, ID, &[partition.fork.as_bytes()]),
            node: None,
            seen: network.first_seen(appeared.unwrap_or(partition.fork)),
            sources: network.sources(firsts),
            body: Body::Partition(partition),
        };
        self.ledger.say(network.network, saying, out);
    }
}

/// The end of the active chain of every node that is on a side.
fn tips(look: &Look<'_>) -> BTreeMap<NodeName, BlockHash> {
    let tree = look.network.known_tree();
    let members = look.network.members().iter().filter(|(_, member)| {
        member.initial_block_download != Some(true) && look.now.micros_since(member.heard_at) <= GONE_US
    });
    members.filter_map(|(node, _)| Some((node.clone(), tree.active_tip(node)?))).collect()
}

/// Two ends of active chains, and what lies between them.
#[derive(Clone, Copy, Debug)]
struct Pair {
    short: BlockHash,
    long: BlockHash,
    /// Blocks of the short side, and of the long one.
    less: u32,
    more: u32,
    comparison: Comparison,
}

impl Pair {
    fn of(look: &Look<'_>, left: BlockHash, right: BlockHash) -> Option<Self> {
        let comparison = look.network.known_tree().compare(left, right)?;
        let (less, more) = (comparison.left.length, comparison.right.length);
        Some(if less <= more {
            Self { short: left, long: right, less, more, comparison }
        } else {
            Self { short: right, long: left, less: more, more: less, comparison }
        })
    }
}

/// Whether two chains have gone on side by side for so long that they are parted though one of them is short.
fn lasts(look: &Look<'_>, Pair { short, long, comparison, .. }: Pair) -> bool {
    let tree = look.network.known_tree();
    let firsts = [short, long].map(|tip| tree.ancestor(tip, comparison.fork_height + 1));
    let appeared = firsts.into_iter().flatten().map(|first| look.network.first_time(first)).max();
    appeared.is_some_and(|at| look.now.micros_since(at) >= LASTING_US)
}

/// Whether a short side is more than one node that hears of nothing: two nodes, or one that knows of the other side and does
/// not follow it, or that could not know it because it shows its work in another way.
fn is_side(look: &Look<'_>, Pair { short, long, comparison, .. }: Pair) -> bool {
    let (tree, members) = (look.network.known_tree(), look.network.members());
    let [ours, theirs] = [short, long].map(|tip| tree.ancestor(tip, comparison.fork_height + 1));
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return false };
    let is_read = |node: &NodeName| members.get(node).is_some_and(Member::is_read);
    let is_on_it = |tip| tree.is_ancestor(ours, tip) == Some(true);
    let on_it: Vec<_> =
        look.network.live(look.now).filter(|(node, tip)| is_read(node) && is_on_it(*tip)).collect();
    match on_it[..] {
        [] => false,
        [(node, _)] => comparison.by_work().is_none() || tree.status(node, theirs) != Status::Unknown,
        _ => true,
    }
}

fn partition(
    look: &Look<'_>,
    tips: &BTreeMap<NodeName, BlockHash>,
    fork: BlockHash,
    fork_height: u32,
) -> Partition {
    let tree = look.network.known_tree();
    let mut sides: BTreeMap<BlockHash, PartitionSide> = BTreeMap::new();
    for (node, tip) in tips {
        if tree.is_ancestor(fork, *tip) != Some(true) {
            continue;
        }
        let Some(first) = tree.ancestor(*tip, fork_height + 1) else { continue };
        let length = tree.height(*tip).unwrap_or(fork_height) - fork_height;
        let work = tree.compare(fork, *tip).and_then(|comparison| comparison.right.work);
        let proof_of_work = work.map(|(kind, _)| kind);
        let side = sides.entry(first).or_insert_with(|| PartitionSide {
            first,
            tip: *tip,
            length,
            proof_of_work,
            nodes: Vec::new(),
        });
        side.nodes.push(node.clone());
        if (side.length, side.tip) < (length, *tip) {
            (side.tip, side.length, side.proof_of_work) = (*tip, length, proof_of_work);
        }
    }
    let sides: Vec<_> = sides.into_values().collect();
    let most_work = most_work(look.network, &sides);
    Partition { fork, fork_height, sides, most_work, healed_at_us: None }
}

/// The first block of the side with more work than every other.
fn most_work(network: &NetworkState, sides: &[PartitionSide]) -> Option<BlockHash> {
    let tree = network.known_tree();
    let beats = |side: &PartitionSide, other: &PartitionSide| {
        tree.compare(side.tip, other.tip).and_then(|comparison| comparison.by_work())
            == Some(std::cmp::Ordering::Greater)
    };
    let best =
        |side: &&PartitionSide| sides.iter().all(|other| other.first == side.first || beats(side, other));
    sides.iter().find(best).map(|side| side.first)
}

/// A partition that is over, with its sides as they were last said, but for the nodes that are now on them.
fn revised(look: &Look<'_>, tips: &BTreeMap<NodeName, BlockHash>, said: &Partition) -> Partition {
    let now = partition(look, tips, said.fork, said.fork_height);
    let mut sides = said.sides.clone();
    for side in &mut sides {
        let as_now = now.sides.iter().find(|other| other.first == side.first);
        side.nodes = as_now.map(|other| other.nodes.clone()).unwrap_or_default();
    }
    Partition { sides, most_work: now.most_work, ..said.clone() }
}
