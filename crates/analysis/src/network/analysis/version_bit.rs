//! Bits of the block version that miners signal with and no node knows: a soft fork that the nodes are too old for.

use std::collections::BTreeSet;

use bmon_event::BlockHash;

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, FindingId, VersionBit},
    network::{Ledger, NetworkState, Saying},
    row::Row,
};

const ID: &str = "version-bit";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which bit of the block version many blocks have set that no node knows as a soft fork.",
    make: || Box::new(VersionBits { ledger: Ledger::default() }),
};

/// Blocks looked at, and how many of them must have the bit: more than half of a hundred, which no pool has alone. It is over
/// when a quarter has it.
const WINDOW: u32 = 100;
const MANY: u32 = 51;
const FEW: u32 = 25;
/// Bits that BIP 9 leaves for soft forks and BIP 320 does not take for other use: 0 to 12.
const BITS: u32 = 13;
/// The highest three bits of a version that has such bits (BIP 9).
const TOP_MASK: u32 = 0xe000_0000;
const TOP_BITS: u32 = 0x2000_0000;

#[derive(Debug)]
struct VersionBits {
    ledger: Ledger,
}

impl NetworkAnalysis for VersionBits {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        // Before a whole window is known a few blocks would be many.
        let Some(blocks) = last_blocks(look).filter(|_| !look.touched.is_empty()) else { return };
        let versions: Vec<u32> = blocks
            .iter()
            .filter_map(|block| Some(look.network.known_tree().get(*block)?.version()))
            .filter(|version| version & TOP_MASK == TOP_BITS)
            .collect();
        let known = known_bits(look.network);
        for bit in 0..BITS {
            let count = versions.iter().filter(|version| *version >> bit & 1 == 1).count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.judge(look, bit, count, known.contains(&bit), out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl VersionBits {
    fn judge(&mut self, look: &Look<'_>, bit: u32, count: u32, is_known: bool, out: &mut Vec<Row>) {
        let open = self.ledger.iter().find_map(|finding| match &finding.body {
            Body::VersionBit(found) if found.bit == bit && found.is_open => Some((finding.id, found.clone())),
            _ => None,
        });
        let is_open = !is_known && if open.is_some() { count > FEW } else { count >= MANY };
        let Some(height) = look.network.known_tree().height(look.main) else { return };
        let (id, found) = match open {
            // Said again when it is over, not at each block.
            Some(_) if is_open => return,
            Some((id, found)) => (id, VersionBit { blocks: count, height, is_open, ..found }),
            None if is_open => {
                let subject = [bit.to_le_bytes(), height.to_le_bytes()];
                let id = FindingId::new(&look.network.network, ID, &[&subject[0], &subject[1]]);
                (id, VersionBit { bit, blocks: count, window: WINDOW, height, is_open })
            }
            None => return,
        };
        let (seen, sources) = (look.network.first_seen(look.main), look.network.sources([look.main]));
        let saying = Saying { id, node: None, seen, sources, body: Body::VersionBit(found) };
        self.ledger.say(look.network.network, saying, out);
    }
}

/// The last blocks of the main chain, `None` if not so many are known.
fn last_blocks(look: &Look<'_>) -> Option<Vec<BlockHash>> {
    let tree = look.network.known_tree();
    let below = tree.height(look.main)?.checked_sub(WINDOW)?;
    tree.blocks_between(tree.ancestor(look.main, below)?, look.main)
}

/// The bits that a node says are signalled with.
fn known_bits(network: &NetworkState) -> BTreeSet<u32> {
    network.members().values().flat_map(|member| member.version_bits.iter().copied()).collect()
}
