//! The log file and its rotated siblings.

use std::{
    cmp::Reverse,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use bmon_event::LogPosition;

use super::file::{FileId, LogFile};

/// Opens a file where a position is in it, `None` if it is not in this way.
type Way = fn(&Path, &LogPosition) -> io::Result<Option<LogFile>>;

/// How a place can be in a file, the surest way first.
const WAYS: [Way; 3] = [LogFile::open_same, LogFile::open_shrunk, LogFile::open_early_copy];

/// Finds the place that `position` names: in the log itself or a rotated sibling, then in one that was shrunk from
/// its beginning, then at the end of a copy that was made before the place was reached. `None` if it is in none.
pub(super) fn locate(path: &Path, position: &LogPosition) -> io::Result<Option<LogFile>> {
    let mut newest_first = siblings(path)?;
    newest_first.push(path.to_owned());
    newest_first.reverse();
    for open in WAYS {
        for candidate in &newest_first {
            if let Some(file) = if_there(open(candidate, position))?.flatten() {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

/// The file that was begun after the one called `id`: the next younger sibling that is not empty, or the log itself.
/// `None` while there is none, that is while the node may still write to the old one.
pub(super) fn successor(path: &Path, id: FileId) -> io::Result<Option<(PathBuf, FileId)>> {
    let mut oldest_first = siblings(path)?;
    oldest_first.push(path.to_owned());
    let mut younger = Vec::new();
    let mut met = false;
    for candidate in oldest_first {
        let Some(metadata) = if_there(fs::metadata(&candidate))? else { continue };
        let candidate_id = FileId::from(&metadata);
        if candidate_id == id {
            met = true;
            younger.clear();
        } else if metadata.len() > 0 {
            younger.push((candidate, candidate_id));
        }
    }
    // A file that was deleted after its rotation has no place in the order: the log itself is all there is.
    Ok(if met { younger.into_iter().next() } else { younger.pop().filter(|(youngest, _)| youngest == path) })
}

/// Whether a part of the log at `path` may be in a rotated sibling.
pub(crate) fn is_rotated(path: &Path) -> io::Result<bool> {
    Ok(!siblings(path)?.is_empty())
}

/// Files named as the log with a further suffix, oldest first. Rotation leaves the time of the last change as it is
/// (or, where it copies, makes it the time of the copy), whatever the suffix: a date, or a number that counts up or
/// down. Within one tick of the file system's clock the higher number is the older file, as logrotate counts.
fn siblings(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Some(entries) = if_there(fs::read_dir(dir))? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(suffix) = suffix_of(&entry.file_name(), name) else { continue };
        let Some(metadata) = if_there(entry.metadata())? else { continue };
        if metadata.is_file() {
            let number = suffix.parse::<u64>().unwrap_or(u64::MAX);
            found.push((metadata.modified()?, Reverse(number), entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// What follows `name` and a separator in `file_name`.
fn suffix_of(file_name: &OsStr, name: &OsStr) -> Option<String> {
    let suffix = file_name.to_str()?.strip_prefix(name.to_str()?)?;
    suffix.strip_prefix(['.', '-']).map(str::to_owned)
}

/// A file that is not there, or no longer, is no error here: rotation renames and deletes while this looks.
pub(super) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
