//! One rule over what was measured of the past: when it would have fired, had it been what it is today.
//!
//! Only the rules about delays can be judged so: all that they rest on is kept, as findings of how nodes did with blocks, and
//! as the spread of each hour's transactions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bmon_event::{BlockHash, Network, ServerTime};

use crate::{
    finding::{Body, Finding, FindingId},
    network::{
        Axis, Grain, NetworkState,
        analysis::{self, Look},
    },
    pool::{self, Pools},
    row::{Row, TxSpread},
    settings::Settings,
};

/// The rules that can be judged.
pub const RULES: [&str; 3] = ["slow-node", "delay-drift", "version-comparison"];

/// What was measured of a network.
#[derive(Default)]
struct Past {
    records: Vec<Finding>,
    hours: Vec<TxSpread>,
}

/// What the rule would have fired for, oldest first, each as it stood when it was last an alarm. `records` are findings of `block-times`, `hours`
/// the transactions of hours; both may be of several networks and in any order. Other findings are passed over. `None` if the rule
/// is none of [`RULES`].
///
/// A finding's time is that of the last block that it takes, as that block's own header tells it, or the end of the last hour:
/// live it comes an hour later.
pub fn run(rule: &str, records: Vec<Finding>, hours: Vec<TxSpread>) -> Option<Vec<Finding>> {
    if !RULES.contains(&rule) {
        return None;
    }
    let mut networks: BTreeMap<Network, Past> = BTreeMap::new();
    for record in records {
        networks.entry(record.network).or_default().records.push(record);
    }
    for hour in hours {
        networks.entry(hour.network).or_default().hours.push(hour);
    }
    let mut fired = Vec::new();
    for (network, past) in networks {
        fired.extend(of_network(rule, network, past)?);
    }
    fired.sort_by_key(|finding| (finding.sighted.on_server_clock(), finding.id));
    Some(fired)
}

fn of_network(rule: &str, network: Network, past: Past) -> Option<Vec<Finding>> {
    let mut judge = analysis::make(rule)?;
    let mut state = NetworkState::new(network, Settings::default(), Arc::new(Pools::new(pool::known())));
    for record in past.records {
        if let (Body::BlockTimes(times), Some(node)) = (record.body, record.node) {
            state.restore_block_times(&node, *times, record.sighted.on_server_clock());
        }
    }
    for hour in past.hours {
        state.restore_hour(hour.begun_at, &hour.spread);
    }
    let (mut rows, nothing) = (Vec::new(), BTreeSet::new());
    for (now, axis, period) in stretches(&mut state) {
        state.go_on_to(axis, period);
        let main = BlockHash::from_bytes([0; 32]);
        let look = Look { network: &state, main, sides: &[], rivalries: &[], touched: &nothing, now };
        judge.look(&look, &mut rows);
    }
    let mut last: BTreeMap<FindingId, Finding> = BTreeMap::new();
    for row in rows {
        if let Row::Finding(finding) = row
            && is_alarm(&finding.body)
        {
            last.insert(finding.id, *finding);
        }
    }
    Some(last.into_values().collect())
}

/// Versions are told each day how they compare, whether that is an alarm or not.
fn is_alarm(body: &Body) -> bool {
    !matches!(body, Body::VersionComparison(found) if !found.is_alarm)
}

/// All stretches that were measured, each with the time of its end, in the order of these.
fn stretches(state: &mut NetworkState) -> Vec<(ServerTime, Axis, u32)> {
    let mut stretches = Vec::new();
    for axis in Axis::ALL {
        for period in state.begin_again(axis) {
            let end = (period + 1) * Grain::Period.places(axis);
            stretches.push((state.history().time_of(axis, end).unwrap_or_default(), axis, period));
        }
    }
    stretches.sort_unstable();
    stretches
}
