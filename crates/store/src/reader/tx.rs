use bmon_analysis::row::TxSighting;
use bmon_event::{Network, Txid, Wtxid};
use rusqlite::OptionalExtension;

use crate::{Reader, StoreError, code};

/// A transaction and when nodes first told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct TxTimes {
    /// The network.
    pub network: Network,
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness, `None` where no node told it.
    pub wtxid: Option<Wtxid>,
    /// The sightings: by node and source, in this order. Each carries the `wtxid` above.
    pub sightings: Vec<TxSighting>,
}

const TX: &str = "
    SELECT tx.id, network.genesis, wtxid FROM tx JOIN network ON network.id = tx.network
    WHERE txid = ?1 ORDER BY tx.network LIMIT 1";

const SIGHTINGS: &str = "
    SELECT node.name, source, at_us, offset_min_us, offset_max_us
    FROM tx_sighting JOIN node ON node.id = node
    WHERE tx = ?1 ORDER BY node.name, source";

impl Reader {
    /// One transaction, `None` when no node told of it or it was deleted since. Where two networks have it, the one
    /// that was known first counts.
    pub fn tx(&self, txid: &Txid) -> Result<Option<TxTimes>, StoreError> {
        // One snapshot for the transaction and its sightings.
        let _snapshot = self.connection.unchecked_transaction()?;
        let found: Option<(i64, [u8; 32], Option<[u8; 32]>)> = self
            .connection
            .prepare_cached(TX)?
            .query_row([txid.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((id, genesis, wtxid)) = found else { return Ok(None) };
        let wtxid = wtxid.map(Wtxid::from_bytes);
        let mut tx = TxTimes { network: code::network(genesis), txid: *txid, wtxid, sightings: Vec::new() };
        let mut statement = self.connection.prepare_cached(SIGHTINGS)?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            tx.sightings.push(TxSighting {
                network: tx.network,
                txid: tx.txid,
                wtxid: tx.wtxid,
                node: code::node_name(row.get("name")?)?,
                source: code::source(row.get("source")?)?,
                sighted: code::sighted(row)?,
            });
        }
        Ok(Some(tx))
    }
}
