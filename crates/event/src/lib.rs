//! The event model of bmon and its wire format.
//!
//! A source beside a node yields [`Event`]s: what the node said ([`Kind`]), through which [`Source`], when by the
//! node's clock and when by the agent's. An agent groups them into a [`Batch`], which is what is spooled, shipped,
//! journalled and analysed. This crate does no I/O and reads no clock.

pub mod batch;
pub mod event;
pub mod hash;
pub mod metrics_address;
pub mod network;
pub mod node;
pub mod outpoint;
pub mod position;
pub mod subject;
pub mod time;
pub mod want;
mod wire;

pub use batch::{Batch, DecodeError, Epoch};
pub use event::{Event, Kind, Source};
pub use hash::{BlockHash, Txid, Wtxid};
pub use metrics_address::{MetricsAddress, MetricsAddressError};
pub use network::Network;
pub use node::{NodeName, NodeNameError};
pub use outpoint::{OutPoint, OutPointError};
pub use position::{LogPosition, Positions, ZmqPosition};
pub use subject::{Subject, SubjectError};
pub use time::{AgentTime, NodeTime, ServerTime};
pub use want::{Want, Wanted};
