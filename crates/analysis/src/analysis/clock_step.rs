//! A node's clock was set: what it showed at one time exchange and at the next no clock shows that only runs.

use bmon_event::Kind;

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, ClockStep, Finding, FindingId},
    memory::Memory,
    row::{Offset, Row, Sighted},
    settings::Settings,
    state::{
        Change, NodeState,
        gain::{Gain, Steps},
    },
};

const ID: &str = "clock-step";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "When the clock of which node was set, and by how much.",
    make: |settings| Box::new(ClockSteps::new(settings)),
};

#[derive(Debug)]
struct ClockSteps {
    steps: Steps,
    said: Memory<FindingId, ()>,
}

impl ClockSteps {
    fn new(settings: &Settings) -> Self {
        Self { steps: Steps::default(), said: Memory::new(settings.findings) }
    }
}

impl Analysis for ClockSteps {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Kind::Clock(sample) = &event.kind else { return };
        if sample.offset_min_us > sample.offset_max_us {
            return;
        }
        let Some(Gain { least_us, most_us, within_us }) = self.steps.note(sample) else { return };
        let at = sample.at.as_micros().to_le_bytes();
        let id = FindingId::new(&node.network, ID, &[node.name.as_str().as_bytes(), &at]);
        if self.said.get(&id).is_some() {
            return;
        }
        self.said.insert(sample.at, id, ());
        let offset = Some(Offset { min_us: sample.offset_min_us, max_us: sample.offset_max_us });
        out.push(Row::Finding(Box::new(Finding {
            id,
            revision: 1,
            network: node.network,
            node: Some(node.name.clone()),
            sighted: Sighted { at: sample.at, offset },
            sources: vec![event.source],
            body: Body::ClockStep(ClockStep { least_us, most_us, within_us }),
        })));
    }
}
