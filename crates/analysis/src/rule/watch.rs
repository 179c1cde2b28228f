//! Something that is watched is not going as whoever watches it hopes.

use std::collections::BTreeMap;

use bmon_event::Txid;

use super::{Condition, Declaration, Ground, MINUTE_US, list};
use crate::{
    alert::Severity,
    finding::{Body, Finding, Step, WatchStep},
    watch::WatchItem,
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "watch",
    about: "A watched transaction or coin is in conflict, was reorged out, or was spent by another transaction.",
    loudness: "Critical; silent as long as nothing is watched.",
    // Most transactions of a block that left the best chain are in those that took its place: these have to be read first, of
    // which an agent gives a megabyte in a minute.
    grace_us: MINUTE_US,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let mut of_step: BTreeMap<(WatchItem, &str), Vec<(&Finding, &Step)>> = BTreeMap::new();
    for finding in ground.board.lately(ground.now) {
        if let Body::Watch(found) = &finding.body
            && found.step.is_alarming()
        {
            let WatchStep { item, step } = &**found;
            of_step.entry((*item, step.word())).or_default().push((finding, step));
        }
    }
    of_step.into_iter().map(|((item, word), found)| condition(item, word, &found)).collect()
}

fn condition(item: WatchItem, word: &str, found: &[(&Finding, &Step)]) -> Condition {
    let summaries: Vec<_> = found.iter().filter_map(|(_, step)| summary(item, step)).collect();
    Condition {
        subject: format!("{item} {word}"),
        node: None,
        severity: Severity::Critical,
        since: found.iter().map(|(finding, _)| finding.sighted.on_server_clock()).min().unwrap_or_default(),
        summary: summaries.join("; "),
        findings: found.iter().map(|(finding, _)| finding.id).collect(),
    }
}

/// `None` for what is no cause for alarm.
fn summary(item: WatchItem, step: &Step) -> Option<String> {
    match step {
        Step::Conflict(step) => Some(format!(
            "{item}: the mempool of {} had {}, which spends the same as {}",
            list(&step.nodes),
            step.txid,
            txids(&step.with)
        )),
        Step::ReorgedOut(step) => Some(format!(
            "{item}: block {} ({}) with {} left the best chain, which does not have it in another",
            step.height, step.block, step.txid
        )),
        Step::DoubleSpent(step) => Some(format!(
            "{item}: {} in block {} ({}) spends {} instead of {}",
            step.txid,
            step.height,
            step.block,
            step.outpoint,
            txids(&step.instead_of)
        )),
        Step::Seen(_) | Step::Replaced(_) | Step::Mined(_) => None,
    }
}

fn txids(txids: &[Txid]) -> String {
    txids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
