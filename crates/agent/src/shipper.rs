//! Delivers the spool's batches to the server, one at a time, in order, until each is acknowledged.

use std::{
    fmt,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
    time::Duration,
};

use bmon_event::{Source, event::Gap};

use crate::{
    clock::Clock,
    health::{Counters, DropReason},
    link::{Link, LinkError},
    outbox::{Loss, Next, Outbox},
    source::Report,
    spooler::{Message, gap_event},
    stop::Stop,
};

/// The first pause after a failure; it doubles up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The pause after the server refused the token: a person must act.
const REFUSED_PAUSE: Duration = Duration::from_secs(10);
/// How long to wait for a batch before the spooler is told again that there is none.
const PATIENCE: Duration = Duration::from_secs(1);

/// How delivery to the server goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// The server has not been reached yet.
    #[default]
    Connecting,
    /// The last exchange succeeded.
    Working,
    /// The server cannot be reached or is not ready. What is seen meanwhile waits in the spool.
    Waiting(String),
    /// The server refuses the token, or what answers is no server, or the spool is not what the server knows of it.
    Refused(String),
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("connecting"),
            Self::Working => f.write_str("working"),
            Self::Waiting(reason) => write!(f, "waiting: {reason}"),
            Self::Refused(reason) => write!(f, "refused: {reason}"),
        }
    }
}

/// Where the shipper tells how it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryState(Arc<Mutex<Delivery>>);

impl DeliveryState {
    /// How it goes.
    pub(crate) fn get(&self) -> Delivery {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, new: Delivery) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == new {
            return;
        }
        match &new {
            Delivery::Connecting | Delivery::Working => tracing::info!("the server takes batches"),
            Delivery::Waiting(reason) => tracing::warn!(reason, "batches wait for the server"),
            Delivery::Refused(reason) => tracing::error!(reason, "the server refuses batches"),
        }
        *current = new;
    }
}

/// Works in a thread of its own.
pub(crate) struct Shipper {
    pub(crate) link: Link,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) spooler: SyncSender<Message>,
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    pub(crate) state: DeliveryState,
    pub(crate) stop: Stop,
}

impl Shipper {
    /// Works until asked to stop.
    pub(crate) fn run(self) {
        let mut pause = SHORTEST_PAUSE;
        let mut resumed = false;
        while !self.stop.is_set() {
            let step = if resumed { self.ship_next() } else { self.resume().inspect(|()| resumed = true) };
            match step {
                Ok(()) => pause = SHORTEST_PAUSE,
                Err(error) => {
                    pause = self.wait_after(&error, pause);
                }
            }
        }
    }

    /// Asks the server how much it has, so that delivery goes on behind it.
    fn resume(&self) -> Result<(), LinkError> {
        let accepted = self.link.position(self.outbox.epoch())?;
        if accepted > self.outbox.last() {
            let last = self.outbox.last();
            return Err(LinkError::Refused(format!(
                "the server has {accepted} batches of this spool, which ends at {last}: the spool is an old copy; \
                 remove its directory"
            )));
        }
        self.release(accepted);
        let first = self.outbox.first();
        if accepted + 1 < first {
            self.pass_over(&(accepted + 1..=first - 1));
        }
        self.state.set(Delivery::Working);
        Ok(())
    }

    fn ship_next(&self) -> Result<(), LinkError> {
        let mut next = self.outbox.next(Duration::ZERO);
        if matches!(next, Next::Nothing) {
            // Events may have gathered while this was busy. If the channel is full, the spooler is awake anyway.
            let _ = self.spooler.try_send(Message::ShipperIdle);
            next = self.outbox.next(PATIENCE);
        }
        match next {
            Next::Batch(sequence, bytes) => self.deliver(sequence, &bytes)?,
            Next::Missing(range) => self.pass_over(&range),
            Next::Nothing => {}
            Next::Unreadable(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "failed to read the spool");
                self.stop.wait(LONGEST_PAUSE);
            }
        }
        Ok(())
    }

    fn deliver(&self, sequence: u64, bytes: &[u8]) -> Result<(), LinkError> {
        match self.link.deliver(bytes) {
            Ok(_) => {
                self.counters.add_delivered(bytes.len() as u64);
                self.state.set(Delivery::Working);
            }
            Err(LinkError::Unusable { status, problem }) => {
                let mut loss = Loss::default();
                loss.add(bytes);
                let reason = format!("the server cannot use batch {sequence}: {status} {problem}");
                self.give_up(DropReason::Unusable, loss.into_gap(self.clock.now(), reason));
            }
            Err(error) => return Err(error),
        }
        self.release(sequence);
        Ok(())
    }

    fn pass_over(&self, range: &RangeInclusive<u64>) {
        let reason =
            format!("batches {} to {} cannot be read back from the spool", range.start(), range.end());
        let gap = Gap { source: Source::Agent, from: None, to: self.clock.now(), lost: None, reason };
        self.give_up(DropReason::Unreadable, gap);
        self.release(*range.end());
    }

    fn give_up(&self, why: DropReason, gap: Gap) {
        tracing::error!(reason = gap.reason, "batches were given up");
        self.counters.add_dropped(why, gap.lost.unwrap_or_default());
        let event = gap_event(gap, self.clock.now());
        // Without a spooler the agent is ending, and the batch is found and given up again.
        let _ = self.spooler.send(Message::Report(Report { events: vec![event], position: None }));
    }

    fn release(&self, sequence: u64) {
        if let Err(error) = self.outbox.release(sequence) {
            tracing::error!(error = &error as &dyn std::error::Error, "failed to free a part of the spool");
        }
    }

    /// Tells what is wrong and waits. Returns the pause for the next failure.
    fn wait_after(&self, error: &LinkError, pause: Duration) -> Duration {
        let reason = chain(error);
        let waited = match error {
            LinkError::Refused(_) | LinkError::NotAServer(_) => {
                self.state.set(Delivery::Refused(reason));
                REFUSED_PAUSE
            }
            _ => {
                self.state.set(Delivery::Waiting(reason));
                pause
            }
        };
        self.stop.wait(waited);
        (pause * 2).min(LONGEST_PAUSE)
    }
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
