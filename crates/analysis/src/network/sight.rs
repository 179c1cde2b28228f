//! What each node has to do with a block, for those who judge by times: when it saw it, and whether that tells anything.

use bmon_event::{AgentTime, BlockHash, NodeName, ServerTime};

use super::{Member, NetworkState};
use crate::{
    row::Sighted,
    selfish::{Seen, SeenBlock, Sight},
    tree::Status,
};

/// A node that surely sees a block so much later than the first is catching up, whatever it says: 99 % of peers have a block
/// within 14.7 s (KIT, measured from November 2024 to October 2025).
const LATE_US: i64 = 60 * 1_000_000;

impl NetworkState {
    /// Whether it has been looked at for so long.
    pub(crate) fn is_looked_at_for(&self, us: i64, now: ServerTime) -> bool {
        self.looked_since.is_some_and(|since| now.micros_since(since) >= us)
    }

    /// How long after hearing the last part of something it is said as it is, in microseconds.
    pub(crate) const fn lateness_us(&self) -> i64 {
        self.settings.lateness_us
    }

    /// Whether blocks come as those of main do: by chance, 600 s apart on average, at a cost.
    pub(crate) const fn is_mined_in_earnest(&self) -> bool {
        self.is_mined_in_earnest
    }

    /// The nodes that follow the chain now: they told something of the last minutes, and are past initial block download.
    pub(crate) fn live(&self, now: ServerTime) -> impl Iterator<Item = (&NodeName, BlockHash)> {
        let silence_us = self.settings.silence_us;
        let is_live = move |member: &Member| {
            member.initial_block_download != Some(true) && now.micros_since(member.told_until) <= silence_us
        };
        let live = self.members.iter().filter(move |(_, member)| is_live(member));
        live.filter_map(|(node, _)| Some((node, self.tree()?.active_tip(node)?)))
    }

    /// Whether the node is on its way to the tip, so that where it stands tells nothing.
    pub(crate) fn is_catching_up(&self, node: &NodeName, now: ServerTime) -> bool {
        // Its clock is near enough to the server's for stretches of minutes.
        let at = AgentTime::from_micros(now.as_micros());
        self.members().get(node).is_some_and(|member| member.absence.is_catching_up(at))
    }

    /// The block as the nodes saw it, in the order of their names. `None` if no node told of it when it came, or that is
    /// forgotten.
    pub(crate) fn seen_block(&self, block: BlockHash, now: ServerTime) -> Option<SeenBlock> {
        let told = self.arrival(block)?.told();
        if told.is_empty() {
            return None;
        }
        let first = Seen::first(told.values().filter_map(Seen::of));
        let sight = |(node, member): (&NodeName, &Member)| match told.get(node) {
            Some(sighted) => sight(member, sighted, first),
            None if self.would_have_told(member, first, now) => Sight::Unseen,
            None => Sight::NotFollowing,
        };
        Some(SeenBlock {
            nodes: self.members().iter().map(sight).collect(),
            invalid: !self.nodes_with(block, &[Status::Invalid]).is_empty(),
        })
    }

    /// Whether a node that has not told of a block has not seen it, although it was following when others first saw it.
    fn would_have_told(&self, member: &Member, first: Option<Seen>, now: ServerTime) -> bool {
        // Its clock is near enough to the server's for stretches of minutes, or nothing is known of it.
        let at = first.map(|first| AgentTime::from_micros(first.latest.as_micros()));
        member.initial_block_download != Some(true)
            && now.micros_since(member.told_until) <= self.settings.silence_us
            && member.is_read()
            && at.is_some_and(|at| !member.absence.holds(at))
    }
}

fn sight(member: &Member, sighted: &Sighted, first: Option<Seen>) -> Sight {
    let seen = Seen::of(sighted);
    let is_late =
        || seen.zip(first).is_some_and(|(seen, first)| seen.earliest.micros_since(first.latest) > LATE_US);
    if member.absence.holds(sighted.at) || is_late() {
        return Sight::NotFollowing;
    }
    seen.map_or(Sight::ClockUnknown, Sight::Seen)
}
