//! Serves the page over the sample rows of the tests, for work on the page: `cargo run -p bmon-server --example page`.
//!
//! A node is heard each second and a block is found each five, so that the live stream has something to say.

#![expect(clippy::unwrap_used, reason = "an example for developers stops where it fails")]

#[path = "../tests/api/sample.rs"]
mod sample;

use std::{sync::Arc, time::Duration};

use bmon_event::ServerTime;
use bmon_server::{
    Links,
    api::{Api, Notices, Topic, router},
    ingest::Counters,
    want::Wants,
};
use bmon_store::{Commit, Store};

#[expect(clippy::disallowed_methods, reason = "the example stands for the whole server")]
fn now() -> ServerTime {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    ServerTime::from_micros(i64::try_from(since_epoch.as_micros()).unwrap())
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("bmon.sqlite");
    let mut store = Store::open(&database).unwrap();
    store.commit(&Commit { rows: &sample::rows(now()), journal_position: 1, accepted: &[] }).unwrap();
    sample::silence(&mut store, now());
    let notices = Notices::default();
    let counters = Arc::new(Counters::default());
    let wants = Wants::new(now(), Arc::clone(&counters));
    let links = Links::new(None, ([127, 0, 0, 1], 8_890).into());
    let api = Api::new(database, notices.clone(), counters, wants, links, now);
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8890".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    eprintln!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router(api)).await });
    for round in 0_u64.. {
        tokio::time::sleep(Duration::from_secs(1)).await;
        store
            .commit(&Commit {
                rows: &[sample::alice(now()), sample::bob(now())],
                journal_position: 1,
                accepted: &[],
            })
            .unwrap();
        notices.publish(Topic::Nodes);
        if round % 5 == 4 {
            let (mut rows, number) = (Vec::new(), u8::try_from(7 + round % 200).unwrap());
            let ms = |ms: u64| i64::try_from(ms * 1_000).unwrap();
            let late =
                [Some(0), Some(ms(round * 37 % 900)), (round % 3 != 0).then(|| ms(round * 211 % 3_000))];
            let turn = usize::try_from(round % 3).unwrap();
            let delays = [late[turn], late[(turn + 1) % 3], late[(turn + 2) % 3]];
            sample::chain_block(&mut rows, number, 212 + u32::from(number), now(), delays);
            store.commit(&Commit { rows: &rows, journal_position: 1, accepted: &[] }).unwrap();
            notices.publish(Topic::Blocks);
        }
    }
}
