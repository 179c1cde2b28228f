use std::collections::{BTreeMap, HashMap};

use bmon_analysis::row::{TxChunk, TxIds, TxNode};
use bmon_event::{BlockHash, Network, NodeName, ServerTime, Txid, Wtxid};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Reader, StoreError, code, tx_chunk,
    tx_index::{self, Found},
};

/// A transaction, what nodes told of it, and the blocks that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct TxTimes {
    /// The network.
    pub network: Network,
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness, `None` where no node told it.
    pub wtxid: Option<Wtxid>,
    /// What each node told, by its name. Empty if it is known from a block only.
    pub nodes: Vec<TxNode>,
    /// The blocks that have it, in the order of their hashes: of several branches if more than one. Empty while none was read
    /// that does.
    pub mined: Vec<BlockHash>,
}

const CHUNK: &str = "
    SELECT tx_chunk.id, genesis, begun_at_us, last_at_us, is_full, txids, body
    FROM tx_chunk JOIN network ON network.id = tx_chunk.network WHERE tx_chunk.id = ?1";

const CHUNKS_SINCE: &str = "
    SELECT tx_chunk.id, genesis, begun_at_us, last_at_us, is_full, txids, body
    FROM tx_chunk JOIN network ON network.id = tx_chunk.network WHERE last_at_us >= ?1 ORDER BY tx_chunk.id";

impl Reader {
    /// One transaction, `None` when neither node nor block told of it or it was deleted since. Where two networks have it, the one that
    /// told of it first counts.
    pub fn tx(&self, txid: &Txid) -> Result<Option<TxTimes>, StoreError> {
        // One snapshot for the index and the chunks.
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut found: Option<TxTimes> = None;
        let names = names(&self.connection)?;
        for Found { chunk, place } in tx_index::find(&self.connection, txid.as_bytes())? {
            let mut statement = self.connection.prepare_cached(CHUNK)?;
            let part = statement.query_row([chunk], |row| Ok(read(row, &names))).optional()?.transpose()?;
            let part = part.and_then(|chunk| tx_at(&chunk, place)).filter(|part| part.txid == *txid);
            match (&mut found, part) {
                (Some(found), Some(part)) if found.network == part.network => merge(found, part),
                (None, part) => found = part,
                _ => {}
            }
        }
        Ok(found)
    }

    /// The chunks of transactions of which the server heard since then, the oldest first, each handed to `take`.
    pub fn tx_chunks_since(
        &self,
        since: ServerTime,
        mut take: impl FnMut(TxChunk),
    ) -> Result<(), StoreError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let names = names(&self.connection)?;
        let mut statement = self.connection.prepare_cached(CHUNKS_SINCE)?;
        let mut rows = statement.query([since.as_micros()])?;
        while let Some(row) = rows.next()? {
            take(read(row, &names)?);
        }
        Ok(())
    }

    /// The highest number that a chunk of transactions has, 0 if there is none.
    pub fn last_tx_chunk(&self) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(max(id), 0) FROM tx_chunk";
        code::unsigned("tx_chunk.id", self.connection.query_row(sql, [], |row| row.get(0))?)
    }
}

/// The names of all nodes by their number.
pub(super) fn names(connection: &Connection) -> Result<HashMap<i64, NodeName>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM node")?;
    let mut rows = statement.query([])?;
    let mut names = HashMap::new();
    while let Some(row) = rows.next()? {
        names.insert(row.get("id")?, code::node_name(row.get("name")?)?);
    }
    Ok(names)
}

pub(super) fn read(row: &Row<'_>, names: &HashMap<i64, NodeName>) -> Result<TxChunk, StoreError> {
    let (txids, body) = (blob(row, "txids")?, blob(row, "body")?);
    let content = tx_chunk::decode(txids, body, names)?;
    Ok(TxChunk {
        id: code::unsigned("tx_chunk.id", row.get("id")?)?,
        network: code::network(row.get("genesis")?),
        begun_at: ServerTime::from_micros(row.get("begun_at_us")?),
        last_at: ServerTime::from_micros(row.get("last_at_us")?),
        is_full: row.get("is_full")?,
        txs: content.txs,
        nodes: content.nodes,
        mined: content.mined,
    })
}

fn blob<'a>(row: &'a Row<'_>, column: &str) -> Result<&'a [u8], StoreError> {
    Ok(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}

/// The transaction at this place of a chunk.
pub(super) fn tx_at(chunk: &TxChunk, place: usize) -> Option<TxTimes> {
    let TxIds { txid, wtxid } = *chunk.txs.get(place)?;
    let short = u16::try_from(place).ok()?;
    let nodes = chunk.nodes.iter().map(|column| TxNode {
        accepted: column.accepted.get(place).copied().flatten(),
        refused: column.refused.iter().find(|(at, _)| *at == short).map(|(_, seen)| *seen),
        left: column.left.iter().find(|(at, _)| *at == short).map(|(_, left)| left.clone()),
        node: column.node.clone(),
    });
    let told = nodes.filter(|node| node.first().is_some() || node.left.is_some());
    let from = chunk.mined.partition_point(|(at, _)| *at < short);
    let mined = chunk.mined[from..].iter().take_while(|(at, _)| *at == short).map(|(_, block)| *block);
    let nodes = by_name(told.collect());
    Some(TxTimes { network: chunk.network, txid, wtxid, nodes, mined: mined.collect() })
}

fn by_name(mut nodes: Vec<TxNode>) -> Vec<TxNode> {
    nodes.sort_unstable_by(|one, other| one.node.cmp(&other.node));
    nodes
}

fn merge(found: &mut TxTimes, part: TxTimes) {
    let mut ids = TxIds { txid: found.txid, wtxid: found.wtxid };
    ids.note_wtxid(part.wtxid);
    found.wtxid = ids.wtxid;
    let mut nodes: BTreeMap<NodeName, TxNode> =
        std::mem::take(&mut found.nodes).into_iter().map(|node| (node.node.clone(), node)).collect();
    for node in part.nodes {
        nodes.entry(node.node.clone()).or_insert_with(|| TxNode::new(node.node.clone())).merge(node);
    }
    found.nodes = nodes.into_values().collect();
    found.mined.extend(part.mined);
    found.mined.sort_unstable();
    found.mined.dedup();
}
