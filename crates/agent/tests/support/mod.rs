//! A server that takes batches as the real one does, and misbehaves when told to; and an agent's configuration.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bmon_agent::{
    Exporter,
    config::{
        Config, HostConfig, IntervalConfig, LogConfig, PrivacyConfig, RpcAuth, RpcConfig, Secret,
        ServerConfig, SpoolConfig, ZmqConfig,
    },
};
use bmon_devnet::Node;
use bmon_event::{Batch, Event, Kind};
use bmon_metric::read::{Metric, read};

/// Longer than anything takes on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// What the server does with a delivery instead of taking it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Answers with this status and changes nothing.
    Status(u16),
    /// Takes the batch and breaks the connection instead of answering.
    LoseAnswer,
    /// Never answers.
    Hang,
}

/// What the server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The faults of the next deliveries.
    pub(crate) faults: VecDeque<Fault>,
    /// The fault of every delivery after these.
    pub(crate) always: Option<Fault>,
    /// Every delivery, repeats and refused ones included.
    pub(crate) deliveries: Vec<Vec<u8>>,
    /// What was taken, once each.
    pub(crate) batches: Vec<Batch>,
    /// The answer to a question for the position, instead of the last batch's number.
    pub(crate) position: Option<u64>,
    /// What stands under `wants` in the answers to deliveries, and in those to time exchanges.
    pub(crate) wants: [Vec<String>; 2],
}

impl Seen {
    /// Numbers of the batches taken.
    pub(crate) fn sequences(&self) -> Vec<u64> {
        self.batches.iter().map(|batch| batch.sequence).collect()
    }

    /// All events, in the order in which they came.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.batches.iter().flat_map(|batch| &batch.events)
    }

    /// What `pick` makes of the events.
    pub(crate) fn pick<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events().filter_map(pick).collect()
    }

    fn take(&mut self, bytes: &[u8]) -> u64 {
        let batch = Batch::decode(bytes, 1 << 30).unwrap();
        let sequence = batch.sequence;
        if self.batches.iter().all(|known| (known.epoch, known.sequence) != (batch.epoch, sequence)) {
            self.batches.push(batch);
        }
        sequence
    }
}

/// Runs until the test ends.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Server {
    /// A server on a free port.
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// A server at a known address.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let server = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let this = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let this = this.clone();
                thread::spawn(move || this.serve(&stream.unwrap()));
            }
        });
        server
    }

    /// An address at which nobody listens.
    pub(crate) fn free_address() -> SocketAddr {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().unwrap()
    }

    /// Waits until `done` gives something.
    pub(crate) fn wait_for<T>(&self, what: &str, mut done: impl FnMut(&mut Seen) -> Option<T>) -> T {
        let mut result = None;
        let waited = self.seen.1.wait_timeout_while(self.seen(), LIMIT, |seen| {
            result = done(seen);
            result.is_none()
        });
        drop(waited.unwrap());
        result.unwrap_or_else(|| panic!("{what} did not happen within {LIMIT:?}"))
    }

    /// Waits until an event of which `pick` makes something has come.
    pub(crate) fn wait_for_event<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        self.wait_for(what, |seen| seen.events().find_map(&pick))
    }

    /// Waits until `count` more batches were taken.
    pub(crate) fn wait_for_batches(&self, count: usize) {
        let wanted = self.seen().batches.len() + count;
        self.wait_for("more batches", |seen| (seen.batches.len() >= wanted).then_some(()));
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((request, body)) = read_request(&mut reader) {
            let answer = match request.as_str() {
                "POST /ingest/v1/batches" => self.deliver(body),
                "GET /ingest/v1/time" => {
                    let us = now_us();
                    Some((
                        200,
                        format!(
                            r#"{{"received_us":{us},"sent_us":{us},"wants":[{}]}}"#,
                            self.seen().wants[1].join(",")
                        ),
                    ))
                }
                request if request.starts_with("GET /ingest/v1/position?epoch=") => {
                    let seen = self.seen();
                    let last = seen.sequences().into_iter().max().unwrap_or_default();
                    Some((200, format!(r#"{{"sequence":{}}}"#, seen.position.unwrap_or(last))))
                }
                request => panic!("unexpected request: {request}"),
            };
            let Some((status, body)) = answer else { return };
            let head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n\r\n", body.len());
            let mut stream = stream;
            if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn deliver(&self, body: Vec<u8>) -> Option<(u16, String)> {
        let mut seen = self.seen();
        let fault = seen.faults.pop_front().or(seen.always);
        let answer = match fault {
            None => {
                let (sequence, wants) = (seen.take(&body), seen.wants[0].join(","));
                Some((200, format!(r#"{{"sequence":{sequence},"wants":[{wants}]}}"#)))
            }
            Some(Fault::Status(status)) => {
                Some((status, r#"{"error":"told to","hint":"ask the test"}"#.to_owned()))
            }
            Some(Fault::LoseAnswer) => {
                seen.take(&body);
                None
            }
            Some(Fault::Hang) => {
                let _guard = self.seen.1.wait_timeout(seen, LIMIT * 2).unwrap();
                return None;
            }
        };
        seen.deliveries.push(body);
        self.seen.1.notify_all();
        answer
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let (mut length, mut authorised) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        authorised |= line == "authorization: bearer secret";
    }
    assert!(authorised, "a request without the token: {first}");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first.rsplit_once(' ')?.0.to_owned(), body))
}

#[expect(clippy::disallowed_methods, reason = "the test's server has a clock")]
fn now_us() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

/// Waits until `done`, for what cannot be waited for otherwise.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(5);
    let attempts = LIMIT.as_millis() / PAUSE.as_millis();
    assert!(
        (0..attempts).any(|_| done() || {
            thread::sleep(PAUSE);
            false
        }),
        "{what} did not happen within {LIMIT:?}"
    );
}

/// An agent without a node, whose host source makes an event every few milliseconds.
pub(crate) fn config(dir: &Path, server: &str) -> Config {
    Config {
        node: "alice".parse().unwrap(),
        network: Some("regtest".to_owned()),
        server: ServerConfig { url: server.to_owned(), token: Secret::new("secret"), timeout_ms: 5_000 },
        spool: SpoolConfig { dir: dir.join("spool"), limit_bytes: 1 << 24 },
        log: None,
        rpc: None,
        zmq: None,
        host: HostConfig { data_dir: dir.to_owned(), network_dir: None },
        interval: IntervalConfig {
            blockchain_info_ms: 500,
            network_info_ms: 500,
            mempool_info_ms: 500,
            peer_info_ms: 500,
            chain_tips_ms: 500,
            uptime_ms: 500,
            deployment_info_ms: 500,
            host_ms: 5,
            clock_exchange_ms: 20,
            clock_sample_ms: 100,
            health_ms: 50,
            compat_net_totals_ms: 500,
            compat_rpc_info_ms: 500,
            compat_memory_info_ms: 500,
            compat_network_hash_ps_ms: 500,
            compat_smart_fee_ms: 500,
            compat_block_stats_ms: 500,
            compat_chain_tx_stats_ms: 500,
            compat_index_info_ms: 500,
        },
        privacy: PrivacyConfig { key_file: dir.join("privacy.key"), peer_addresses: false },
        loki: None,
        metrics: false,
        metrics_address: None,
        clock_offset_us: None,
    }
}

/// An agent that watches `node` through everything it offers.
pub(crate) fn config_of(node: &Node, dir: &Path, server: &str) -> Config {
    let config = config(dir, server);
    Config {
        network: None,
        log: Some(LogConfig { path: node.debug_log(), poll_ms: 20, first_read_bytes: u64::MAX }),
        rpc: Some(RpcConfig {
            url: node.rpc_url(),
            auth: RpcAuth::Cookie(node.cookie()),
            timeout_ms: 1_000,
            chain_tips_timeout_ms: 1_000,
        }),
        zmq: Some(ZmqConfig { hashblock: None, sequence: None }),
        interval: IntervalConfig { host_ms: 10_000, ..config.interval.clone() },
        ..config
    }
}

/// A page of metrics, read strictly.
pub(crate) fn page(exporter: &Exporter, path: &str) -> BTreeMap<String, Metric> {
    let mut reply = ureq::get(format!("http://{}{path}", exporter.address())).call().unwrap();
    read(&reply.body_mut().read_to_string().unwrap()).unwrap()
}

/// The gaps among some events.
pub(crate) fn gap(event: &Event) -> Option<bmon_event::event::Gap> {
    match &event.kind {
        Kind::Gap(gap) => Some(gap.clone()),
        _ => None,
    }
}
