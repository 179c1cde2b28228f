//! Lines as nodes write them, and what becomes of them.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bmon_event::NodeTime;

/// Lines by node and category, in the order in which they were written.
pub(super) type Streams = BTreeMap<(String, String), Vec<String>>;

/// What was written to one log.
pub(super) struct Written {
    streams: Streams,
}

/// How many lines are written at once.
const AT_ONCE: usize = 100;

impl Written {
    /// Writes `lines` lines to a log, spread over `span`, and rotates it twice. One line in ten is followed by one that is the same to
    /// the microsecond, and times overtake one another.
    pub(super) fn write(node: &str, log: &Path, lines: usize, span: Duration, seed: u64) -> Self {
        let pause = span.checked_div(u32::try_from(lines / AT_ONCE + 1).unwrap()).unwrap_or_default();
        let (mut streams, mut file) = (Streams::new(), open(log));
        let begin = instant();
        for chunk in 0..lines / AT_ONCE {
            let mut text = String::new();
            let now = now();
            for number in chunk * AT_ONCE..(chunk + 1) * AT_ONCE {
                // The second of two equal ones takes a number that is then left out.
                let same = usize::from(number % 10 == 1);
                let (category, message) = message(number - same, seed);
                let time = now + i64::try_from((number - same) % AT_ONCE).unwrap() * 7 % 50;
                let label = if category.is_empty() { String::new() } else { format!("[{category}] ") };
                let line = format!("{} {label}{message}", stamp(time));
                text += &format!("{line}\n");
                streams.entry((node.to_owned(), category.to_owned())).or_default().push(line);
            }
            file.write_all(text.as_bytes()).unwrap();
            if span > Duration::ZERO && [lines / AT_ONCE / 3, lines / AT_ONCE / 2].contains(&chunk) {
                rotate(log);
                file = open(log);
            }
            thread::sleep((pause * u32::try_from(chunk).unwrap()).saturating_sub(begin.elapsed()));
        }
        Self { streams }
    }

    /// Writes `lines` lines without times, some at a time.
    pub(super) fn write_without_times(node: &str, log: &Path, lines: usize, span: Duration) -> Self {
        let pause = span.checked_div(u32::try_from(lines / 10 + 1).unwrap()).unwrap_or_default();
        let (mut all, mut file) = (Vec::new(), open(log));
        let begin = instant();
        for chunk in 0..lines / 10 {
            let lines = (0..10).map(|number| format!("something odd, {}", chunk * 10 + number / 2));
            let lines: Vec<_> = lines.collect();
            file.write_all(format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
            all.extend(lines);
            thread::sleep((pause * u32::try_from(chunk).unwrap()).saturating_sub(begin.elapsed()));
        }
        Self { streams: Streams::from([((node.to_owned(), "stderr".to_owned()), all)]) }
    }

    pub(super) fn len(&self) -> usize {
        self.streams.values().map(Vec::len).sum()
    }
}

fn open(log: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(log).unwrap()
}

fn rotate(log: &Path) {
    let [newer, older] = ["log.1", "log.2"].map(|extension| log.with_extension(extension));
    if newer.exists() {
        fs::rename(&newer, older).unwrap();
    }
    fs::rename(log, newer).unwrap();
}

/// A category and a message of a kind that nodes write often.
fn message(number: usize, seed: u64) -> (&'static str, String) {
    let hash = format!("{seed:016x}{number:048x}");
    match number / 2 % 8 {
        0 => ("net", format!("received: inv ({} bytes) peer={}", 37 + number % 900, number)),
        1 => ("net", format!("sending tx ({} bytes) peer={number}", 200 + number % 700)),
        2 => (
            "mempool",
            format!("AcceptToMemoryPool: peer=7: accepted {hash} (wtxid={hash}) (poolsz {number} txn, 9 kB)"),
        ),
        3 => ("validation", format!("Enqueuing TransactionAddedToMempool: txid={hash} wtxid={hash}")),
        4 => (
            "",
            format!(
                "UpdateTip: new best={hash} height={number} version=0x20000000 log2_work=95.1 tx={number} date='2026-11-26T05:13:04Z' progress=1.000000 cache=1.5MiB({number}txo)"
            ),
        ),
        5 => ("net", format!("got inv: wtx {hash}  new peer={}", number % 125)),
        6 => (
            "bench",
            format!(
                "  - Connect {number} transactions: {}.{:02}ms (0.005ms/tx, 0.001ms/txin)",
                number % 90,
                number % 100
            ),
        ),
        _ => ("net", format!("Requesting wtx {hash} peer={}", number % 125)),
    }
}

/// Everything that was written.
pub(super) fn merged(all: Vec<Written>) -> Streams {
    all.into_iter().flat_map(|written| written.streams).collect()
}

/// Microseconds since 1970 as a node with `-logtimemicros` prints them.
pub(super) fn stamp(us: i64) -> String {
    NodeTime::from_micros(us).to_string()
}

#[expect(clippy::disallowed_methods, reason = "lines have the time at which they are written")]
pub(super) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a duration is measured")]
pub(super) fn instant() -> Instant {
    Instant::now()
}

/// How long a plain search for line ends takes.
pub(super) fn memchr_seconds(log: &Path) -> f64 {
    let bytes = fs::read(log).unwrap();
    let begin = instant();
    assert!(memchr::memchr_iter(b'\n', &bytes).count() > 0);
    begin.elapsed().as_secs_f64()
}
