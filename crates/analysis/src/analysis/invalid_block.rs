//! Blocks that a node found invalid.

use bmon_event::{BlockHash, Kind, Source};

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, Finding, FindingId, InvalidBlock},
    memory::Memory,
    row::{Row, Sighted},
    settings::Settings,
    state::{Change, NodeState},
};

const ID: &str = "invalid-block";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which node found which block invalid, and why.",
    make: |settings| Box::new(Invalid::new(settings)),
};

/// One finding for each block. Several lines tell of it, each another part: `BlockChecked` and `ConnectTip` the reason,
/// `InvalidChainFound` the height.
#[derive(Debug)]
struct Invalid {
    said: Memory<BlockHash, Said>,
}

#[derive(Clone, Debug, PartialEq)]
struct Said {
    revision: u32,
    sighted: Sighted,
    sources: Vec<Source>,
    body: InvalidBlock,
}

impl Invalid {
    fn new(settings: &Settings) -> Self {
        Self { said: Memory::new(settings.findings) }
    }
}

impl Analysis for Invalid {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Kind::BlockInvalid { block, height, reason } = &event.kind else { return };
        let before = self.said.get(block);
        let mut said = before.cloned().unwrap_or_else(|| Said {
            revision: 0,
            sighted: node.sighted(event.time()),
            sources: Vec::new(),
            body: InvalidBlock { block: *block, height: None, reason: None },
        });
        said.body.height = said.body.height.or(*height);
        if said.body.reason.as_deref().is_none_or(is_repeat) {
            said.body.reason = reason.clone().or(said.body.reason);
        }
        if !said.sources.contains(&event.source) {
            said.sources.push(event.source);
            said.sources.sort_unstable();
        }
        if before == Some(&said) {
            return;
        }
        said.revision += 1;
        self.said.insert(event.time(), *block, said.clone());
        out.push(Row::Finding(Box::new(Finding {
            id: FindingId::new(&node.network, ID, &[node.name.as_str().as_bytes(), block.as_bytes()]),
            revision: said.revision,
            network: node.network,
            node: Some(node.name.clone()),
            sighted: said.sighted,
            sources: said.sources,
            body: Body::InvalidBlock(said.body),
        })));
    }
}

/// Whether the words only say that the block was found invalid before: `BLOCK_CACHED_INVALID` in
/// `ChainstateManager::AcceptBlockHeader` (`src/validation.cpp@v30`).
fn is_repeat(reason: &str) -> bool {
    reason.split(',').next() == Some("duplicate-invalid")
}
