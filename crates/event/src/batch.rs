//! The unit that is spooled, shipped, acknowledged and journalled.
//!
//! On the wire a batch is one zstd frame around one protobuf message (the `wire` module is its schema). The bytes
//! that the agent spooled are the bytes that it ships and that the server journals.

use crate::{AgentTime, Event, Network, NodeName, Positions, wire};

/// Names one spool directory: a random number made together with it. A new spool, even under an old node's name,
/// is a new epoch, so that its sequence numbers are not mistaken for old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// What an agent saw at one node since its previous batch. Identity: (`node`, `epoch`, `sequence`).
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The network the node is on.
    pub network: Network,
    /// The node, as its operator named it.
    pub node: NodeName,
    /// The spool this batch was written to.
    pub epoch: Epoch,
    /// Position in the spool: 1 for the first batch, one more for each next, through restarts.
    pub sequence: u64,
    /// When the batch was made.
    pub made_at: AgentTime,
    /// How far every source had been read with this batch included.
    pub positions: Positions,
    /// The events, each source's in the order it gave them.
    pub events: Vec<Event>,
    /// Events that a newer agent sent and this version does not know: left out of `events` when the batch was
    /// decoded, and not encoded again. 0 in a batch that was made here.
    pub unknown_events: u64,
}

/// Bytes are not a batch.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not one complete zstd frame.
    #[error("not a complete zstd frame")]
    Compression(#[source] std::io::Error),
    /// The frame holds more than the receiver is willing to unpack.
    #[error("more than {limit} bytes after decompression")]
    TooLarge {
        /// The receiver's limit in bytes.
        limit: usize,
    },
    /// The frame does not hold a protobuf message of this schema.
    #[error("not a protobuf message of this schema")]
    Protobuf(#[from] prost::DecodeError),
    /// A field has a value that no event can have.
    #[error("field `{field}` {problem}")]
    Field {
        /// Path of the field in the schema.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Batch {
    /// The most events of a batch that is decoded. One event can be two bytes on the wire and hundreds in memory.
    pub const MOST_EVENTS: usize = 100_000;

    /// The wire form. Deterministic: equal batches give equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads the wire form, unpacking at most `limit` bytes and [`Self::MOST_EVENTS`] events.
    pub fn decode(bytes: &[u8], limit: usize) -> Result<Self, DecodeError> {
        wire::decode(bytes, limit)
    }
}
