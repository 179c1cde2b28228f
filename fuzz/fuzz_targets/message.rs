//! Any text in any category is one message or none, and the same one when it is read again from its line.
//!
//! The first byte chooses the category, the rest is the text.

#![cfg_attr(fuzzing, no_main)]

use bmon_corelog::{Category, Line, Message, message::Wording};
use bmon_event::NodeTime;

pub(crate) fn check(data: &[u8]) {
    let Some((category, text)) = data.split_first() else { return };
    let category = Category::ALL.get(usize::from(*category) % (Category::ALL.len() + 1)).copied();
    let message = parse(category, text);
    if let Some(message) = message {
        for at in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
            let _ = message.to_kind(at.map(NodeTime::from_micros));
        }
    }
    // A bracket in front would be read as part of the prefix, a line's end not at all.
    if let Some(category) = category
        && !text.starts_with(b"[")
        && !text.ends_with(b"\r")
        && !text.contains(&b'\n')
    {
        let log = [b"2026-04-05T06:07:08Z [", category.as_str().as_bytes(), b"] ", text].concat();
        let again = Message::parse(&Line::parse(&log));
        assert_eq!(again.map(comparable), message.map(comparable));
    }
}

/// Reads the text, and finds its wording, which must be one of the message.
fn parse(category: Option<Category>, text: &[u8]) -> Option<Message<'_>> {
    let line = Line { category, text, ..Line::default() };
    let message = Message::parse(&line);
    assert_eq!(Wording::of(&line).map(|wording| wording.message), message.map(|message| message.name()));
    message
}

/// A message may hold a number that is not equal to itself.
fn comparable(message: Message<'_>) -> String {
    format!("{message:?}")
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
