use std::{io, path::PathBuf};

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A file cannot be opened or read, or cannot be decompressed from its first byte on.
    #[error("read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is named twice for one node, or standard input is named twice at all.
    #[error("read `{}`: it is named twice", file.display())]
    Repeated {
        /// The file.
        file: PathBuf,
    },
    /// A line of a tip history is none.
    #[error("read line {line} of `{}`: expected `height,hash,milliseconds`", file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// The line, from 1 on.
        line: usize,
    },
    /// No thread can be started.
    #[error("start a thread")]
    Thread(#[source] io::Error),
}
