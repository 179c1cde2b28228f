//! What each node knew of one block or transaction, and when, step by step, with the log lines themselves.
//!
//! A [`Witness`] is what one node has to say: its log lines, picked by [`bmon_corelog::Story`] (a [`LogStory`] does so
//! for a whole log), and what other sources told a live server. An [`Explanation`] puts the witnesses side by side.
//! Steps come from the typed message of a line, never from its text. What is not known is said too: a node that never
//! mentions it, a log that begins too late, debug categories that would have told more.

mod document;
mod log;
mod missing;
mod step;
mod witness;

pub use document::{Explanation, Log, Node, Step};
pub use log::LogStory;
pub use step::thousands;
pub use witness::{Heard, LogLine, LogRead, Witness};
