//! One rule over what was measured of the past: when it would have fired, had it been what it is today.
//!
//! Only the rules about delays can be judged so: all that they rest on is kept, as findings of how nodes did with blocks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bmon_event::{BlockHash, Network, ServerTime};

use crate::{
    finding::{Body, DAY, Finding, FindingId},
    network::{
        Grain, NetworkState,
        analysis::{self, Look},
    },
    pool::{self, Pools},
    row::Row,
    settings::Settings,
};

/// The rules that can be judged.
pub const RULES: [&str; 2] = ["slow-node", "delay-drift"];

/// From block to block where nothing tells better.
const INTERVAL_US: i64 = 600 * 1_000_000;

/// What the rule would have fired for, oldest first, each as it stood in the end. `records` are findings of `block-times`,
/// which may be of several networks and in any order; others are passed over. `None` if the rule is none of [`RULES`].
///
/// A finding's time is that of the last block that it takes, as that block's own header tells it: live it comes an hour later.
pub fn run(rule: &str, records: Vec<Finding>) -> Option<Vec<Finding>> {
    if !RULES.contains(&rule) {
        return None;
    }
    let mut networks: BTreeMap<Network, Vec<Finding>> = BTreeMap::new();
    for record in records {
        networks.entry(record.network).or_default().push(record);
    }
    let mut fired = Vec::new();
    for (network, records) in networks {
        fired.extend(of_network(rule, network, records)?);
    }
    fired.sort_by_key(|finding| (finding.sighted.on_server_clock(), finding.id));
    Some(fired)
}

fn of_network(rule: &str, network: Network, records: Vec<Finding>) -> Option<Vec<Finding>> {
    let mut judge = analysis::make(rule)?;
    let mut state = NetworkState::new(network, Settings::default(), Arc::new(Pools::new(pool::known())));
    let mut begun: BTreeMap<u32, ServerTime> = BTreeMap::new();
    for record in records {
        if let (Body::BlockTimes(times), Some(node)) = (record.body, record.node) {
            begun.insert(times.from_height / DAY, record.sighted.on_server_clock());
            state.restore_block_times(&node, *times);
        }
    }
    let (mut rows, nothing) = (Vec::new(), BTreeSet::new());
    for period in state.begin_again() {
        state.go_on_to(period);
        let look = Look {
            network: &state,
            main: BlockHash::from_bytes([0; 32]),
            sides: &[],
            rivalries: &[],
            touched: &nothing,
            now: end_of(period, &begun),
        };
        judge.look(&look, &mut rows);
    }
    let mut last: BTreeMap<FindingId, Finding> = BTreeMap::new();
    for row in rows {
        if let Row::Finding(finding) = row {
            last.insert(finding.id, *finding);
        }
    }
    Some(last.into_values().collect())
}

/// When the last block of a stretch came, by the days' first blocks.
fn end_of(period: u32, begun: &BTreeMap<u32, ServerTime>) -> ServerTime {
    let height = (period + 1) * Grain::Period.heights();
    let (day, place) = (height / DAY, i64::from(height % DAY));
    let Some((known, at)) = begun.range(..=day).next_back() else { return ServerTime::default() };
    match begun.get(&(day + 1)).filter(|_| *known == day) {
        Some(next) => at.plus_micros(next.micros_since(*at) / i64::from(DAY) * place),
        None => at.plus_micros((i64::from(day - known) * i64::from(DAY) + place) * INTERVAL_US),
    }
}
