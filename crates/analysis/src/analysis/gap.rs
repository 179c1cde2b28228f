//! Stretches of time for which a source's events may be missing.

use bmon_event::Kind;

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, Finding, FindingId, Gap},
    memory::Memory,
    row::Row,
    settings::Settings,
    state::{Change, NodeState},
};

const ID: &str = "gap";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "From when to when which source of which node may have said more than was heard.",
    make: |settings| Box::new(Gaps::new(settings)),
};

#[derive(Debug)]
struct Gaps {
    said: Memory<FindingId, (u32, Gap)>,
}

impl Gaps {
    fn new(settings: &Settings) -> Self {
        Self { said: Memory::new(settings.findings) }
    }
}

impl Analysis for Gaps {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Kind::Gap(gap) = &event.kind else { return };
        let body = Gap {
            source: gap.source,
            from: gap.from,
            to: gap.to,
            lost: gap.lost,
            reason: gap.reason.clone(),
        };
        // An unknown start is no start that can be told.
        let from = gap.from.map(|from| from.as_micros().to_le_bytes());
        let subject = [
            node.name.as_str().as_bytes(),
            gap.source.as_str().as_bytes(),
            from.as_ref().map_or([].as_slice(), |bytes| bytes.as_slice()),
            &gap.to.as_micros().to_le_bytes(),
        ];
        let id = FindingId::new(&node.network, ID, &subject);
        let before = self.said.get(&id);
        if before.is_some_and(|(_, said)| *said == body) {
            return;
        }
        let revision = before.map_or(0, |(revision, _)| *revision) + 1;
        self.said.insert(gap.to, id, (revision, body.clone()));
        out.push(Row::Finding(Box::new(Finding {
            id,
            revision,
            network: node.network,
            node: Some(node.name.clone()),
            sighted: node.sighted(gap.to),
            sources: vec![event.source],
            body: Body::Gap(body),
        })));
    }
}
