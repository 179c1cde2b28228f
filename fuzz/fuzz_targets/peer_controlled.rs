//! What a peer chose stands in lines of the node, and makes nothing of a line but what it is: its own message, or none.
//!
//! The first two bytes choose the wording, among all that hold text of any content, and the third how the node treats
//! the bytes of others. The rest are these, with `0xff` between one field and the next.

#![cfg_attr(fuzzing, no_main)]

use std::sync::LazyLock;

use bmon_corelog::{
    Category, Line, Message, Reader,
    message::{WORDINGS, Wording},
};

/// The wordings that hold text of any content, in the order of their declarations. `[%s] ` in front is the name of a
/// chainstate, by the node itself: nothing of a peer's begins a text.
static HOSTS: LazyLock<Vec<&Wording>> = LazyLock::new(|| {
    let has_text = |wording: &&Wording| wording.texts().next().is_some();
    WORDINGS.iter().filter(has_text).filter(|wording| !wording.format.starts_with("[%s]")).collect()
});

pub(crate) fn check(data: &[u8]) {
    let Some((&[low, high, treatment], bytes)) = data.split_first_chunk::<3>() else { return };
    let host = HOSTS[usize::from(u16::from_le_bytes([low, high])) % HOSTS.len()];
    let places: Vec<_> = host.texts().collect();
    let mut values: Vec<_> = host.samples.iter().map(|sample| sample.as_bytes().to_vec()).collect();
    for (place, part) in places.iter().zip(bytes.splitn(places.len(), |byte| *byte == 0xff)) {
        values[*place] = treated(part, treatment);
    }
    let text = host.render(&values);
    for category in host.categories.iter().map(|category| Some(*category)).chain([None]) {
        assert_own(host, &Line { category, text: &text, ..Line::default() });
        assert_own_events(host, category, &text);
    }
}

/// What is read is the wording's own message or none.
fn assert_own(host: &Wording, line: &Line<'_>) {
    let Some(message) = Message::parse(line) else { return };
    let name = message.name();
    // The operator's text, not a peer's: `Error: ` and `Warning: ` are how other messages begin in full.
    let beginning_of_others = host.message == "ConsoleMessage" && message.to_kind(None).is_none();
    assert!(name == host.message || beginning_of_others, "`{}` is read as {name}", host.format);
}

/// The event of the whole line is that of the wording's own message, or there is none.
fn assert_own_events(host: &Wording, category: Option<Category>, text: &[u8]) {
    let label = category.map_or(String::new(), |category| format!("[{}] ", category.as_str()));
    let log = [b"2026-04-05T06:07:08Z ", label.as_bytes(), text, b"\n"].concat();
    let line = Line::parse(&log);
    Reader::new(0, None).read(&log, None, |event| {
        let message = Message::parse(&line).expect("an event comes from a message");
        assert_eq!(message.name(), host.message, "{:?} of `{}`", event.kind, host.format);
    });
    assert_own(host, &line);
}

/// What the node writes of a peer's bytes: all but line ends; with control bytes escaped, as for all that it logs
/// (`LogEscapeMessage`, `src/logging.cpp@v30`), line ends too; or harmless letters alone, as for most texts of peers
/// (`SanitizeString`, `src/util/strencodings.cpp@v30`).
fn treated(bytes: &[u8], treatment: u8) -> Vec<u8> {
    match treatment % 3 {
        0 => bytes.iter().copied().filter(|byte| *byte != b'\n').collect(),
        1 => bytes.iter().flat_map(|byte| escaped(*byte)).collect(),
        _ => bytes.iter().copied().filter(|byte| is_harmless(*byte)).collect(),
    }
}

fn escaped(byte: u8) -> Vec<u8> {
    match byte {
        0..32 | 127 => format!("\\x{byte:02x}").into_bytes(),
        byte => vec![byte],
    }
}

fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" .,;-_/:?@()".contains(&byte)
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
