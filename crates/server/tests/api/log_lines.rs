//! Lines of logs, asked of agents that answer, refuse, are silent, or are away.

use std::time::{Duration, Instant};

use bmon_event::{
    AgentTime, Event, Kind, Network, NodeName, Source, Subject, Txid, Want, Wanted, event::LogLines,
};
use serde_json::{Value, json};

use crate::{Reply, Site};

/// What the agent of a node answers, `None` if it is silent.
type Agent = fn(u64, Subject) -> Option<Kind>;

/// Two lines.
fn lines(want: u64, subject: Subject) -> Option<Kind> {
    let hash = Txid::from_bytes(*subject.as_bytes());
    let lines = [
        format!(
            "2026-05-28T20:26:10.000012Z [mempool] AcceptToMemoryPool: peer=4: accepted {hash} (poolsz 7 txn, 9 kB)"
        ),
        format!(
            "2026-05-28T20:26:10.000400Z [validation] TransactionAddedToMempool: txid={hash} wtxid={hash}"
        ),
    ];
    Some(Kind::LogLines(LogLines { want, subject, lines: lines.to_vec(), problem: None }))
}

fn refusal(want: u64, _: Subject) -> Option<Kind> {
    Some(Kind::WantRefused { want, reason: "the agent does not read the node's log".to_owned() })
}

fn nothing(_: u64, _: Subject) -> Option<Kind> {
    None
}

impl Site {
    /// The reply while the agent of `alice` tells lines, that of `bob` refuses, and that of `carol` is away.
    pub(crate) async fn get_with_agent(&self, path: &str) -> Reply {
        self.get_with(path, &[("alice", lines), ("bob", refusal)]).await
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
            for Want { id, what: Wanted::LogLines { subject, .. }, .. } in self.wants.open(node, instant()) {
                let event = |kind| Event {
                    source: Source::Agent,
                    node_time: None,
                    agent_time: AgentTime::default(),
                    kind,
                };
                let events = agent(id, subject).map(event).into_iter().collect();
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
    let agents: [(&str, Agent); 2] = [("alice", lines), ("bob", nothing)];
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
