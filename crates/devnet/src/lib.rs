//! Real Bitcoin nodes on regtest, for the demo, for tests and for benchmarks.
//!
//! A [`Node`] is a real `bitcoind` process with a directory and ports of its own. A [`Network`] is several of them,
//! each with its own [`Policy`], in a full mesh. A [`Scenario`] makes blocks, transactions, replacements, rejections,
//! a reorg and an invalid block happen there, and returns the [`Truth`]: what a monitor must have found. The functions
//! of [`fork`] stage one fork each, also such as a monitor must not take for a reorg. A [`Relay`] between two nodes holds
//! blocks back by a known time.
//!
//! Everything is on loopback, every wait is bounded and on a state, and the processes end with the process that
//! started them, however that one ends.

mod block;
mod chain;
mod clock;
pub mod coin;
pub mod companion;
pub mod config;
pub mod exe;
mod faketime;
pub mod fault;
pub mod fork;
pub mod network;
pub mod node;
pub mod peer;
mod port;
mod process;
pub mod purse;
pub mod relay;
mod rotation;
pub mod rpc;
pub mod scenario;
pub mod truth;

pub use clock::Timeout;
pub use companion::Companion;
pub use config::{NodeConfig, Zmq};
pub use exe::ExeError;
pub use fault::{Fault, Policy};
pub use network::Network;
pub use node::{Node, NodeError};
pub use peer::{Peer, PeerError};
pub use purse::Purse;
pub use relay::Relay;
pub use rotation::Rotation;
pub use rpc::{Rpc, RpcError};
pub use scenario::{Progress, Scenario, ScenarioError, Step};
pub use truth::Truth;
