//! The agent about itself.

use std::{sync::Arc, time::Duration};

use bmon_event::{Kind, Source};

use super::{Context, Reader};
use crate::{config::IntervalConfig, outbox::Outbox};

/// Tells the agent's own counters at an interval.
pub(crate) struct Health {
    interval: Duration,
    outbox: Arc<Outbox>,
}

impl Health {
    pub(crate) fn new(intervals: &IntervalConfig, outbox: Arc<Outbox>) -> Self {
        Self { interval: Duration::from_millis(intervals.health_ms), outbox }
    }
}

impl Reader for Health {
    fn source(&self) -> Source {
        Source::Agent
    }

    fn run(self: Box<Self>, context: Context) {
        let started_at = context.clock.now();
        while !context.stop.wait(self.interval) {
            let health = context.counters.read(started_at, self.outbox.backlog());
            if context.outlet.tell(context.clock.now(), Kind::AgentHealth(health)).is_err() {
                return;
            }
        }
    }
}
