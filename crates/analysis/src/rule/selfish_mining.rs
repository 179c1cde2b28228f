//! Blocks came as honest mining seldom gives them.

use super::{Condition, Declaration, Ground};
use crate::{
    alert::Severity,
    finding::{Body, Finding, SelfishMining},
    selfish::SignalName,
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "selfish-mining",
    about: "Blocks came as somebody publishes them who keeps them to himself, and as honest mining seldom gives them.",
    loudness: "Critical for blocks in rapid succession that won a race; warning for what only weeks of blocks show.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let alarms = ground.board.lately(ground.now).filter_map(|finding| match &finding.body {
        Body::SelfishMining(found) if found.is_alarm => Some(condition(finding, found)),
        _ => None,
    });
    alarms.collect()
}

fn condition(finding: &Finding, found: &SelfishMining) -> Condition {
    let signal = found.signal.as_str();
    let (severity, subject) = match found.signal {
        SignalName::Burst => (Severity::Critical, found.block.to_string()),
        SignalName::Withheld | SignalName::Runs => {
            (Severity::Warning, format!("{signal} from {}", found.from_height))
        }
    };
    Condition {
        subject,
        node: None,
        severity,
        since: finding.sighted.on_server_clock(),
        summary: format!(
            "{signal}, heights {} to {}: {}",
            found.from_height, found.to_height, found.explanation
        ),
        findings: vec![finding.id],
    }
}
