use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use bmon_analysis::{
    alert::{Alert, AlertState, Severity},
    row::Row,
};
use bmon_event::Network;
use bmon_store::Commit;

use super::*;

const BEGUN: ServerTime = ServerTime::from_micros(1_700_000_000_000_000);

/// What answers where an Alertmanager should, with a fault that can be put in: the bodies that it was sent.
#[derive(Default)]
struct Faulty {
    refuses: AtomicBool,
    taken: Mutex<Vec<String>>,
}

impl Faulty {
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, faulty) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Self::default()));
        let served = Arc::clone(&faulty);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                served.serve(stream.unwrap());
            }
        });
        (faulty, url)
    }

    fn serve(&self, mut stream: std::net::TcpStream) {
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        while !request.ends_with(b"]") {
            let read = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
        }
        let status = if self.refuses.load(Relaxed) { "500 Internal Server Error" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nword");
        self.taken.lock().unwrap().push(String::from_utf8(request).unwrap());
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

struct Ground {
    _directory: tempfile::TempDir,
    writer: Store,
    notify: Notify,
    faulty: Arc<Faulty>,
}

impl Ground {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bmon.sqlite");
        let (writer, mut store) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        store.add_notifier(Alertmanager::NAME, BEGUN).unwrap();
        let (faulty, url) = Faulty::start();
        let (reader, counters) = (Reader::open(&path).unwrap(), Arc::default());
        let notify = Notify { store, reader, alertmanager: Alertmanager::new(&url), counters };
        Self { _directory: directory, writer, notify, faulty }
    }

    /// An alert that fired a minute after the beginning, as it stands in this revision.
    fn write(&mut self, revision: u32, resolved_at_us: Option<ServerTime>) {
        let alert = Alert {
            id: AlertId([7; 16]),
            revision,
            network: Network::from_chain("regtest").unwrap(),
            rule: "reorg".to_owned(),
            subject: "a block".to_owned(),
            node: None,
            severity: Severity::Info,
            state: if resolved_at_us.is_some() { AlertState::Resolved } else { AlertState::Firing },
            active_at_us: after(60),
            fired_at_us: Some(after(60)),
            resolved_at_us,
            summary: "so".to_owned(),
            findings: Vec::new(),
        };
        let rows = [Row::Alert(Box::new(alert))];
        self.writer.commit(&Commit { rows: &rows, journal_position: 1, accepted: &[] }).unwrap();
    }

    /// Alerts taken for the first time, and given up.
    fn counts(&self) -> (u64, u64) {
        let counters = &self.notify.counters;
        (counters.notified_alerts.load(Relaxed), counters.notify_given_up.load(Relaxed))
    }

    fn taken(&self) -> usize {
        self.faulty.taken.lock().unwrap().len()
    }
}

fn after(seconds: i64) -> ServerTime {
    BEGUN.plus_micros(seconds * 1_000_000)
}

#[test]
fn what_is_refused_is_told_later_and_counts_once_however_often_it_is_told() {
    let mut ground = Ground::new();
    ground.notify.round(after(30)).unwrap();
    assert_eq!(ground.taken(), 0, "nothing is told of nothing");
    ground.write(1, None);
    ground.faulty.refuses.store(true, Relaxed);
    let refused = ground.notify.round(after(61)).unwrap_err();
    assert!(refused.to_string().contains("HTTP status 500: word"), "{refused}");
    assert_eq!(ground.counts(), (0, 0));
    // It is over before anybody can be told, which is told late, and once more how it stands then.
    ground.write(2, Some(after(660)));
    ground.faulty.refuses.store(false, Relaxed);
    ground.notify.round(after(7_200)).unwrap();
    ground.notify.round(after(7_230)).unwrap();
    assert_eq!((ground.counts(), ground.taken()), ((1, 0), 2), "one that ended long ago is not told again");
    let taken = ground.faulty.taken.lock().unwrap();
    assert!(taken[1].contains(&format!("\"endsAt\": \"{}\"", after(7_500))), "{}", taken[1]);
}

#[test]
fn what_cannot_be_told_for_a_day_is_given_up_and_counted_once() {
    let mut ground = Ground::new();
    ground.write(1, Some(after(660)));
    ground.faulty.refuses.store(true, Relaxed);
    let day = 24 * 3_600;
    ground.notify.round(after(660 + day)).unwrap_err();
    ground.notify.round(after(661 + day)).unwrap();
    ground.notify.round(after(662 + day)).unwrap();
    assert_eq!((ground.counts(), ground.taken()), ((0, 1), 1));
}
