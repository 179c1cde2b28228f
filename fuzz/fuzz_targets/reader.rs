//! A log of any bytes gives the same events and counts wherever its chunks end, and a reader that goes on at any line
//! with what another left behind gives the same rest.
//!
//! The first byte chooses the line at which the other goes on, the next eight are the lengths of chunks by turns.

#![cfg_attr(fuzzing, no_main)]

use bmon_corelog::{Line, Reader};
use bmon_event::{AgentTime, Event, Kind};

/// When an agent read the log.
const RECEIVED_AT: AgentTime = AgentTime::from_micros(1_700_000_000_000_000);

pub(crate) fn check(data: &[u8]) {
    let Some((&[place, ref lengths @ ..], log)) = data.split_first_chunk::<9>() else { return };
    for received_at in [None, Some(RECEIVED_AT)] {
        let (mut whole, mut chunked) = (Reader::new(0, None), Reader::new(0, None));
        let expected = events(&mut whole, [log], received_at);
        let found = events(&mut chunked, chunks(log, lengths), received_at);
        assert_eq!(printed(&found), printed(&expected));
        assert_eq!(chunked.counts(), whole.counts());
        assert_eq!((chunked.offset(), chunked.torn()), (whole.offset(), whole.torn()));
        assert_eq!(whole.offset() + whole.torn(), log.len() as u64);
        assert!(whole.counts().matched + whole.counts().cut <= whole.counts().lines);
    }
    goes_on(log, usize::from(place));
    tells_the_time_of_each_line(log);
}

/// A reader remembers the last minute; a line alone does not.
fn tells_the_time_of_each_line(log: &[u8]) {
    let mut reader = Reader::new(0, None);
    let mut last = None;
    for line in log.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        reader.read(line, None, |_| ());
        last = Line::parse(line).time.or(last);
        assert_eq!(reader.last_line(), last);
    }
}

/// Two readers, one of which goes on after so many lines, give the events of one, except those of several lines: the
/// lines before the place are for `Reader::recall`.
fn goes_on(log: &[u8], lines: usize) {
    let ends = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1);
    let (head, tail) = log.split_at(ends.take(lines).last().unwrap_or(0));
    let (mut whole, mut first) = (Reader::new(0, None), Reader::new(0, None));
    let mut expected = events(&mut whole, [log], Some(RECEIVED_AT));
    let mut found = events(&mut first, [head], Some(RECEIVED_AT));
    let mut second = Reader::new(first.offset(), first.last_line());
    found.extend(events(&mut second, [tail], Some(RECEIVED_AT)));
    for events in [&mut found, &mut expected] {
        events.retain(|event| !matches!(event.kind, Kind::BlockProcessed { .. } | Kind::LogMessages(_)));
    }
    assert_eq!(printed(&found), printed(&expected));
    assert_eq!(second.counts().lines + first.counts().lines, whole.counts().lines);
    assert_eq!((second.offset(), second.last_line()), (whole.offset(), whole.last_line()));
}

fn chunks<'a>(mut log: &'a [u8], lengths: &[u8; 8]) -> impl Iterator<Item = &'a [u8]> {
    lengths.iter().cycle().map_while(move |length| {
        let (chunk, rest) = log.split_at(log.len().min(usize::from(*length) + 1));
        log = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn events<'a>(
    reader: &mut Reader,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    received_at: Option<AgentTime>,
) -> Vec<Event> {
    let mut events = Vec::new();
    for chunk in chunks {
        reader.read(chunk, received_at, |event| events.push(event));
    }
    events
}

/// As text, since an event may hold a number that is not equal to itself.
fn printed(events: &[Event]) -> String {
    format!("{events:#?}")
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
