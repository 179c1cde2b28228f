//! Reading: what the API and the metrics ask.

mod alert;
pub(crate) mod block;
pub(crate) mod count;
pub(crate) mod dubious;
mod finding;
mod header;
mod height;
mod miner;
mod node;
pub(crate) mod page;
mod raw_block;
mod spread;
mod tips;
pub(crate) mod tx;
pub(crate) mod walk;
pub(crate) mod watch;

use std::path::Path;

use bmon_event::{Network, NodeName};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::{StoreError, code, store};

/// A connection that only reads. There may be several; none makes the writer wait.
#[derive(Debug)]
pub struct Reader {
    pub(crate) connection: Connection,
}

impl Reader {
    /// Opens the database at `path`, which a [`crate::Store`] has made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { connection })
    }

    /// The journal record up to which the tables say everything, 0 when they say nothing yet.
    pub fn journal_position(&self) -> Result<u64, StoreError> {
        store::journal_position(&self.connection)
    }

    /// Every network of which anything is kept, the first known first.
    pub fn networks(&self) -> Result<Vec<Network>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT genesis FROM network ORDER BY id")?;
        let networks = statement.query_map([], |row| Ok(code::network(row.get(0)?)))?;
        Ok(networks.collect::<Result<_, _>>()?)
    }

    /// The names of all tables that the schema has.
    pub fn tables(&self) -> Result<Vec<String>, StoreError> {
        const TABLES: &str = "
            SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
        let mut statement = self.connection.prepare_cached(TABLES)?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Size in bytes of the database file, without its write-ahead log.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let size = self.connection.prepare_cached(size)?.query_row([], |row| row.get(0))?;
        code::unsigned("pragma_page_count", size)
    }

    /// The node whose agent delivers with the token whose SHA-256 is `hash`, `None` for an unknown token.
    pub fn node_of_token(&self, hash: [u8; 32]) -> Result<Option<NodeName>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT node FROM token WHERE hash = ?1")?;
        let name: Option<String> = statement.query_row([hash], |row| row.get(0)).optional()?;
        name.map(code::node_name).transpose()
    }
}
