//! How much of each network's work was lost.

use std::collections::HashSet;

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{finding::StaleBlock, row::TipsRow};
use bmon_event::BlockHash;
use bmon_store::{Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/chain",
    summary: "The chain of each network in numbers: its height, and how many blocks were left behind and how many branches \
              they make, in the last 2,016 blocks and in all whose headers are known. Blocks that nodes found invalid and \
              none valid are not counted.",
    parameters: &[],
    example: "/api/v1/chain",
    route: || get(answer),
};

/// Blocks that are counted as the last ones: one retarget period.
const RECENT: u32 = 2_016;

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The networks of whose chain something is known.
    pub networks: Vec<Chain>,
}

/// The chain of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The end of the chain with the most work that a node follows.
    pub tip: BlockHash,
    /// Its height.
    pub height: u32,
    /// Of the last 2,016 blocks, or of all that are known if those are fewer.
    pub recent: Counts,
    /// Of all blocks whose headers are known.
    pub known: Counts,
}

/// What was counted in a stretch of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Blocks of the chain in the stretch.
    pub blocks: u32,
    /// Stale blocks at their heights.
    pub stale_blocks: u32,
    /// Stale blocks on which no other stale block stands: the ends of branches.
    pub unused_tips: u32,
}

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Json<Reply>, Refusal> {
    let networks = api.read(|reader| reader.tips()?.iter().map(|row| Chain::read(reader, row)).collect());
    let networks: Vec<Option<Chain>> = networks.await?;
    Ok(Json(Reply { networks: networks.into_iter().flatten().collect() }))
}

impl Chain {
    /// The chain that has these ends, `None` if it has none.
    pub(super) fn read(reader: &Reader, row: &TipsRow) -> Result<Option<Self>, StoreError> {
        let Some(main) = row.tips.first() else { return Ok(None) };
        let lowest = reader.lowest_header(&row.network)?.unwrap_or(main.height);
        let mut stale = Vec::new();
        reader.visit_stale_blocks(&row.network, |block| {
            if block.is_stale && !block.is_invalid() {
                stale.push(Stale::new(&block));
            }
        })?;
        let recent = lowest.max((main.height + 1).saturating_sub(RECENT));
        Ok(Some(Self {
            network: row.network.to_string(),
            tip: main.block,
            height: main.height,
            recent: Counts::new(&stale, recent, main.height),
            known: Counts::new(&stale, lowest, main.height),
        }))
    }
}

/// As much of a stale block as is counted.
struct Stale {
    block: BlockHash,
    height: u32,
    parent: Option<BlockHash>,
}

impl Stale {
    fn new(block: &StaleBlock) -> Self {
        Self { block: block.block, height: block.height, parent: block.parent() }
    }
}

impl Counts {
    /// Of the heights from `lowest` up to `highest`, the chain's end. Stale blocks above that are counted too.
    fn new(stale: &[Stale], lowest: u32, highest: u32) -> Self {
        let below: HashSet<_> = stale.iter().filter_map(|block| block.parent).collect();
        let (mut stale_blocks, mut unused_tips) = (0, 0);
        for block in stale.iter().filter(|block| block.height >= lowest) {
            stale_blocks += 1;
            unused_tips += u32::from(!below.contains(&block.block));
        }
        Self { blocks: (highest + 1).saturating_sub(lowest), stale_blocks, unused_tips }
    }
}
