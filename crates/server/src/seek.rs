//! Asks agents for what the engine lacks: headers and blocks that no log tells.
//!
//! The engine says what it needs and who has it, again and again until it came. Here is decided whom to ask and when: one
//! node at a time for each thing, another after a refusal or silence, more and more rarely while nobody can tell.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use bmon_analysis::Need;
use bmon_event::{BlockHash, Network, NodeName, Txid, Wanted};

use crate::want::{Ticket, Wants};

/// Most things that are asked for at once: of mempools, and of all else, so that neither waits for the other.
const MOST_OPEN: usize = 8;
/// Wants for one node in a minute. Its agent heeds 60, of which these leave some for people's questions.
const OF_NODE_PER_MINUTE: usize = 40;
/// How long to wait before a thing is asked for again: after the first failure, and at most.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// Most things whose failures are remembered.
const MOST_KNOWN: usize = 4_096;

const MINUTE: Duration = Duration::from_mins(1);

/// What is asked for, by what it is about. Of a node's mempool one thing at a time is asked.
type Key = (Network, About);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum About {
    Headers(BlockHash),
    Block(BlockHash),
    Tx(Txid),
    Mempool(NodeName),
    Log([u8; 32]),
}

/// Asks for what is lacking.
#[derive(Debug, Default)]
pub(crate) struct Seeker {
    open: HashMap<Key, Ticket>,
    /// What was asked for in vain: how often, and when to ask again.
    failed: HashMap<Key, (u32, Instant)>,
    asked: HashMap<NodeName, VecDeque<Instant>>,
}

impl Seeker {
    /// Asks for as much of `needs` as may be asked for now.
    pub(crate) fn seek(&mut self, needs: Vec<Need>, wants: &Wants, now: Instant) {
        self.close(&needs, now);
        for need in needs {
            let key = key(&need);
            let is_due = self.failed.get(&key).is_none_or(|(_, again)| now >= *again);
            let same_kind = self.open.keys().filter(|(_, about)| about.is_mempool() == key.1.is_mempool());
            if same_kind.count() >= MOST_OPEN || !is_due || self.open.contains_key(&key) {
                continue;
            }
            let tries = self.failed.get(&key).map_or(0, |(tries, _)| *tries) as usize;
            let Some(node) = self.choose(&need, tries, wants, now) else { continue };
            if let Ok(ticket) = wants.ask(need.network, &node, need.what, now) {
                self.asked.entry(node).or_default().push_back(now);
                self.open.insert(key, ticket);
            }
        }
    }

    /// Notes what came of the open wants. What is not needed any more came, or came otherwise.
    fn close(&mut self, needs: &[Need], now: Instant) {
        self.open.retain(|key, ticket| {
            let is_needed = needs.iter().any(|need| self::key(need) == *key);
            if !is_needed {
                self.failed.remove(key);
                return false;
            }
            if !ticket.is_over(now) {
                return true;
            }
            // An answer that was not refused may be followed by another need of the same block, at once.
            let (tries, again) = self.failed.entry(key.clone()).or_insert((0, now));
            if ticket.is_fulfilled() {
                (*tries, *again) = (0, now);
            } else {
                let pause = SHORTEST_PAUSE.saturating_mul(1 << (*tries).min(16)).min(LONGEST_PAUSE);
                (*tries, *again) = (*tries + 1, now + pause);
            }
            false
        });
        if self.failed.len() > MOST_KNOWN {
            self.failed.retain(|key, _| needs.iter().any(|need| self::key(need) == *key));
        }
    }

    /// Of the nodes that may be asked, another one at each try.
    fn choose(&mut self, need: &Need, tries: usize, wants: &Wants, now: Instant) -> Option<NodeName> {
        let nodes: Vec<_> =
            need.nodes.iter().filter(|node| !wants.is_away(node, now) && self.may_ask(node, now)).collect();
        nodes.get(tries % nodes.len().max(1)).map(|node| (*node).clone())
    }

    fn may_ask(&self, node: &NodeName, now: Instant) -> bool {
        let is_recent = |at: &&Instant| now.saturating_duration_since(**at) < MINUTE;
        self.asked.get(node).is_none_or(|asked| asked.iter().filter(is_recent).count() < OF_NODE_PER_MINUTE)
    }

    /// Forgets what was asked long ago.
    pub(crate) fn tidy(&mut self, now: Instant) {
        for asked in self.asked.values_mut() {
            while asked.front().is_some_and(|at| now.saturating_duration_since(*at) >= MINUTE) {
                asked.pop_front();
            }
        }
        self.asked.retain(|_, asked| !asked.is_empty());
    }
}

impl About {
    const fn is_mempool(&self) -> bool {
        matches!(self, Self::Mempool(_))
    }
}

fn key(need: &Need) -> Key {
    let about = match &need.what {
        Wanted::Headers { block, .. } => About::Headers(*block),
        Wanted::BlockPart { block, .. } => About::Block(*block),
        Wanted::RawTx { txid } => About::Tx(*txid),
        // The one node whose mempool it is: a need names at least one.
        Wanted::MempoolSpends { .. } => About::Mempool(need.nodes[0].clone()),
        Wanted::LogLines { subject, .. } => About::Log(*subject.as_bytes()),
    };
    (need.network, about)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bmon_event::{
        AgentTime, Event, Kind, OutPoint, ServerTime, Source,
        event::{Headers, MempoolSpend, MempoolSpends, RawHeader},
    };

    use super::*;
    use crate::clock;

    fn network() -> Network {
        Network::from_chain("regtest").unwrap()
    }

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    fn block(number: u8) -> BlockHash {
        BlockHash::from_bytes([number; 32])
    }

    fn need(number: u8) -> Need {
        let what = Wanted::Headers { block: block(number), count: 1 };
        Need { network: network(), what, nodes: vec![node("alice"), node("bob")] }
    }

    /// Wants, of agents that call now.
    fn wants(now: Instant) -> Wants {
        let wants = Wants::new(ServerTime::from_micros(1), Arc::default());
        for name in ["alice", "bob"] {
            wants.open(&node(name), now);
        }
        wants
    }

    /// Blocks of which each node is asked.
    fn asked(wants: &Wants, name: &str, now: Instant) -> Vec<(u64, BlockHash)> {
        let block = |what| match what {
            Wanted::Headers { block, .. } => block,
            other => unreachable!("{other:?}"),
        };
        wants.open(&node(name), now).into_iter().map(|want| (want.id, block(want.what))).collect()
    }

    fn answer(wants: &Wants, name: &str, kind: Kind, now: Instant) {
        let event = Event { source: Source::Agent, node_time: None, agent_time: AgentTime::default(), kind };
        wants.hear(network(), &node(name), vec![event], now);
    }

    #[test]
    fn a_thing_is_asked_of_one_node_and_of_the_next_after_a_refusal() {
        let (mut seeker, now) = (Seeker::default(), clock::monotonic());
        let wants = wants(now);
        for _ in 0..3 {
            seeker.seek(vec![need(1)], &wants, now);
        }
        let [(id, first)] = asked(&wants, "alice", now)[..] else { unreachable!("one is asked for") };
        assert_eq!((first, asked(&wants, "bob", now)), (block(1), vec![]));
        answer(&wants, "alice", Kind::WantRefused { want: id, reason: "no".to_owned() }, now);
        seeker.seek(vec![need(1)], &wants, now);
        assert_eq!((asked(&wants, "alice", now), asked(&wants, "bob", now)), (vec![], vec![]));
        let now = now + SHORTEST_PAUSE;
        seeker.seek(vec![need(1)], &wants, now);
        assert_eq!(asked(&wants, "bob", now).len(), 1);
    }

    #[test]
    fn what_came_is_not_asked_for_again_and_what_follows_from_it_is_at_once() {
        let (mut seeker, now) = (Seeker::default(), clock::monotonic());
        let wants = wants(now);
        seeker.seek(vec![need(1)], &wants, now);
        let id = asked(&wants, "alice", now)[0].0;
        let headers = vec![RawHeader { block: block(1), raw: vec![] }];
        answer(&wants, "alice", Kind::Headers(Headers { want: id, headers }), now);
        seeker.seek(vec![need(2)], &wants, now);
        assert_eq!(
            asked(&wants, "alice", now).iter().map(|(_, block)| *block).collect::<Vec<_>>(),
            [block(2)]
        );
    }

    #[test]
    fn nodes_that_are_away_are_not_asked_and_silence_makes_asking_rarer() {
        let (mut seeker, start) = (Seeker::default(), clock::monotonic());
        let wants = wants(start);
        let mut asked_at = Vec::new();
        for second in 0..600_u64 {
            let now = start + Duration::from_secs(second);
            wants.open(&node("bob"), now);
            seeker.seek(vec![need(1)], &wants, now);
            if second >= 20 {
                assert_eq!(asked(&wants, "alice", start), []);
            }
            asked_at.extend(asked(&wants, "bob", now).first().map(|(id, _)| *id));
        }
        asked_at.dedup();
        assert!((4..=10).contains(&asked_at.len()), "{asked_at:?}");
    }

    #[test]
    fn mempools_are_asked_at_once_and_beside_what_else_is_lacking() {
        let (mut seeker, now) = (Seeker::default(), clock::monotonic());
        let wants = wants(now);
        let outpoint = OutPoint { txid: Txid::from_bytes([7; 32]), vout: 1 };
        let mempool = |name| Need {
            network: network(),
            what: Wanted::MempoolSpends { outpoints: vec![outpoint] },
            nodes: vec![node(name)],
        };
        let mut needs: Vec<_> = (0..20).map(need).collect();
        needs.extend([mempool("alice"), mempool("bob")]);
        seeker.seek(needs.clone(), &wants, now);
        let asked = |name| {
            let open = wants.open(&node(name), now).into_iter();
            open.filter(|want| matches!(want.what, Wanted::MempoolSpends { .. }))
                .map(|want| want.id)
                .collect::<Vec<_>>()
        };
        let ids = ["alice", "bob"].map(asked);
        assert_eq!(ids.each_ref().map(Vec::len), [1, 1]);
        // What is not about the coins that were asked about is no answer.
        let other = MempoolSpend { outpoint: OutPoint { vout: 2, ..outpoint }, by: outpoint.txid };
        let told = |spends| Kind::MempoolSpends(MempoolSpends { want: ids[0][0], spends, problem: None });
        answer(&wants, "alice", told(vec![other]), now);
        assert_eq!(asked("alice"), ids[0]);
        answer(&wants, "alice", told(vec![MempoolSpend { outpoint, ..other }]), now);
        assert_eq!((asked("alice"), asked("bob")), (vec![], ids[1].clone()));
    }

    #[test]
    fn no_node_is_asked_more_than_it_heeds() {
        let (mut seeker, now) = (Seeker::default(), clock::monotonic());
        let wants = wants(now);
        let mut ids = Vec::new();
        for number in 0..200 {
            seeker.seek(vec![need(number)], &wants, now);
            for name in ["alice", "bob"] {
                for (id, block) in asked(&wants, name, now) {
                    ids.push(id);
                    let headers = vec![RawHeader { block, raw: vec![] }];
                    answer(&wants, name, Kind::Headers(Headers { want: id, headers }), now);
                }
            }
        }
        assert_eq!(ids.len(), 2 * OF_NODE_PER_MINUTE);
        seeker.tidy(now + MINUTE);
        assert!(seeker.asked.is_empty());
    }
}
