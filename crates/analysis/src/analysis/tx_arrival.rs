//! When a node told of each transaction.

use super::{Analysis, Declaration};
use crate::{
    row::{Row, TxSighting},
    state::{Change, NodeState},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "tx-arrival",
    about: "When each node accepted or refused each transaction.",
    make: |_| Box::new(TxArrival),
};

#[derive(Debug)]
struct TxArrival;

impl Analysis for TxArrival {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Transaction(told) = change else { return };
        out.push(Row::TxSighting(TxSighting {
            network: node.network,
            txid: told.txid,
            wtxid: told.wtxid,
            node: node.name.clone(),
            source: told.source,
            sighted: node.sighted(told.at),
        }));
    }
}
