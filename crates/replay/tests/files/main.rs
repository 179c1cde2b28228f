//! Files of all kinds through a whole replay. The logs are those of real nodes, on regtest.

#![expect(clippy::unwrap_used, reason = "a test may fail, in its parts too")]

mod broken;
mod history;
mod order;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use bmon_analysis::{
    Settings,
    replay::{FileReading, Report},
};
use bmon_event::Network;
use bmon_replay::{Node, Replay, ReplayError, Window};
use tempfile::TempDir;

/// A reorg, rejections and an invalid block, as one node told them.
const ALICE: &str = include_str!("../../../analysis/tests/engine/log/alice.log");

/// Another node beside it.
const BOB: &str = include_str!("../../../analysis/tests/engine/log/bob.log");

/// Files that go with the test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn add(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

fn node(name: &str, files: &[&Path]) -> Node {
    Node { name: name.parse().unwrap(), files: files.iter().map(|file| file.to_path_buf()).collect() }
}

fn replay_within(nodes: &[Node], window: Window) -> Result<Report, ReplayError> {
    let regtest = Network::from_chain("regtest").unwrap();
    Replay::open(nodes, window)?.run(regtest, Settings::default(), |_| Ok(()))
}

fn replay(nodes: &[Node]) -> Result<Report, ReplayError> {
    replay_within(nodes, Window::default())
}

/// What a report says, without the names of the files.
fn told(mut report: Report) -> serde_json::Value {
    report.nodes.iter_mut().for_each(|node| node.files.clear());
    serde_json::to_value(report).unwrap()
}

/// The names of the files that were read, in that order, without their folder.
fn file_names(report: &Report) -> Vec<String> {
    let name = |file: &FileReading| file.file.rsplit('/').next().unwrap_or_default().to_owned();
    report.nodes.iter().flat_map(|node| &node.files).map(name).collect()
}

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(content: &str) -> Vec<u8> {
    zstd::encode_all(content.as_bytes(), 1).unwrap()
}

/// The log in two parts, the cut at the end of a line.
fn halves(log: &str) -> (&str, &str) {
    let middle = log.len() / 2;
    log.split_at(middle + log[middle..].find('\n').unwrap() + 1)
}
