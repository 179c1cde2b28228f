use std::path::PathBuf;

use bmon_event::NodeName;

/// The store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, made or brought to this version's schema.
    #[error("open the database `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The file was written by a newer version of bmon.
    #[error("open a database of schema {found}: this version of bmon knows schemas up to {known}")]
    Newer {
        /// Schema of the file.
        found: i64,
        /// Newest schema this version knows.
        known: i64,
    },
    /// `SQLite` refused: the disk is full or failing, or the file is damaged.
    #[error("read or write the database")]
    Sql(#[from] rusqlite::Error),
    /// A table holds a value that this version of bmon cannot have written.
    #[error("understand the value `{value}` of `{column}` in the database")]
    Value {
        /// Table and column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// A number does not fit in the 63 bits that the database has for it.
    #[error("store `{0}`: the database holds numbers up to 2^63 - 1")]
    Number(u64),
    /// No more can be watched.
    #[error("watch more than {most} things at once")]
    WatchListFull {
        /// Most things on the list.
        most: usize,
    },
    /// Two nodes cannot share a token: deliveries could not be told apart.
    #[error("set the token of `{node}`: another node has the same one")]
    TokenTaken {
        /// The node that should have got it.
        node: NodeName,
    },
}
