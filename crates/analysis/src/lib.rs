//! State, analyses and findings: what the events of many nodes mean side by side.
//!
//! Batches go in, in journal order, through [`Engine::apply`]; [`row::Row`]s come out, each whole for its key, so that
//! writing one twice changes nothing. `now` is an argument: the live server, `replay` and the tests run the same code.
//! This crate does no I/O, reads no clock and knows nothing of SQL or HTTP.

pub mod alert;
pub mod analysis;
pub mod backtest;
pub mod body;
pub mod double_spend;
mod engine;
pub mod explain;
pub mod finding;
pub mod histogram;
mod memory;
pub mod network;
pub mod pool;
pub mod replay;
pub mod row;
pub mod rule;
pub mod selfish;
mod server_health;
pub mod settings;
pub mod sketch;
pub mod spread;
mod state;
pub mod statistic;
mod transaction;
pub mod tree;
pub mod watch;

pub use engine::{Counters, Engine, NodeDelays};
pub use network::Need;
pub use server_health::ServerHealth;
pub use settings::Settings;
