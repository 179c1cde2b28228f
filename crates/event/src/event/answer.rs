use super::{BlockPart, Headers, Kind, LogLines};

impl Kind {
    /// The id of the want that this answers, `None` for what was not wanted.
    pub const fn want(&self) -> Option<u64> {
        match self {
            Self::LogLines(LogLines { want, .. })
            | Self::Headers(Headers { want, .. })
            | Self::BlockPart(BlockPart { want, .. })
            | Self::WantRefused { want, .. } => Some(*want),
            _ => None,
        }
    }

    /// Bytes that the answer to a want holds, 0 for what was not wanted.
    pub fn want_bytes(&self) -> usize {
        match self {
            Self::LogLines(lines) => lines.bytes(),
            Self::Headers(headers) => headers.bytes(),
            Self::BlockPart(part) => part.bytes.len(),
            Self::WantRefused { reason, .. } => reason.len(),
            _ => 0,
        }
    }
}
