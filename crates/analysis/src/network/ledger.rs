use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bmon_event::{Network, NodeName, Source};

use super::Seen;
use crate::{
    finding::{Body, Finding, FindingId},
    row::Row,
};

/// Most findings of one kind that are remembered. Of blocks that competed a busy year has a hundred.
const MOST: usize = 4_096;

/// What one analysis has said of a network: so that it says it again only when it is another.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    said: BTreeMap<FindingId, Finding>,
    /// In the order in which they were first said.
    order: VecDeque<FindingId>,
}

/// What is to be said, but for its revision.
#[derive(Debug)]
pub(crate) struct Saying {
    pub(crate) id: FindingId,
    /// The node it is about, `None` for the network as a whole.
    pub(crate) node: Option<NodeName>,
    pub(crate) seen: Seen,
    /// The sources that it rests on.
    pub(crate) sources: Vec<Source>,
    pub(crate) body: Body,
}

impl Ledger {
    /// Takes in what was said before the server was last started. What was said since stays.
    pub(crate) fn restore(&mut self, finding: Finding) {
        if self.get(&finding.id).is_none_or(|said| said.revision < finding.revision) {
            self.keep(finding);
        }
    }

    /// What was last said under this id.
    pub(crate) fn get(&self, id: &FindingId) -> Option<&Finding> {
        self.said.get(id)
    }

    /// All that is remembered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.said.values()
    }

    /// The findings about the node of which `take` makes something: their ids, when they were, and that.
    pub(crate) fn of_node<T>(
        &self,
        node: &NodeName,
        take: impl Fn(&Body) -> Option<T>,
    ) -> impl Iterator<Item = (FindingId, Seen, T)> {
        let of_node = self.iter().filter(move |finding| finding.node.as_ref() == Some(node));
        of_node.filter_map(move |finding| {
            let seen = Seen { sighted: finding.sighted, is_told: true };
            Some((finding.id, seen, take(&finding.body)?))
        })
    }

    /// Says it, unless it was the last thing said under this id.
    pub(crate) fn say(&mut self, network: Network, saying: Saying, out: &mut Vec<Row>) {
        let Saying { id, node, seen, sources, body } = saying;
        let before = self.said.get(&id);
        // What was known before may be forgotten by now.
        let known = before.filter(|_| !seen.is_told);
        let sighted = known.map_or(seen.sighted, |said| said.sighted);
        if before.is_some_and(|said| said.body == body && said.sighted.at == sighted.at) {
            return;
        }
        let sources: BTreeSet<_> =
            before.into_iter().flat_map(|said| &said.sources).copied().chain(sources).collect();
        let sources = sources.into_iter().collect();
        let revision = before.map_or(0, |said| said.revision) + 1;
        let finding = Finding { id, revision, network, node, sighted, sources, body };
        out.push(Row::Finding(Box::new(finding.clone())));
        self.keep(finding);
    }

    fn keep(&mut self, finding: Finding) {
        let id = finding.id;
        if self.said.insert(id, finding).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.said.remove(&oldest);
        }
    }
}
