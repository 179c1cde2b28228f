use super::{BlockPart, Headers, Kind, LogLines, MempoolSpends, RawTx};

impl Kind {
    /// The id of the want that this answers, `None` for what was not wanted.
    pub const fn want(&self) -> Option<u64> {
        match self {
            Self::LogLines(LogLines { want, .. })
            | Self::Headers(Headers { want, .. })
            | Self::BlockPart(BlockPart { want, .. })
            | Self::RawTx(RawTx { want, .. })
            | Self::MempoolSpends(MempoolSpends { want, .. })
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
            Self::RawTx(tx) => tx.raw.len(),
            Self::MempoolSpends(spends) => spends.bytes(),
            Self::WantRefused { reason, .. } => reason.len(),
            _ => 0,
        }
    }
}
