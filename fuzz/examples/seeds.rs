//! `cargo run --example seeds DIR` writes what the fuzzer starts from: for each target a folder of recorded lines,
//! rendered wordings, or what the committed corpus keeps, and `dictionary`, the words of all format strings.

use std::{collections::BTreeSet, fmt::Write, fs, io, path::Path};

use bmon_corelog::{Category, Line, message::WORDINGS};
use bmon_event::{AgentTime, Batch, BlockHash, Epoch, Network, Positions};

/// The longest word of a dictionary that libFuzzer takes.
const LONGEST_WORD: usize = 64;

/// Lines of a log in one seed.
const LINES: usize = 12;

fn main() -> io::Result<()> {
    let out = std::env::args().nth(1).ok_or_else(|| io::Error::other("the folder is missing"))?;
    let out = Path::new(&out);
    let logs = recorded()?;
    fs::create_dir_all(out)?;
    fs::write(out.join("dictionary"), dictionary())?;
    write(out, "line", logs.iter().flat_map(|log| lines(log)).map(<[u8]>::to_vec))?;
    write(out, "private", logs.iter().flat_map(|log| lines(log)).map(<[u8]>::to_vec))?;
    write(
        out,
        "split",
        logs.iter().map(|log| [&[80, 30, 7, 99, 1, 250, 3, 77, 120], &log[..2000]].concat()),
    )?;
    write(out, "message", logs.iter().flat_map(|log| lines(log)).map(message).chain(rendered()))?;
    write(
        out,
        "assembler",
        logs.iter().flat_map(|log| pieces(log)).map(|log| [b"\x03", log.as_slice()].concat()),
    )?;
    write(out, "reader", logs.iter().flat_map(|log| pieces(log)).map(|log| reader(&log)))?;
    write(out, "peer_controlled", imitations())?;
    for target in ["body", "header", "pools"] {
        write(out, target, kept(target)?.into_iter())?;
    }
    write(out, "wire", logs.iter().flat_map(|log| pieces(log)).flat_map(|log| wire(&log)))
}

/// The logs of real nodes that the tests of the log reader use.
fn recorded() -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/corelog/tests/data");
    let mut logs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            logs.push(fs::read(path)?);
        }
    }
    Ok(logs)
}

/// What the corpus of a target keeps under a name of its own: the blocks of real nodes, and lists of pools.
fn kept(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("kept-") {
            inputs.push(fs::read(entry.path())?);
        }
    }
    Ok(inputs)
}

fn write(out: &Path, target: &str, seeds: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    let folder = out.join(target);
    fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.collect::<BTreeSet<_>>().into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:05}")), seed)?;
    }
    Ok(())
}

fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// A few lines each.
fn pieces(log: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<_> = log.split_inclusive(|byte| *byte == b'\n').collect();
    lines.chunks(LINES).map(<[_]>::concat).collect()
}

fn message(line: &[u8]) -> Vec<u8> {
    let line = Line::parse(line);
    [&[number(line.category)], line.text].concat()
}

fn rendered() -> impl Iterator<Item = Vec<u8>> {
    WORDINGS.iter().map(|wording| {
        let category = wording.categories.first().copied().filter(|category| *category != Category::All);
        [&[number(category)], wording.rendered().as_bytes()].concat()
    })
}

/// The byte by which the target `message` chooses a category.
fn number(category: Option<Category>) -> u8 {
    let place = category.and_then(|category| Category::ALL.iter().position(|known| *known == category));
    u8::try_from(place.unwrap_or(Category::ALL.len())).expect("there are few categories")
}

fn reader(log: &[u8]) -> Vec<u8> {
    [&[3, 20, 200, 5, 90, 33, 255, 1, 60], log].concat()
}

/// Each wording that holds text, with another message in it and the end of its own.
fn imitations() -> impl Iterator<Item = Vec<u8>> {
    let hosts: Vec<_> = WORDINGS.iter().filter(|wording| wording.texts().next().is_some()).collect();
    hosts.into_iter().enumerate().flat_map(|(place, host)| {
        let [low, high] = u16::try_from(place).expect("there are few wordings").to_le_bytes();
        (0..3).map(move |treatment| {
            let other = &WORDINGS[(place * 7 + usize::from(treatment) * 101) % WORDINGS.len()];
            let text = format!("x{} {} x", host.rendered(), other.rendered());
            [&[low, high, treatment], text.as_bytes()].concat()
        })
    })
}

/// A batch of the events of a piece of a log, as it is sent and unpacked.
fn wire(log: &[u8]) -> [Vec<u8>; 2] {
    let mut events = Vec::new();
    bmon_corelog::Reader::new(0, None).read(log, None, |event| events.push(event));
    let batch = Batch {
        network: Network::from_genesis(BlockHash::from_bytes([7; 32])),
        node: "a".parse().expect("it is a name"),
        epoch: Epoch(1),
        sequence: 1,
        made_at: AgentTime::from_micros(1_700_000_000_000_000),
        positions: Positions::default(),
        events,
        unknown_events: 0,
    };
    let encoded = batch.encode();
    let unpacked = zstd::decode_all(encoded.as_slice()).expect("it was compressed just now");
    [encoded, unpacked]
}

/// The stretches between the conversions of all format strings, as libFuzzer reads them.
fn dictionary() -> String {
    let mut words = BTreeSet::new();
    for wording in &WORDINGS {
        let empty = vec![b"\n"; wording.samples.len()];
        let text = String::from_utf8_lossy(&wording.render(&empty)).into_owned();
        words.extend(text.split('\n').map(str::to_owned));
    }
    let labels = Category::ALL.iter().map(|category| format!("[{}] ", category.as_str()));
    words.extend(labels);
    let mut dictionary = String::new();
    for word in words.iter().filter(|word| (2..=LONGEST_WORD).contains(&word.len())) {
        let bytes: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        let _ = writeln!(dictionary, "\"{bytes}\"");
    }
    dictionary
}
