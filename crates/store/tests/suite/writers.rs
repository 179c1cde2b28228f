//! Several write one database: the server's store thread, who tells of alerts, and `bmon server token`.

use std::thread;

use bmon_analysis::row::Row;
use bmon_event::ServerTime;
use bmon_store::Store;

use crate::{
    Place, commit,
    row::{name, rejection},
};

const TIMES: u8 = 60;

pub(crate) fn whoever_comes_second_waits_and_nobody_is_refused(place: &Place) {
    let mut server = (place.open)();
    let mut notifier = (place.open)();
    notifier.add_notifier("one", ServerTime::default()).unwrap();
    let told = thread::spawn(move || {
        for number in 0..TIMES {
            let at = ServerTime::from_micros(number.into());
            notifier.give_up_telling("one", at, at).unwrap();
        }
        notifier
    });
    let written = thread::spawn(move || {
        for number in 1..=TIMES {
            let row = Row::Finding(Box::new(rejection(number, 1, "alice", "a", number.into())));
            commit(&mut server, &[row], number.into());
        }
        server
    });
    for number in 0..TIMES {
        let store: Store = (place.open)();
        store.set_token(&name("bob"), [number; 32]).unwrap();
    }
    told.join().unwrap();
    let server = written.join().unwrap();
    assert_eq!(server.journal_position().unwrap(), u64::from(TIMES));
    let found = (place.read)().findings("rejected-tx", 1_000, None).unwrap();
    assert_eq!(found.items.len(), usize::from(TIMES));
    assert_eq!(server.node_of_token([TIMES - 1; 32]).unwrap(), Some(name("bob")));
}
