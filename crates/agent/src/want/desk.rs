use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bmon_event::Want;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{HEEDED_PER_MINUTE, REFUSALS_WAITING, WAITING, per_minute::PerMinute};
use crate::health::Counters;

/// Ids that are remembered, so that a want that stands in several answers is heeded once: those of some minutes.
const KNOWN: usize = 4 * HEEDED_PER_MINUTE;

/// Longest time for which a want is kept.
const LONGEST: Duration = Duration::from_mins(1);

/// Takes wants in without waiting, and keeps them for the clerk. Clones are the same desk.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Inner>);

struct Inner {
    orders: Mutex<Orders>,
    changed: Condvar,
    counters: Counters,
}

struct Orders {
    wanted: VecDeque<Wanting>,
    refused: VecDeque<Refused>,
    known: VecDeque<u64>,
    heeded: PerMinute,
    closed: bool,
}

/// A want that is to be fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanting {
    pub(super) want: Want,
    /// When an answer is of no use any more.
    pub(super) until: Instant,
}

/// A want that is not even tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) want: u64,
    pub(super) reason: &'static str,
}

/// What the clerk does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    Fulfil(Wanting),
    Refuse(Refused),
}

/// What even a want of an unknown kind has.
#[derive(Deserialize)]
struct Named {
    id: u64,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("waiting", &self.lock().wanted.len()).finish_non_exhaustive()
    }
}

impl Desk {
    pub(crate) fn new(counters: Counters) -> Self {
        let orders = Orders {
            wanted: VecDeque::new(),
            refused: VecDeque::new(),
            known: VecDeque::new(),
            heeded: PerMinute::new(HEEDED_PER_MINUTE as u64),
            closed: false,
        };
        Self(Arc::new(Inner { orders: Mutex::new(orders), changed: Condvar::new(), counters }))
    }

    /// Takes in the wants of one answer, which are the server's bytes.
    pub(crate) fn take(&self, wants: &[Box<RawValue>], now: Instant) {
        if wants.is_empty() {
            return;
        }
        let mut orders = self.lock();
        for want in wants {
            let Ok(Named { id }) = serde_json::from_str(want.get()) else {
                self.0.counters.add_want(false, 0);
                continue;
            };
            if !orders.known.contains(&id) && !orders.heed(id, serde_json::from_str(want.get()).ok(), now) {
                self.0.counters.add_want(false, 0);
            }
        }
        drop(orders);
        self.0.changed.notify_all();
    }

    /// Waits for what is to be done next. `None` once closed.
    pub(super) fn next(&self) -> Option<Order> {
        let idle =
            |orders: &mut Orders| !orders.closed && orders.refused.is_empty() && orders.wanted.is_empty();
        let waited = self.0.changed.wait_while(self.lock(), idle);
        let mut orders = waited.unwrap_or_else(PoisonError::into_inner);
        if orders.closed {
            return None;
        }
        let refused = orders.refused.pop_front().map(Order::Refuse);
        refused.or_else(|| orders.wanted.pop_front().map(Order::Fulfil))
    }

    /// Ends the clerk's waiting for good.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        // Every change is a push or a pop, so that a panic elsewhere leaves nothing half done.
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    /// Queues what is to be done about a want, which is `None` if it was not understood. Returns whether it is heeded at
    /// all; the refusals among what is queued are counted when they are told.
    fn heed(&mut self, id: u64, want: Option<Want>, now: Instant) -> bool {
        if self.heeded.left(now) == 0 || self.refused.len() >= REFUSALS_WAITING {
            return false;
        }
        self.heeded.spend(1);
        if self.known.len() == KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(id);
        match want {
            None => self.refuse(id, "this version of bmon does not know what is wanted"),
            Some(_) if self.wanted.len() >= WAITING => self.refuse(id, "too many wants are waiting"),
            Some(want) => {
                let until = now + Duration::from_millis(want.within_ms).min(LONGEST);
                self.wanted.push_back(Wanting { want, until });
            }
        }
        true
    }

    fn refuse(&mut self, want: u64, reason: &'static str) {
        self.refused.push_back(Refused { want, reason });
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::AgentTime;

    use super::*;
    use crate::{clock, health::Backlog};

    fn want(id: u64) -> Box<RawValue> {
        raw(&format!(
            r#"{{"id":{id},"within_ms":18446744073709551615,"max_bytes":9,"kind":"log-lines","subject":"tx {}",
                "from_us":1,"to_us":2}}"#,
            "07".repeat(32)
        ))
    }

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn desk() -> (Desk, Counters) {
        let counters = Counters::default();
        (Desk::new(counters.clone()), counters)
    }

    fn refused(counters: &Counters) -> u64 {
        counters.read(AgentTime::default(), Backlog::default()).wants_refused
    }

    /// The ids of what waits: to be fulfilled, and to be refused.
    fn waiting(desk: &Desk) -> (Vec<u64>, Vec<u64>) {
        let orders = desk.lock();
        (
            orders.wanted.iter().map(|wanting| wanting.want.id).collect(),
            orders.refused.iter().map(|refused| refused.want).collect(),
        )
    }

    #[test]
    fn a_want_that_stands_in_several_answers_is_heeded_once() {
        let ((desk, counters), now) = (desk(), clock::instant());
        for _ in 0..3 {
            desk.take(&[want(1), want(2)], now);
        }
        assert_eq!(waiting(&desk), (vec![1, 2], vec![]));
        let Some(Order::Fulfil(first)) = desk.next() else { unreachable!("two wait") };
        assert_eq!((first.want.id, first.until), (1, now + LONGEST));
        desk.take(&[want(1)], now);
        assert_eq!((waiting(&desk), refused(&counters)), ((vec![2], vec![]), 0));
    }

    #[test]
    fn what_is_not_understood_is_refused_if_it_has_a_name_and_counted_if_not() {
        let ((desk, counters), now) = (desk(), clock::instant());
        let newer = r#"{"id":7,"within_ms":1,"max_bytes":1,"kind":"coinbase","block":1}"#;
        desk.take(&[raw(newer), raw("null"), raw("[]"), raw(r#"{"id":-1}"#), raw(r#"{"id":8}"#)], now);
        assert_eq!((waiting(&desk), refused(&counters)), ((vec![], vec![7, 8]), 3));
        assert!(matches!(desk.next(), Some(Order::Refuse(Refused { want: 7, .. }))));
    }

    #[test]
    fn a_server_that_wants_without_end_fills_nothing() {
        let ((desk, counters), now) = (desk(), clock::instant());
        for id in 0..10_000 {
            desk.take(&[want(id)], now);
        }
        let (wanted, turned_away) = waiting(&desk);
        assert_eq!((wanted.len(), turned_away.len()), (WAITING, HEEDED_PER_MINUTE - WAITING));
        assert_eq!(refused(&counters), 10_000 - HEEDED_PER_MINUTE as u64);
        for minute in 1..100_u64 {
            let now = now + Duration::from_mins(1) * u32::try_from(minute).unwrap();
            (0..100).for_each(|id| desk.take(&[want(minute * 10_000 + id)], now));
        }
        let orders = desk.lock();
        assert_eq!((orders.wanted.len(), orders.refused.len()), (WAITING, REFUSALS_WAITING));
        assert!(orders.known.len() <= KNOWN);
    }

    #[test]
    fn a_closed_desk_ends_the_clerk_even_if_wants_wait() {
        let (desk, _) = desk();
        desk.take(&[want(1)], clock::instant());
        desk.close();
        assert_eq!(desk.next(), None);
    }
}
