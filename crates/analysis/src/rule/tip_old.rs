//! No node has had a new block for long.

use super::{Condition, Declaration, Ground, MINUTE_US, OLD_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "tip-old",
    about: "No node has seen a new block for 90 minutes.",
    loudness: "Warning; critical from 150 minutes on, which honest mining takes once in sixty years.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

/// 52,560 blocks a year, of which e^-15 take so long.
const VERY_OLD_US: i64 = 150 * MINUTE_US;

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let Some(main) = ground.main else { return Vec::new() };
    // Without a node that follows the chain nobody would know of a new block.
    if ground.network.live(ground.now).next().is_none() {
        return Vec::new();
    }
    let seen_at = ground.network.first_time(main);
    let age_us = ground.now.micros_since(seen_at);
    if age_us < OLD_US {
        return Vec::new();
    }
    let height = ground.network.known_tree().height(main).unwrap_or_default();
    vec![Condition {
        subject: main.to_string(),
        node: None,
        severity: if age_us < VERY_OLD_US { Severity::Warning } else { Severity::Critical },
        since: seen_at.plus_micros(OLD_US),
        summary: format!("no new block at any node since block {height} ({main}), first seen at {seen_at}"),
        findings: Vec::new(),
    }]
}
