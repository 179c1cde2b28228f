use std::collections::HashSet;

use bmon_event::NodeTime;
use proptest::prelude::*;

use super::*;
use crate::format;

fn line(category: Option<Category>, text: &[u8]) -> Line<'_> {
    Line { category, text, ..Line::default() }
}

fn name(message: Option<Message<'_>>) -> Option<&'static str> {
    message.as_ref().map(Message::name)
}

#[test]
fn every_wording_is_read_from_its_own_format() {
    for wording in &WORDINGS {
        let text = wording.rendered().into_bytes();
        let message = (wording.read)(&text);
        assert_eq!(name(message), Some(wording.message), "`{}`", wording.format);
        for category in wording.categories.iter().map(|category| Some(*category)).chain([None]) {
            assert_eq!(Message::parse(&line(category, &text)), message, "`{}`", wording.format);
        }
    }
}

#[test]
fn a_wording_names_each_conversion_and_begins_with_a_literal_or_a_hash() {
    for wording in &WORDINGS {
        assert_eq!(wording.samples.len(), format::conversions(wording.format), "`{}`", wording.format);
        assert!(!wording.head.is_empty() || wording.samples[0].len() == 64, "`{}`", wording.format);
        let (place, release) = wording.source.split_once('@').unwrap_or_default();
        assert!(place.starts_with("src/") || place == "bitcoind", "`{}`", wording.format);
        assert!(!release.is_empty(), "`{}`", wording.format);
        assert!(versions_are_a_range(wording.versions), "`{}`", wording.versions);
    }
    let formats: HashSet<_> = WORDINGS.iter().map(|wording| wording.format).collect();
    assert_eq!(formats.len(), COUNT);
}

/// Whether versions are written as [`Wording::versions`] says.
fn versions_are_a_range(versions: &str) -> bool {
    let release = |text: &str| {
        let text = text.strip_suffix('?').unwrap_or(text);
        text.split('.').all(|part| part.parse::<u8>().is_ok())
    };
    match versions.strip_prefix("knots ").unwrap_or(versions).split_once("..") {
        Some((from, "")) => release(from),
        Some((from, to)) => release(from) && to.strip_prefix('=').is_some_and(release),
        None => release(versions.trim_start_matches("knots ")),
    }
}

#[test]
fn a_message_is_read_in_its_own_category_only() {
    for wording in &WORDINGS {
        let text = wording.rendered().into_bytes();
        for category in Category::ALL {
            let expected = *category == Category::All || wording.categories.contains(category);
            assert_eq!(
                Message::parse(&line(Some(*category), &text)).is_some(),
                expected,
                "`{}`",
                wording.format
            );
        }
    }
}

/// What Core lets through of strings that a peer chose (`SanitizeString` with `SAFE_CHARS_DEFAULT`,
/// `src/util/strencodings.cpp@v30`; newer versions let through less).
const SANITISED: &str = "[a-zA-Z0-9 .,;\\-_/:?@()]{0,80}";

/// Ends of messages, as a peer would write them to end a field early.
fn imitation() -> impl Strategy<Value = String> {
    prop::sample::select(&WORDINGS[..]).prop_map(|wording| wording.rendered())
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_none(
        wording in prop::sample::select(&WORDINGS[..]),
        kept in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut text = wording.rendered().into_bytes();
        text.truncate(kept.index(text.len() + 1));
        text.extend_from_slice(&bytes);
        if let Some(message) = Message::parse(&line(None, &text)) {
            let _ = message.to_kind(None);
            let _ = message.to_kind(Some(NodeTime::from_micros(i64::MIN)));
        }
        let _ = Message::parse(&line(None, &bytes));
    }

    #[test]
    fn text_of_any_content_makes_no_other_message_of_its_line(
        wording in prop::sample::select(&WORDINGS[..]),
        head in SANITISED, imitation in imitation(), tail in SANITISED,
    ) {
        let honest = wording.rendered();
        let kind = |text: &[u8]| Message::parse(&line(None, text)).map(|message| message.name());
        for place in wording.texts() {
            let text = format!("{head}{imitation}{tail}");
            let mut values = wording.samples.to_vec();
            values[place] = &text;
            let hostile = kind(&wording.render(&values));
            prop_assert!(hostile.is_none() || hostile == kind(honest.as_bytes()), "{hostile:?} of `{}`", wording.format);
        }
    }

    #[test]
    fn a_user_agent_cannot_change_what_its_line_says(
        head in SANITISED, imitation in imitation(), tail in SANITISED,
        wording in prop::sample::select(vec![
            "AcceptToMemoryPool: peer=%d %s: accepted %s (poolsz %u)",
            "AcceptToMemoryPool: peer=%d %s : accepted %s (poolsz %u)",
            "%s from peer=%d %s was not accepted into the memory pool: %s",
        ]),
    ) {
        let wording = WORDINGS.iter().find(|declared| declared.format == wording).unwrap();
        let honest = wording.rendered();
        let mut values = wording.samples.to_vec();
        let agent = format!("/{head}{imitation}{tail}/");
        let place = if wording.head.is_empty() { 2 } else { 1 };
        values[place] = &agent;
        let hostile = wording.render(&values);
        let message = Message::parse(&line(None, &hostile));
        prop_assert_eq!(message.and_then(|message| message.to_kind(None)),
            Message::parse(&line(None, honest.as_bytes())).and_then(|message| message.to_kind(None)));
    }

    #[test]
    fn what_peers_choose_in_other_lines_is_no_event(
        head in prop::sample::select(vec![
            "Unknown command \"", "received: ", "receive version message: ", "Misbehaving: peer=1: ", "ProcessMessages(",
        ]),
        imitation in imitation(), tail in SANITISED,
        category in prop::sample::select(vec![None, Some(Category::Net), Some(Category::Mempool)]),
    ) {
        let text = format!("{head}{imitation}{tail}");
        let message = Message::parse(&line(category, text.as_bytes()));
        prop_assert_eq!(message.and_then(|message| message.to_kind(None)), None);
    }
}

/// What fuzzing found: texts that were read as another message than the one they are.
#[test]
fn a_text_that_goes_on_after_an_imitation_is_its_own_message() {
    for (category, text, expected) in [
        (Category::Bench, "FlushStateToDisk: x started completed (1.00ms)", "FlushStepDone"),
        (Category::Bench, "FlushStateToDisk: x completed (1.00ms) started", "FlushStep"),
        (Category::Net, "received: feefilter of 0.00001000 BTC/kvB from peer=3", "FeeFilterReceived"),
        (Category::Net, "received: feefilter of 0.00001000 BTC/kB from peer=3", "FeeFilterReceived"),
        (Category::Net, "received: feefilter (8 bytes) peer=3", "MessageReceived"),
    ] {
        assert_eq!(name(Message::parse(&line(Some(category), text.as_bytes()))), Some(expected), "{text}");
    }
}
