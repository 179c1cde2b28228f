//! How far the host's clock is from the server's.
//!
//! One exchange takes four stamps: the agent's on sending (t1), the server's on receiving (t2) and sending (t3), the
//! agent's on receiving (t4). The server's clock less the agent's lies in [t3 − t4, t2 − t1], however the path delays
//! either direction. The tightest of some exchanges is told as an event.

use std::time::{Duration, Instant};

use bmon_event::{AgentTime, Kind, Source, event::ClockSample};

use super::{Context, Reader};
use crate::{
    clock::Reading,
    config::{IntervalConfig, ServerConfig},
    link::{Link, Stamps},
    want::Desk,
};

/// Exchanges times with the server over a connection of its own, which nothing else delays.
pub(crate) struct ClockExchange {
    link: Link,
    exchange: Duration,
    sample: Duration,
}

impl ClockExchange {
    pub(crate) fn new(server: &ServerConfig, intervals: &IntervalConfig, desk: &Desk) -> Self {
        Self {
            link: Link::new(server, desk.clone()),
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
        let mut tightest = Tightest::new(self.sample);
        while !context.stop.is_set() {
            let sent = context.clock.read();
            if let Ok(stamps) = self.link.time() {
                tightest.note(sent, stamps, context.clock.read());
            }
            let told = tightest.take_due(context.clock.read());
            if let Some(sample) = told
                && context.outlet.tell(context.clock.now(), Kind::Clock(sample)).is_err()
            {
                return;
            }
            context.stop.wait(self.exchange);
        }
    }
}

/// The tightest exchange since one was told. After the host's clock was set nothing from before counts, and the next
/// exchange is told at once: until then the server takes the clock for what it was.
struct Tightest {
    every: Duration,
    best: Option<ClockSample>,
    /// When the next one is told, `None` for at once: so that the first events, too, have a bound.
    due: Option<Instant>,
    last: Option<Reading>,
}

impl Tightest {
    const fn new(every: Duration) -> Self {
        Self { every, best: None, due: None, last: None }
    }

    fn note(&mut self, sent: Reading, stamps: Stamps, received: Reading) {
        self.watch(sent);
        if self.watch(received) {
            return;
        }
        let sample = sample(sent.at, stamps, received.at);
        self.best = self.best.into_iter().chain([sample]).min_by_key(width);
    }

    /// The sample to tell now, if it is time.
    fn take_due(&mut self, now: Reading) -> Option<ClockSample> {
        self.watch(now);
        if self.due.is_some_and(|due| now.instant < due) {
            return None;
        }
        let sample = self.best.take()?;
        self.due = Some(now.instant + self.every);
        Some(sample)
    }

    /// Whether the clock was set since the last reading; if so, forgets what was measured.
    fn watch(&mut self, now: Reading) -> bool {
        let was_set = self.last.replace(now).is_some_and(|last| last.was_set_before(now));
        if was_set {
            (self.best, self.due) = (None, None);
        }
        was_set
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
    use crate::clock;

    const SECOND: Duration = Duration::from_secs(1);

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

    /// A clock that is read every second, and a server with the same time whose answer takes as long as said.
    struct Host {
        start: Instant,
        elapsed: Duration,
        set_by_us: i64,
        tightest: Tightest,
    }

    impl Host {
        fn new() -> Self {
            let tightest = Tightest::new(10 * SECOND);
            Self { start: clock::instant(), elapsed: Duration::ZERO, set_by_us: 0, tightest }
        }

        fn read(&self) -> Reading {
            let us = i64::try_from(self.elapsed.as_micros()).unwrap();
            let at = AgentTime::from_micros(1_000_000_000 + us + self.set_by_us);
            Reading { at, instant: self.start + self.elapsed }
        }

        fn exchange(&mut self, took_us: u64, set_meanwhile_us: i64) -> Option<ClockSample> {
            self.elapsed += SECOND;
            let sent = self.read();
            let us = 1_000_000_000 + i64::try_from(self.elapsed.as_micros()).unwrap();
            let stamps = Stamps { received: ServerTime::from_micros(us), sent: ServerTime::from_micros(us) };
            self.elapsed += Duration::from_micros(took_us);
            self.set_by_us += set_meanwhile_us;
            self.tightest.note(sent, stamps, self.read());
            self.tightest.take_due(self.read())
        }
    }

    #[test]
    fn the_first_exchange_is_told_at_once_and_then_the_tightest_of_ten_seconds() {
        let mut host = Host::new();
        assert!(host.exchange(300, 0).is_some());
        let told: Vec<_> = (0..11).map(|n| host.exchange(300 - n, 0)).collect();
        assert_eq!(told.iter().flatten().count(), 1);
        assert_eq!(told[9].map(|sample| width(&sample)), Some(291));
    }

    #[test]
    fn after_the_clock_was_set_the_next_exchange_is_told_at_once() {
        for set_by_us in [-5_000_000, 2_000, 3_600_000_000] {
            let mut host = Host::new();
            assert!(host.exchange(100, 0).is_some());
            assert_eq!(host.exchange(50, 0), None);
            host.set_by_us = set_by_us;
            let told = host.exchange(900, 0).unwrap();
            assert_eq!((told.offset_min_us, told.offset_max_us), (-set_by_us - 900, -set_by_us));
        }
    }

    #[test]
    fn an_exchange_during_which_the_clock_was_set_is_not_told() {
        let mut host = Host::new();
        assert_eq!(host.exchange(100, -2_000), None);
        let told = host.exchange(100, 0).unwrap();
        assert_eq!((told.offset_min_us, told.offset_max_us), (1_900, 2_000));
    }

    #[test]
    fn what_drift_and_a_busy_machine_make_of_a_second_is_not_a_clock_that_was_set() {
        let mut host = Host::new();
        assert!(host.exchange(100, 0).is_some());
        host.set_by_us = 900;
        assert_eq!(host.exchange(100, 0), None);
    }
}
