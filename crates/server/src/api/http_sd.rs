//! The agents that serve metrics, as Prometheus asks for targets (`http_sd_configs`).
//!
//! Prometheus takes each answer as the whole list, again and again (`refresh_interval`, a minute unless it is set), and keeps the
//! last one while there is none: so a failure is an error and never an empty list.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State, routing::get};
use bmon_analysis::row::NodeRow;
use bmon_event::{MetricsAddress, ServerTime};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/http_sd",
    summary: "The agents that serve metrics, for Prometheus (`http_sd_configs`), with `honor_labels: true` because an agent names its \
              nodes itself: at which address as each says that others reach it (`agent.metrics_address`), with the labels `network` \
              and `node` where all that is there is of one. Agents that were heard of in the last seven days.",
    parameters: &[],
    example: "/api/v1/http_sd",
    route: || get(answer),
};

/// An agent that was not heard of for so long is taken for gone. Until then Prometheus tells that it does not answer.
const GONE_US: i64 = 7 * 24 * 3_600 * 1_000_000;

/// Targets that have their labels in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Addresses, here always one.
    pub targets: Vec<MetricsAddress>,
    /// What the series of these targets are labelled with.
    pub labels: BTreeMap<String, String>,
}

/// The names that one address is told with.
#[derive(Default)]
struct Beside {
    networks: BTreeSet<String>,
    nodes: BTreeSet<String>,
}

impl Beside {
    fn labels(self) -> BTreeMap<String, String> {
        let of_all = |name: &str, values: BTreeSet<String>| {
            let mut values = values.into_iter();
            values.next().filter(|_| values.next().is_none()).map(|value| (name.to_owned(), value))
        };
        of_all("network", self.networks).into_iter().chain(of_all("node", self.nodes)).collect()
    }
}

fn groups(nodes: Vec<NodeRow>, now: ServerTime) -> Vec<Group> {
    let mut addresses: BTreeMap<MetricsAddress, Beside> = BTreeMap::new();
    for node in nodes.into_iter().filter(|node| now.micros_since(node.heard_at) < GONE_US) {
        if let Some(address) = node.agent.metrics_address {
            let beside = addresses.entry(address).or_default();
            beside.networks.insert(node.network.to_string());
            beside.nodes.insert(node.node.to_string());
        }
    }
    let group = |(address, beside): (_, Beside)| Group { targets: vec![address], labels: beside.labels() };
    addresses.into_iter().map(group).collect()
}

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Json<Vec<Group>>, Refusal> {
    let nodes = api.read(bmon_store::Reader::nodes).await?;
    Ok(Json(groups(nodes, api.now())))
}

#[cfg(test)]
mod tests {
    use bmon_event::Network;

    use super::*;

    fn node(network: &str, name: &str, address: Option<&str>) -> NodeRow {
        let mut row = NodeRow::new(Network::from_chain(network).unwrap(), name.parse().unwrap());
        row.heard_at = ServerTime::from_micros(GONE_US);
        row.agent.metrics_address = address.map(|address| address.parse().unwrap());
        row
    }

    fn told(nodes: Vec<NodeRow>, now_us: i64) -> String {
        serde_json::to_string(&groups(nodes, ServerTime::from_micros(now_us))).unwrap()
    }

    #[test]
    fn an_address_has_the_labels_that_all_nodes_beside_it_have_in_common() {
        let nodes = vec![
            node("main", "alice", Some("a.example:1")),
            node("main", "bob", Some("b.example:1")),
            node("main", "carol", Some("b.example:1")),
            node("main", "dave", None),
            node("main", "erin", Some("e.example:1")),
            node("signet", "frank", Some("e.example:1")),
        ];
        let expected = r#"[{"targets":["a.example:1"],"labels":{"network":"main","node":"alice"}},{"targets":["b.example:1"],"labels":{"network":"main"}},{"targets":["e.example:1"],"labels":{}}]"#;
        assert_eq!(told(nodes, GONE_US + 1), expected);
    }

    #[test]
    fn an_agent_that_was_not_heard_of_for_a_week_is_gone() {
        let nodes = || vec![node("main", "alice", Some("a.example:1"))];
        assert_ne!(told(nodes(), 2 * GONE_US - 1), "[]");
        assert_eq!(told(nodes(), 2 * GONE_US), "[]");
    }
}
