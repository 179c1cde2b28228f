//! Why a transaction left the mempool.

/// Why a transaction left the mempool (`RemovalReasonToString`, `src/kernel/mempool_removal_reason.cpp@v30`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// It was older than `-mempoolexpiry`.
    Expiry,
    /// The mempool was full.
    SizeLimit,
    /// A reorg made it invalid.
    Reorg,
    /// A block holds a transaction that spends the same output.
    Conflict,
    /// Another transaction replaced it.
    Replaced,
    /// A word this version of bmon does not know.
    Unknown(String),
}

impl RemovalReason {
    /// From the node's word for it.
    pub fn from_word(word: &str) -> Self {
        match word {
            "expiry" => Self::Expiry,
            "sizelimit" => Self::SizeLimit,
            "reorg" => Self::Reorg,
            "conflict" => Self::Conflict,
            "replaced" => Self::Replaced,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The node's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Expiry => "expiry",
            Self::SizeLimit => "sizelimit",
            Self::Reorg => "reorg",
            Self::Conflict => "conflict",
            Self::Replaced => "replaced",
            Self::Unknown(word) => word,
        }
    }
}
