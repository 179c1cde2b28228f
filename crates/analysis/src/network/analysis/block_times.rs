//! What was measured of each node's blocks, 144 heights at a time: for a person who wants the numbers, and for the analyses of
//! delays to go on from after a restart.

use bmon_event::{AgentTime, BlockHash, NodeName};

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{BlockTimes, Body, DAY, Finding, FindingId},
    network::{Axis, Grain, Ledger, slowness},
    row::{Row, Sighted},
};

const ID: &str = super::BLOCK_TIMES;

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "How each node did with each block: its delay after the first node, its reconstruction and its processing.",
    make: || Box::new(Records { said: None }),
};

/// Stretches that are told at first: all that can have been measured.
const FIRST: u32 = 7;

#[derive(Debug)]
struct Records {
    /// The last stretch that was told, by its number.
    said: Option<u32>,
}

impl NetworkAnalysis for Records {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        let history = look.network.history();
        let Some(last) = history
            .last(Axis::Height, Grain::Period)
            .filter(|last| self.said.is_none_or(|said| said < *last))
        else {
            return;
        };
        let heights = Grain::Period.places(Axis::Height);
        let first = self.said.map_or(last.saturating_sub(FIRST), |said| said + 1);
        let end = (last + 1) * heights;
        for day in first * heights / DAY..=(end - 1) / DAY {
            for node in history.nodes(Axis::Height) {
                let times = history.record(&node, day).map(|times| times.until(end));
                if let Some(times) = times.filter(BlockTimes::is_known) {
                    out.extend(row(look, &node, day, times));
                }
            }
        }
        self.said = Some(last);
    }

    fn restore(&mut self, finding: Finding) {
        if let Body::BlockTimes(times) = finding.body {
            let end = times.from_height + times.length();
            self.said = self.said.max((end / Grain::Period.places(Axis::Height)).checked_sub(1));
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        None
    }
}

/// The finding, revised with each stretch of the day.
fn row(look: &Look<'_>, node: &NodeName, day: u32, times: BlockTimes) -> Option<Row> {
    let network = look.network.network;
    let revision = times.length() / Grain::Period.places(Axis::Height);
    let block: BlockHash = look.network.known_tree().ancestor(look.main, times.from_height)?;
    let mined_s = look.network.known_tree().get(block)?.time();
    let at = AgentTime::from_micros(i64::from(mined_s) * 1_000_000);
    Some(Row::Finding(Box::new(Finding {
        id: FindingId::new(&network, ID, &[node.as_str().as_bytes(), &day.to_le_bytes()]),
        revision,
        network,
        node: Some(node.clone()),
        sighted: Sighted { at, offset: None },
        sources: slowness::sources(look, times.from_height + times.length() - 1),
        body: Body::BlockTimes(Box::new(times)),
    })))
}
