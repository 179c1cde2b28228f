//! What names a spool, and who has it open.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use crate::{SpoolError, segment};

const FIRST_LINE: &str = "bmon-spool 1";

/// The epoch of an open spool, and the lock that is held while it is open.
#[derive(Debug)]
pub(crate) struct Identity {
    epoch: u64,
    /// Released by the system when the file is closed, also when the process is killed.
    _lock: File,
}

impl Identity {
    /// Locks the directory and reads its epoch, or makes both.
    pub(crate) fn open(dir: &Path) -> Result<Self, SpoolError> {
        create_dir(dir)?;
        let lock = lock(dir)?;
        let path = dir.join("spool");
        let epoch = match fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or(SpoolError::Identity(path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && segment::list(dir)?.is_empty() => {
                create(dir)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SpoolError::Identity(path)),
            Err(error) => return Err(SpoolError::io("read", &path)(error)),
        };
        Ok(Self { epoch, _lock: lock })
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// Makes the directory, and its name in its parent durable.
fn create_dir(dir: &Path) -> Result<(), SpoolError> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(SpoolError::io("create", dir))?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => Ok(()),
    }
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), SpoolError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(SpoolError::io("sync", dir))
}

fn lock(dir: &Path) -> Result<File, SpoolError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(SpoolError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(SpoolError::io("lock", &path)(error)),
    }
}

fn parse(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    let digits = (lines.next()? == FIRST_LINE).then(|| lines.next())??.strip_prefix("epoch ")?;
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// Writes the identity under another name first, so that it is there whole or not at all.
fn create(dir: &Path) -> Result<u64, SpoolError> {
    let (path, new) = (dir.join("spool"), dir.join("spool.new"));
    let epoch =
        getrandom::u64().map_err(io::Error::from).map_err(SpoolError::io("draw an epoch for", dir))?;
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(format!("{FIRST_LINE}\nepoch {epoch:016x}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(SpoolError::io("create", &path))?;
    sync_dir(dir)?;
    Ok(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_layout_is_an_identity() {
        assert_eq!(parse("bmon-spool 1\nepoch 00000000000000ff\n"), Some(255));
        for bad in [
            "",
            "bmon-spool 1",
            "bmon-spool 2\nepoch 00000000000000ff\n",
            "bmon-spool 1\nepoch ff\n",
            "bmon-spool 1\nepoch 00000000000000fg\n",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
