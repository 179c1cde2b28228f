//! The analyses that look at a network as a whole, one in each file. Each says what follows from the state as it is, and
//! keeps only what it has said already: so that the order in which truths arrived, or an absence of the monitor, changes
//! nothing. Its id is its file's name in kebab-case.

mod block_times;
mod clock_drift;
mod delay_drift;
mod double_spend;
mod fork;
mod lag;
mod partition;
mod selfish_mining;
mod slow_node;
mod stale_block;
mod tips;
mod validity_disagreement;
mod version_bit;
mod version_comparison;
mod watch;

use std::{collections::BTreeSet, fmt};

use bmon_event::{BlockHash, ServerTime};

use super::{Ledger, NetworkState, Rivalry, Side};
use crate::{finding::Finding, row::Row};

/// What there is to look at.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) network: &'a NetworkState,
    /// The end of the main chain.
    pub(crate) main: BlockHash,
    /// The branches off it that are not settled.
    pub(crate) sides: &'a [Side],
    /// The forks of these branches, as far as it is of interest what they confirm.
    pub(crate) rivalries: &'a [Rivalry],
    /// Blocks of which something was told since the last look. Nothing of the chain has changed if there are none.
    pub(crate) touched: &'a BTreeSet<BlockHash>,
    pub(crate) now: ServerTime,
}

/// Says rows about one network.
pub(crate) trait NetworkAnalysis: fmt::Debug + Send {
    /// Looks at the network as it is now.
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>);

    /// Takes in a finding of its own that was said before the server was last started.
    fn restore(&mut self, finding: Finding) {
        if let Some(ledger) = self.ledger() {
            ledger.restore(finding);
        }
    }

    /// The findings that it has said, `None` if it says none.
    fn ledger(&mut self) -> Option<&mut Ledger>;
}

/// An analysis as it is registered.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Its id: the same word in findings, URLs, metrics and docs.
    pub id: &'static str,
    /// What it tells, in one sentence.
    pub about: &'static str,
    make: fn() -> Box<dyn NetworkAnalysis>,
}

/// The id of the analysis that says what was measured of blocks. Its findings are many, and others go on from them.
pub const BLOCK_TIMES: &str = "block-times";

/// Every analysis of a network, in the order in which they look.
pub const ALL: &[Declaration] = &[
    fork::DECLARATION,
    stale_block::DECLARATION,
    validity_disagreement::DECLARATION,
    double_spend::DECLARATION,
    partition::DECLARATION,
    lag::DECLARATION,
    version_bit::DECLARATION,
    selfish_mining::DECLARATION,
    watch::DECLARATION,
    tips::DECLARATION,
    block_times::DECLARATION,
    slow_node::DECLARATION,
    delay_drift::DECLARATION,
    version_comparison::DECLARATION,
    clock_drift::DECLARATION,
];

/// The analysis of this id, `None` if there is none.
pub(crate) fn make(id: &str) -> Option<Box<dyn NetworkAnalysis>> {
    ALL.iter().find(|declaration| declaration.id == id).map(|declaration| (declaration.make)())
}

/// Every analysis, made for one network, with its id.
pub(crate) fn make_all() -> Vec<(&'static str, Box<dyn NetworkAnalysis>)> {
    ALL.iter().map(|declaration| (declaration.id, (declaration.make)())).collect()
}
