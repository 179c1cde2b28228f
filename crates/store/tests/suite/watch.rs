//! The watch list.

use bmon_analysis::{
    finding::{self, Body, Finding, FindingId, Mined, WatchStep},
    row::Row,
    watch::{MOST_ITEMS, WatchItem},
};
use bmon_event::{Network, OutPoint, ServerTime};
use bmon_store::{StoreError, Watched};

use crate::{
    Place, commit,
    row::{hash, invalid_block, network, txid},
};

pub(crate) fn the_watch_list_is_what_was_put_there_and_not_taken_off(place: &Place) {
    let (mut server, mut beside) = ((place.open)(), (place.open)());
    let at = ServerTime::from_micros(7);
    let [tx, coin] = [WatchItem::Tx(txid(1)), WatchItem::Outpoint(OutPoint { txid: txid(1), vout: 2 })];
    let other = Network::from_chain("signet").unwrap();
    assert!(beside.watch(&network(), &tx, at).unwrap() && beside.watch(&network(), &coin, at).unwrap());
    assert!(!beside.watch(&network(), &tx, ServerTime::from_micros(9)).unwrap());
    assert!(beside.watch(&other, &tx, at).unwrap());
    // The server goes on writing, of a network too that it hears of only now.
    commit(&mut server, &[Row::Finding(Box::new(step(&tx, 1))), Row::Finding(Box::new(step(&coin, 2)))], 1);
    let reader = (place.read)();
    let listed = |network, item| Watched { network, item, added_at: at };
    let expected = [listed(other, tx), listed(network(), coin), listed(network(), tx)];
    assert_eq!(reader.watch_list().unwrap(), expected);
    assert_eq!(reader.watch_steps(&network(), &tx).unwrap(), [step(&tx, 1)]);
    assert_eq!(reader.watch_steps(&other, &tx).unwrap(), []);
    assert!(beside.unwatch(&network(), &tx).unwrap() && !beside.unwatch(&network(), &tx).unwrap());
    assert_eq!(reader.watch_list().unwrap(), expected[..2]);
    // What was found stays.
    assert_eq!(reader.watch_steps(&network(), &tx).unwrap().len(), 1);
}

pub(crate) fn the_watch_list_is_bounded(place: &Place) {
    let mut store = (place.open)();
    let item = |vout| WatchItem::Outpoint(OutPoint { txid: txid(1), vout });
    let most = u32::try_from(MOST_ITEMS).unwrap();
    for vout in 0..most {
        assert!(store.watch(&network(), &item(vout), ServerTime::default()).unwrap());
    }
    let full = store.watch(&network(), &item(most), ServerTime::default());
    assert!(matches!(full, Err(StoreError::WatchListFull { most: MOST_ITEMS })), "{full:?}");
    // What is there already is no more, and what is taken off makes room.
    assert!(!store.watch(&network(), &item(0), ServerTime::default()).unwrap());
    assert!(store.unwatch(&network(), &item(0)).unwrap());
    assert!(store.watch(&network(), &item(most), ServerTime::default()).unwrap());
}

/// A block with the transaction of this number.
fn step(item: &WatchItem, number: u8) -> Finding {
    let mined = Mined { txid: txid(number), block: hash(number), height: 5, is_in_best_chain: true };
    let body = Body::Watch(Box::new(WatchStep { item: *item, step: finding::Step::Mined(mined) }));
    Finding { id: FindingId([number; 16]), node: None, body, ..invalid_block(network(), number, "alice") }
}
