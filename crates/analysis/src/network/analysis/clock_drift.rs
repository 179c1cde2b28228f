//! Nodes whose clocks run at another speed than the server's: faster than a clock may, or steadily so, as one does that
//! nobody sets right.

use bmon_event::{NodeName, Source};

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, ClockDrift, FindingId},
    network::{Ledger, Rate, Saying, Seen},
    row::Row,
};

const ID: &str = "clock-drift";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node's clock runs at another speed than the server's, and by how much.",
    make: || Box::new(ClockDrifts { ledger: Ledger::default() }),
};

#[derive(Debug)]
struct ClockDrifts {
    ledger: Ledger,
}

impl NetworkAnalysis for ClockDrifts {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        for (node, member) in look.network.members() {
            match (self.open(node), member.clock_rate.wrong()) {
                (None, Some(rate)) => self.begin(look, node, rate, out),
                (Some((id, seen, found)), None) if member.clock_rate.is_right() => {
                    let found = ClockDrift { over_at_us: Some(look.now), ..found };
                    self.say(look, node, id, seen, found, out);
                }
                _ => {}
            }
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl ClockDrifts {
    /// The drift of the node that is not over.
    fn open(&self, node: &NodeName) -> Option<(FindingId, Seen, ClockDrift)> {
        let open = |body: &Body| match body {
            Body::ClockDrift(found) if found.over_at_us.is_none() => Some(found.clone()),
            _ => None,
        };
        self.ledger.of_node(node, open).next()
    }

    fn begin(&mut self, look: &Look<'_>, node: &NodeName, rate: Rate, out: &mut Vec<Row>) {
        let at = rate.sighted.at.as_micros().to_le_bytes();
        let id = FindingId::new(&look.network.network, ID, &[node.as_str().as_bytes(), &at]);
        if self.ledger.get(&id).is_some() {
            return;
        }
        let (least_ppm, most_ppm) = rate.bounds_ppm();
        let (gained_us, within_us) = (rate.gain.nearer_us(), rate.gain.within_us);
        let found = ClockDrift { least_ppm, most_ppm, gained_us, within_us, over_at_us: None };
        self.say(look, node, id, Seen { sighted: rate.sighted, is_told: true }, found, out);
    }

    fn say(
        &mut self,
        look: &Look<'_>,
        node: &NodeName,
        id: FindingId,
        seen: Seen,
        found: ClockDrift,
        out: &mut Vec<Row>,
    ) {
        let sources = vec![Source::Agent];
        let saying = Saying { id, node: Some(node.clone()), seen, sources, body: Body::ClockDrift(found) };
        self.ledger.say(look.network.network, saying, out);
    }
}
