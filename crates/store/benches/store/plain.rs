//! The same in tables as anyone would make them: a row for each transaction and one for each sighting.

use std::path::Path;

use bmon_analysis::row::TxChunk;
use rusqlite::Connection;

const TABLES: &str = "
    PRAGMA journal_mode = wal;
    PRAGMA synchronous = normal;
    CREATE TABLE tx (id INTEGER PRIMARY KEY, txid BLOB NOT NULL UNIQUE, wtxid BLOB) STRICT;
    CREATE TABLE tx_sighting (
        tx INTEGER NOT NULL, node INTEGER NOT NULL, source INTEGER NOT NULL, at_us INTEGER NOT NULL,
        offset_min_us INTEGER, offset_max_us INTEGER, PRIMARY KEY (tx, node)
    ) STRICT, WITHOUT ROWID;";

/// A database of such tables.
pub(crate) struct Plain(Connection);

impl Plain {
    pub(crate) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch(TABLES).unwrap();
        Self(connection)
    }

    pub(crate) fn write(&mut self, chunk: &TxChunk) {
        let transaction = self.0.transaction().unwrap();
        {
            let mut tx = transaction.prepare_cached("INSERT INTO tx (txid, wtxid) VALUES (?1, ?2)").unwrap();
            let mut sighting = transaction
                .prepare_cached("INSERT INTO tx_sighting VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .unwrap();
            for (place, ids) in chunk.txs.iter().enumerate() {
                let id = tx
                    .insert((ids.txid.as_bytes(), ids.wtxid.as_ref().map(bmon_event::Wtxid::as_bytes)))
                    .unwrap();
                for (node, column) in (0_i64..).zip(&chunk.nodes) {
                    let Some(seen) = column.accepted[place] else { continue };
                    let offset = seen.sighted.offset.unwrap();
                    let at = seen.sighted.at.as_micros();
                    sighting
                        .execute((id, node, seen.source as u8, at, offset.min_us, offset.max_us))
                        .unwrap();
                }
            }
        }
        transaction.commit().unwrap();
    }

    /// What is on the disk once all of it is in the file, in bytes.
    pub(crate) fn bytes(self, path: &Path) -> u64 {
        drop(self);
        std::fs::metadata(path).unwrap().len()
    }
}
