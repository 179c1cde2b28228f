//! A node's clock was set. That every node's clock was set at once means that it was the server's.

use bmon_event::NodeName;

use super::{Condition, Declaration, Ground, MINUTE_US, list};
use crate::{
    alert::Severity,
    finding::{Body, ClockStep, Finding},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "clock-step",
    about: "The clock of a node, or the server's, was set by 0.1 s or more.",
    loudness: "Warning.",
    // So that all nodes have compared clocks.
    grace_us: 2 * MINUTE_US,
    hold_us: 0,
    conditions,
};

/// Two clocks that were set within this, by amounts that can be the same, were set together.
const TOGETHER_US: i64 = 3 * MINUTE_US;
/// A node that was not heard for longer has told nothing of the last steps.
const HEARD_US: i64 = 3 * MINUTE_US;

type Step<'a> = (&'a Finding, &'a NodeName, &'a ClockStep);

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let steps: Vec<Step<'_>> = ground
        .board
        .lately(ground.now)
        .filter_map(|finding| match &finding.body {
            Body::ClockStep(step) => Some((finding, finding.node.as_ref()?, step)),
            _ => None,
        })
        .collect();
    let mut conditions: Vec<Condition> = Vec::new();
    for step in &steps {
        let together: Vec<_> = steps.iter().filter(|other| is_together(step, other)).collect();
        let is_servers = is_everyones(ground, together.iter().map(|(_, node, _)| *node));
        let condition = if is_servers { of_server(&together) } else { of_node(step) };
        if conditions.iter().all(|known| known.subject != condition.subject) {
            conditions.push(condition);
        }
    }
    conditions
}

fn is_together((one, _, step): &Step<'_>, (other, _, other_step): &Step<'_>) -> bool {
    let [one, other] = [one, other].map(|finding| finding.sighted.on_server_clock());
    one.micros_since(other).saturating_abs() <= TOGETHER_US
        && step.least_us <= other_step.most_us
        && other_step.least_us <= step.most_us
}

/// Whether these are all nodes that were heard, and not one alone.
fn is_everyones<'a>(ground: &Ground<'_>, nodes: impl Iterator<Item = &'a NodeName>) -> bool {
    let nodes: Vec<_> = nodes.collect();
    let mut heard = ground
        .network
        .members()
        .iter()
        .filter(|(_, member)| ground.now.micros_since(member.heard_at) <= HEARD_US);
    nodes.iter().any(|node| *node != nodes[0]) && heard.all(|(node, _)| nodes.contains(&node))
}

fn of_server(steps: &[&Step<'_>]) -> Condition {
    let nodes = list(steps.iter().map(|(_, node, _)| *node));
    let by_s =
        steps.iter().map(|(_, _, step)| -step.middle_us() as f64 / 1e6).sum::<f64>() / steps.len() as f64;
    Condition {
        subject: "server".to_owned(),
        node: None,
        severity: Severity::Warning,
        since: steps.iter().map(|(finding, ..)| finding.sighted.on_server_clock()).min().unwrap_or_default(),
        summary: format!(
            "the server's own clock was set by {by_s:+.3} s: beside it that of {nodes} stepped at once"
        ),
        findings: steps.iter().map(|(finding, ..)| finding.id).collect(),
    }
}

fn of_node((finding, node, step): &Step<'_>) -> Condition {
    Condition {
        subject: node.to_string(),
        node: Some((*node).clone()),
        severity: Severity::Warning,
        since: finding.sighted.on_server_clock(),
        summary: format!("the clock of {node} was {}", step.explain()),
        findings: vec![finding.id],
    }
}
