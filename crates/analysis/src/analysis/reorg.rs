//! Branches that a node left.
//!
//! Up to three voices tell of the same reorg, each perhaps only a part of it: they become one finding, which says what
//! the one that knows most told.

use std::collections::VecDeque;

use bmon_event::{BlockHash, Source};

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, Finding, FindingId, Reorg},
    row::Row,
    state::{Change, NodeState, chain::Voice, follow::Switch},
};

const ID: &str = "reorg";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node left which blocks for which others.",
    make: |settings| Box::new(Reorgs { pause_us: settings.reorg_pause_us, said: VecDeque::new() }),
};

/// Reorgs remembered. Another voice tells of the same one within seconds; the rest is for logs that are read again.
const MAX_SAID: usize = 256;

#[derive(Debug)]
struct Reorgs {
    /// How far apart two voices may tell of the same, in microseconds.
    pause_us: i64,
    /// In the order in which they were first said.
    said: VecDeque<Said>,
}

#[derive(Debug)]
struct Said {
    /// The old tip that its id is made of.
    old_tip: BlockHash,
    /// What each voice told, in the order of [`Voice::ALL`].
    told: [Option<Switch>; Voice::ALL.len()],
    finding: Finding,
}

impl Analysis for Reorgs {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Switch(voice, switch) = change else { return };
        let known = self.said.iter_mut().rev().find(|said| said.is_repeated_by(*voice, switch));
        let known = match known {
            Some(said) => Some(said),
            None => self.said.iter_mut().find(|said| said.is_joined_by(*voice, switch, self.pause_us)),
        };
        match known {
            Some(said) => out.extend(said.revise(node, *voice, switch)),
            None => out.extend(self.say(node, *voice, switch)),
        }
    }
}

impl Reorgs {
    fn say(&mut self, node: &NodeState, voice: Voice, switch: &Switch) -> Option<Row> {
        let old_tip = *switch.old.last()?;
        // A node can leave the same tip several times, as with `invalidateblock` and `reconsiderblock`.
        let earlier = self.said.iter().filter(|said| said.old_tip == old_tip).count() as u64;
        let subject = [node.name.as_str().as_bytes(), old_tip.as_bytes(), &earlier.to_le_bytes()];
        let finding = Finding {
            id: FindingId::new(&node.network, ID, &subject),
            revision: 0,
            network: node.network,
            node: Some(node.name.clone()),
            sighted: node.sighted(switch.at),
            sources: Vec::new(),
            body: Body::Reorg(Reorg {
                fork_height: None,
                depth: 0,
                old: Vec::new(),
                new: Vec::new(),
                duration_us: None,
            }),
        };
        let mut said = Said { old_tip, told: [None, None, None], finding };
        let row = said.revise(node, voice, switch);
        self.said.push_back(said);
        if self.said.len() > MAX_SAID {
            self.said.pop_front();
        }
        row
    }
}

impl Said {
    /// Whether the voice tells again, maybe with more blocks, what it told of this one.
    fn is_repeated_by(&self, voice: Voice, switch: &Switch) -> bool {
        let same = |told: &Switch| {
            told.serial == switch.serial
                || (told.at == switch.at && told.old == switch.old && told.new == switch.new)
        };
        self.told[voice as usize].as_ref().is_some_and(same)
    }

    /// Whether the voice tells of this one for the first time, or another part of it.
    fn is_joined_by(&self, voice: Voice, switch: &Switch, pause_us: i64) -> bool {
        let is_near = |told: &Switch| switch.at.micros_since(told.at).saturating_abs() <= pause_us;
        let by_another = self.told.iter().flatten().any(|told| is_near(told) && shares_old(told, switch));
        by_another && !self.told[voice as usize].as_ref().is_some_and(|told| shares_old(told, switch))
    }

    /// Takes in what the voice tells. The finding, if that makes it another.
    fn revise(&mut self, node: &NodeState, voice: Voice, switch: &Switch) -> Option<Row> {
        let told = &mut self.told[voice as usize];
        if told.as_ref().is_none_or(|told| told.serial == switch.serial || rank(told) <= rank(switch)) {
            *told = Some(switch.clone());
        }
        let told = || {
            Voice::ALL.into_iter().zip(&self.told).filter_map(|(voice, told)| Some((voice, told.as_ref()?)))
        };
        // Of equals the first voice counts, which knows most.
        let best = told().map(|(_, told)| told).rev().max_by_key(|told| rank(told))?;
        let mut sources: Vec<Source> = told().map(|(voice, _)| voice.source()).collect();
        sources.dedup();
        let body = Reorg {
            fork_height: best.fork_height.or_else(|| told().find_map(|(_, told)| told.fork_height)),
            depth: u32::try_from(best.old.len()).unwrap_or(u32::MAX),
            old: best.old.clone(),
            new: best.new.clone(),
            // A clock that was set back meanwhile tells nothing.
            duration_us: Some(best.at.micros_since(best.from)).filter(|us| *us >= 0),
        };
        let body = Body::Reorg(body);
        let is_same = self.finding.body == body
            && self.finding.sources == sources
            && self.finding.sighted.at == best.at;
        if is_same {
            return None;
        }
        if self.finding.sighted.at != best.at {
            self.finding.sighted = node.sighted(best.at);
        }
        (self.finding.body, self.finding.sources) = (body, sources);
        self.finding.revision += 1;
        Some(Row::Finding(Box::new(self.finding.clone())))
    }
}

/// Orders what several voices tell of one reorg: more of the old branch is better, then one that came to its end.
const fn rank(switch: &Switch) -> (usize, bool) {
    (switch.old.len(), switch.complete)
}

fn shares_old(one: &Switch, other: &Switch) -> bool {
    one.old.iter().any(|block| other.old.contains(block))
}
