use std::{path::PathBuf, time::Instant};

use bmon_event::{Kind, Source, Want, Wanted};

use super::{
    ANSWER_BYTES, ANSWER_BYTES_PER_MINUTE, Bounds, PROBLEM_BYTES, READ_BYTES, READ_BYTES_PER_MINUTE,
    desk::{Desk, Order, Refused, Wanting},
    log_lines::Request,
    per_minute::PerMinute,
};
use crate::{
    clock,
    config::LogConfig,
    shipper::chain,
    source::{Context, Reader},
};

/// Fulfils wants, one after the other.
pub(crate) struct Clerk {
    desk: Desk,
    /// The node's log, `None` if it is not read.
    log: Option<PathBuf>,
    readable: PerMinute,
    tellable: PerMinute,
}

/// What became of a want.
struct Answer {
    kind: Kind,
    log_bytes: u64,
}

impl Clerk {
    pub(crate) fn new(desk: Desk, log: Option<&LogConfig>) -> Self {
        Self {
            desk,
            log: log.map(|log| log.path.clone()),
            readable: PerMinute::new(READ_BYTES_PER_MINUTE),
            tellable: PerMinute::new(ANSWER_BYTES_PER_MINUTE),
        }
    }

    fn answer(&mut self, order: Order, is_stopped: impl Fn() -> bool) -> Answer {
        let Wanting { want, until } = match order {
            Order::Refuse(Refused { want, reason }) => return refusal(want, reason),
            Order::Fulfil(wanting) => wanting,
        };
        let now = clock::instant();
        let bounds = Bounds {
            read_bytes: READ_BYTES.min(self.readable.left(now)),
            answer_bytes: self.room(&want, now),
        };
        if now >= until {
            return refusal(want.id, "its time was over before its turn came");
        }
        if bounds.read_bytes == 0 || bounds.answer_bytes == 0 {
            return refusal(
                want.id,
                "no room for an answer: there is none in the want, or the wants of the last minute took it",
            );
        }
        let answer = self.fulfil(&want, bounds, &|| is_stopped() || clock::instant() >= until);
        self.readable.spend(answer.log_bytes);
        if let Kind::LogLines(lines) = &answer.kind {
            self.tellable.spend(lines.bytes() as u64);
        }
        answer
    }

    /// Bytes that what is wanted may have.
    fn room(&mut self, want: &Want, now: Instant) -> u64 {
        want.max_bytes.min(ANSWER_BYTES).min(self.tellable.left(now)).saturating_sub(PROBLEM_BYTES)
    }

    fn fulfil(&self, want: &Want, bounds: Bounds, is_over: &dyn Fn() -> bool) -> Answer {
        match want.what {
            Wanted::LogLines { subject, from, to } => {
                let Some(path) = &self.log else {
                    return refusal(want.id, "the agent does not read the node's log");
                };
                let found = Request { path, subject, from, to, bounds }.fulfil(is_over);
                let kind = match found.lines {
                    Ok(lines) => lines.into_kind(want.id, subject),
                    Err(error) => refused(want.id, format!("failed to {}", chain(&error))),
                };
                Answer { kind, log_bytes: found.read_bytes }
            }
        }
    }
}

fn refused(want: u64, reason: impl Into<String>) -> Kind {
    Kind::WantRefused { want, reason: reason.into() }
}

fn refusal(want: u64, reason: &str) -> Answer {
    Answer { kind: refused(want, reason), log_bytes: 0 }
}

impl Reader for Clerk {
    fn source(&self) -> Source {
        Source::Agent
    }

    fn run(mut self: Box<Self>, context: Context) {
        let desk = self.desk.clone();
        context.stop.interrupts(Box::new(move || desk.close()));
        while let Some(order) = self.desk.next() {
            let Answer { kind, log_bytes } = self.answer(order, || context.stop.is_set());
            context.counters.add_want(!matches!(kind, Kind::WantRefused { .. }), log_bytes);
            if context.outlet.tell(context.clock.now(), kind).is_err() {
                return;
            }
        }
    }
}
