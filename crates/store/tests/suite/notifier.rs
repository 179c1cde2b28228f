//! Which alerts a notifier is to be told of.

use bmon_analysis::{
    alert::{Alert, AlertId, AlertState, Severity},
    row::Row,
};
use bmon_event::ServerTime;
use bmon_store::Told;

use crate::{Place, commit, row::network};

fn time(us: i64) -> ServerTime {
    ServerTime::from_micros(us)
}

/// An alert that began at `number` times 100, as it stood in this revision.
fn alert(number: u8, revision: u32, fired: Option<i64>, resolved: Option<i64>) -> Row {
    let state = match (fired, resolved) {
        (_, Some(_)) => AlertState::Resolved,
        (Some(_), None) => AlertState::Firing,
        (None, None) => AlertState::Pending,
    };
    Row::Alert(Box::new(Alert {
        id: AlertId([number; 16]),
        revision,
        network: network(),
        rule: "race".to_owned(),
        subject: number.to_string(),
        node: None,
        severity: Severity::Info,
        state,
        active_at_us: time(i64::from(number) * 100),
        fired_at_us: fired.map(time),
        resolved_at_us: resolved.map(time),
        summary: "so".to_owned(),
        findings: Vec::new(),
    }))
}

/// That a notifier took an alert, or that it is over.
fn took(number: u8, is_over: bool) -> Told {
    Told { alert: AlertId([number; 16]), is_over }
}

/// What is to be told to a notifier of what ended since `ended` and began since `begun`, each with whether it was told.
fn to_tell(place: &Place, notifier: &str, ended: i64, begun: i64) -> Vec<(u8, bool)> {
    let found = (place.read)().alerts_to_tell(notifier, time(ended), time(begun), 100).unwrap();
    found.iter().map(|told| (told.alert.id.0[0], told.told_at.is_some())).collect()
}

pub(crate) fn what_fires_is_told_and_what_ended_untold_until_it_is_or_is_given_up(place: &Place) {
    let mut store = (place.open)();
    let rows = [
        alert(1, 1, Some(110), Some(120)),
        alert(2, 1, None, Some(220)),
        alert(3, 1, Some(310), None),
        alert(4, 1, None, None),
    ];
    commit(&mut store, &rows, 1);
    assert_eq!(to_tell(place, "one", 0, 0), [], "nobody of that name is to be told");
    store.add_notifier("one", time(300)).unwrap();
    store.add_notifier("one", time(900)).unwrap();
    // What fired and ended before is no news, what never fired is none at all.
    assert_eq!(to_tell(place, "one", 500, 0), [(3, false)]);
    assert_eq!(to_tell(place, "one", 100, 0), [(1, false), (3, false)]);
    store.note_told("one", &[took(3, false), took(99, false)], time(315)).unwrap();
    store.note_told("one", &[took(3, false)], time(399)).unwrap();
    let told = (place.read)().alerts_to_tell("one", time(500), time(0), 100).unwrap();
    assert_eq!((told[0].told_at, told[0].told_over_at), (Some(time(315)), None), "the first time stays");

    commit(&mut store, &[alert(3, 2, Some(310), Some(600)), alert(5, 1, Some(510), Some(520))], 2);
    assert_eq!(to_tell(place, "one", 550, 0), [(3, true), (5, false)]);
    // Of the end of what it knows it is told however long ago that began; nothing else is older.
    assert_eq!(to_tell(place, "one", 700, 0), [(3, true), (5, false)]);
    assert_eq!(to_tell(place, "one", 700, 600), [(3, true)]);
    store.note_told("one", &[took(3, true)], time(610)).unwrap();
    store.note_told("one", &[took(3, true)], time(620)).unwrap();
    let told = (place.read)().alerts_to_tell("one", time(550), time(0), 100).unwrap();
    assert_eq!(told.iter().find_map(|told| told.told_over_at), Some(time(610)));
    assert_eq!(to_tell(place, "one", 700, 0), [(5, false)]);
    assert_eq!(store.give_up_telling("one", time(520), time(0)).unwrap(), 0);
    assert_eq!(store.give_up_telling("one", time(521), time(0)).unwrap(), 1);
    assert_eq!(store.give_up_telling("one", time(521), time(0)).unwrap(), 0);
    assert_eq!(to_tell(place, "one", 500, 0), [(3, true)]);
    // Another has its own list.
    store.add_notifier("two", time(0)).unwrap();
    assert_eq!(to_tell(place, "two", 700, 0), [(1, false), (3, false), (5, false)]);
}

pub(crate) fn an_end_that_nobody_takes_is_given_up_and_news_goes_before_what_is_known(place: &Place) {
    let mut store = (place.open)();
    store.add_notifier("one", time(0)).unwrap();
    commit(&mut store, &[alert(1, 1, Some(110), None), alert(2, 1, Some(210), None)], 1);
    store.note_told("one", &[took(1, false)], time(115)).unwrap();
    let first = (place.read)().alerts_to_tell("one", time(0), time(0), 1).unwrap();
    assert_eq!(first[0].alert.id, AlertId([2; 16]));
    commit(&mut store, &[alert(1, 2, Some(110), Some(600))], 2);
    assert_eq!(store.give_up_telling("one", time(600), time(0)).unwrap(), 0);
    assert_eq!(store.give_up_telling("one", time(601), time(0)).unwrap(), 1);
    assert_eq!(store.give_up_telling("one", time(601), time(0)).unwrap(), 0);
    assert_eq!(to_tell(place, "one", 700, 0), [(2, false)]);
}

pub(crate) fn what_is_passed_over_is_told_to_nobody_and_is_no_dead_letter(place: &Place) {
    let mut store = (place.open)();
    store.add_notifier("one", time(0)).unwrap();
    commit(&mut store, &[alert(1, 1, Some(110), Some(120)), alert(2, 1, Some(210), Some(220))], 1);
    store.pass_over("one", &[AlertId([1; 16])]).unwrap();
    assert_eq!(to_tell(place, "one", 0, 0), [(2, false)]);
    assert_eq!(store.give_up_telling("one", time(900), time(0)).unwrap(), 1);
}
