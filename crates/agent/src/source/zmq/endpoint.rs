//! Where the node publishes which topic.

use serde::Deserialize;

use super::message::Topic;
use crate::{
    advice::{Lack, Lacks},
    config::ZmqConfig,
    source::rpc::{Client, GET_ZMQ_NOTIFICATIONS, RpcError},
};

/// One address and the topics to subscribe to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) address: String,
    pub(super) topics: Vec<Topic>,
}

/// One entry of RPC `getzmqnotifications`.
#[derive(Debug, Deserialize)]
struct Notifier {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

/// The configured addresses, or, if there are none, those that the node names.
pub(super) fn find(
    config: &ZmqConfig,
    rpc: Option<&Client>,
    lacks: &Lacks,
) -> Result<Vec<Endpoint>, RpcError> {
    let configured = [(Topic::Hashblock, &config.hashblock), (Topic::Sequence, &config.sequence)];
    let mut published: Vec<(Topic, String)> =
        configured.into_iter().filter_map(|(topic, address)| Some((topic, address.clone()?))).collect();
    if let (true, Some(rpc)) = (published.is_empty(), rpc) {
        published = of_notifiers(&rpc.call::<Vec<_>>(GET_ZMQ_NOTIFICATIONS, "[]")?);
    }
    let lacks_topic = |topic| !published.iter().any(|(published, _)| *published == topic);
    lacks.set(Lack::ZmqHashblock, lacks_topic(Topic::Hashblock));
    lacks.set(Lack::ZmqSequence, lacks_topic(Topic::Sequence));
    Ok(by_address(published))
}

/// The first address of each topic.
fn of_notifiers(notifiers: &[Notifier]) -> Vec<(Topic, String)> {
    let address_of = |topic: Topic| {
        let named = |notifier: &&Notifier| notifier.kind.strip_prefix("pub") == Some(topic.as_str());
        Some((topic, notifiers.iter().find(named)?.address.clone()))
    };
    Topic::ALL.into_iter().filter_map(address_of).collect()
}

fn by_address(published: Vec<(Topic, String)>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (topic, address) in published {
        let address = reachable(&address);
        match endpoints.iter_mut().find(|endpoint| endpoint.address == address) {
            Some(endpoint) => endpoint.topics.push(topic),
            None => endpoints.push(Endpoint { address, topics: vec![topic] }),
        }
    }
    endpoints
}

/// The address to connect to for the one the node binds: not every address one can listen on can be connected to.
fn reachable(bound: &str) -> String {
    if let Some(path) = bound.strip_prefix("unix:") {
        return format!("ipc://{path}");
    }
    for (wildcard, loopback) in
        [("tcp://0.0.0.0:", "127.0.0.1"), ("tcp://*:", "127.0.0.1"), ("tcp://[::]:", "[::1]")]
    {
        if let Some(port) = bound.strip_prefix(wildcard) {
            return format!("tcp://{loopback}:{port}");
        }
    }
    bound.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_one_address_share_a_connection() {
        let reply = r#"[{"type":"pubhashblock","address":"tcp://0.0.0.0:28332","hwm":1000},
            {"type":"pubrawtx","address":"tcp://127.0.0.1:1","hwm":1000},
            {"type":"pubsequence","address":"tcp://0.0.0.0:28332","hwm":1000},
            {"type":"pubsequence","address":"tcp://127.0.0.1:2","hwm":1000}]"#;
        let endpoints = by_address(of_notifiers(&serde_json::from_str::<Vec<_>>(reply).unwrap()));
        let expected = Endpoint { address: "tcp://127.0.0.1:28332".to_owned(), topics: Topic::ALL.to_vec() };
        assert_eq!(endpoints, [expected]);
    }

    #[test]
    fn configured_addresses_go_first_and_a_missing_topic_is_a_lack() {
        let config = ZmqConfig { hashblock: None, sequence: Some("unix:/run/zmq".to_owned()) };
        let lacks = Lacks::default();
        let endpoints = find(&config, None, &lacks).unwrap();
        assert_eq!(
            endpoints,
            [Endpoint { address: "ipc:///run/zmq".to_owned(), topics: vec![Topic::Sequence] }]
        );
        assert!(lacks.advice()[0].missing.contains("hashblock"));
        assert_eq!(lacks.advice().len(), 1);
    }
}
