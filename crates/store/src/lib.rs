//! Where derived rows are kept: one `SQLite` file, and the only SQL of the project.
//!
//! **One writer, any number of readers.** [`Store`] is the writer and lives on one thread. Those that write a little beside it (a
//! token, the watch list, silences, who was told of which alert) have one of their own: they wait for each other. Each [`Reader`] is a
//! connection of its own that sees whole commits and never makes the writer wait (write-ahead log). Any `sqlite3` can
//! read the file meanwhile; `schema.sql` explains the tables and has views for people.
//!
//! **What a commit means.** [`Store::commit`] takes rows and the journal position they stand for in one transaction.
//! Rows are whole for their key, so that the same commit twice is the same as once, and of two first sightings the
//! earlier one stays whichever comes first.
//!
//! **Durability.** `synchronous=NORMAL`: a commit is not flushed to the disk, only a checkpoint is. When the power
//! fails, the last commits may be undone, whole and in reverse order; the file is never torn. That is enough because
//! the journal is the truth: it was flushed before the batch was acknowledged, the position falls back together
//! with the rows, and the server applies the records after it once more. Two things follow. The journal must be kept
//! well past the position (it is: for the revision horizon, hours, against the seconds to minutes between two
//! checkpoints). And what no journal repeats, a token, the watch list, silences and who was told of which alert, is flushed at once.
//!
//! **Retention.** Blocks and findings are kept for ever, transactions for as long as the caller of [`Store::expire`]
//! says. Every deletion is counted.

mod code;
mod commit;
mod error;
mod migration;
mod notifier;
mod reader;
mod retention;
mod silence;
mod store;
mod tx_chunk;
mod tx_index;
mod tx_spread;
mod watch;

pub use commit::{Commit, ImpossibleRow};
pub use error::StoreError;
pub use notifier::{ToTell, Told};
pub use reader::{
    Reader,
    block::BlockTimes,
    count::{Counts, FindingCount, TableCount},
    dubious::{DubiousBlock, Place},
    page::{Cursor, CursorError, Page},
    tx::TxTimes,
    walk::{
        Snapshot, Stretch, Visit,
        finding::{FindingPlace, FoundRow},
        tx::TxPlace,
    },
    watch::Watched,
};
pub use silence::{Matcher, Silence};
pub use store::Store;
