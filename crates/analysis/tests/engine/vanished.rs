//! Messages that are absent since a node's version changed: streams that must give a finding, and those that must not.

use bmon_analysis::finding::{Body, VanishedMessage};
use bmon_event::{
    Event, Kind, NodeTime, Source,
    event::{LogMessages, MessageCount},
};
use proptest::prelude::*;

use crate::rows::{findings, rows};

const MINUTE: i64 = 60_000_000;
const START: i64 = 1_700_000_400_000_000;
const OLD: &str = "Bitcoin Core version v28.99.0-unk (release build)";
const NEW: &str = "Bitcoin Core version v31.99.0-unk (release build)";

/// A node's log: a day of one version, then hours of another.
struct Log {
    /// Stretches of ten minutes before and after the change.
    stretches: [usize; 2],
    /// Lines of the message in each stretch of the old version, by its number.
    old: fn(usize) -> u64,
    /// The same after the change.
    new: fn(usize) -> u64,
    category: &'static str,
    settings: [&'static [&'static str]; 2],
    banners: [&'static str; 2],
    /// Lines of each stretch that are no message.
    unmatched: [u64; 2],
}

impl Default for Log {
    fn default() -> Self {
        Self {
            stretches: [144, 36],
            old: |_| 1,
            new: |_| 0,
            category: "",
            settings: [&["debug=net"], &["debug=net"]],
            banners: [OLD, NEW],
            unmatched: [100, 100],
        }
    }
}

impl Log {
    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut at = START;
        for run in 0..2 {
            events.push(event(at, Kind::NodeStarted { banner: self.banners[run].to_owned() }));
            for place in 0..self.stretches[run] {
                let settings = if place == 0 { self.settings[run] } else { &[] };
                let lines = if run == 0 { (self.old)(place) } else { (self.new)(place) };
                events.push(self.stretch(at, lines, self.unmatched[run], settings));
                at += 10 * MINUTE;
            }
        }
        events
    }

    fn stretch(&self, at: i64, lines: u64, unmatched: u64, settings: &[&str]) -> Event {
        let count = |name: &str, category: &str, lines| MessageCount {
            name: name.to_owned(),
            category: category.to_owned(),
            lines,
        };
        let mut messages = vec![count("UpdateTip", "", 900)];
        messages.extend((lines > 0).then(|| count("Rare", self.category, lines)));
        let (from, to) = (NodeTime::from_micros(at), NodeTime::from_micros(at + 10 * MINUTE - 1));
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let lines = 900 + lines + unmatched;
        event(
            to.as_micros(),
            Kind::LogMessages(LogMessages { from, to, lines, unmatched, messages, settings }),
        )
    }

    fn found(&self) -> Vec<VanishedMessage> {
        vanished(&self.events())
    }
}

fn event(at: i64, kind: Kind) -> Event {
    let at = NodeTime::from_micros(at);
    Event { source: Source::Log, node_time: Some(at), agent_time: at.on_agent_clock(), kind }
}

fn vanished(events: &[Event]) -> Vec<VanishedMessage> {
    let bodies = findings(&rows(events)).into_iter().map(|finding| finding.body);
    let found =
        bodies.filter_map(|body| if let Body::VanishedMessage(found) = body { Some(found) } else { None });
    found.collect()
}

/// Messages that are still absent at the end.
fn absent(found: &[VanishedMessage]) -> Vec<Option<&str>> {
    found.iter().filter(|found| found.came_at.is_none()).map(|found| found.message.as_deref()).collect()
}

#[test]
fn a_message_of_every_hour_that_no_longer_comes_is_found_once() {
    let found = Log::default().found();
    assert_eq!(absent(&found), [Some("Rare")]);
    let found = &found[0];
    assert_eq!(
        (found.lines_before, found.version_before.as_str(), found.version_after.as_str()),
        (144, OLD, NEW)
    );
    // 20 of the 144 were expected after 20 of 144 stretches, and by lines a little later.
    assert!((20.0..22.0).contains(&found.expected), "{}", found.expected);
    assert_eq!(found.watched_from.as_micros(), START + 1440 * MINUTE);
    assert!(found.watched_to.micros_since(found.watched_from) <= 220 * MINUTE);
}

#[test]
fn streams_that_must_give_a_finding() {
    let category = || Log { category: "net", ..Log::default() };
    for (what, log) in [
        ("of a category that is still asked for", category()),
        ("of all categories", Log { settings: [&["debug=net"], &["debug=1"]], ..category() }),
        ("many lines, a short watch", Log { old: |_| 500, stretches: [144, 7], ..Log::default() }),
        ("the settings before were not seen", Log { settings: [&[], &["debug=net"]], ..category() }),
    ] {
        assert_eq!(absent(&log.found()), [Some("Rare")], "{what}");
    }
}

#[test]
fn streams_that_must_stay_quiet() {
    let category = || Log { category: "net", ..Log::default() };
    for (what, log) in [
        ("the same version again", Log { banners: [OLD, OLD], ..Log::default() }),
        ("it still comes", Log { new: |place| u64::from(place == 1), ..Log::default() }),
        ("a burst", Log { old: |place| if place == 70 { 5_000 } else { 0 }, ..Log::default() }),
        ("initial download of hours", Log { old: |place| if place < 60 { 50 } else { 0 }, ..Log::default() }),
        ("rare", Log { old: |place| u64::from(place.is_multiple_of(9)), ..Log::default() }),
        ("watched too short", Log { old: |_| 500, stretches: [144, 5], ..Log::default() }),
        ("known too short", Log { old: |_| 500, stretches: [30, 36], ..Log::default() }),
        ("its category was removed", Log { settings: [&["debug=net"], &["debug=http"]], ..category() }),
        ("nothing is asked for", Log { settings: [&["debug=1"], &[]], ..category() }),
        ("it is excluded", Log { settings: [&["debug=1"], &["debug=1", "debugexclude=net"]], ..category() }),
    ] {
        assert_eq!(absent(&log.found()), [], "{what}");
    }
}

#[test]
fn a_message_that_comes_after_all_takes_its_finding_back() {
    let log = Log { new: |place| u64::from(place == 30), ..Log::default() };
    let found = log.found();
    assert_eq!((found.len(), absent(&found).len()), (1, 0), "said, then taken back");
    let came = found[0].came_at.unwrap();
    assert_eq!(came.micros_since(found[0].watched_from), 310 * MINUTE - 1);
}

#[test]
fn many_more_unknown_lines_are_found_and_few_more_are_not() {
    let log = |unmatched| Log { old: |_| 0, unmatched: [100, unmatched], ..Log::default() };
    let found = log(900).found();
    assert_eq!(absent(&found), [None]);
    assert!((found[0].unmatched_before - 0.1).abs() < 1e-9 && (found[0].unmatched_after - 0.5).abs() < 1e-9);
    assert_eq!(absent(&log(150).found()), []);
}

proptest! {
    #[test]
    fn what_is_found_does_not_depend_on_the_order_in_which_it_is_told(
        events in Just(Log::default().events()).prop_shuffle(),
    ) {
        let found = vanished(&events);
        prop_assert_eq!(absent(&found), [Some("Rare")]);
    }

    #[test]
    fn a_message_that_comes_is_never_absent_at_the_end(
        events in Just(Log { new: |place| u64::from(place == 30), ..Log::default() }.events()).prop_shuffle(),
    ) {
        let found = vanished(&events);
        prop_assert_eq!(absent(&found), []);
    }
}

/// Lines of real nodes of two versions, again and again: a day of the one, then six hours of the other. `reword` changes
/// the lines of the new version.
fn recorded(reword: impl Fn(&str) -> String) -> Vec<Event> {
    const LOGS: [&str; 2] = [
        include_str!("../../../corelog/tests/data/core-28.99-messages.log"),
        include_str!("../../../corelog/tests/data/core-31.99-messages.log"),
    ];
    let mut reader = bmon_corelog::Reader::new(0, None);
    let mut events = Vec::new();
    let mut at = NodeTime::from_micros(START);
    for (run, (log, banner)) in LOGS.iter().zip([OLD, NEW]).enumerate() {
        let texts: Vec<_> =
            log.lines().filter_map(|line| line.split_once("Z ").map(|(_, text)| text)).collect();
        let texts = texts.iter().filter(|text| !text.contains(" version v"));
        let texts: Vec<_> =
            texts.map(|text| if run == 0 { (*text).to_owned() } else { reword(text) }).collect();
        let mut told = format!("{at} {banner}\n{at} Config file arg: debug=\"1\"\n");
        for _ in 0..[144, 36][run] {
            let begin = at;
            for text in &texts {
                at = at.plus_micros(10 * MINUTE / i64::try_from(texts.len() + 1).unwrap());
                told.push_str(&format!("{at} {text}\n"));
            }
            at = begin.plus_micros(10 * MINUTE);
        }
        reader.read(told.as_bytes(), None, |event| events.push(event));
    }
    events
}

#[test]
fn on_real_lines_a_wording_that_is_not_known_is_found() {
    let known = vanished(&recorded(str::to_owned));
    let reworded = vanished(&recorded(|text| text.replace("UpdateTip: new best=", "Tip is now ")));
    let (known, reworded) = (absent(&known), absent(&reworded));
    assert!(!known.contains(&Some("UpdateTip")), "{known:?}");
    let news: Vec<_> = reworded.iter().filter(|message| !known.contains(message)).collect();
    assert_eq!(news, [&Some("UpdateTip")]);
}
