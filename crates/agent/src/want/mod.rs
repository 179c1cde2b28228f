//! What the server wants of this agent.
//!
//! Wants come with the answers to deliveries and time exchanges (`docs/wire.md`). The [`Desk`] takes them in and makes
//! nobody wait; the [`Clerk`], a thread of its own, works on one after the other and answers with ordinary events, through
//! the spool. There is one file per kind of want: [`log_lines`], [`headers`], [`block_part`], [`raw_tx`],
//! [`mempool_spends`].
//!
//! The server is not trusted with the node: it names what it wants to know about, never where to look, and whatever it
//! sends, what is queued, read and answered stays within the bounds that stand here and in those files.

mod block_part;
mod chain_rpc;
mod clerk;
mod desk;
mod headers;
mod log_lines;
mod log_reader;
mod mempool_spends;
mod per_minute;
mod raw_tx;

pub(crate) use self::{clerk::Clerk, desk::Desk};

/// Wants that are heeded in a minute. Beyond, they are left aside, for even a refusal costs room in the spool.
const HEEDED_PER_MINUTE: usize = 60;
/// Wants that wait for the clerk.
const WAITING: usize = 16;
/// Refusals that wait for it. It tells them at once, unless the spool cannot be written.
const REFUSALS_WAITING: usize = 64;
/// Most bytes of the log that are read for one want, and in a minute for all. A node that writes 300 kB of log a second
/// writes that much in fourteen minutes, about what is searched for one block.
const READ_BYTES: u64 = 256 << 20;
const READ_BYTES_PER_MINUTE: u64 = 1 << 30;
/// Most bytes in one answer, and in a minute in all: a batch that held a minute's answers and nothing else would
/// still be one that the server takes (`max_batch_bytes` of the default configuration).
const ANSWER_BYTES: u64 = 256 << 10;
const ANSWER_BYTES_PER_MINUTE: u64 = 1 << 20;
/// Bytes of a minute's answers that those with parts of blocks leave to the others: while a block is told, which takes
/// minutes, what is asked every few seconds is answered too.
const BESIDE_BLOCKS_BYTES: u64 = 64 << 10;
/// Bytes of an answer that are kept free for the words on what is missing.
const PROBLEM_BYTES: u64 = 1 << 10;

/// What one want may cost.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Most bytes to read.
    read_bytes: u64,
    /// Most bytes of text to answer with, without words on what is missing.
    answer_bytes: u64,
}
