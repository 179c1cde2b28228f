//! Whether somebody mines selfishly: feeds the three signals of [`crate::selfish`] and says what they tell. Of a race only
//! what is an alarm is said; of a window of 2,016 heights one finding is, revised every 144 heights, so that a person sees
//! that there is nothing, or not enough history, and that a restart loses none of it.

mod burst;
mod runs;
mod withheld;

use bmon_event::BlockHash;

use self::{burst::Bursts, runs::PoolsRuns, withheld::Pairs};
use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, FindingId, SelfishMining},
    network::{Ledger, NetworkState, Saying, Seen},
    row::{Row, Sighted},
    selfish::SignalName,
};

const ID: &str = "selfish-mining";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "What three signals tell of selfish mining, with their chance if all miners are honest.",
    make: || Box::new(SelfishMiners::default()),
};

/// Time between two blocks that the difficulty aims at.
const INTERVAL_US: i64 = 600 * 1_000_000;
/// Blocks on top of one from which on it counts as part of the chain. The deepest reorg on main since 2013 had four.
const BURIED: u32 = 6;
/// Heights of a window.
const WINDOW: u32 = 2_016;
/// A window's finding is revised after so many heights: a day, which is less than what the journal tells again.
const STEP: u32 = 144;
/// After a start this long is waited before windows go on: agents deliver what they kept.
const AFTER_START_US: i64 = 10 * 60 * 1_000_000;

#[derive(Debug, Default)]
struct SelfishMiners {
    ledger: Ledger,
    bursts: Bursts,
    pairs: Pairs,
    runs: PoolsRuns,
}

impl NetworkAnalysis for SelfishMiners {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        if !look.network.is_mined_in_earnest() {
            return;
        }
        self.bursts.look(look, &mut self.ledger, out);
        let height = look.network.known_tree().height(look.main);
        let Some(top) = height.and_then(|height| height.checked_sub(BURIED)) else { return };
        if look.network.is_looked_at_for(AFTER_START_US, look.now) {
            self.pairs.look(look, top, &mut self.ledger, out);
            self.runs.look(look, top, &mut self.ledger, out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

/// The id of what a signal says of a race after this block, or of the window of this number.
fn id(network: &NetworkState, signal: SignalName, subject: &[u8]) -> FindingId {
    FindingId::new(&network.network, ID, &[signal.as_str().as_bytes(), subject])
}

/// What was last said under this id.
fn said<'a>(ledger: &'a Ledger, id: &FindingId) -> Option<&'a SelfishMining> {
    match &ledger.get(id)?.body {
        Body::SelfishMining(found) => Some(found),
        _ => None,
    }
}

/// Says how it stands with a window. What has become an alarm keeps the time at which it did.
fn say_window(look: &Look<'_>, found: SelfishMining, ledger: &mut Ledger, out: &mut Vec<Row>) {
    let window = (found.to_height / WINDOW).to_le_bytes();
    let id = id(look.network, found.signal, &window);
    let begins = found.is_alarm && !said(ledger, &id).is_some_and(|before| before.is_alarm);
    let before = ledger.get(&id).filter(|_| !begins);
    let sighted = before.map_or(Sighted::by_server(look.now), |before| before.sighted);
    let saying = Saying {
        id,
        node: None,
        seen: Seen { sighted, is_told: true },
        sources: look.network.sources([found.block]),
        body: Body::SelfishMining(Box::new(found)),
    };
    ledger.say(look.network.network, saying, out);
}

/// The block at this height of the main chain.
fn at_height(look: &Look<'_>, height: u32) -> Option<BlockHash> {
    look.network.known_tree().ancestor(look.main, height)
}
