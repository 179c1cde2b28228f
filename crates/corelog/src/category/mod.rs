//! The messages: one file for each log category that has many, one for each subject among those without a category.
//!
//! A message is one declaration ([`message!`](crate::message)): a type with named fields, the event it becomes, and
//! Core's own format string for every wording since 0.10, each with the versions that have it and the place in the
//! source that shows it ([`Wording`](crate::message::Wording)). To add one, add its declaration here, its name to
//! `message/list.rs`, and real lines to `tests/data`; then let `BMON_BLESS=1 cargo test -p bmon-corelog` write the
//! reference.

pub mod bench;
pub mod chain;
pub mod cmpctblock;
pub mod connection;
pub mod disk;
pub mod header;
pub mod index;
pub mod mempool;
pub mod mempoolrej;
pub mod net;
pub mod node;
pub mod rpc;
pub mod storage;
pub mod txpackages;
pub mod validation;

/// Text of a node for an event. Bytes that are not UTF-8 become U+FFFD.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
