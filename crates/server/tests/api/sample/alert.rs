//! Alerts: of each severity one that fires, one that is about to, and what is over.

use bmon_analysis::{
    alert::{Alert, AlertId, AlertState, Severity},
    finding::FindingId,
    row::Row,
};
use bmon_event::ServerTime;

use super::{S, block, name, network};

pub(super) fn rows(rows: &mut Vec<Row>, now: ServerTime) {
    use AlertState::{Firing, Pending, Resolved};
    use Severity::{Critical, Info, Warning};
    let ago = |seconds: i64| now.plus_micros(-seconds * S);
    let verdict = "block 209 is invalid at carol and valid at alice, bob";
    for (number, rule, severity, state, seconds, summary) in [
        (1, "reorg", Warning, Firing, 431, "bob left 2 blocks after block 207"),
        (2, "node-silent", Warning, Pending, 45, "nothing was heard of carol for a while"),
        (3, "race", Info, Resolved, 2_900, "2 branches of 1 block after block 200 compete"),
        (4, "validity-disagreement", Critical, Firing, 421, verdict),
        (5, "race", Info, Firing, 20, "2 branches of 1 block after block 211 compete"),
        (6, "node-unreachable", Warning, Resolved, 7_400, "the agent of carol does not reach its node"),
    ] {
        let is_of_node = rule.starts_with("node");
        // The one that is over and about a node did not last long enough to fire.
        let is_unfired = state == Pending || (state == Resolved && is_of_node);
        rows.push(Row::Alert(Box::new(Alert {
            id: AlertId([number; 16]),
            revision: 2,
            network: network(),
            rule: rule.to_owned(),
            subject: if is_of_node { "carol".to_owned() } else { block(0xa1).to_string() },
            node: is_of_node.then(|| name("carol")),
            severity,
            state,
            active_at_us: ago(seconds),
            fired_at_us: (!is_unfired).then(|| ago(seconds - 1)),
            resolved_at_us: (state == Resolved).then(|| ago(seconds - if is_unfired { 70 } else { 600 })),
            summary: summary.to_owned(),
            findings: vec![FindingId::new(&network(), rule, &[])],
        })));
    }
}
