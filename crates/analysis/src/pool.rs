//! Which pool mined a block, as far as its coinbase tells.
//!
//! A pool is recognised by an address that the coinbase pays, or else by a tag in the coinbase's script. Neither is
//! proof. Anyone can write another's tag at no cost; to pay another's address costs the reward, so an address goes
//! before every tag. (mempool.space goes through its list pool by pool, and looks at each one's addresses before its
//! tags. The two differ only where one pool has the address and another, earlier in the list, the tag.)
//!
//! - Of several known addresses the one that is paid most at once counts, the first of equals: some pools pay their
//!   miners right from the coinbase, and a miner may be a pool. What is paid nothing does not count.
//! - Of several tags the longest counts, in bytes, since a longer one may contain a shorter one of another pool; of
//!   equals the first in the table. Tags are compared byte by byte: the list has a tag in each case in which it was seen.
//!
//! A few pools' tags are [known](known()) here. The community's list, which changes as pools come and go, is
//! [parsed](parse) from the text of its file. Put together they are [`Pools`].

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod address;
mod known;
mod list;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use self::{
    address::address,
    known::known,
    list::{ListError, parse},
    text::text,
};
use crate::body::{Output, Transaction};

/// The longest script that a coinbase may have (`bad-cb-length` in `src/consensus/tx_check.cpp@v30`). No more is looked at.
const MAX_SCRIPT: usize = 100;

/// A pool, and what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What people call it.
    pub name: String,
    /// Texts that it writes into the coinbase's script. An empty one is passed over.
    pub tags: Vec<String>,
    /// Addresses of the main network that its coinbases pay.
    pub addresses: Vec<String>,
}

/// Pools to look for.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    names: Vec<String>,
    /// The longest first, with the place of the pool's name.
    tags: Vec<(String, usize)>,
    addresses: HashMap<String, usize>,
}

/// Who mined a block, as far as its coinbase tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miner {
    /// The pool, `None` if the coinbase shows none that is in the table.
    pub pool: Option<Recognised>,
    /// What a person can read in the coinbase's script: empty if nothing.
    pub coinbase_text: String,
}

/// A pool that was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// Its name.
    pub name: String,
    /// What it was recognised by.
    pub by: Mark,
}

/// What a pool is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Mark {
    /// An address that the coinbase pays.
    Address {
        /// The address.
        address: String,
    },
    /// A text in the coinbase's script.
    Tag {
        /// The text, as it stands in the table.
        tag: String,
    },
}

impl Pools {
    /// Takes pools in the order of precedence: where two have the same tag or address, it is the first one's.
    pub fn new(pools: impl IntoIterator<Item = Pool>) -> Self {
        let mut table = Self::default();
        for (place, pool) in pools.into_iter().enumerate() {
            let tags = pool.tags.into_iter().filter(|tag| !tag.is_empty());
            table.tags.extend(tags.map(|tag| (tag, place)));
            for address in pool.addresses {
                table.addresses.entry(address).or_insert(place);
            }
            table.names.push(pool.name);
        }
        // A stable sort: equals stay in the table's order.
        table.tags.sort_by_key(|(tag, _)| std::cmp::Reverse(tag.len()));
        table
    }

    /// Who made this coinbase. A transaction that is none has an empty text, but may pay a pool's address.
    pub fn miner(&self, coinbase: &Transaction<'_>) -> Miner {
        let script = coinbase.coinbase_script().unwrap_or_default();
        let script = script.get(..MAX_SCRIPT).unwrap_or(script);
        let pool = self.by_address(coinbase).or_else(|| self.by_tag(script));
        Miner { pool, coinbase_text: text(script) }
    }

    fn by_address(&self, coinbase: &Transaction<'_>) -> Option<Recognised> {
        let known = |output: Output<'_>| {
            let address = address(output.script_pubkey)?;
            let place = *self.addresses.get(&address)?;
            Some((output.value_sat, address, place))
        };
        let paid = coinbase.outputs().filter(|output| output.value_sat > 0).filter_map(known);
        let (_, address, place) = paid.reduce(|most, other| if other.0 > most.0 { other } else { most })?;
        self.recognised(place, Mark::Address { address })
    }

    fn by_tag(&self, script: &[u8]) -> Option<Recognised> {
        let is_there = |tag: &str| script.windows(tag.len()).any(|part| part == tag.as_bytes());
        let (tag, place) = self.tags.iter().find(|(tag, _)| is_there(tag))?;
        self.recognised(*place, Mark::Tag { tag: tag.clone() })
    }

    fn recognised(&self, place: usize, by: Mark) -> Option<Recognised> {
        Some(Recognised { name: self.names.get(place)?.clone(), by })
    }
}
