//! How far reading is.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// What the threads of a replay share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    read_bytes: AtomicU64,
    stopped: AtomicBool,
}

impl Shared {
    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Nothing more need be read: something failed.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Tells how far a running replay has read.
#[derive(Clone, Debug)]
pub struct Progress {
    pub(crate) shared: Arc<Shared>,
    pub(crate) total_bytes: Option<u64>,
}

impl Progress {
    /// Bytes read of all files, as they are on disk.
    pub fn read_bytes(&self) -> u64 {
        self.shared.read_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of all files, `None` if one of them does not tell its size, as standard input.
    pub const fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }
}
