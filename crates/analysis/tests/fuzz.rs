//! The fuzz targets over their committed corpus, without a fuzzer: what it once reached is reached by each test run.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

#[path = "../../../fuzz/fuzz_targets/assembler.rs"]
mod assembler;
#[path = "../../../fuzz/fuzz_targets/body.rs"]
mod body;
#[path = "../../../fuzz/fuzz_targets/header.rs"]
mod header;
#[path = "../../../fuzz/fuzz_targets/line.rs"]
mod line;
#[path = "../../../fuzz/fuzz_targets/message.rs"]
mod message;
#[path = "../../../fuzz/fuzz_targets/peer_controlled.rs"]
mod peer_controlled;
#[path = "../../../fuzz/fuzz_targets/pools.rs"]
mod pools;
#[path = "../../../fuzz/fuzz_targets/private.rs"]
mod private;
#[path = "../../../fuzz/fuzz_targets/reader.rs"]
mod reader;
#[path = "../../../fuzz/fuzz_targets/split.rs"]
mod split;
#[path = "../../../fuzz/fuzz_targets/wire.rs"]
mod wire;

type Check = fn(&[u8]);

const TARGETS: [(&str, Check); 11] = [
    ("assembler", assembler::check),
    ("body", body::check),
    ("header", header::check),
    ("line", line::check),
    ("message", message::check),
    ("peer_controlled", peer_controlled::check),
    ("pools", pools::check),
    ("private", private::check),
    ("reader", reader::check),
    ("split", split::check),
    ("wire", wire::check),
];

fn folder(name: &str) -> impl Iterator<Item = PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(name);
    let entries = fs::read_dir(folder).expect("the folder is in the repository");
    entries.map(|entry| entry.expect("the folder can be read").path())
}

#[test]
fn every_target_passes_its_corpus() {
    for (target, check) in TARGETS {
        let mut inputs = 0;
        for path in folder("corpus").find(|path| path.ends_with(target)).into_iter().flat_map(fs::read_dir) {
            for input in path {
                let input = input.expect("the folder can be read").path();
                check(&fs::read(&input).expect("the input can be read"));
                inputs += 1;
            }
        }
        assert!(inputs > 0, "no corpus of `{target}`");
    }
}

#[test]
fn every_target_is_tested_here() {
    let sources = folder("fuzz_targets").map(|path| path.file_stem().map(OsStr::to_owned));
    let here = TARGETS.iter().map(|(target, _)| Some((*target).into()));
    assert_eq!(sources.collect::<BTreeSet<_>>(), here.collect());
}
