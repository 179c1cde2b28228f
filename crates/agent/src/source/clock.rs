//! How far the host's clock is from the server's.
//!
//! One exchange takes four stamps: the agent's on sending (t1), the server's on receiving (t2) and sending (t3), the
//! agent's on receiving (t4). The server's clock less the agent's lies in [t3 − t4, t2 − t1], however the path delays
//! either direction. The tightest of some exchanges is told as an event.

use std::time::{Duration, Instant};

use bmon_event::{AgentTime, Kind, Source, event::ClockSample};

use super::{Context, Reader};
use crate::{
    clock,
    config::{IntervalConfig, ServerConfig},
    link::{Link, Stamps},
};

/// Exchanges times with the server over a connection of its own, which nothing else delays.
pub(crate) struct ClockExchange {
    link: Link,
    exchange: Duration,
    sample: Duration,
}

impl ClockExchange {
    pub(crate) fn new(server: &ServerConfig, intervals: &IntervalConfig) -> Self {
        Self {
            link: Link::new(server),
            exchange: Duration::from_millis(intervals.clock_exchange_ms),
            sample: Duration::from_millis(intervals.clock_sample_ms),
        }
    }
}

impl Reader for ClockExchange {
    fn source(&self) -> Source {
        Source::Agent
    }

    fn run(self: Box<Self>, context: Context) {
        context.stop.interrupts(Box::new(self.link.interrupter()));
        let mut best: Option<ClockSample> = None;
        // The first sample is told at once, so that the first events have a bound.
        let mut due: Option<Instant> = None;
        while !context.stop.is_set() {
            let sent = context.clock.now();
            if let Ok(stamps) = self.link.time() {
                let sample = sample(sent, stamps, context.clock.now());
                best = best.into_iter().chain([sample]).min_by_key(width);
            }
            let now = clock::instant();
            if due.is_none_or(|due| now >= due)
                && let Some(sample) = best.take()
            {
                due = Some(now + self.sample);
                if context.outlet.tell(context.clock.now(), Kind::Clock(sample)).is_err() {
                    return;
                }
            }
            context.stop.wait(self.exchange);
        }
    }
}

fn sample(sent: AgentTime, stamps: Stamps, received: AgentTime) -> ClockSample {
    ClockSample {
        at: received,
        offset_min_us: stamps.sent.as_micros() - received.as_micros(),
        offset_max_us: stamps.received.as_micros() - sent.as_micros(),
    }
}

/// How much the sample leaves open. Negative when a clock stepped during the exchange: such a sample says nothing.
fn width(sample: &ClockSample) -> u64 {
    u64::try_from(sample.offset_max_us.saturating_sub(sample.offset_min_us)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use bmon_event::ServerTime;

    use super::*;

    #[test]
    fn the_offset_lies_between_the_bounds_whatever_the_delays() {
        // The server's clock is 1000 µs ahead; the request took 30 µs, the server 5 µs, the answer 400 µs.
        let stamps = Stamps { received: ServerTime::from_micros(1030), sent: ServerTime::from_micros(1035) };
        let sample = sample(AgentTime::from_micros(0), stamps, AgentTime::from_micros(435));
        assert_eq!((sample.offset_min_us, sample.offset_max_us), (600, 1030));
        assert!((sample.offset_min_us..=sample.offset_max_us).contains(&1000));
    }

    #[test]
    fn an_exchange_during_which_a_clock_stepped_is_never_the_tightest() {
        let at = AgentTime::from_micros(0);
        let good = ClockSample { at, offset_min_us: -100, offset_max_us: 100 };
        let stepped = ClockSample { at, offset_min_us: 100, offset_max_us: -100 };
        assert_eq!([stepped, good].into_iter().min_by_key(width), Some(good));
    }
}
