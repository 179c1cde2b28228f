//! The watch list, as `bmon watch` leaves it in the database: the engine takes it up at the start and once a second.

use std::collections::{BTreeMap, BTreeSet};

use bmon_analysis::{Engine, watch::WatchItem};
use bmon_event::Network;
use bmon_store::{Reader, StoreError, Watched};

/// The watch list and what of it the engine knows.
#[derive(Debug)]
pub(crate) struct WatchList {
    reader: Reader,
    known: BTreeMap<Network, BTreeSet<WatchItem>>,
    /// It could not be read when it was last tried.
    is_failing: bool,
}

impl WatchList {
    /// The list in the database of `reader`, of which no engine knows anything yet.
    pub(crate) const fn new(reader: Reader) -> Self {
        Self { reader, known: BTreeMap::new(), is_failing: false }
    }

    /// Lets the engine watch what is on the list. If it cannot be read now, what was watched goes on.
    pub(crate) fn follow(&mut self, engine: &mut Engine) {
        let followed = self.take_up(engine);
        if let Err(error) = &followed
            && !self.is_failing
        {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "cannot read the watch list; trying again"
            );
        }
        self.is_failing = followed.is_err();
    }

    /// The same, for whoever cannot go on without.
    pub(crate) fn take_up(&mut self, engine: &mut Engine) -> Result<(), StoreError> {
        let mut items: BTreeMap<Network, BTreeSet<WatchItem>> = BTreeMap::new();
        for Watched { network, item, .. } in self.reader.watch_list()? {
            items.entry(network).or_default().insert(item);
        }
        let networks: BTreeSet<Network> = items.keys().chain(self.known.keys()).copied().collect();
        for network in networks {
            let now = items.remove(&network).unwrap_or_default();
            let before = self.known.get(&network).cloned().unwrap_or_default();
            if now == before {
                continue;
            }
            engine.set_watch_items(network, now.clone());
            for item in now.difference(&before) {
                self.recall(engine, network, item)?;
            }
            self.known.insert(network, now);
        }
        Ok(())
    }

    /// Tells the engine what the store knows of an item: what was found of it, and what nodes told before it was watched.
    fn recall(&self, engine: &mut Engine, network: Network, item: &WatchItem) -> Result<(), StoreError> {
        for finding in self.reader.watch_steps(&network, item)? {
            engine.restore_finding(finding);
        }
        if let WatchItem::Tx(txid) = item
            && let Some(times) = self.reader.tx(txid)?.filter(|times| times.network == network)
        {
            engine.restore_watched_tx(network, *txid, times.nodes);
        }
        Ok(())
    }
}
