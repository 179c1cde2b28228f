//! How far each source had been read when a batch was made.
//!
//! A batch carries these, and nothing else does: what a batch says and the position it stands for are durable
//! together or not at all.

/// The position of every source that has one. `None` until the source has been read for the first time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    /// Where reading `debug.log` goes on.
    pub log: Option<LogPosition>,
    /// Until when ZMQ messages were received.
    pub zmq: Option<ZmqPosition>,
}

/// A place in one particular `debug.log`. Freed inode numbers come back at once and a truncated file can grow past
/// an old offset, so a place is known by the content around it too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPosition {
    /// `st_dev` of the file.
    pub device: u64,
    /// `st_ino` of the file.
    pub inode: u64,
    /// Bytes read: the offset of the first byte after the last line read.
    pub offset: u64,
    /// Length in bytes of the head that `head_hash` covers.
    pub head_len: u32,
    /// Hash of the first `head_len` bytes of the file.
    pub head_hash: u64,
    /// Length in bytes, at most 256, of the stretch before `offset` that `tail_hash` covers.
    pub tail_len: u32,
    /// Hash of the `tail_len` bytes before `offset`.
    pub tail_hash: u64,
    /// The last line's time in microseconds by the node's clock, `None` before the first line with a time.
    pub last_line_us: Option<i64>,
}

/// What had been received over ZMQ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZmqPosition {
    /// Every message that arrived up to here is in this batch or an earlier one. Microseconds by the agent's clock.
    pub alive_until_us: i64,
}
