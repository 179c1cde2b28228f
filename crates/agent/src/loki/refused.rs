//! Entries that Loki refused, kept as lines of JSON: `refused.jsonl`, and before it `refused.1.jsonl`, which is as much as the
//! operator allows. What no longer fits is forgotten and counted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::push::Push;

/// Where they are kept.
pub(super) struct Refused {
    path: PathBuf,
    older: PathBuf,
    limit_bytes: u64,
}

impl Refused {
    pub(super) fn new(dir: &Path, origin: &str, limit_bytes: u64) -> Self {
        let path = dir.join(format!("{origin}.refused.jsonl"));
        Self { older: dir.join(format!("{origin}.refused.1.jsonl")), path, limit_bytes }
    }

    /// Keeps what Loki refused, durable when this returns. Returns how many older ones are forgotten for it.
    pub(super) fn keep(&self, push: &Push, reason: &str) -> io::Result<u64> {
        let mut forgotten = 0;
        if fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() >= self.limit_bytes / 2) {
            forgotten = lines(&self.older)?;
            fs::rename(&self.path, &self.older)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(format!("{}\n", json!({ "reason": reason, "push": push.json() })).as_bytes())?;
        file.sync_data()?;
        Ok(forgotten)
    }
}

fn lines(path: &Path) -> io::Result<u64> {
    match File::open(path) {
        Ok(file) => BufReader::new(file).split(b'\n').try_fold(0, |count, line| line.map(|_| count + 1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}
