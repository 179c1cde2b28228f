//! Bytes of a node's `debug.log`, of any version since 0.10, to typed messages and events.
//!
//! [`Splitter`] cuts bytes into lines, [`Line`] takes the prefix off a line, [`Message`] reads what the node said,
//! and [`Reader`] does all three and gives [`bmon_event::Event`]s.
//! [`Story`] picks out the lines about one block or transaction. The text decides what a line is, never the
//! version the node claims. Nothing here fails, reads a clock or does I/O, and lines of no interest allocate nothing.
//!
//! What is known of the messages stands in the files of [`category`]: one declaration each, by Core's own format
//! strings.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod assembler;
pub mod category;
mod dispatch;
mod format;
pub mod label;
pub mod line;
pub mod mention;
pub mod message;
pub mod private;
pub mod reader;
pub mod split;
mod stamp;
pub mod story;

pub use assembler::Assembler;
pub use format::Word;
pub use label::{Category, Level};
pub use line::{Line, Location};
pub use mention::Mention;
pub use message::Message;
pub use reader::{Counts, MessageCounts, Reader};
pub use split::{RawLine, Splitter};
pub use story::Story;
