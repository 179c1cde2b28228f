//! Lines in any order, from any line on, again and again: the assembler gives a line to a block only while it says
//! that it waits for it, and keeps little.
//!
//! The first byte chooses the line from which a second assembler begins.

#![cfg_attr(fuzzing, no_main)]

use bmon_corelog::{Assembler, Line, Message};

/// Lines fed at least, by repeating those of the log.
const LINES: u64 = 3_000;

/// More than what an assembler may keep takes when it is printed.
const MOST_PRINTED: usize = 256 << 10;

pub(crate) fn check(data: &[u8]) {
    let Some((begin, log)) = data.split_first() else { return };
    let messages = messages(log);
    feed(&mut Assembler::new(), &messages, 0);
    let later = messages.get(usize::from(*begin)..).unwrap_or_default();
    let mut assembler = Assembler::new();
    let mut place = 0;
    while !later.is_empty() && place < LINES {
        place = feed(&mut assembler, later, place);
    }
    let printed = format!("{assembler:?}").len();
    assert!(printed < MOST_PRINTED, "{printed} bytes are kept");
}

fn messages(log: &[u8]) -> Vec<(Line<'_>, Message<'_>)> {
    let lines = log.split(|byte| *byte == b'\n').map(Line::parse);
    lines.filter_map(|line| Some((line, Message::parse(&line)?))).collect()
}

/// Feeds the messages as lines from `place` on, and gives the place after them.
fn feed(assembler: &mut Assembler, messages: &[(Line<'_>, Message<'_>)], mut place: u64) -> u64 {
    for (line, message) in messages {
        let waiting = assembler.waiting().unwrap_or(place);
        assembler.feed(place, line, message, |given, _| {
            assert!(
                (waiting..=place).contains(&given),
                "line {given} is given after {place}, {waiting} waits"
            );
        });
        assert!(assembler.waiting().is_none_or(|waiting| waiting <= place));
        place += 1;
    }
    place
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
