//! What would leave the host, to be looked at before it does; and what a log says of its node before a place.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use bmon_corelog::{Line, Reader, Splitter};
use bmon_event::Network;
use memchr::memmem;
use serde_json::Value;

use super::{
    Origin, Shaper, Tally, labels,
    shaper::{Batch, Past, version_of},
};
use crate::{config::Config, privacy::Privacy};

const CHUNK: u64 = 1 << 20;

/// What would leave of the end of a log.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The events that the lines become, as they are told to the server.
    pub events: Vec<String>,
    /// The entries, as Loki's push API takes it as JSON.
    pub push: Value,
    /// Lines that stay, as they are a wallet's.
    pub withheld: u64,
    /// Lines with an address that is hidden.
    pub hidden: u64,
}

/// What would leave of the last `lines` of the node's `debug.log`.
pub fn sample(config: &Config, network: Network, lines: usize) -> io::Result<Sample> {
    let log =
        config.log.as_ref().ok_or_else(|| io::Error::other("the agent does not read the node's log"))?;
    let mut file = File::open(&log.path)?;
    let length = file.metadata()?.len();
    let begin = length.saturating_sub(CHUNK);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(CHUNK).read_to_end(&mut bytes)?;
    // The first is whole only at the beginning of the file, and the last may not be complete yet.
    let whole = bytes.split_inclusive(|byte| *byte == b'\n').skip(usize::from(begin > 0));
    let whole: Vec<_> = whole.filter(|line| line.ends_with(b"\n")).collect();
    let bytes = whole.get(whole.len().saturating_sub(lines)..).unwrap_or_default().concat();
    let mut shaper = Shaper {
        origin: Origin::DebugLog,
        labels: labels(&config.node, network),
        privacy: Privacy::open(&config.privacy)?,
        line_max_bytes: config.loki.as_ref().map_or(usize::MAX, |loki| loki.line_max_bytes),
        past: Past::of_version(version_before(&log.path, length)?),
        tally: Tally::default(),
    };
    let mut batch = Batch::default();
    shaper.shape(&bytes, &mut batch);
    let mut events = Vec::new();
    Reader::new(0, None).read(&bytes, None, |event| events.push(format!("{event:?}")));
    let Tally { withheld, hidden, .. } = shaper.tally;
    Ok(Sample { events, push: batch.take().json(), withheld, hidden })
}

/// The node's version as its log tells it before `offset`, `None` if it does not.
pub(super) fn version_before(path: &Path, offset: u64) -> io::Result<Option<String>> {
    let mut file = File::open(path)?.take(offset);
    let (mut splitter, mut version) = (Splitter::new(0), None);
    let mut chunk = Vec::new();
    loop {
        chunk.clear();
        if (&mut file).take(CHUNK).read_to_end(&mut chunk)? == 0 {
            return Ok(version);
        }
        splitter.feed(&chunk, |line| {
            if memmem::find(line.bytes, b" version v").is_some() {
                version = version_of(&Line::parse(line.bytes)).or(version.take());
            }
        });
    }
}
