//! Lines of real nodes that are no message: every shape of them stands in `tests/data/unmatched.txt` with the reason.
//!
//! `scenario-unmatched.log` has one line of each such shape that nodes of five versions wrote more than five times
//! while the demo's scenario, restarts and a reindex ran.

use std::{collections::BTreeSet, fs, path::Path};

use bmon_corelog::{Line, Message};

/// One entry of the list: category in brackets, `-` for none, and how the shape begins, or with `…` how it ends.
struct Entry<'a> {
    category: &'a str,
    text: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(entry: &'a str) -> Self {
        let (category, text) = entry
            .strip_prefix('[')
            .and_then(|entry| entry.split_once(']'))
            .expect("an entry begins with a category in brackets");
        Self { category, text: text.strip_prefix(' ').unwrap_or(text) }
    }

    fn is_of(&self, category: &str, shape: &str) -> bool {
        let fits = match self.text.strip_prefix('…') {
            Some(end) => shape.ends_with(end),
            None => shape.starts_with(self.text),
        };
        self.category == category && fits
    }
}

/// A text with `H` for each hash and `N` for each other number.
fn shape(text: &[u8]) -> String {
    let mut shape = String::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = if hex >= 8 && rest[..hex].iter().any(u8::is_ascii_digit) {
            shape.push('H');
            &rest[hex..]
        } else if digits > 0 {
            shape.push('N');
            &rest[digits..]
        } else {
            shape.push(char::from(*first));
            after
        };
    }
    shape
}

#[test]
fn every_shape_that_is_no_message_is_listed_with_its_reason() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let list = fs::read_to_string(data.join("unmatched.txt")).expect("the list is in the repository");
    let entries: Vec<_> =
        list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(Entry::parse).collect();
    let mut used = BTreeSet::new();
    let mut unlisted = BTreeSet::new();
    for entry in fs::read_dir(&data).expect("the recorded logs are in the repository") {
        let path = entry.expect("the directory can be read").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "log") || name.starts_with("rendered") {
            continue;
        }
        let log = fs::read(&path).expect("the recorded log can be read");
        for line in log.split(|byte| *byte == b'\n') {
            let line = Line::parse(line);
            if line.text.is_empty() || Message::parse(&line).is_some() {
                continue;
            }
            let category = line.category.map_or("-", |category| category.as_str());
            let shape = shape(line.text);
            match entries.iter().position(|entry| entry.is_of(category, &shape)) {
                Some(place) => {
                    used.insert(place);
                }
                None => {
                    unlisted.insert(format!("[{category}] {shape}"));
                }
            }
        }
    }
    assert_eq!(unlisted, BTreeSet::new(), "shapes that are neither a message nor in `unmatched.txt`");
    let unused: Vec<_> =
        (0..entries.len()).filter(|place| !used.contains(place)).map(|place| entries[place].text).collect();
    assert_eq!(unused, <[&str; 0]>::default(), "entries of `unmatched.txt` that nothing is of");
}
