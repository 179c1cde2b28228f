//! What somebody wants to be told every step of.

use std::{collections::BTreeSet, fmt, str::FromStr};

use bmon_event::{OutPoint, Txid};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::finding::{SeenTx, Step};

/// Most things that are watched on one server: as many as a person can have named, and their coins can be asked about.
pub const MOST_ITEMS: usize = 1_000;

/// Something that is watched. As text it is `tx TXID` or `outpoint TXID:VOUT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchItem {
    /// A transaction, by its id without witness.
    Tx(Txid),
    /// A coin: whichever transaction spends it.
    Outpoint(OutPoint),
}

/// A text names nothing that can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `tx TXID` or `outpoint TXID:VOUT`")]
pub struct WatchItemError;

impl WatchItem {
    /// The coin, if it is one.
    pub const fn outpoint(&self) -> Option<OutPoint> {
        match self {
            Self::Outpoint(outpoint) => Some(*outpoint),
            Self::Tx(_) => None,
        }
    }

    /// The transaction, if it is one.
    pub const fn txid(&self) -> Option<Txid> {
        match self {
            Self::Tx(txid) => Some(*txid),
            Self::Outpoint(_) => None,
        }
    }
}

impl fmt::Display for WatchItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tx(txid) => write!(f, "tx {txid}"),
            Self::Outpoint(outpoint) => write!(f, "outpoint {outpoint}"),
        }
    }
}

impl FromStr for WatchItem {
    type Err = WatchItemError;

    fn from_str(s: &str) -> Result<Self, WatchItemError> {
        let item = match s.split_once(' ').ok_or(WatchItemError)? {
            ("tx", txid) => txid.parse().ok().map(Self::Tx),
            ("outpoint", outpoint) => outpoint.parse().ok().map(Self::Outpoint),
            _ => None,
        };
        item.ok_or(WatchItemError)
    }
}

impl Serialize for WatchItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WatchItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// How it stands with something that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// No node told of it.
    Unseen,
    /// Mempools have it, and nothing else for its coins.
    Seen,
    /// Mempools have different transactions for one coin.
    Conflict,
    /// Another took its place in every mempool that had it.
    Replaced,
    /// A block of the best chain has it.
    Mined,
    /// The block that had it is not in the best chain any more, and no other has it.
    ReorgedOut,
    /// Another transaction that spends the same coin is in the best chain.
    DoubleSpent,
}

impl Standing {
    /// How it stands after these steps.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        let all: Vec<&Step> = steps.into_iter().collect();
        let any = |is: fn(&Step) -> bool| all.iter().any(|step| is(step));
        if any(|step| matches!(step, Step::DoubleSpent(spent) if spent.is_in_best_chain)) {
            Self::DoubleSpent
        } else if any(|step| matches!(step, Step::Mined(mined) if mined.is_in_best_chain)) {
            Self::Mined
        } else if any(|step| matches!(step, Step::ReorgedOut(out) if out.is_out)) {
            Self::ReorgedOut
        } else if is_replaced(&all) {
            Self::Replaced
        } else if any(|step| matches!(step, Step::Conflict(conflict) if conflict.is_open)) {
            Self::Conflict
        } else if any(|step| matches!(step, Step::Seen(_))) {
            Self::Seen
        } else {
            Self::Unseen
        }
    }

    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Seen => "seen",
            Self::Conflict => "conflict",
            Self::Replaced => "replaced",
            Self::Mined => "mined",
            Self::ReorgedOut => "reorged-out",
            Self::DoubleSpent => "double-spent",
        }
    }
}

/// Whether every transaction that was seen was replaced wherever it was. Of a coin the last one never was.
fn is_replaced(steps: &[&Step]) -> bool {
    let is_gone = |seen: &SeenTx| {
        let by = steps.iter().filter_map(|step| match step {
            Step::Replaced(replaced) if replaced.txid == seen.txid => Some(&replaced.by),
            _ => None,
        });
        let nodes: BTreeSet<_> = by.flatten().flat_map(|by| &by.nodes).collect();
        seen.accepted_at.iter().all(|node| nodes.contains(node))
    };
    let mut seen = steps.iter().filter_map(|step| match step {
        Step::Seen(seen) => Some(seen),
        _ => None,
    });
    seen.clone().next().is_some() && seen.all(is_gone)
}

#[cfg(test)]
mod tests {
    use bmon_event::BlockHash;

    use super::*;
    use crate::finding::{Conflict, DoubleSpent, Mined, ReorgedOut, Replaced, ReplacedBy};

    #[test]
    fn an_item_goes_in_and_comes_out_the_same_and_nothing_else_is_one() {
        let txid = "ab".repeat(32);
        for text in [format!("tx {txid}"), format!("outpoint {txid}:7")] {
            assert_eq!(text.parse::<WatchItem>().unwrap().to_string(), text);
        }
        for bad in
            ["", "tx", &txid, &format!("tx {txid}:7"), &format!("outpoint {txid}"), &format!("block {txid}")]
        {
            assert_eq!(bad.parse::<WatchItem>(), Err(WatchItemError), "{bad}");
        }
    }
    fn txid(number: u8) -> Txid {
        Txid::from_bytes([number; 32])
    }

    fn seen(nodes: &[&str]) -> Step {
        let accepted_at = nodes.iter().map(|node| node.parse().unwrap()).collect();
        Step::Seen(SeenTx {
            txid: txid(1),
            nodes: 2,
            accepted_at,
            missing_at: Vec::new(),
            refused_at: Vec::new(),
            left_at: Vec::new(),
            inputs: None,
            omitted_inputs: 0,
            blind: Vec::new(),
        })
    }

    fn replaced(nodes: &[&str]) -> Step {
        let nodes = nodes.iter().map(|node| node.parse().unwrap()).collect();
        Step::Replaced(Replaced { txid: txid(1), by: vec![ReplacedBy { txid: Some(txid(2)), nodes }] })
    }

    fn conflict(is_open: bool) -> Step {
        let (txid, with, outpoints) = (txid(2), vec![txid(1)], Vec::new());
        Step::Conflict(Conflict { txid, with, outpoints, nodes: Vec::new(), is_open, blind: Vec::new() })
    }

    fn mined(is_in_best_chain: bool) -> Step {
        let block = BlockHash::from_bytes([3; 32]);
        Step::Mined(Mined { txid: txid(1), block, height: 4, is_in_best_chain })
    }

    fn reorged_out(is_out: bool) -> Step {
        let block = BlockHash::from_bytes([3; 32]);
        Step::ReorgedOut(ReorgedOut { txid: txid(1), block, height: 4, is_out, again_in: None })
    }

    #[test]
    fn the_best_chain_says_more_than_mempools_and_one_of_two_mempools_is_a_conflict() {
        let of = |steps: &[Step]| Standing::of(steps).as_str();
        assert_eq!(of(&[]), "unseen");
        assert_eq!(of(&[seen(&["alice", "bob"])]), "seen");
        assert_eq!(of(&[seen(&["alice", "bob"]), replaced(&["alice"])]), "seen");
        let part = [seen(&["alice", "bob"]), replaced(&["alice"]), conflict(true)];
        assert_eq!((of(&part), of(&[seen(&["alice"]), conflict(false)])), ("conflict", "seen"));
        assert_eq!(of(&[seen(&["alice", "bob"]), replaced(&["alice", "bob"])]), "replaced");
        assert_eq!(of(&[seen(&["alice"]), replaced(&["alice"]), mined(true)]), "mined");
        assert_eq!(of(&[seen(&["alice"]), mined(false), reorged_out(true)]), "reorged-out");
        assert_eq!(of(&[seen(&["alice"]), mined(true), reorged_out(false)]), "mined");
        let spent = DoubleSpent {
            txid: txid(2),
            instead_of: vec![txid(1)],
            outpoint: OutPoint { txid: txid(9), vout: 0 },
            block: BlockHash::from_bytes([4; 32]),
            height: 4,
            is_in_best_chain: true,
        };
        assert_eq!(of(&[mined(false), reorged_out(true), Step::DoubleSpent(spent)]), "double-spent");
    }
}
