//! What nodes told of transactions.

use std::rc::Rc;

use bmon_analysis::row::{Sighted, TxLeft, TxNode, TxSeen};
use bmon_event::{NodeName, Txid, event::RemovalReason};
use bmon_store::{Reader, StoreError, Stretch, TxPlace, TxTimes};

use super::{
    Table,
    column::{AtNode, Column, OfNode, Value, headings},
    walk::{self, Part},
};

pub(super) const TABLE: Table = Table {
    name: "txs",
    about: "What one node told of one transaction: that it accepted it, that it refused it, that it left its mempool for another \
            reason than inclusion in a block. Each of these is a row, by the best source that told: its log, else ZMQ, else RPC. \
            What a node tells again hours later is another row; of what only a block has there is none. Why a node refused it stands in `findings`, under \
            `rejected-tx`. Transactions are kept for a time only.",
    of: &["tx_chunk"],
    by: Some("when it happened; what came to the server more than 48 hours after `until` is left out"),
    columns: || headings(COLUMNS),
    open: |stretch, format| walk::open(COLUMNS, read, stretch, format),
};

struct Row {
    /// In hexadecimal, once for all nodes.
    txid: Rc<str>,
    wtxid: Option<Rc<str>>,
    node: Rc<NodeName>,
    told: &'static str,
    seen: TxSeen,
    reason: Option<RemovalReason>,
    by: Option<Txid>,
    /// As JSON, once for all nodes.
    mined_in: Rc<str>,
}

impl OfNode for Row {
    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }
}

impl AtNode for Row {
    fn sighted(&self) -> Sighted {
        self.seen.sighted
    }
}

const COLUMNS: &[Column<Row>] = &[
    Column::NETWORK,
    Column { name: "txid", meaning: "the transaction", value: |row, _| (&*row.txid).into() },
    Column {
        name: "wtxid",
        meaning: "its id with witness; null where no node told it",
        value: |row, _| row.wtxid.as_deref().into(),
    },
    Column::NODE,
    Column::NODE_VERSION,
    Column { name: "told", meaning: "`accepted`, `refused` or `left`", value: |row, _| row.told.into() },
    Column {
        name: "source",
        meaning: "who told: `log`, `zmq` or `rpc`",
        value: |row, _| row.seen.source.as_str().into(),
    },
    Column::AT,
    Column::AT_US,
    Column::NODE_AT_US,
    Column::OFFSET_MIN_US,
    Column::OFFSET_MAX_US,
    Column::CLOCK_BOUND_US,
    Column {
        name: "reason",
        meaning: "why it left, in the node's word; null where the node did not tell, and of the others",
        value: |row, _| row.reason.as_ref().map(RemovalReason::as_str).into(),
    },
    Column {
        name: "by",
        meaning: "the transaction that took its place; null where none did, or the node did not tell",
        value: |row, _| Value::shown_if(row.by.as_ref()),
    },
    Column {
        name: "mined_in",
        meaning: "the hashes of the blocks that have the transaction, as a list: of several branches if more than one; those that were \
                  read within one to two hours after the row was told, all others stand in `/api/v1/txs/{txid}`",
        value: |row, _| Value::Json((&*row.mined_in).into()),
    },
];

fn read(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<TxPlace>,
    part: &mut Part<'_, Row>,
) -> Result<Option<TxPlace>, StoreError> {
    reader.visit_txs(stretch, after, &mut |tx| {
        write(tx, part);
        part.go_on()
    })
}

fn write(tx: TxTimes, part: &mut Part<'_, Row>) {
    let hex = |id: String| Rc::<str>::from(id);
    let mined_in = Rc::<str>::from(serde_json::json!(tx.mined).to_string());
    let (txid, wtxid) = (hex(tx.txid.to_string()), tx.wtxid.map(|wtxid| hex(wtxid.to_string())));
    for TxNode { node, accepted, refused, left } in tx.nodes {
        let node = Rc::new(node);
        let mut row = |told, seen, reason, by| {
            let (txid, wtxid, node) = (Rc::clone(&txid), wtxid.clone(), Rc::clone(&node));
            part.row(&Row { txid, wtxid, node, told, seen, reason, by, mined_in: Rc::clone(&mined_in) });
        };
        if let Some(seen) = accepted {
            row("accepted", seen, None, None);
        }
        if let Some(seen) = refused {
            row("refused", seen, None, None);
        }
        if let Some(TxLeft { seen, reason, by }) = left {
            row("left", seen, reason, by);
        }
    }
}
