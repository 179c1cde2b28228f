//! A node becomes slow bit by bit.

use super::{Condition, Declaration, Ground, slow_node::slow};
use crate::finding::Body;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "delay-drift",
    about: "A node has become slower with blocks or transactions bit by bit, beside the others in the same ones, over weeks.",
    loudness: "Warning.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    slow(ground, |body| match body {
        Body::DelayDrift(found) => Some(found),
        _ => None,
    })
}
