//! The agent: it sits beside one node, reads what the node says, and delivers it to the server.
//!
//! Each source (the `source` module) runs in a thread of its own and reports events, in order, over one bounded channel to the
//! spooler, which writes batches to the spool on disk; the shipper takes them from there to the server. The positions
//! up to which the sources were read are part of each batch and are kept nowhere else. The agent only reads from the
//! node, is bounded in memory, in disk and in what it asks of the node, and counts what it drops.

pub mod advice;
mod agent;
mod clock;
pub mod config;
mod exporter;
mod health;
mod hex;
mod http;
mod link;
pub mod loki;
mod observed;
mod outbox;
pub mod page;
mod privacy;
mod shipper;
mod source;
mod spooler;
mod stop;
mod want;

pub use advice::Advice;
pub use agent::{Agent, AgentError, Status};
pub use config::Config;
pub use exporter::Exporter;
pub use shipper::Delivery;
pub use source::rpc::whitelist as rpc_whitelist;
