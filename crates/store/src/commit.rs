//! Writing: rows into tables, in one transaction with the journal position they stand for.

mod block;

use std::collections::HashMap;

use bmon_analysis::{
    alert::Alert,
    finding::Finding,
    row::{NodeRow, Row, TipsRow, TxChunk, TxColumn, TxSpread},
};
use bmon_event::{Epoch, Network, NodeName};
use rusqlite::{Connection, ErrorCode, OptionalExtension};

use crate::{Store, StoreError, code::signed, tx_chunk, tx_index, tx_spread};

/// What is written together or not at all.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// The rows, in any order.
    pub rows: &'a [Row],
    /// The last journal record whose rows are in this commit or an earlier one. It never goes back.
    pub journal_position: u64,
    /// The highest accepted sequence of node and epoch, where it changed. It never goes back.
    pub accepted: &'a [(NodeName, Epoch, u64)],
}

/// A row that no table takes: a number in it is none that the database can hold.
#[derive(Debug)]
pub struct ImpossibleRow<'a> {
    /// The row.
    pub row: &'a Row,
    /// Why.
    pub error: rusqlite::Error,
}

/// The numbers under which the tables know networks and nodes. There are few, they never change, and every row needs
/// them.
#[derive(Debug, Default)]
pub(crate) struct Ids(HashMap<Network, NetworkIds>);

#[derive(Debug)]
struct NetworkIds {
    network: i64,
    nodes: HashMap<NodeName, i64>,
}

impl Store {
    /// Writes `commit` in one transaction. On an error nothing of it is written.
    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.transact(commit, |_, error| Err(error))
    }

    /// Writes `commit` in one transaction, but for the rows that no table takes: it gives those. On an error nothing
    /// is written. For a caller that cannot go back for another commit, whatever the rows say.
    pub fn commit_possible<'a>(&mut self, commit: &Commit<'a>) -> Result<Vec<ImpossibleRow<'a>>, StoreError> {
        let mut impossible = Vec::new();
        self.transact(commit, |row, error| match error {
            StoreError::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                impossible.push(ImpossibleRow { row, error });
                Ok(())
            }
            error => Err(error),
        })?;
        Ok(impossible)
    }

    /// Writes `commit` in one transaction; `failed` decides whether it can go on after a row that failed. What the row
    /// had written before it failed, at most the numbers of what it names, stays.
    fn transact<'a>(
        &mut self,
        commit: &Commit<'a>,
        failed: impl FnMut(&'a Row, StoreError) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Self { connection, ids, .. } = self;
        let transaction = connection.transaction()?;
        let result = Writer { connection: &transaction, ids }.write(commit, failed);
        if let Err(error) = result.and_then(|()| Ok(transaction.commit()?)) {
            // Numbers given inside the transaction are gone with it.
            *ids = Ids::default();
            return Err(error);
        }
        Ok(())
    }
}

struct Writer<'a> {
    connection: &'a Connection,
    ids: &'a mut Ids,
}

impl Writer<'_> {
    fn write<'a>(
        &mut self,
        commit: &Commit<'a>,
        mut failed: impl FnMut(&'a Row, StoreError) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for row in commit.rows {
            self.row(row).or_else(|error| failed(row, error))?;
        }
        if commit.rows.iter().any(|row| matches!(row, Row::TxChunk(chunk) if chunk.is_full)) {
            tx_index::extend(self.connection)?;
        }
        for (node, epoch, sequence) in commit.accepted {
            self.execute(
                "INSERT INTO accepted (node, epoch, sequence) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)",
                (node.as_str(), epoch.0.cast_signed(), signed(*sequence)?),
            )?;
        }
        self.execute("UPDATE journal SET position = max(position, ?1)", [signed(commit.journal_position)?])
    }

    fn row(&mut self, row: &Row) -> Result<(), StoreError> {
        match row {
            Row::Node(row) => self.node(row),
            Row::Block(row) => self.block(row),
            Row::BlockSighting(row) => self.block_sighting(row),
            Row::BlockProcessing(row) => self.block_processing(row),
            Row::BlockStep(row) => self.block_step(row),
            Row::TxChunk(chunk) => self.tx_chunk(chunk),
            Row::TxSpread(row) => self.tx_spread(row),
            Row::Header(row) => self.header(row),
            Row::Tips(row) => self.tips(row),
            Row::Miner(row) => self.miner(row),
            Row::RawBlock(row) => self.raw_block(row),
            Row::Finding(finding) => self.finding(finding),
            Row::Alert(alert) => self.alert(alert),
        }
    }

    fn node(&mut self, row: &NodeRow) -> Result<(), StoreError> {
        let node = self.node_id(&row.network, &row.node)?;
        self.execute(
            "UPDATE node SET heard_at_us = ?2, state = ?3 WHERE id = ?1",
            (node, row.heard_at.as_micros(), json(row)),
        )
    }

    fn tx_chunk(&mut self, chunk: &TxChunk) -> Result<(), StoreError> {
        let mut nodes = HashMap::new();
        for TxColumn { node, .. } in &chunk.nodes {
            nodes.insert(node.clone(), self.node_id(&chunk.network, node)?);
        }
        let network = self.network_ids(&chunk.network)?.network;
        let (txids, body) = tx_chunk::encode(chunk, &nodes);
        self.execute(
            "INSERT INTO tx_chunk (id, network, begun_at_us, last_at_us, is_full, txids, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET
                 last_at_us = excluded.last_at_us, is_full = excluded.is_full, txids = excluded.txids, body = excluded.body",
            (
                signed(chunk.id)?,
                network,
                chunk.begun_at.as_micros(),
                chunk.last_at.as_micros(),
                chunk.is_full,
                txids,
                body,
            ),
        )
    }

    fn tx_spread(&mut self, row: &TxSpread) -> Result<(), StoreError> {
        let network = self.network_ids(&row.network)?.network;
        self.execute(
            "INSERT INTO tx_spread (network, begun_at_us, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (network, begun_at_us) DO UPDATE SET body = excluded.body",
            (network, row.begun_at.as_micros(), tx_spread::encode(&row.spread)),
        )
    }

    fn tips(&mut self, row: &TipsRow) -> Result<(), StoreError> {
        let network = self.network_ids(&row.network)?.network;
        self.execute(
            "INSERT INTO network_tips (network, tips, nodes) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET tips = excluded.tips, nodes = excluded.nodes",
            (network, json(&row.tips), json(&row.nodes)),
        )
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), StoreError> {
        let node = finding.node.as_ref().map(|node| self.node_id(&finding.network, node)).transpose()?;
        let network = self.network_ids(&finding.network)?.network;
        let offset = finding.sighted.offset;
        self.execute(
            "INSERT INTO finding AS old
                 (id, kind, revision, network, node, at_us, offset_min_us, offset_max_us, sources, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (id) DO UPDATE SET
                 kind = excluded.kind, revision = excluded.revision, node = excluded.node, at_us = excluded.at_us,
                 offset_min_us = excluded.offset_min_us, offset_max_us = excluded.offset_max_us,
                 sources = excluded.sources, body = excluded.body
             WHERE excluded.revision > old.revision",
            (
                finding.id.0,
                finding.body.kind(),
                finding.revision,
                network,
                node,
                finding.sighted.at.as_micros(),
                offset.map(|offset| offset.min_us),
                offset.map(|offset| offset.max_us),
                json(&finding.sources),
                json(&finding.body),
            ),
        )
    }

    fn alert(&mut self, alert: &Alert) -> Result<(), StoreError> {
        let network = self.network_ids(&alert.network)?.network;
        self.execute(
            "INSERT INTO alert AS old (id, network, rule, state, revision, active_at_us, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET
                 state = excluded.state, revision = excluded.revision, active_at_us = excluded.active_at_us,
                 body = excluded.body
             WHERE excluded.revision > old.revision",
            (
                alert.id.0,
                network,
                &alert.rule,
                alert.state.as_str(),
                alert.revision,
                alert.active_at_us.as_micros(),
                json(alert),
            ),
        )
    }

    fn network_ids(&mut self, network: &Network) -> Result<&mut NetworkIds, StoreError> {
        if !self.ids.0.contains_key(network) {
            let genesis = network.genesis.as_bytes();
            let known = self.id("SELECT id FROM network WHERE genesis = ?1", [genesis])?;
            let id = match known {
                Some(id) => id,
                None => self.insert(
                    "INSERT INTO network (genesis, name) VALUES (?1, ?2)",
                    (genesis, network.to_string()),
                )?,
            };
            self.ids.0.insert(*network, NetworkIds { network: id, nodes: HashMap::new() });
        }
        Ok(self.ids.0.get_mut(network).expect("it was put there just now if it was missing"))
    }

    fn node_id(&mut self, network: &Network, name: &NodeName) -> Result<i64, StoreError> {
        let NetworkIds { network: network_id, nodes } = self.network_ids(network)?;
        if let Some(id) = nodes.get(name) {
            return Ok(*id);
        }
        let key = (*network_id, name.as_str());
        let id = match self.id("SELECT id FROM node WHERE network = ?1 AND name = ?2", key)? {
            Some(id) => id,
            None => self.insert("INSERT INTO node (network, name) VALUES (?1, ?2)", key)?,
        };
        self.network_ids(network)?.nodes.insert(name.clone(), id);
        Ok(id)
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn insert(&self, sql: &str, values: impl rusqlite::Params) -> Result<i64, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.insert(values)?)
    }

    fn id(&self, sql: &str, key: impl rusqlite::Params) -> Result<Option<i64>, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?)
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("rows have text keys only")
}
