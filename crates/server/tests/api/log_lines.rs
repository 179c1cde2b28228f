//! Lines of logs, asked of agents that answer, refuse, are silent, or are away.

use std::time::{Duration, Instant};

use bmon_event::{
    AgentTime, Event, Kind, Network, NodeName, Source, Subject, Txid, Want, Wanted, event::LogLines,
};
use serde_json::{Value, json};

use crate::{Reply, Site, now};

/// What the agent of a node does.
#[derive(Clone, Copy)]
enum Agent {
    Tells,
    Refuses,
    IsSilent,
}

impl Agent {
    fn answer(self, want: u64, subject: Subject) -> Option<Kind> {
        match self {
            Self::Tells => {
                Some(Kind::LogLines(LogLines { want, subject, lines: lines(subject), problem: None }))
            }
            Self::Refuses => {
                let reason = "the agent does not read the node's log".to_owned();
                Some(Kind::WantRefused { want, reason })
            }
            Self::IsSilent => None,
        }
    }
}

fn lines(subject: Subject) -> Vec<String> {
    let hash = Txid::from_bytes(*subject.as_bytes());
    vec![
        format!(
            "2026-05-28T20:26:10.000012Z [mempool] AcceptToMemoryPool: peer=4: accepted {hash} (poolsz 7 txn, 9 kB)"
        ),
        format!(
            "2026-05-28T20:26:10.000400Z [validation] TransactionAddedToMempool: txid={hash} wtxid={hash}"
        ),
    ]
}

impl Site {
    /// The reply while the agent of `alice` tells lines, that of `bob` refuses, and that of `carol` is away.
    pub(crate) async fn get_with_agent(&self, path: &str) -> Reply {
        self.get_with(path, &[("alice", Agent::Tells), ("bob", Agent::Refuses)]).await
    }

    /// The reply while these agents call.
    async fn get_with(&self, path: &str, agents: &[(&str, Agent)]) -> Reply {
        let agents: Vec<(NodeName, Agent)> =
            agents.iter().map(|(node, agent)| (node.parse().unwrap(), *agent)).collect();
        self.let_answer(&agents);
        let answering = async {
            let mut calls = tokio::time::interval(Duration::from_millis(5));
            loop {
                calls.tick().await;
                self.let_answer(&agents);
            }
        };
        tokio::select! {
            reply = self.get(path) => reply,
            () = answering => unreachable!("agents never end"),
        }
    }

    fn let_answer(&self, agents: &[(NodeName, Agent)]) {
        let network = Network::from_chain("regtest").unwrap();
        for (node, agent) in agents {
            for Want { id, what, .. } in self.wants.open(node, instant()) {
                let Wanted::LogLines { subject, .. } = what else { unreachable!("only lines are wanted") };
                let event = |kind| Event {
                    source: Source::Agent,
                    node_time: None,
                    agent_time: AgentTime::default(),
                    kind,
                };
                let events = agent.answer(id, subject).map(event).into_iter().collect();
                self.wants.hear(network, node, events, instant());
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an agent calls when it calls")]
fn instant() -> Instant {
    Instant::now()
}

const TX: &str = "7101010101010101010101010101010101010101010101010101010101010101";

#[tokio::test]
async fn every_node_is_named_with_its_lines_or_why_there_are_none() {
    let site = Site::new();
    let agents = [("alice", Agent::Tells), ("bob", Agent::IsSilent)];
    let reply = site.get_with(&format!("/api/v1/log-lines/tx/{TX}"), &agents).await;
    let reply: Value = serde_json::from_str(&reply.body).unwrap();
    let nodes = reply["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), nodes[0]["lines"].as_array().unwrap().len()), (3, 2));
    let of = |place: usize| json!([nodes[place]["node"], nodes[place]["complete"], nodes[place]["problem"]]);
    assert_eq!(of(0), json!(["alice", true, null]));
    assert_eq!(of(1), json!(["bob", false, "the node's agent did not answer in time"]));
    assert_eq!(of(2), json!(["carol", false, "the node's agent is away"]));
}

#[tokio::test]
async fn what_no_node_told_of_and_what_is_no_subject_is_refused() {
    let site = Site::new();
    for (path, status, error) in [
        (format!("block/{}", "ee".repeat(32)), 404, format!("no node told of block {}", "ee".repeat(32))),
        (format!("block/{TX}"), 404, format!("no node told of block {TX}")),
        (format!("header/{TX}"), 400, format!("`header/{TX}` is neither a block nor a transaction")),
        ("tx/71".to_owned(), 400, "`tx/71` is neither a block nor a transaction".to_owned()),
        (format!("tx/{TX}?node=alice"), 400, "unknown parameter".to_owned()),
    ] {
        let reply = site.get_with_agent(&format!("/api/v1/log-lines/{path}")).await;
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status.as_u16(), body["error"].as_str()), (status, Some(error.as_str())));
    }
}

/// From when to when each node is asked, on its own clock, in microseconds before the moment of the reply.
async fn asked(site: &Site, path: &str) -> Vec<(i64, i64)> {
    let nodes = ["alice", "bob", "carol"].map(|node| node.parse::<NodeName>().unwrap());
    let open = || nodes.iter().flat_map(|node| site.wants.open(node, instant())).collect::<Vec<Want>>();
    open();
    let wants = async {
        let mut calls = tokio::time::interval(Duration::from_millis(5));
        loop {
            calls.tick().await;
            let wants = open();
            if wants.len() == nodes.len() {
                return wants;
            }
        }
    };
    let wants = tokio::select! {
        wants = wants => wants,
        reply = site.get(path) => unreachable!("nobody answered: {}", reply.body),
    };
    let ago = |time: AgentTime| now().as_micros() - time.as_micros();
    let range = |want: Want| match want.what {
        Wanted::LogLines { from, to, .. } => (ago(from), ago(to)),
        other => unreachable!("only lines are wanted: {other:?}"),
    };
    wants.into_iter().map(range).collect()
}

#[tokio::test]
async fn a_node_is_asked_on_its_own_clock_for_its_own_times_or_if_it_has_none_for_those_of_the_others() {
    const S: i64 = 1_000_000;
    let site = Site::new();
    // Only bob saw it, whose clock is 2.5001 s behind; that of alice is 10 µs behind, that of carol is not known.
    let (first, last) = (660 * S + 135_000, 660 * S - 450);
    let range = |behind| (first + behind + 120 * S, last + behind - 600 * S);
    let path = format!("/api/v1/log-lines/block/0b{}", "a1".repeat(31));
    assert_eq!(asked(&site, &path).await, [range(10), range(2_500_100), range(0)]);
    // Each told of it at its own time, and 5 s later that it was replaced.
    let tx = asked(&site, &format!("/api/v1/log-lines/tx/{TX}")).await;
    let own = |seen: i64| (seen + 120 * S, seen - 5 * S - 600 * S);
    assert_eq!(tx, [own(30 * S + 10), own(30 * S - 1_830_000 + 2_500_100), own(30 * S - 420_000)]);
}
