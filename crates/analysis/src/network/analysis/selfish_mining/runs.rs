use bmon_event::BlockHash;

use super::{Look, STEP, WINDOW, at_height, id, said, say_window};
use crate::{
    finding::SelfishMining,
    network::{Ledger, NetworkState},
    row::Row,
    selfish::{Runs, Signal, SignalName, Silence},
};

/// A block whose miner is not known so many heights below the top, a day after the network was first looked at, is given up.
const GIVEN_UP: u32 = 288;
const GIVEN_UP_AFTER_US: i64 = 24 * 3_600 * 1_000_000;

/// Blocks below the top that are looked at: the windows that are summed, and the one that is not full.
const MOST_BELOW: u32 = 5 * WINDOW;

/// The miners of the main chain. Windows begin at heights that 2,016 divides, so that they are the same after a restart.
#[derive(Debug, Default)]
pub(super) struct PoolsRuns {
    runs: Runs<String>,
    /// The height to look at next.
    next: Option<u32>,
    /// The step at which it was last said that there is not enough history.
    step: Option<u32>,
}

impl PoolsRuns {
    /// Takes in the miners up to the height `top`, in order.
    pub(super) fn look(&mut self, look: &Look<'_>, top: u32, ledger: &mut Ledger, out: &mut Vec<Row>) {
        // The root moves down for a while after a start; what is above it may yet become the first window.
        let (_, root) = look.network.known_tree().root();
        let first = root.max(top.saturating_sub(MOST_BELOW)).next_multiple_of(WINDOW);
        let mut next = self.next.unwrap_or(first);
        while next <= top {
            let Some(block) = at_height(look, next) else { break };
            if let Some(pool) = look.network.miner(block) {
                if self.runs.push(pool.map(str::to_owned)) {
                    self.say(look, block, next, ledger, out);
                }
                next += 1;
            } else if top - next > GIVEN_UP && look.network.is_looked_at_for(GIVEN_UP_AFTER_US, look.now) {
                self.runs.lose();
                next = (next + 1).next_multiple_of(WINDOW);
            } else {
                break;
            }
        }
        self.next = Some(next).filter(|next| *next > first || self.next.is_some());
        self.say_silence(look, top, ledger, out);
    }

    /// A window is full, whose last block this is. What was said of it before a restart knew of more windows.
    fn say(&self, look: &Look<'_>, block: BlockHash, height: u32, ledger: &mut Ledger, out: &mut Vec<Row>) {
        let Ok(report) = self.runs.judge() else { return };
        if !is_judged(look.network, height, ledger) {
            let from_height = (height + 1).saturating_sub(report.windows * WINDOW);
            let found = SelfishMining::of(Signal::Runs(report), block, from_height, height);
            say_window(look, found, ledger, out);
        }
    }

    fn say_silence(&mut self, look: &Look<'_>, top: u32, ledger: &mut Ledger, out: &mut Vec<Row>) {
        let step = top / STEP;
        if self.step.replace(step) == Some(step) {
            return;
        }
        let Err(Silence::NotEnoughHistory { have, need }) = self.runs.judge() else { return };
        let height = step * STEP;
        let Some(block) = at_height(look, height).filter(|_| !is_judged(look.network, height, ledger)) else {
            return;
        };
        let explanation = format!(
            "not enough history: of {need} blocks that it takes, the miners of {have} in a row are known"
        );
        let from_height = height - height % WINDOW;
        let found = SelfishMining::not_enough(SignalName::Runs, explanation, block, from_height, height);
        say_window(look, found, ledger, out);
    }
}

/// Whether the window of this height was judged already.
fn is_judged(network: &NetworkState, height: u32, ledger: &Ledger) -> bool {
    let id = id(network, SignalName::Runs, &(height / WINDOW).to_le_bytes());
    said(ledger, &id).is_some_and(|found| found.numbers.is_some())
}
