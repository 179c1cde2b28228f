//! What a Loki does with pushes, with faults at will: it keeps one of equal entries of a stream, takes what it can of a push that has
//! an entry it refuses, and may be away, slow down or break off whoever pushes, before or after it took the push.

use std::{
    collections::{BTreeMap, HashSet},
    io::{BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use loki_api::{logproto::PushRequest, prost::Message as _};
use serde_json::Value;

use crate::support::Random;

/// Entries in the order in which they came first: nanoseconds since 1970, and the line.
pub(super) type Entries = Vec<(i64, String)>;

#[derive(Default)]
struct Stream {
    entries: Entries,
    known: HashSet<(i64, String)>,
}

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// Whoever connects is cut off.
    Away,
    /// One push in so many is answered by 429 or 500, or not at all, before or after it is taken.
    OneIn(u64),
    /// Nothing is kept: it acknowledges, and counts bytes of bodies.
    OnlyAcknowledges,
}

struct State {
    fault: Fault,
    random: Random,
    streams: BTreeMap<String, Stream>,
    pushes: u64,
    repeated: u64,
    taken_bytes: u64,
}

/// A Loki of a test's own.
pub(super) struct Model {
    url: String,
    state: Arc<Mutex<State>>,
}

/// An entry with this text in it is refused.
pub(super) const UNWANTED: &str = "not wanted here";

impl Model {
    pub(super) fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (streams, random) = (BTreeMap::new(), Random::seeded());
        let state = State { fault, random, streams, pushes: 0, repeated: 0, taken_bytes: 0 };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { url, state }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn set(&self, fault: Fault) {
        lock(&self.state).fault = fault;
    }

    /// Entries of each stream.
    pub(super) fn streams(&self) -> BTreeMap<String, Entries> {
        let state = lock(&self.state);
        state.streams.iter().map(|(labels, stream)| (labels.clone(), stream.entries.clone())).collect()
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        lock(&self.state).streams.values().map(|stream| stream.entries.len()).sum()
    }

    /// How many pushes came, and how many entries came again.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.pushes, state.repeated)
    }

    pub(super) fn taken_bytes(&self) -> u64 {
        lock(&self.state).taken_bytes
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some((head, body)) = request(&mut reader) {
        let Some(answer) = answer(&head, &body, state) else { return };
        let mut writer = stream;
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The head and the body of a request, `None` at the end.
fn request(reader: &mut impl std::io::BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length?.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// The answer, `None` to break off.
fn answer(head: &str, body: &[u8], state: &Mutex<State>) -> Option<String> {
    let mut state = lock(state);
    state.pushes += 1;
    assert!(head.starts_with("post /loki/api/v1/push "), "{head}");
    let fault = state.fault;
    let lot = match fault {
        Fault::Away => return None,
        Fault::OnlyAcknowledges => {
            state.taken_bytes += body.len() as u64;
            return Some(status("204 No Content", ""));
        }
        Fault::OneIn(number) if state.random.below(number) == 0 => 1 + state.random.below(6),
        Fault::None | Fault::OneIn(_) => 0,
    };
    let busy = "429 Too Many Requests\r\nRetry-After: 0";
    match lot {
        1 => return None,
        2 => return Some(status(busy, "ingestion rate limit exceeded")),
        3 => return Some(status("500 Internal Server Error", "")),
        _ => {}
    }
    let refused = take(&mut state, head, body);
    match lot {
        4 => None,
        5 => Some(status(busy, "")),
        6 => Some(status("503 Service Unavailable", "")),
        _ if refused => Some(status("400 Bad Request", "an entry is not wanted")),
        _ => Some(status("204 No Content", "")),
    }
}

fn status(status: &str, text: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

/// Takes all entries but those that are not wanted. Returns whether there are such.
fn take(state: &mut State, head: &str, body: &[u8]) -> bool {
    let entries = if head.contains("application/json") { from_json(body) } else { from_protobuf(body) };
    let mut refused = false;
    for (labels, nanos, line) in entries {
        if line.contains(UNWANTED) {
            refused = true;
            continue;
        }
        let stream = state.streams.entry(labels).or_default();
        if stream.known.insert((nanos, line.clone())) {
            stream.entries.push((nanos, line));
        } else {
            state.repeated += 1;
        }
    }
    refused
}

fn from_protobuf(body: &[u8]) -> Vec<(String, i64, String)> {
    let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    assert!(plain.len() < 4 << 20, "more than Loki takes at a time: {}", plain.len());
    let push = PushRequest::decode(plain.as_slice()).unwrap();
    let streams = push.streams.into_iter().flat_map(|stream| {
        let labels = stream.labels;
        stream.entries.into_iter().map(move |entry| {
            let time = entry.timestamp.unwrap();
            (labels.clone(), time.seconds * 1_000_000_000 + i64::from(time.nanos), entry.line)
        })
    });
    streams.collect()
}

fn from_json(body: &[u8]) -> Vec<(String, i64, String)> {
    let push: Value = serde_json::from_slice(body).unwrap();
    let mut entries = Vec::new();
    for stream in push["streams"].as_array().unwrap() {
        let labels = stream["stream"].as_object().unwrap().iter();
        let labels: Vec<_> = labels.map(|(name, value)| format!("{name}={value}")).collect();
        for value in stream["values"].as_array().unwrap() {
            let nanos = value[0].as_str().unwrap().parse().unwrap();
            entries.push((
                format!("{{{}}}", labels.join(", ")),
                nanos,
                value[1].as_str().unwrap().to_owned(),
            ));
        }
    }
    entries
}

/// What a test waits for pushes at most.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);
