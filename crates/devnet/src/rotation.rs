//! The two ways in which operators rotate `debug.log`.

use std::{fs, io, path::PathBuf};

use rustix::process::Signal;

use crate::{Node, NodeError};

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The file is renamed and the node told with SIGHUP to open a new one, which it does with its next line after the
    /// signal has arrived.
    Rename,
    /// The file is copied and truncated in place (`copytruncate` of logrotate). Lines written between the two are
    /// lost, as they are there.
    CopyTruncate,
}

impl Node {
    /// Rotates the node's log to `debug.log.N`, the first free N from 1; returns that path.
    pub fn rotate_log(&self, how: Rotation) -> Result<PathBuf, NodeError> {
        let rotated = self.rotated_log();
        match how {
            Rotation::Rename => fs::rename(self.debug_log(), &rotated),
            Rotation::CopyTruncate => fs::copy(self.debug_log(), &rotated).and_then(|_| self.truncate_log()),
        }
        .map_err(|source| self.io("rotate the log", source))?;
        if how == Rotation::Rename {
            self.signal(Signal::HUP)?;
        }
        Ok(rotated)
    }

    fn rotated_log(&self) -> PathBuf {
        let mut number = 1;
        loop {
            let path = self.debug_log().with_extension(format!("log.{number}"));
            if !path.exists() {
                return path;
            }
            number += 1;
        }
    }

    fn truncate_log(&self) -> io::Result<()> {
        fs::OpenOptions::new().write(true).open(self.debug_log())?.set_len(0)
    }
}
