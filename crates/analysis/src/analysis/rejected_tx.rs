//! Transactions that a node refused.

use bmon_event::Kind;

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, Finding, FindingId, RejectedTx},
    memory::Memory,
    row::Row,
    settings::Settings,
    state::{Change, NodeState},
};

const ID: &str = "rejected-tx";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node refused which transaction, and why.",
    make: |settings| Box::new(Rejected::new(settings)),
};

/// The code of a transaction whose inputs the node does not know, spent or not yet received. It is no verdict: the
/// transaction is kept and tried again when its parents come (`TxDownloadManagerImpl::MempoolRejectedTx`,
/// `src/node/txdownloadman_impl.cpp@v30`).
const ORPHAN: &str = "bad-txns-inputs-missingorspent";

/// One finding for each transaction and code: a node that is sent it again refuses it again.
#[derive(Debug)]
struct Rejected {
    said: Memory<FindingId, ()>,
}

impl Rejected {
    fn new(settings: &Settings) -> Self {
        Self { said: Memory::new(settings.findings) }
    }
}

impl Analysis for Rejected {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Kind::TxRejected { txid, wtxid, peer, code, detail } = &event.kind else { return };
        if code == ORPHAN {
            return;
        }
        let at = event.time();
        let wtxid_bytes = wtxid.as_ref().map_or([].as_slice(), |wtxid| wtxid.as_bytes());
        let subject = [node.name.as_str().as_bytes(), txid.as_bytes(), wtxid_bytes, code.as_bytes()];
        let id = FindingId::new(&node.network, ID, &subject);
        if self.said.get(&id).is_some() {
            return;
        }
        self.said.insert(at, id, ());
        let reason = if detail.is_empty() { code.clone() } else { format!("{code}, {detail}") };
        let body = RejectedTx { txid: *txid, wtxid: *wtxid, code: code.clone(), reason, peer: *peer };
        out.push(Row::Finding(Box::new(Finding {
            id,
            revision: 1,
            network: node.network,
            node: Some(node.name.clone()),
            sighted: node.sighted(at),
            sources: vec![event.source],
            body: Body::RejectedTx(body),
        })));
    }
}
