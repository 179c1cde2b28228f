//! One batch of each node at a time. In memory a batch is many times as large as on the wire: a node that delivers
//! faster than its batches are analysed waits, and holds up no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bmon_event::NodeName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refusal;

/// How long a batch waits for the one before it: far longer than the analysis of one takes.
const PATIENCE: Duration = Duration::from_secs(2);

/// The permits of all nodes that have delivered.
#[derive(Debug, Default)]
pub(crate) struct Permits(Mutex<HashMap<NodeName, Arc<Semaphore>>>);

/// Goes with a batch from before it is decoded until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Permits {
    /// The permit of `node`, refused when its batch before takes too long.
    pub(crate) async fn take(&self, node: &NodeName) -> Result<Permit, Refusal> {
        let taken = tokio::time::timeout(PATIENCE, self.of(node).acquire_owned()).await;
        // No semaphore is ever closed.
        taken.ok().and_then(Result::ok).map(Permit).ok_or(Refusal::Busy)
    }

    fn of(&self, node: &NodeName) -> Arc<Semaphore> {
        // Every change is one insertion, so that a panic elsewhere leaves nothing half done.
        let mut permits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(permits.entry(node.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }
}

#[cfg(test)]
impl Permit {
    /// One that nobody else waits for.
    pub(crate) fn alone() -> Self {
        Self(Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_batch_of_a_node_waits_for_the_first_and_holds_up_no_other_node() {
        let permits = Permits::default();
        let [alice, bob] = ["alice", "bob"].map(|name| name.parse::<NodeName>().unwrap());
        let first = permits.take(&alice).await.unwrap();
        assert!(matches!(permits.take(&alice).await, Err(Refusal::Busy)));
        permits.take(&bob).await.unwrap();
        let waiting = permits.take(&alice);
        drop(first);
        waiting.await.unwrap();
    }
}
