use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bmon_event::{Epoch, NodeName};

/// The highest sequence of each node and epoch that is durable in the journal.
#[derive(Debug, Default)]
pub(crate) struct Accepted(Mutex<HashMap<(NodeName, Epoch), u64>>);

impl Accepted {
    /// The highest sequence, 0 when there is none.
    pub(crate) fn highest(&self, node: &NodeName, epoch: Epoch) -> u64 {
        self.lock().get(&(node.clone(), epoch)).copied().unwrap_or(0)
    }

    /// Notes sequences; a lower one than before changes nothing.
    pub(crate) fn raise(&self, sequences: impl IntoIterator<Item = ((NodeName, Epoch), u64)>) {
        let mut accepted = self.lock();
        for (key, sequence) in sequences {
            let highest = accepted.entry(key).or_default();
            *highest = sequence.max(*highest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(NodeName, Epoch), u64>> {
        // Every change is one assignment, so that a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
