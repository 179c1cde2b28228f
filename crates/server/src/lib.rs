//! The server: takes batches in, keeps them, analyses them, and shows what was found.
//!
//! ```text
//! handlers ─▶ journal thread ─▶ state thread ─▶ store thread ─▶ database ─▶ API, page, metrics
//! (ingest)    (one fdatasync    (Engine)        (one transaction            (api, page)
//!              for all waiting)                  for all waiting)
//! ```
//!
//! Every arrow is a bounded channel. A batch is answered after the journal has it; everything behind the journal can
//! be done again from it, and is, after each start (the `replay` module).

pub mod api;
mod clock;
mod http;
pub mod ingest;
mod journal;
mod link;
pub mod notify;
mod page;
mod pipeline;
mod pools;
mod replay;
mod seek;
pub mod want;
mod watch_list;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bmon_analysis::{
    Engine, Settings,
    network::{self, analysis::BLOCK_TIMES},
    pool::{ListError, Pools},
};
use bmon_event::{DecodeError, ServerTime};
use bmon_spool::{Spool, SpoolError};
use bmon_store::{Reader, Store, StoreError};

pub use crate::link::Links;

use crate::api::{Api, Notices};
use crate::clock::EngineTime;
use crate::http::Http;
use crate::ingest::{Accepted, Counters, Ingest, Permits};
use crate::journal::{Journal, Retention};
use crate::notify::{Notifier, NotifierKind, Notify, Target};
use crate::pipeline::{Begun, Writer};
use crate::replay::Replay;
use crate::want::Wants;
use crate::watch_list::WatchList;

/// Batches that may wait for the journal, entries that may wait for the state thread, changes that may wait for the
/// store. Of each node one batch at most is in the first two (see the `permit` module of `ingest`).
const WAITING: usize = 64;

/// Findings of each kind about a network that are taken in at the start: the last ones, more than can be open.
const RESTORED: u32 = 1_000;

/// Records of how nodes did with blocks that are taken in at the start: those of all days that count, of ninety nodes.
const RESTORED_RECORDS: u32 = 10_000;

/// Blocks that were left behind of which the bytes are taken in at the start, to be compared: those of one fork.
const RESTORED_BLOCKS: u32 = 24;

/// For how long back transactions are taken in at the start: those that an engine that had not stopped would know.
const RESTORED_TRANSACTIONS_US: i64 = 2 * 3_600 * 1_000_000;

/// For how long back the transactions of each hour are taken in at the start: as far as nodes are held against their past.
const RESTORED_HOURS_US: i64 = network::DAYS as i64 * 86_400 * 1_000_000;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where journal and database are, or will be made.
    pub data_dir: PathBuf,
    /// Largest batch in bytes as delivered.
    pub max_batch_bytes: usize,
    /// Largest batch in bytes when unpacked. In memory a hostile one can become forty times as large.
    pub max_batch_unpacked_bytes: usize,
    /// How long the journal keeps batches, so that late events can revise findings.
    pub journal_horizon: Duration,
    /// Bytes that the journal may take. Older batches are freed before their time; what the store does not have yet is
    /// never freed.
    pub journal_max_bytes: u64,
    /// How long rows about single transactions are kept.
    pub transaction_retention: Duration,
    /// How many blocks below its best tip the headers of a network are fetched and looked at.
    pub header_depth: u32,
    /// A list of mining pools, as `pools-v2.json` of the community or its older `pools.json`; `None` for those only that
    /// are known without one.
    pub pools: Option<PathBuf>,
    /// Where others reach the server, as `https://bmon.example`; `None` for where it listens.
    pub external_url: Option<String>,
    /// Those that are told of alerts, and where.
    pub notifiers: Vec<(NotifierKind, Target)>,
}

/// A server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The data directory cannot be made.
    #[error("create the data directory `{}`", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The list of pools cannot be read.
    #[error("read the list of pools `{}`", path.display())]
    ReadPools {
        /// The list.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The list of pools is none.
    #[error("understand the list of pools `{}`", path.display())]
    Pools {
        /// The list.
        path: PathBuf,
        /// Which entry is wrong and why.
        source: ListError,
    },
    /// Threads cannot be made.
    #[error("start the server's threads")]
    Threads(#[source] io::Error),
    /// The journal cannot be opened or read.
    #[error("open the journal")]
    Journal(#[from] SpoolError),
    /// A record of the journal is whole, but this version does not understand it, and the store does not have it yet.
    #[error("understand record {sequence} of the journal; start the version of bmon that wrote it")]
    Record {
        /// Number of the record.
        sequence: u64,
        /// Why.
        source: DecodeError,
    },
    /// The database cannot be opened or written.
    #[error("open the store")]
    Store(#[from] StoreError),
}

/// Where the database of a server is whose data directory is `data_dir`.
pub fn database_path(data_dir: &Path) -> PathBuf {
    data_dir.join("bmon.sqlite")
}

/// A running server. Dropping it stops it as [`Server::stop`] does.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    counters: Arc<Counters>,
    notices: Notices,
    wants: Wants,
    stopping: Arc<AtomicBool>,
    notifiers: Vec<Arc<dyn Notifier>>,
    http: Http,
    /// In the order in which they end.
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens journal and store, builds the state again from the journal, and listens.
    pub fn start(config: &Config) -> Result<Self, ServerError> {
        let counters = Arc::new(Counters::default());
        let mut http = Http::bind(config.listen)?;
        let Opened { store, journal, engine, time, accepted, watch_list } = open(config, &counters)?;
        let database = database_path(&config.data_dir);
        let (notices, stopping) = (Notices::default(), Arc::new(AtomicBool::new(false)));
        let wants = Wants::new(clock::now(), Arc::clone(&counters));
        let (deliveries, delivered) = sync_channel(WAITING);
        let (entries, entered) = sync_channel(WAITING);
        let (changes, to_write) = sync_channel(WAITING);
        let links = Links::new(config.external_url.as_deref(), http.address);
        let notifiers: Vec<_> =
            config.notifiers.iter().map(|(kind, target)| kind.at(target, &links)).collect();
        let mut notifying = Vec::new();
        let alerted = notify(&database, &notifiers, &counters, &mut notifying)?;

        let begun = Begun { engine, time, position: journal.last(), watch_list };
        let journal =
            Journal::new(journal, retention(config), Arc::clone(&accepted), Arc::clone(&counters), entries);
        let writer = Writer {
            store,
            notices: notices.clone(),
            counters: Arc::clone(&counters),
            transaction_retention: config.transaction_retention,
            alerted,
            silences: Vec::new(),
            stopping: Arc::clone(&stopping),
        };
        let (heard, counted) = (wants.clone(), Arc::clone(&counters));
        let mut threads = vec![
            spawn("bmon-journal", move || journal.run(&delivered))?,
            spawn("bmon-state", move || {
                pipeline::analyse(begun, &heard, &counted, &entered, &changes);
            })?,
            spawn("bmon-store", move || writer.run(&to_write))?,
        ];
        threads.append(&mut notifying);
        let ingest = Ingest {
            deliveries,
            accepted,
            tokens: Mutex::new(Reader::open(&database)?),
            permits: Permits::default(),
            counters: Arc::clone(&counters),
            wants: wants.clone(),
            max_batch_bytes: config.max_batch_bytes,
            max_batch_unpacked_bytes: config.max_batch_unpacked_bytes,
        };
        http.serve(ingest::router(ingest).merge(api::router(Api::new(
            database,
            notices.clone(),
            Arc::clone(&counters),
            wants.clone(),
            links,
            clock::now,
        ))));
        let address = http.address;
        Ok(Self { address, counters, notices, wants, stopping, notifiers, http, threads })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a thread has ended by itself, because the journal failed or by a defect: nothing is taken in any more.
    pub fn has_ended(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// What came in, and what became of it.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Ends connections, then writes what was accepted, then ends.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Relaxed);
        self.notices.close();
        self.wants.close();
        self.notifiers.iter().for_each(|notifier| notifier.interrupt());
        // The handlers hold the way to the journal thread: when they are gone the threads end one after another.
        self.http.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the server panicked");
            }
        }
    }
}

/// Starts a thread for each notifier, and gives the way to let each know that alerts changed.
fn notify(
    database: &Path,
    notifiers: &[Arc<dyn Notifier>],
    counters: &Arc<Counters>,
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<Vec<SyncSender<()>>, ServerError> {
    let mut alerted = Vec::new();
    for notifier in notifiers {
        let mut store = Store::open(database)?;
        store.add_notifier(notifier.kind().as_str(), clock::now())?;
        let (reader, counters) = (Reader::open(database)?, Arc::clone(counters));
        let notify = Notify { store, reader, notifier: Arc::clone(notifier), counters };
        // One that waits is enough: whoever takes it looks at all alerts.
        let (changed, waiting) = sync_channel(1);
        threads.push(spawn(&format!("bmon-{}", notifier.kind()), move || notify.run(&waiting))?);
        alerted.push(changed);
    }
    Ok(alerted)
}

/// What the threads start with.
struct Opened {
    store: Store,
    journal: Spool,
    engine: Engine,
    /// The last that the engine was told.
    time: EngineTime,
    accepted: Arc<Accepted>,
    watch_list: WatchList,
}

fn open(config: &Config, counters: &Counters) -> Result<Opened, ServerError> {
    let pools = pools::read(config.pools.as_deref())?;
    fs::create_dir_all(&config.data_dir)
        .map_err(|source| ServerError::DataDir { path: config.data_dir.clone(), source })?;
    let (mut journal, recovery) = journal::open(&config.data_dir.join("journal"), retention(config))?;
    if recovery.torn_bytes > 0 {
        tracing::warn!(bytes = recovery.torn_bytes, "cut an unfinished record off the journal");
    }
    let mut store = Store::open(&database_path(&config.data_dir))?;
    let (stored, last) = (store.journal_position()?, journal.last());
    if stored > last {
        tracing::error!(
            stored,
            last,
            "the journal is older than the database; what is missing in it is lost"
        );
        journal.skip_to(stored)?;
    }
    if journal.first() > stored + 1 {
        tracing::error!(
            stored,
            first = journal.first(),
            "the database is older than the journal; batches between the two are lost"
        );
        ingest::count(&counters.journal_damaged, journal.first() - stored - 1);
    }
    let accepted = Arc::new(Accepted::default());
    let settings = Settings { header_depth: config.header_depth, ..Settings::default() };
    let mut engine =
        restored(&Reader::open(&database_path(&config.data_dir))?, settings, pools, clock::now())?;
    let mut watch_list = WatchList::new(Reader::open(&database_path(&config.data_dir))?);
    watch_list.take_up(&mut engine)?;
    let time =
        Replay { engine: &mut engine, store: &mut store, accepted: &accepted, counters }.run(&journal)?;
    Ok(Opened { store, journal, engine, time, accepted, watch_list })
}

/// An engine that knows what earlier ones said of the networks: what lasts longer than the journal goes on, and what
/// happened while no server ran is found by what the nodes say now.
fn restored(
    reader: &Reader,
    settings: Settings,
    pools: Pools,
    now: ServerTime,
) -> Result<Engine, StoreError> {
    let mut engine = Engine::new(settings).with_pools(pools);
    for row in reader.last_headers(settings.header_depth)? {
        engine.restore_header(&row);
    }
    for row in reader.last_miners(network::DEPTH)? {
        engine.restore_miner(row);
    }
    for row in reader.last_raw_blocks(RESTORED_BLOCKS)? {
        engine.restore_raw_block(&row);
    }
    for row in reader.nodes()? {
        engine.restore_node(&row);
    }
    engine.begin_tx_chunks_after(reader.last_tx_chunk()?);
    reader.tx_chunks_since(now.plus_micros(-RESTORED_TRANSACTIONS_US), |chunk| {
        engine.restore_tx_chunk(&chunk);
    })?;
    let open_since = Engine::open_hours_since(now);
    reader.tx_hours(open_since.plus_micros(-RESTORED_HOURS_US), open_since, |hour| {
        engine.restore_tx_spread(&hour);
    })?;
    for analysis in network::analysis::ALL {
        let most = if analysis.id == BLOCK_TIMES { RESTORED_RECORDS } else { RESTORED };
        for finding in reader.findings(analysis.id, most, None)?.items {
            engine.restore_finding(finding);
        }
    }
    // The open ones last: whatever else was restored knows nothing of them.
    for alert in reader.alerts(RESTORED, None)?.items {
        engine.restore_alert(alert);
    }
    for alert in reader.open_alerts(RESTORED, None)?.items {
        engine.restore_alert(alert);
    }
    Ok(engine)
}

const fn retention(config: &Config) -> Retention {
    Retention { horizon: config.journal_horizon, max_bytes: config.journal_max_bytes }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServerError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(ServerError::Threads)
}
