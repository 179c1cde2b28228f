//! The place up to which Loki has a log, in a file of its own.
//!
//! It is written after Loki has acknowledged what stands before it, so it may be behind: what is then sent again is what was sent
//! before, to the nanosecond, and Loki keeps one of the two. Only the time that lines get from their reading is written before they
//! are sent.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bmon_event::LogPosition;
use serde::{Deserialize, Serialize};

use super::shaper::Past;

/// A place in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Where reading goes on. `None` before anything was read.
    pub(super) position: Option<LogPosition>,
    /// What the lines before it said.
    pub(super) past: Past,
    /// The lines behind it have got the time in `past` as theirs.
    pub(super) is_timed: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    position: Option<Position>,
    past: Past,
    is_timed: bool,
}

/// [`LogPosition`], as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Position {
    device: u64,
    inode: u64,
    offset: u64,
    head_len: u32,
    head_hash: u64,
    tail_len: u32,
    tail_hash: u64,
}

const FORMAT: u32 = 1;

/// The file of a place.
pub(super) struct PlaceFile {
    path: PathBuf,
}

impl PlaceFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// What was written last. An unreadable file is an error: to begin anew would leave out lines, or repeat them with other times.
    pub(super) fn read(&self) -> io::Result<Place> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::default()),
            Err(error) => return Err(error),
        };
        let written: Written = serde_json::from_slice(&text).map_err(io::Error::from)?;
        if written.format != FORMAT {
            let problem =
                format!("it has format {}, and this version of bmon reads {FORMAT}", written.format);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let position = written.position.map(|position| LogPosition {
            device: position.device,
            inode: position.inode,
            offset: position.offset,
            head_len: position.head_len,
            head_hash: position.head_hash,
            tail_len: position.tail_len,
            tail_hash: position.tail_hash,
            last_line_us: None,
        });
        Ok(Place { position, past: written.past, is_timed: written.is_timed })
    }

    /// Writes the place, durable when this returns.
    pub(super) fn write(&self, place: &Place) -> io::Result<()> {
        let position = place.position.as_ref().map(|position| Position {
            device: position.device,
            inode: position.inode,
            offset: position.offset,
            head_len: position.head_len,
            head_hash: position.head_hash,
            tail_len: position.tail_len,
            tail_hash: position.tail_hash,
        });
        let written =
            Written { format: FORMAT, position, past: place.past.clone(), is_timed: place.is_timed };
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.sync_data()?;
        fs::rename(&new, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_data()
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = PlaceFile::new(dir.path().join("debug.log.place"));
        assert_eq!(file.read().unwrap(), Place::default());
        let position = LogPosition {
            device: 1,
            inode: 2,
            offset: 3,
            head_len: 4,
            head_hash: u64::MAX,
            tail_len: 5,
            tail_hash: 6,
            last_line_us: None,
        };
        let past = Past::of_version(Some("Bitcoin Core v30.0.0".to_owned()));
        let place = Place { position: Some(position), past, is_timed: true };
        file.write(&place).unwrap();
        assert_eq!(file.read().unwrap(), place);
    }

    #[test]
    fn a_damaged_place_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = PlaceFile::new(dir.path().join("debug.log.place"));
        file.write(&Place::default()).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        for damaged in ["", "{}", &text[..text.len() - 1], &text.replace("\"format\":1", "\"format\":2")] {
            fs::write(file.path(), damaged).unwrap();
            assert!(file.read().is_err(), "{damaged}");
        }
    }
}
