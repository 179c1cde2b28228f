//! Forks of the chain, staged one at a time on any [`Network`](crate::Network): each function returns what happened, for a monitor's
//! findings to be compared with.
//!
//! All but a split begin and end with every node on the same tip, so that one can follow the other. A split takes nodes
//! that were started for it ([`Activation::enforce`]).

mod invalid;
mod race;
mod reorg;
mod split;
mod withheld;

pub use invalid::{invalid, invalid_branch};
pub use race::{decide, race};
pub use reorg::{join, part, reorg};
pub use split::{Activation, Party, Rule, extend, heal};
pub use withheld::withhold;

use crate::ScenarioError;

/// Whether there are enough nodes to stage `what`.
pub(crate) fn at_least(nodes: usize, least: usize, what: &'static str) -> Result<(), ScenarioError> {
    if nodes < least { Err(ScenarioError::TooFewNodes { what, nodes, least }) } else { Ok(()) }
}
