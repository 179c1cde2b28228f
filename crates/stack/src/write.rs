//! Files onto the disk, without writing over what a person changed.
//!
//! Constraints: a file that was changed by hand stays, and whoever runs this learns that there would be another; a file that was not
//! is always the newest. So [`MANIFEST`] in the directory has the SHA-256 of each file as it was last rendered for it: a line
//! `HASH  PATH` each, as `sha256sum` writes and checks them. A file that is there and not in the manifest is a person's.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::File;

/// The name of the list of what was rendered.
pub const MANIFEST: &str = "rendered.sha256";

/// A file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{}`", path.display())]
pub struct WriteError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// What became of the files, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Those that are new or were written anew.
    pub written: Vec<String>,
    /// Those that a person changed and that would be otherwise now: left as they were.
    pub kept: Vec<String>,
}

/// Writes `files` into `dir`, which is made if it is not there; with `force` also over what a person changed.
pub fn write(dir: &Path, files: &[File], force: bool) -> Result<Written, WriteError> {
    let manifest = dir.join(MANIFEST);
    let mut rendered = parse(&read(&manifest)?.unwrap_or_default());
    let mut result = Written::default();
    for File { path, text } in files {
        let (full, hash) = (dir.join(path), hash(text));
        let there = read(&full)?;
        let last = rendered.get(path);
        if there.as_ref() == Some(text) {
            rendered.insert(path.clone(), hash);
            continue;
        }
        let is_changed = there.is_some_and(|there| last != Some(&self::hash(&there)));
        if is_changed && !force {
            // What a person changed stays quietly while nothing else would be there.
            if last != Some(&hash) {
                result.kept.push(path.clone());
            }
            continue;
        }
        put(&full, text)?;
        rendered.insert(path.clone(), hash);
        result.written.push(path.clone());
    }
    let lines: Vec<_> = rendered.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
    put(&manifest, &lines.concat())?;
    Ok(result)
}

fn parse(manifest: &str) -> BTreeMap<String, String> {
    let line = |line: &str| line.split_once("  ").map(|(hash, path)| (path.to_owned(), hash.to_owned()));
    manifest.lines().filter_map(line).collect()
}

fn hash(text: &str) -> String {
    let bytes: Vec<_> = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

/// The file's text, `None` if it is not there. What is no text is a person's too, whatever it says.
fn read(path: &Path) -> Result<Option<String>, WriteError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WriteError { what: "read", path: path.to_owned(), source }),
    }
}

/// Writes beside the file and renames, so that whoever reads it sees all or nothing.
fn put(path: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |source| WriteError { what: "write", path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    fs::write(&fresh, text).map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Vec<File> {
        texts.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
    }

    #[test]
    fn a_file_is_written_anew_unless_a_person_changed_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |texts: &[(&str, &str)], force| {
            let Written { written, kept } = super::write(dir.path(), &files(texts), force).unwrap();
            (written.join(" "), kept.join(" "))
        };
        let told = |written: &str, kept: &str| (written.to_owned(), kept.to_owned());
        let now = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
        assert_eq!(write(&[("a/x", "1"), ("y", "1")], false), told("a/x y", ""));
        assert_eq!(write(&[("a/x", "1"), ("y", "1")], false), told("", ""));
        fs::write(dir.path().join("y"), "mine").unwrap();
        assert_eq!(
            write(&[("a/x", "2"), ("y", "1")], false),
            told("a/x", ""),
            "nothing new for what was changed"
        );
        assert_eq!(write(&[("a/x", "2"), ("y", "2")], false), told("", "y"));
        assert_eq!(
            write(&[("a/x", "2"), ("y", "2")], false),
            told("", "y"),
            "it is said until it is settled"
        );
        assert_eq!((now("a/x"), now("y")), ("2".to_owned(), "mine".to_owned()));
        assert_eq!(write(&[("a/x", "2"), ("y", "2")], true), told("y", ""));
        assert_eq!(write(&[("a/x", "2"), ("y", "3")], false), told("y", ""));
        assert_eq!(now("y"), "3");
    }

    #[test]
    fn a_file_that_was_there_before_is_a_persons() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("y"), b"\xff").unwrap();
        fs::write(dir.path().join("z"), "1").unwrap();
        let written = write(dir.path(), &files(&[("y", "1"), ("z", "1")]), false).unwrap();
        assert_eq!((written.written.len(), written.kept), (0, vec!["y".to_owned()]));
        assert_eq!(fs::read(dir.path().join("y")).unwrap(), b"\xff");
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "a file").unwrap();
        let error = write(dir.path(), &files(&[("a/x", "1")]), true).unwrap_err().to_string();
        assert!(error.contains("a/x"), "{error}");
    }
}
