use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Mutex, atomic::AtomicU16, mpsc::sync_channel},
};

use bmon_analysis::{
    alert::{Alert, AlertId, AlertState, Severity},
    row::Row,
};
use bmon_event::Network;
use bmon_store::{Commit, Matcher};
use serde_json::Value;

use super::*;
use crate::{
    Links,
    notify::{NotifierKind, Target},
};

const BEGUN: ServerTime = ServerTime::from_micros(1_700_000_000_000_000);

/// What answers where a notifier should, with a fault that can be put in: what it was sent and took.
struct Receiver {
    /// The status that it answers with; 0 to hang up without one.
    status: AtomicU16,
    /// Every call, with the status that it was answered with.
    calls: Mutex<Vec<(u16, Value)>>,
}

impl Receiver {
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Arc::new(Self { status: AtomicU16::new(200), calls: Mutex::default() });
        let served = Arc::clone(&receiver);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                served.serve(stream.unwrap());
            }
        });
        (receiver, url)
    }

    fn serve(&self, mut stream: std::net::TcpStream) {
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        let body = loop {
            let read = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
            if let Some(body) = whole_body(&request) {
                break body;
            }
            if read == 0 {
                return;
            }
        };
        let status = self.status.load(Relaxed);
        self.calls.lock().unwrap().push((status, body));
        if status > 0 {
            let head = format!("HTTP/1.1 {status} word\r\ncontent-length: 4\r\nconnection: close\r\n\r\n");
            stream.write_all(format!("{head}word").as_bytes()).unwrap();
        }
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    fn last(&self) -> Value {
        self.calls.lock().unwrap().last().unwrap().1.clone()
    }

    /// What a webhook took: the subject and status of each alert, message by message.
    fn taken(&self) -> Vec<Vec<(String, String)>> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let of_alert = |alert: &Value| (word(&alert["labels"]["subject"]), word(&alert["status"]));
        let calls = self.calls.lock().unwrap();
        let taken = calls.iter().filter(|(status, _)| *status == 200);
        taken.map(|(_, body)| body["alerts"].as_array().unwrap().iter().map(of_alert).collect()).collect()
    }
}

/// The body of an HTTP request, once it is all there.
fn whole_body(request: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n")?;
    assert!(head.to_ascii_lowercase().contains("\r\nauthorization: bearer word\r\n"), "{head}");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    })?;
    (body.len() >= length).then(|| serde_json::from_str(body).unwrap())
}

struct Ground {
    directory: tempfile::TempDir,
    writer: Store,
    notify: Notify,
    receiver: Arc<Receiver>,
    url: String,
}

impl Ground {
    fn new(kind: NotifierKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let writer = Store::open(&database(directory.path())).unwrap();
        let (receiver, url) = Receiver::start();
        let notify = notify(directory.path(), kind, &url);
        Self { directory, writer, notify, receiver, url }
    }

    /// As after the server is started again.
    fn restart(&mut self) {
        self.notify = notify(self.directory.path(), self.notify.notifier.kind(), &self.url);
    }

    fn set_status(&self, status: u16) {
        self.receiver.status.store(status, Relaxed);
    }

    /// An alert that fired a minute after the beginning, as it stands in this revision.
    fn write(&mut self, revision: u32, resolved_at_us: Option<ServerTime>) {
        self.write_alert(&alert(7, "reorg", revision, resolved_at_us));
    }

    fn write_alert(&mut self, alert: &Alert) {
        let rows = [Row::Alert(Box::new(alert.clone()))];
        self.writer.commit(&Commit { rows: &rows, journal_position: 1, accepted: &[] }).unwrap();
    }

    /// Alerts taken for the first time, and given up.
    fn counts(&self) -> (u64, u64) {
        let counters = self.notify.counters();
        (counters.alerts.load(Relaxed), counters.given_up.load(Relaxed))
    }
}

fn database(directory: &Path) -> PathBuf {
    directory.join("bmon.sqlite")
}

fn notify(directory: &Path, kind: NotifierKind, url: &str) -> Notify {
    let path = database(directory);
    let mut store = Store::open(&path).unwrap();
    store.add_notifier(kind.as_str(), BEGUN).unwrap();
    let links = Links::new(None, ([127, 0, 0, 1], 1).into());
    let notifier =
        kind.at(&Target { url: url.to_owned(), authorization: Some("Bearer word".to_owned()) }, &links);
    Notify { store, reader: Reader::open(&path).unwrap(), notifier, counters: Arc::default() }
}

/// An alert of this number that fired a minute after the beginning.
fn alert(number: u8, rule: &str, revision: u32, resolved_at_us: Option<ServerTime>) -> Alert {
    Alert {
        id: AlertId([number; 16]),
        revision,
        network: Network::from_chain("regtest").unwrap(),
        rule: rule.to_owned(),
        subject: format!("block {number}"),
        node: None,
        severity: Severity::Info,
        state: if resolved_at_us.is_some() { AlertState::Resolved } else { AlertState::Firing },
        active_at_us: after(60),
        fired_at_us: Some(after(60)),
        resolved_at_us,
        summary: "so".to_owned(),
        findings: Vec::new(),
    }
}

/// One alert in a message.
fn told(subject: &str, status: &str) -> Vec<(String, String)> {
    vec![(subject.to_owned(), status.to_owned())]
}

fn after(seconds: i64) -> ServerTime {
    BEGUN.plus_micros(seconds * 1_000_000)
}

#[test]
fn what_is_refused_is_told_later_and_counts_once_however_often_it_is_told() {
    let mut ground = Ground::new(NotifierKind::Alertmanager);
    ground.notify.round(after(30)).unwrap();
    assert_eq!(ground.receiver.calls(), 0, "nothing is told of nothing");
    ground.write(1, None);
    ground.set_status(500);
    let refused = ground.notify.round(after(61)).unwrap_err();
    assert!(refused.to_string().contains("HTTP status 500: word"), "{refused}");
    assert_eq!(ground.counts(), (0, 0));
    // It is over before anybody can be told, which is told late, and twice more how it stands then.
    ground.write(2, Some(after(660)));
    ground.set_status(200);
    for at in [7_200, 7_230, 7_260] {
        ground.notify.round(after(at)).unwrap();
    }
    let calls = ground.receiver.calls();
    assert_eq!((ground.counts(), calls), ((1, 0), 3), "one that ended long ago is not told again");
    assert_eq!(ground.receiver.last()[0]["endsAt"], after(7_500).to_string());
}

#[test]
fn what_cannot_be_told_for_a_day_is_given_up_and_counted_once() {
    for kind in NotifierKind::ALL {
        let mut ground = Ground::new(kind);
        ground.write(1, Some(after(660)));
        ground.set_status(500);
        let day = 24 * 3_600;
        ground.notify.round(after(660 + day)).unwrap_err();
        ground.notify.round(after(661 + day)).unwrap();
        ground.notify.round(after(662 + day)).unwrap();
        assert_eq!((ground.counts(), ground.receiver.calls()), ((0, 1), 1));
    }
}

#[test]
fn an_end_that_cannot_be_told_for_a_day_is_given_up_and_counted_once() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    ground.write(1, None);
    ground.notify.round(after(61)).unwrap();
    ground.write(2, Some(after(660)));
    ground.set_status(500);
    let day = 24 * 3_600;
    ground.notify.round(after(660 + day)).unwrap_err();
    ground.notify.round(after(661 + day)).unwrap();
    ground.notify.round(after(662 + day)).unwrap();
    assert_eq!((ground.counts(), ground.receiver.calls()), ((1, 1), 2));
}

#[test]
fn a_webhook_is_told_once_that_an_alert_fires_and_once_that_it_is_over_whatever_it_answers_meanwhile() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    ground.write(1, None);
    // Nothing, an error, a redirection, which is not followed, then the truth.
    for status in [0, 503, 302] {
        ground.set_status(status);
        ground.notify.round(after(61)).unwrap_err();
        ground.restart();
    }
    ground.set_status(200);
    for _ in 0..3 {
        ground.notify.round(after(62)).unwrap();
        ground.restart();
    }
    assert_eq!(ground.receiver.taken(), [told("block 7", "firing")]);
    // It grows louder, which is no news.
    ground.write(2, None);
    ground.notify.round(after(63)).unwrap();
    ground.write(3, Some(after(660)));
    ground.set_status(500);
    ground.notify.round(after(661)).unwrap_err();
    ground.set_status(200);
    for _ in 0..3 {
        ground.notify.round(after(3_000)).unwrap();
        ground.restart();
    }
    assert_eq!(ground.receiver.taken(), [told("block 7", "firing"), told("block 7", "resolved")]);
}

#[test]
fn a_webhook_hears_of_the_beginning_of_an_alert_that_was_over_before_it_could_be_told() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    ground.write(1, Some(after(660)));
    for at in [7_200, 7_230, 7_260] {
        ground.notify.round(after(at)).unwrap();
    }
    assert_eq!(ground.receiver.taken(), [told("block 7", "firing"), told("block 7", "resolved")]);
}

#[test]
fn what_fires_together_is_one_message_for_each_rule() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    for (number, rule) in [(1, "node-silent"), (2, "node-silent"), (3, "reorg")] {
        ground.write_alert(&alert(number, rule, 1, None));
    }
    ground.notify.round(after(61)).unwrap();
    let both = [told("block 1", "firing"), told("block 2", "firing")].concat();
    assert_eq!(ground.receiver.taken(), [both, told("block 3", "firing")]);
    assert_eq!(ground.counts(), (3, 0));
}

#[test]
fn nobody_is_told_of_what_is_silenced_until_the_silence_ends() {
    for kind in NotifierKind::ALL {
        let mut ground = Ground::new(kind);
        let reorgs = Matcher { rule: Some("reorg".to_owned()), ..Matcher::default() };
        let id = ground.writer.silence(&reorgs, after(30), after(900), "word").unwrap();
        ground.write(1, None);
        ground.write_alert(&alert(8, "race", 1, None));
        ground.notify.round(after(61)).unwrap();
        assert_eq!(ground.counts(), (1, 0), "of another rule it is told");
        // It ends early, and the alert still fires.
        assert!(ground.writer.expire_silence(id, after(500)).unwrap());
        ground.notify.round(after(500)).unwrap();
        assert_eq!(ground.counts(), (2, 0));
    }
}

#[test]
fn what_was_over_under_a_silence_is_told_to_nobody_and_an_end_of_what_was_told_before_is() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    ground.write(1, None);
    ground.notify.round(after(61)).unwrap();
    ground.writer.silence(&Matcher::default(), after(100), after(900), "word").unwrap();
    ground.write(2, Some(after(660)));
    ground.write_alert(&alert(8, "reorg", 1, Some(after(670))));
    let day = 24 * 3_600;
    for at in [680, 1_000, 1_030, 700 + day, 730 + day] {
        ground.notify.round(after(at)).unwrap();
    }
    assert_eq!(ground.receiver.taken(), [told("block 7", "firing"), told("block 7", "resolved")]);
    assert_eq!(ground.counts(), (1, 0), "what was held back is no dead letter");
}

/// A change that comes while others are waited for goes with them.
#[test]
fn changes_that_come_together_are_waited_for() {
    let (changed, waiting) = sync_channel(1);
    let (long, short) = (Duration::from_mins(1), Duration::from_millis(50));
    changed.send(()).unwrap();
    assert!(wait(&waiting, long, false, short), "the wait is over before the next telling is due");
    changed.send(()).unwrap();
    drop(changed);
    assert!(!wait(&waiting, long, false, long), "and at once when there will be no more");
}

#[test]
fn one_that_hangs_makes_no_other_wait() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hanging.local_addr().unwrap());
    let hangs = notify(ground.directory.path(), NotifierKind::Alertmanager, &url);
    let stuck = Arc::clone(&hangs.notifier);
    ground.write(1, None);
    let (changed, waiting) = sync_channel(1);
    let thread = std::thread::spawn(move || hangs.run(&waiting));
    // It is in its call, which nobody answers.
    let call = hanging.accept().unwrap();
    ground.notify.round(after(61)).unwrap();
    assert_eq!(ground.receiver.taken(), [told("block 7", "firing")]);
    assert!(!thread.is_finished());
    stuck.interrupt();
    drop((call, changed));
    thread.join().unwrap();
}

#[test]
fn a_notifier_that_fails_is_known_to_since_it_does_and_until_it_is_told() {
    let mut ground = Ground::new(NotifierKind::Webhook);
    ground.set_status(500);
    let begun = clock::now();
    ground.write(1, None);
    let telling = notify(ground.directory.path(), NotifierKind::Webhook, &ground.url);
    let counters = Arc::clone(&telling.counters);
    let (changed, waiting) = sync_channel(1);
    let thread = std::thread::spawn(move || telling.run(&waiting));
    let until = |is_so: &dyn Fn() -> bool| {
        let end = clock::monotonic() + Duration::from_secs(30);
        while !is_so() {
            assert!(clock::monotonic() < end);
            std::thread::yield_now();
        }
    };
    until(&|| !counters.failing_notifiers().is_empty());
    let failing = counters.failing_notifiers();
    assert!(failing[0].0 == "webhook" && failing[0].1 >= begun, "{failing:?}");
    ground.set_status(200);
    until(&|| counters.failing_notifiers().is_empty());
    drop(changed);
    thread.join().unwrap();
}
