//! Batches in which a node tells of transactions, for the benchmarks of the engine and of the server.

use bmon_event::{
    AgentTime, Batch, Epoch, Event, Kind, Network, NodeName, NodeTime, Positions, Source, Txid, Wtxid,
    event::ClockSample,
};

/// What the node's log told: of each transaction when, and its number. Before that its agent compared the clocks, and found
/// the server's ahead by something between the two of `offset_us`.
pub(crate) fn told(
    node: &NodeName,
    sequence: u64,
    made_at_us: i64,
    offset_us: (i64, i64),
    heard: impl Iterator<Item = (i64, u64)>,
) -> Batch {
    let made_at = AgentTime::from_micros(made_at_us);
    let (offset_min_us, offset_max_us) = offset_us;
    let sample = ClockSample { at: made_at, offset_min_us, offset_max_us };
    let compared =
        Event { source: Source::Agent, node_time: None, agent_time: made_at, kind: Kind::Clock(sample) };
    let transactions = heard.map(|(at_us, number)| Event {
        source: Source::Log,
        node_time: Some(NodeTime::from_micros(at_us)),
        agent_time: AgentTime::from_micros(at_us + 9_000),
        kind: Kind::TxAdded {
            txid: Txid::from_bytes(hash(number)),
            wtxid: Some(Wtxid::from_bytes(hash(!number))),
            peer: None,
            mempool_sequence: None,
        },
    });
    Batch {
        network: Network::from_chain("main").unwrap(),
        node: node.clone(),
        epoch: Epoch(1),
        sequence,
        made_at,
        positions: Positions::default(),
        events: std::iter::once(compared).chain(transactions).collect(),
        unknown_events: 0,
    }
}

/// A number that looks random (the finaliser of splitmix64).
pub(crate) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn hash(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, chunk) in (0..).zip(bytes.chunks_mut(8)) {
        chunk.copy_from_slice(&mix(number.wrapping_mul(4) + index).to_le_bytes());
    }
    bytes
}
