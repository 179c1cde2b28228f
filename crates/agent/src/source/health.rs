//! The agent about itself.

use std::{sync::Arc, time::Duration};

use bmon_event::{Kind, MetricsAddress, Source, event::AgentHealth};

use super::{Context, Reader};
use crate::{config::Config, outbox::Outbox};

/// Tells the agent's own counters at an interval.
pub(crate) struct Health {
    interval: Duration,
    outbox: Arc<Outbox>,
    metrics_address: Option<MetricsAddress>,
}

impl Health {
    pub(crate) fn new(config: &Config, outbox: Arc<Outbox>) -> Self {
        Self {
            interval: Duration::from_millis(config.interval.health_ms),
            outbox,
            metrics_address: config.metrics_address.clone(),
        }
    }
}

impl Reader for Health {
    fn source(&self) -> Source {
        Source::Agent
    }

    fn run(self: Box<Self>, context: Context) {
        let started_at = context.clock.now();
        while !context.stop.wait(self.interval) {
            let counted = context.counters.read(started_at, self.outbox.backlog());
            let health = AgentHealth { metrics_address: self.metrics_address.clone(), ..counted };
            if context.outlet.tell(context.clock.now(), Kind::AgentHealth(health)).is_err() {
                return;
            }
        }
    }
}
