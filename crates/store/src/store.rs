use std::path::Path;

use bmon_event::{Epoch, NodeName};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};

use crate::{StoreError, code, commit::Ids, migration};

/// The one writer of a database.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) ids: Ids,
}

impl Store {
    /// Opens the database at `path`; makes it and brings it to this version's schema as needed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let mut connection = Connection::open(path)?;
            // Others may write at the same time: whoever comes second waits from the beginning. One that begins with reading
            // would be refused when it comes to writing, since what it read is old by then.
            connection.set_transaction_behavior(TransactionBehavior::Immediate);
            connection.set_prepared_statement_cache_capacity(32);
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "normal")?;
            // A reader that holds a snapshot for long makes the log grow; give the space back afterwards.
            connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
            Ok(connection)
        };
        let mut connection = open().map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        migration::migrate(&mut connection)?;
        Ok(Self { connection, ids: Ids::default() })
    }

    /// The journal record up to which the tables say everything, 0 when they say nothing yet.
    pub fn journal_position(&self) -> Result<u64, StoreError> {
        journal_position(&self.connection)
    }

    /// The highest accepted sequence of each node's epochs, in no particular order.
    pub fn accepted(&self) -> Result<Vec<(NodeName, Epoch, u64)>, StoreError> {
        let mut statement = self.connection.prepare("SELECT node, epoch, sequence FROM accepted")?;
        let mut rows = statement.query([])?;
        let mut accepted = Vec::new();
        while let Some(row) = rows.next()? {
            let epoch: i64 = row.get("epoch")?;
            let sequence = code::unsigned("accepted.sequence", row.get("sequence")?)?;
            accepted.push((code::node_name(row.get("node")?)?, Epoch(epoch.cast_unsigned()), sequence));
        }
        Ok(accepted)
    }

    /// Lets the agent of `node` deliver with the token whose SHA-256 is `hash`, and with no other. Flushed to the
    /// disk before it returns, since no journal repeats it.
    pub fn set_token(&self, node: &NodeName, hash: [u8; 32]) -> Result<(), StoreError> {
        const SET: &str = "INSERT INTO token (node, hash) VALUES (?1, ?2) ON CONFLICT (node) DO UPDATE SET hash = excluded.hash";
        self.connection.pragma_update(None, "synchronous", "full")?;
        let result = self.connection.execute(SET, (node.as_str(), hash));
        self.connection.pragma_update(None, "synchronous", "normal")?;
        match result {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(StoreError::TokenTaken { node: node.clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The node whose agent delivers with the token whose SHA-256 is `hash`, `None` for an unknown token.
    pub fn node_of_token(&self, hash: [u8; 32]) -> Result<Option<NodeName>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT node FROM token WHERE hash = ?1")?;
        let name: Option<String> = statement.query_row([hash], |row| row.get(0)).optional()?;
        name.map(code::node_name).transpose()
    }

    /// Writes in one transaction that is on the disk when this returns.
    pub(crate) fn flushed<T>(
        &mut self,
        write: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connection.pragma_update(None, "synchronous", "full")?;
        let written = self.connection.transaction().map_err(StoreError::from).and_then(|transaction| {
            let value = write(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        self.connection.pragma_update(None, "synchronous", "normal")?;
        written
    }
}

pub(crate) fn journal_position(connection: &Connection) -> Result<u64, StoreError> {
    let position = connection.query_row("SELECT position FROM journal", [], |row| row.get(0))?;
    code::unsigned("journal.position", position)
}
