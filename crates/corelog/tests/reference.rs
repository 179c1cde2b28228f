//! The reference of all messages, `docs/log-messages.md`, made from their declarations. `BMON_BLESS=1` writes it anew.
//!
//! Each wording is proved: by a real line in `tests/data`, or else by a line rendered from its format string.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
    ptr,
};

use bmon_corelog::{
    Category, Line, Message,
    message::{WORDINGS, Wording},
};

const INTRODUCTION: &str = "\
# Log messages

Made from the declarations in `crates/corelog/src/category` by `crates/corelog/tests/reference.rs`. A line of
`debug.log` that is none of these is counted as not matched and otherwise ignored.

- **Wording** is Bitcoin Core's own format string.
- **Releases**: those that have the wording. `26..` is 26 and later, `22..=28` is 22 to 28. A bound with a question mark
  is certain, but releases beyond it may have the wording too: their source was not at hand. The source of these was:
  0.16, 0.17, 0.19 to 26, and the development snapshots 28.99 to 31.99, which become 29 to 32. What 31.99 changed is
  `32?`: it may be in 31 already. `knots 29` is a wording of Bitcoin Knots alone.
- **Source** is file and line in the newest of these that has the wording. `by copies`: seen only in other projects'
  copies of that release. `unconfirmed`: not seen in any source. `bitcoind@…`: seen in the program.
- **Proof**: the versions of real nodes whose lines are read with this wording in the tests, or `rendered`: a line put
  together from the format string.
";

fn data() -> impl Iterator<Item = (String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = fs::read_dir(directory)
        .expect("the recorded logs are in the repository")
        .map(|entry| entry.expect("the directory can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        (name, fs::read(path).expect("the recorded log can be read"))
    })
}

/// The version that `core-31.99-levels` is of.
fn version(name: &str) -> Option<String> {
    let mut parts = name.split('-');
    match (parts.next()?, parts.next()?) {
        ("core", version) => Some(version.to_owned()),
        ("knots", version) => Some(format!("Knots {version}")),
        _ => None,
    }
}

fn place(wording: &Wording) -> usize {
    WORDINGS.iter().position(|known| ptr::eq(known, wording)).expect("it is one of them")
}

/// The versions of the real lines of each wording.
fn real() -> BTreeMap<usize, BTreeSet<String>> {
    let mut real = BTreeMap::<_, BTreeSet<_>>::new();
    for (name, log) in data() {
        let Some(version) = version(&name) else { continue };
        for line in log.split(|byte| *byte == b'\n') {
            if let Some(wording) = Wording::of(&Line::parse(line)) {
                real.entry(place(wording)).or_default().insert(version.clone());
            }
        }
    }
    real
}

/// Whether a line rendered from the format string is read as the message that it belongs to.
fn rendered(wording: &Wording) -> bool {
    let text = wording.rendered();
    wording.categories.iter().all(|category| {
        let line = Line { category: Some(*category), text: text.as_bytes(), ..Line::default() };
        Message::parse(&line).is_some_and(|message| message.name() == wording.message)
    })
}

fn category(wording: &Wording) -> String {
    let words = wording.categories.iter().map(|category| match category {
        Category::All => "any settings",
        category => category.as_str(),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn reference() -> (String, Vec<&'static str>) {
    let real = real();
    let mut unproved = Vec::new();
    let mut out = INTRODUCTION.to_owned();
    let (mut messages, mut proved) = (BTreeSet::new(), 0);
    let mut last = "";
    for (place, wording) in WORDINGS.iter().enumerate() {
        if wording.message != last {
            last = wording.message;
            messages.insert(last);
            let _ = writeln!(out, "\n## {last}\n\nWritten with: {}.\n", category(wording));
            out.push_str("| Wording | Releases | Source | Proof |\n| --- | --- | --- | --- |\n");
        }
        let proof = match real.get(&place) {
            Some(versions) => {
                proved += 1;
                versions.iter().cloned().collect::<Vec<_>>().join(", ")
            }
            None if rendered(wording) => "rendered".to_owned(),
            None => {
                unproved.push(wording.format);
                continue;
            }
        };
        let format = wording.format.replace('|', "\\|");
        let _ = writeln!(out, "| `` {format} `` | `{}` | `{}` | {proof} |", wording.versions, wording.source);
    }
    let summary = format!(
        "\n{} messages in {} wordings, {proved} of them proved by lines of real nodes.\n",
        messages.len(),
        WORDINGS.len()
    );
    out.insert_str(INTRODUCTION.len(), &summary);
    (out, unproved)
}

#[test]
fn the_reference_is_that_of_the_declarations_and_each_wording_is_proved() {
    let (found, unproved) = reference();
    assert_eq!(unproved, <[&str; 0]>::default(), "no real line and none rendered");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log-messages.md");
    if std::env::var_os("BMON_BLESS").is_some() {
        fs::write(path, found).expect("the checkout can be written");
        return;
    }
    let expected = fs::read_to_string(path).expect("the reference is in the repository");
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of `docs/log-messages.md`; BMON_BLESS=1 writes it", number + 1);
    }
    assert_eq!(found, expected, "length of `docs/log-messages.md`; BMON_BLESS=1 writes it");
}
