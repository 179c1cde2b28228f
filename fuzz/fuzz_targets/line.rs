//! Any bytes are taken apart into a prefix and a text that lie in them, in their order.

#![cfg_attr(fuzzing, no_main)]

use bmon_corelog::{Line, Message};

pub(crate) fn check(data: &[u8]) {
    let line = Line::parse(data);
    let whole = data.strip_suffix(b"\n").unwrap_or(data);
    let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
    assert!(whole.ends_with(line.text), "the text is not the end of the line");
    let mut end = whole.as_ptr_range().start;
    let place = line.location.map(|place| [place.file, place.function]).into_iter().flatten();
    for part in line.thread.into_iter().chain(place).chain([line.text]) {
        let part = part.as_ptr_range();
        assert!(end <= part.start && part.end <= whole.as_ptr_range().end, "a part is not in its place");
        end = part.end;
    }
    assert_eq!(end, whole.as_ptr_range().end);
    assert_eq!(Line::parse(&[whole, b"\r\n"].concat()), line, "the line's end changes what it says");
    if let Some(message) = Message::parse(&line) {
        let _ = message.to_kind(line.time);
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
