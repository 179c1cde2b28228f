use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bmon_event::ServerTime;
use bmon_store::{Reader, StoreError};
use tokio::sync::Semaphore;

use super::{Notices, Refusal};
use crate::{Links, ingest::Counters, want::Wants};

/// Most queries at once. `SQLite` answers in microseconds to milliseconds; more connections would only cost memory.
const READERS: usize = 4;

/// What the endpoints share.
#[derive(Clone, Debug)]
pub struct Api(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    database: PathBuf,
    idle: Mutex<Vec<Reader>>,
    free: Semaphore,
    notices: Notices,
    counters: Arc<Counters>,
    wants: Wants,
    links: Links,
    clock: fn() -> ServerTime,
    started_at: ServerTime,
}

impl Api {
    /// An API over `database`, which exists, that passes on `notices`, shows the `counters` of what came in, asks
    /// agents by `wants`, names addresses by `links`, and reads the time from `clock`.
    pub fn new(
        database: PathBuf,
        notices: Notices,
        counters: Arc<Counters>,
        wants: Wants,
        links: Links,
        clock: fn() -> ServerTime,
    ) -> Self {
        let idle = Mutex::new(Vec::new());
        let free = Semaphore::new(READERS);
        Self(Arc::new(Shared {
            database,
            idle,
            free,
            notices,
            counters,
            wants,
            links,
            clock,
            started_at: clock(),
        }))
    }

    /// The time.
    pub(crate) fn now(&self) -> ServerTime {
        (self.0.clock)()
    }

    /// When the server started.
    pub(crate) fn started_at(&self) -> ServerTime {
        self.0.started_at
    }

    /// The notices of what changed.
    pub(crate) fn notices(&self) -> &Notices {
        &self.0.notices
    }

    /// What is wanted of agents.
    pub(crate) fn wants(&self) -> &Wants {
        &self.0.wants
    }

    /// Where others reach the server.
    pub(crate) fn links(&self) -> &Links {
        &self.0.links
    }

    /// What came in since the server started.
    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// What `query` reads, on a thread that may wait for the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let _permit = self.0.free.acquire().await.expect("nothing closes the semaphore");
        let shared = Arc::clone(&self.0);
        let reading = tokio::task::spawn_blocking(move || shared.read(query));
        let result = reading.await.map_err(|error| Refusal::internal(&error))?;
        result.map_err(|error| Refusal::internal(&error))
    }
}

impl Shared {
    fn read<T>(&self, query: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A query that panics leaves the list as it was: its reader is dropped.
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = idle.map_or_else(|| Reader::open(&self.database), Ok)?;
        let result = query(&reader);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        result
    }
}
