//! What the zstd frame of a chunk holds: a protobuf message, so that later versions can add to it. A number once given to a
//! field is never used for another.

/// A chunk.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Body {
    /// A byte for each transaction: whether its wtxid is known.
    #[prost(bytes = "vec", tag = "1")]
    pub(super) has_wtxid: Vec<u8>,
    /// For each transaction the time that its sightings are counted from, less that of the one before.
    #[prost(sint64, repeated, tag = "2")]
    pub(super) references_us: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) nodes: Vec<Node>,
    /// The hashes of the blocks that have any of the transactions, one after the other.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) blocks: Vec<u8>,
    /// The place of each transaction that a block has, less that of the one before; 0 for one that another block has too.
    #[prost(uint32, repeated, tag = "5")]
    pub(super) mined_places: Vec<u32>,
    /// For each of those its block, by the number in `blocks`.
    #[prost(uint32, repeated, tag = "6")]
    pub(super) mined_in: Vec<u32>,
}

/// What one node told.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Node {
    /// Its `id` in the table `node`.
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    /// A byte for each transaction: the number of the source that told that it was accepted, 0 for none.
    #[prost(bytes = "vec", tag = "2")]
    pub(super) sources: Vec<u8>,
    /// What has to be added to a reference and a time to get the node's time: so much that no time is below zero.
    #[prost(sint64, tag = "3")]
    pub(super) base_us: i64,
    /// For each of those that have a source its time: all the lowest bytes, then the next, to the eighth.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) times_us: Vec<u8>,
    /// For each of those its clock's interval: 0 for the one that was last used in the same second, or in a new second for the
    /// next that is new; 1 for none; else its number and two.
    #[prost(uint32, repeated, tag = "9")]
    pub(super) clocks: Vec<u32>,
    /// Lower bounds of the intervals, from number 0 on, each less the one before.
    #[prost(sint64, repeated, tag = "5")]
    pub(super) offsets_min_us: Vec<i64>,
    /// Their widths, each less the one before.
    #[prost(sint64, repeated, tag = "6")]
    pub(super) offset_widths_us: Vec<i64>,
    #[prost(message, repeated, tag = "7")]
    pub(super) refused: Vec<Seen>,
    #[prost(message, repeated, tag = "8")]
    pub(super) left: Vec<Left>,
}

/// Something told of one transaction.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Seen {
    /// The transaction's place.
    #[prost(uint32, tag = "1")]
    pub(super) place: u32,
    /// The source's number.
    #[prost(uint32, tag = "2")]
    pub(super) source: u32,
    /// The node's time less the reference.
    #[prost(sint64, tag = "3")]
    pub(super) at_us: i64,
    #[prost(sint64, optional, tag = "4")]
    pub(super) offset_min_us: Option<i64>,
    #[prost(sint64, tag = "5")]
    pub(super) offset_width_us: i64,
}

/// A transaction left the mempool.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Left {
    #[prost(message, optional, tag = "1")]
    pub(super) seen: Option<Seen>,
    /// The node's word for the reason.
    #[prost(string, optional, tag = "2")]
    pub(super) reason: Option<String>,
    /// The txid of what took its place.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) by: Option<Vec<u8>>,
}
