//! What the server wants of agents: the only way from here to them.
//!
//! A handler of the API asks and waits; the want stands in every answer to the agent of its node; the agent answers with an
//! event, which goes the way of all events, and the state thread hands it in here. Several that ask for the same share
//! one want. Everything is in memory: a restart forgets what was wanted, and an answer to it, or one that stands in the
//! journal, then meets nobody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bmon_event::{Event, Kind, Network, NodeName, ServerTime, Want, Wanted, event::Headers};
use tokio::sync::watch;

use crate::ingest::{Counters, count};

/// Most wants that may be open: of all nodes, and of one, whose agent queues as many and fulfils them one by one.
const MOST_OPEN: usize = 256;
const MOST_OPEN_OF_NODE: usize = 16;

/// How long a want is open: an idle agent calls once a second, and its answer comes at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes in an answer.
const MOST_BYTES: u64 = 256 << 10;

/// An agent that has not called for this long is away: an idle one calls once a second.
const AWAY_AFTER: Duration = Duration::from_secs(10);

/// The open wants. Clones are the same.
#[derive(Clone, Debug)]
pub struct Wants(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct State {
    next_id: u64,
    open: Vec<Open>,
    /// When the agent of each node last called.
    called: HashMap<NodeName, Instant>,
    closed: bool,
}

#[derive(Debug)]
struct Open {
    id: u64,
    network: Network,
    node: NodeName,
    what: Wanted,
    until: Instant,
    answer: watch::Sender<Option<Arc<Kind>>>,
}

/// More is wanted at once than agents can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Waits for the answer to one want.
#[derive(Debug)]
pub(crate) struct Ticket {
    answer: watch::Receiver<Option<Arc<Kind>>>,
    until: Instant,
}

impl Wants {
    /// None yet. Ids go on from the time of the `start`, so that none is used again after a restart.
    pub fn new(start: ServerTime, counters: Arc<Counters>) -> Self {
        let state = State {
            next_id: start.as_micros().unsigned_abs(),
            open: Vec::new(),
            called: HashMap::new(),
            closed: false,
        };
        Self(Arc::new(Inner { state: Mutex::new(state), counters }))
    }

    /// Wants `what` of a node. What is asked for already is not asked for again.
    pub(crate) fn ask(
        &self,
        network: Network,
        node: &NodeName,
        what: Wanted,
        now: Instant,
    ) -> Result<Ticket, TooMany> {
        let mut state = self.lock();
        state.forget(now);
        let same = |open: &&Open| open.network == network && open.node == *node && open.what == what;
        if let Some(open) = state.open.iter().find(same) {
            return Ok(open.ticket());
        }
        let of_node = state.open.iter().filter(|open| open.node == *node).count();
        if state.closed || state.open.len() >= MOST_OPEN || of_node >= MOST_OPEN_OF_NODE {
            return Err(TooMany);
        }
        let (id, until, answer) = (state.next_id, now + PATIENCE, watch::Sender::new(None));
        let open = Open { id, network, node: node.clone(), what, until, answer };
        let ticket = open.ticket();
        state.next_id += 1;
        state.open.push(open);
        count(&self.0.counters.wants, 1);
        Ok(ticket)
    }

    /// What is wanted of a node whose agent calls.
    pub fn open(&self, node: &NodeName, now: Instant) -> Vec<Want> {
        let mut state = self.lock();
        state.forget(now);
        match state.called.get_mut(node) {
            Some(called) => *called = now,
            None => drop(state.called.insert(node.clone(), now)),
        }
        state.open.iter().filter(|open| open.node == *node).map(|open| open.want(now)).collect()
    }

    /// Whether the agent of a node has not called for long, or not since the server started.
    pub(crate) fn is_away(&self, node: &NodeName, now: Instant) -> bool {
        let called = self.lock().called.get(node).copied();
        called.is_none_or(|called| now.saturating_duration_since(called) > AWAY_AFTER)
    }

    /// Hands in the answers that are among a node's events. The rest is passed over.
    pub fn hear(&self, network: Network, node: &NodeName, events: Vec<Event>, now: Instant) {
        for kind in events.into_iter().map(|event| event.kind) {
            let Some(id) = kind.want() else { continue };
            let mut state = self.lock();
            state.forget(now);
            let is_answered = |open: &Open| {
                open.id == id && open.network == network && open.node == *node && open.is_answered_by(&kind)
            };
            if let Some(place) = state.open.iter().position(is_answered) {
                // Whoever waited may have left meanwhile.
                state.open.swap_remove(place).answer.send_replace(Some(Arc::new(kind)));
                count(&self.0.counters.want_answers, 1);
            } else {
                count(&self.0.counters.want_answers_ignored, 1);
            }
        }
    }

    /// Ends all waiting, now and later, so that the HTTP server can stop.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.open.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one insertion or removal, so that a panic elsewhere leaves nothing half done.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets what came to nothing, and what nobody waits for any more.
    fn forget(&mut self, now: Instant) {
        self.open.retain(|open| now < open.until && !open.answer.is_closed());
    }
}

impl Open {
    fn ticket(&self) -> Ticket {
        Ticket { answer: self.answer.subscribe(), until: self.until }
    }

    fn want(&self, now: Instant) -> Want {
        let left = self.until.saturating_duration_since(now);
        let within_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Want { id: self.id, within_ms, max_bytes: MOST_BYTES, what: self.what.clone() }
    }

    /// Whether `kind` is what was asked for, and no more of it.
    fn is_answered_by(&self, kind: &Kind) -> bool {
        let is_of_kind = match (&self.what, kind) {
            (Wanted::LogLines { subject, .. }, Kind::LogLines(lines)) => lines.subject == *subject,
            (Wanted::Headers { block, count }, Kind::Headers(Headers { headers, .. })) => {
                headers.first().is_some_and(|first| first.block == *block) && headers.len() <= *count as usize
            }
            (Wanted::BlockPart { block, offset, bytes }, Kind::BlockPart(part)) => {
                part.block == *block && part.offset == *offset && part.bytes.len() as u64 <= *bytes
            }
            (Wanted::RawTx { txid }, Kind::RawTx(tx)) => tx.txid == *txid,
            (Wanted::MempoolSpends { outpoints }, Kind::MempoolSpends(told)) => {
                told.spends.len() <= outpoints.len()
                    && told.spends.iter().all(|spend| outpoints.contains(&spend.outpoint))
            }
            (_, Kind::WantRefused { .. }) => true,
            _ => false,
        };
        is_of_kind && kind.want_bytes() as u64 <= MOST_BYTES
    }
}

impl Ticket {
    /// Whether the answer is there, or will not come any more.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.until || self.answer.has_changed().is_err() || self.answer.borrow().is_some()
    }

    /// Whether the answer is what was asked for.
    pub(crate) fn is_fulfilled(&self) -> bool {
        self.answer.borrow().as_deref().is_some_and(|kind| !matches!(kind, Kind::WantRefused { .. }))
    }

    /// The answer, `None` if there is none in time.
    pub(crate) async fn wait(mut self) -> Option<Arc<Kind>> {
        let answered = tokio::time::timeout_at(self.until.into(), self.answer.wait_for(Option::is_some));
        // The sender is gone when the server stops.
        answered.await.ok()?.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use bmon_event::{AgentTime, BlockHash, Source, Subject, event::LogLines};

    use super::*;
    use crate::clock;

    fn wants() -> Wants {
        Wants::new(ServerTime::from_micros(1_000), Arc::default())
    }

    fn regtest() -> Network {
        Network::from_chain("regtest").unwrap()
    }

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    fn subject(number: u64) -> Subject {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        Subject::Block(BlockHash::from_bytes(hash))
    }

    fn lines_about(number: u64) -> Wanted {
        let [from, to] = [1, 2].map(AgentTime::from_micros);
        Wanted::LogLines { subject: subject(number), from, to }
    }

    fn answer(want: u64, number: u64, bytes: usize) -> Kind {
        let lines = vec!["x".repeat(bytes - 1)];
        Kind::LogLines(LogLines { want, subject: subject(number), lines, problem: None })
    }

    fn hear(wants: &Wants, network: Network, of: &str, kind: Kind, now: Instant) {
        let event = Event { source: Source::Agent, node_time: None, agent_time: AgentTime::default(), kind };
        wants.hear(network, &node(of), vec![event], now);
    }

    fn counted(wants: &Wants) -> [u64; 3] {
        let counters = &wants.0.counters;
        [&counters.wants, &counters.want_answers, &counters.want_answers_ignored]
            .map(|count| count.load(Relaxed))
    }

    #[tokio::test]
    async fn several_that_ask_for_the_same_share_one_want_and_its_answer() {
        let (wants, now) = (wants(), clock::monotonic());
        let [first, second] =
            [(); 2].map(|()| wants.ask(regtest(), &node("alice"), lines_about(1), now).unwrap());
        let _other = wants.ask(regtest(), &node("bob"), lines_about(1), now).unwrap();
        let open = wants.open(&node("alice"), now + Duration::from_secs(1));
        let expected = Want { id: 1_000, within_ms: 4_000, max_bytes: MOST_BYTES, what: lines_about(1) };
        assert_eq!(open, [expected]);
        let kind = answer(1_000, 1, 5);
        hear(&wants, regtest(), "alice", kind.clone(), now);
        assert_eq!(
            (first.wait().await.as_deref(), second.wait().await.as_deref()),
            (Some(&kind), Some(&kind))
        );
        assert_eq!(wants.open(&node("alice"), now), []);
        // Once is enough.
        hear(&wants, regtest(), "alice", kind, now);
        assert_eq!(counted(&wants), [2, 1, 1]);
    }

    #[tokio::test]
    async fn only_the_node_that_was_asked_can_answer_and_only_with_what_was_asked_for() {
        let (wants, now) = (wants(), clock::monotonic());
        let ticket = wants.ask(regtest(), &node("alice"), lines_about(1), now).unwrap();
        let most = usize::try_from(MOST_BYTES).unwrap();
        let main = Network::from_chain("main").unwrap();
        hear(&wants, regtest(), "bob", answer(1_000, 1, 5), now);
        hear(&wants, main, "alice", answer(1_000, 1, 5), now);
        hear(&wants, regtest(), "alice", answer(999, 1, 5), now);
        hear(&wants, regtest(), "alice", answer(1_000, 2, 5), now);
        hear(&wants, regtest(), "alice", answer(1_000, 1, most + 1), now);
        let reason = "x".repeat(most + 1);
        hear(&wants, regtest(), "alice", Kind::WantRefused { want: 1_000, reason }, now);
        hear(&wants, regtest(), "alice", Kind::NodeStopping, now);
        assert_eq!(counted(&wants), [1, 0, 6]);
        hear(&wants, regtest(), "alice", answer(1_000, 1, most), now);
        assert_eq!(ticket.wait().await.as_deref(), Some(&answer(1_000, 1, most)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_want_ends_with_its_time_and_a_late_answer_is_ignored() {
        let (wants, now) = (wants(), tokio::time::Instant::now().into_std());
        let ticket = wants.ask(regtest(), &node("alice"), lines_about(1), now).unwrap();
        assert_eq!(ticket.wait().await, None);
        let late = tokio::time::Instant::now().into_std();
        assert!(late >= now + PATIENCE);
        hear(&wants, regtest(), "alice", answer(1_000, 1, 5), late);
        assert_eq!((wants.open(&node("alice"), late), counted(&wants)), (vec![], [1, 0, 1]));
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_not_wanted() {
        let (wants, now) = (wants(), clock::monotonic());
        drop(wants.ask(regtest(), &node("alice"), lines_about(1), now).unwrap());
        assert_eq!(wants.open(&node("alice"), now), []);
    }

    #[test]
    fn the_wants_of_a_node_and_of_all_are_bounded() {
        let (wants, now) = (wants(), clock::monotonic());
        let ask = |of: u64, number| wants.ask(regtest(), &node(&format!("n{of}")), lines_about(number), now);
        let tickets: Vec<_> = (0..MOST_OPEN_OF_NODE as u64).map(|number| ask(0, number).unwrap()).collect();
        assert_eq!(ask(0, 100).unwrap_err(), TooMany);
        // What is open already is no more.
        ask(0, 0).unwrap();
        let others = (MOST_OPEN_OF_NODE..MOST_OPEN).map(|number| ask(number as u64, 0).unwrap());
        let others: Vec<_> = others.collect();
        assert_eq!(ask(1_000, 0).unwrap_err(), TooMany);
        drop((tickets, others));
        ask(1_000, 0).unwrap();
    }

    #[tokio::test]
    async fn a_server_that_stops_makes_nobody_wait() {
        let (wants, now) = (wants(), clock::monotonic());
        let ticket = wants.ask(regtest(), &node("alice"), lines_about(1), now).unwrap();
        wants.close();
        assert_eq!(ticket.wait().await, None);
        assert_eq!(wants.ask(regtest(), &node("alice"), lines_about(1), now).unwrap_err(), TooMany);
    }

    #[test]
    fn an_agent_is_away_until_it_calls_and_when_it_has_not_for_long() {
        let (wants, now, alice) = (wants(), clock::monotonic(), node("alice"));
        assert!(wants.is_away(&alice, now));
        wants.open(&alice, now);
        assert!(!wants.is_away(&alice, now + AWAY_AFTER));
        assert!(wants.is_away(&alice, now + AWAY_AFTER + Duration::from_millis(1)));
        wants.open(&alice, now + AWAY_AFTER);
        assert!(!wants.is_away(&alice, now + AWAY_AFTER * 2));
    }
}
