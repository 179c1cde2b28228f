//! What branches that compete confirmed differently, as far as their blocks are there.
//!
//! A conflict between two blocks is certain whatever the others hold, so it is said as soon as the two are there, with the
//! blocks that are `missing`. That a transaction is in one branch alone can be said only of whole branches, and means
//! something only once one of them has won: until then it may come in the next block. Where nothing is told, nothing is
//! said.
//!
//! A branch that grows is compared again. What was said of it stays until its new blocks are there. After a restart the
//! branches of a fork of which nothing was said are compared once more, and their blocks asked for.

use std::cmp::Reverse;

use bmon_event::BlockHash;

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    double_spend::{BlockSummary, Fate, Unshared, compare},
    finding::{Body, DoubleSpend, FindingId},
    network::{Ledger, NetworkState, Recent, Rivalry, Saying},
    row::Row,
};

const ID: &str = "double-spend";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "What competing branches confirmed differently: spent twice, with another fee, or left behind.",
    make: || Box::new(DoubleSpends { ledger: Ledger::default(), compared: Recent::new(MOST_FORKS) }),
};

/// Most transactions that are named, and most replacements of one of them: a finding is read by people.
const MOST_ENTRIES: usize = 200;
const MOST_REPLACEMENTS: usize = 16;
/// Most forks of which it is remembered how they were last compared.
const MOST_FORKS: usize = 256;

#[derive(Debug)]
struct DoubleSpends {
    ledger: Ledger,
    /// By fork, what was compared last, and what was missing then.
    compared: Recent<(Rivalry, Vec<BlockHash>)>,
}

impl NetworkAnalysis for DoubleSpends {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        for rivalry in look.rivalries {
            let missing: Vec<_> =
                rivalry.blocks().filter(|block| look.network.bodies().summary(*block).is_none()).collect();
            let input = (rivalry.clone(), missing);
            if self.compared.get(rivalry.fork) == Some(&input) {
                continue;
            }
            if let Some(found) = find(look.network, rivalry, &input.1) {
                self.say(look.network, found, out);
            }
            self.compared.insert(rivalry.fork, input);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl DoubleSpends {
    fn say(&mut self, network: &NetworkState, found: DoubleSpend, out: &mut Vec<Row>) {
        let id = FindingId::new(&network.network, ID, &[found.fork.as_bytes()]);
        let said = match self.ledger.get(&id).map(|said| &said.body) {
            Some(Body::DoubleSpend(said)) => Some(said),
            _ => None,
        };
        if !is_news(said, &found) {
            return;
        }
        let firsts = found.branches.iter().filter_map(|branch| branch.first().copied());
        let appeared = firsts.max_by_key(|first| network.first_time(*first));
        let seen = network.first_seen(appeared.unwrap_or(found.fork));
        let sources = network.sources(found.branches.iter().flatten().copied());
        let saying = Saying { id, node: None, seen, sources, body: Body::DoubleSpend(found) };
        self.ledger.say(network.network, saying, out);
    }
}

/// Whether this is more than was said. A comparison of all blocks always is; one of a part of them is if it tells of more.
fn is_news(said: Option<&DoubleSpend>, found: &DoubleSpend) -> bool {
    let conflicts = |found: &DoubleSpend| found.double_spends + found.fee_bumps;
    match said {
        None => conflicts(found) + found.only_here.unwrap_or(0) > 0,
        Some(said) => {
            found.missing.is_empty() || !said.missing.is_empty() && conflicts(found) > conflicts(said)
        }
    }
}

/// Compares the blocks that are there. `None` if there are none to compare.
fn find(network: &NetworkState, rivalry: &Rivalry, missing: &[BlockHash]) -> Option<DoubleSpend> {
    let known = |block: &BlockHash| network.bodies().summary(*block);
    let branches: Vec<Vec<&BlockSummary>> =
        rivalry.branches.iter().map(|branch| branch.iter().filter_map(known).collect()).collect();
    if branches.iter().filter(|branch| !branch.is_empty()).count() < 2 {
        return None;
    }
    let is_final = missing.is_empty() && rivalry.is_decided;
    let mut entries = compare(&branches).ok()?;
    let main = rivalry.branches.first()?;
    entries.retain(|entry| !main.contains(&entry.block) && (is_final || entry.fate != Fate::OnlyHere));
    let count =
        |fate| u32::try_from(entries.iter().filter(|entry| entry.fate == fate).count()).unwrap_or(u32::MAX);
    let [only_here, fee_bumps, double_spends] = [Fate::OnlyHere, Fate::FeeBump, Fate::DoubleSpend].map(count);
    let double_spent_sat = entries.iter().map(lost_sat).fold(0, u64::saturating_add);
    entries.sort_by_key(|entry| (Reverse(entry.fate), entry.txid, entry.block));
    let omitted = u32::try_from(entries.len().saturating_sub(MOST_ENTRIES)).unwrap_or(u32::MAX);
    entries.truncate(MOST_ENTRIES);
    for entry in &mut entries {
        entry.replacements.truncate(MOST_REPLACEMENTS);
    }
    Some(DoubleSpend {
        fork: rivalry.fork,
        fork_height: rivalry.fork_height,
        winner: main.first().copied().filter(|_| rivalry.is_decided),
        branches: rivalry.branches.clone(),
        missing: missing.to_vec(),
        double_spends,
        double_spent_sat,
        fee_bumps,
        only_here: is_final.then_some(only_here),
        entries,
        omitted,
    })
}

/// What those whom a transaction pays lose by the worst of its replacements, if that is a double spend.
fn lost_sat(entry: &Unshared) -> u64 {
    let otherwise = entry.replacements.iter().filter(|replacement| !replacement.pays_the_same);
    otherwise.map(|replacement| replacement.unpaid_sat).max().unwrap_or(0)
}
