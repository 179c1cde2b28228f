use bmon_analysis::{
    pool::Miner,
    row::{BlockProcessing, BlockRow, BlockSighting, BlockStep},
};
use bmon_event::{BlockHash, Network, ServerTime};
use rusqlite::{OptionalExtension, Row};

use super::page::{Cursor, Page};
use crate::{Reader, StoreError, code};

/// A block and when nodes reached which stage with it.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockTimes {
    /// The block.
    pub row: BlockRow,
    /// Its earliest sighting by any node, on the server's clock where the offset is known.
    pub first_at: ServerTime,
    /// The sightings: by node, stage and source, in this order.
    pub sightings: Vec<BlockSighting>,
    /// How long nodes took to connect it, by node.
    pub processing: Vec<BlockProcessing>,
    /// Who mined it, `None` if its coinbase was not read.
    pub miner: Option<Miner>,
}

const BLOCKS: &str = "
    SELECT block.id, network.genesis, hash, height, first_at_us
    FROM block JOIN network ON network.id = block.network
    WHERE (first_at_us, block.id) < (?1, ?2)
    ORDER BY first_at_us DESC, block.id DESC LIMIT ?3";

const BLOCK: &str = "
    SELECT block.id, network.genesis, hash, height, first_at_us
    FROM block JOIN network ON network.id = block.network
    WHERE hash = ?1 AND first_at_us IS NOT NULL ORDER BY block.network LIMIT 1";

const SIGHTINGS: &str = "
    SELECT node.name, stage, source, at_us, offset_min_us, offset_max_us
    FROM block_sighting JOIN node ON node.id = node
    WHERE block = ?1 ORDER BY node.name, stage, source";

const PROCESSING: &str = "
    SELECT node.name, at_us, offset_min_us, offset_max_us, processing
    FROM block_processing JOIN node ON node.id = node
    WHERE block = ?1 ORDER BY node.name";

const STEPS: &str = "
    SELECT node.name, source, at_us, offset_min_us, offset_max_us, detail
    FROM block_step
    JOIN node ON node.id = node
    JOIN block ON block.id = block
    WHERE block.hash = ?1 AND block.network = (SELECT id FROM network WHERE genesis = ?2)
    ORDER BY node.name, step, source";

impl Reader {
    /// Blocks in the order in which they were first seen, newest first, each with all its sightings: at most `limit`
    /// of those after `after`, from the newest when that is `None`.
    pub fn blocks(&self, limit: u32, after: Option<Cursor>) -> Result<Page<BlockTimes>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(Cursor::START);
        // One snapshot for the blocks and their sightings.
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut statement = self.connection.prepare_cached(BLOCKS)?;
        let blocks = statement.query_map((at_us, id, i64::from(limit) + 1), block)?;
        let mut rows = Vec::new();
        for block in blocks {
            let (id, block) = block?;
            rows.push((Cursor { at_us: block.first_at.as_micros(), id }, self.with_details(id, block)?));
        }
        Ok(Page::new(rows, limit))
    }

    /// One block, `None` when no node told of it. Networks that share the block (only custom signets share even the
    /// genesis block) are not told apart: the one that was known first counts.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<BlockTimes>, StoreError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut statement = self.connection.prepare_cached(BLOCK)?;
        let found = statement.query_row([hash.as_bytes()], block).optional()?;
        found.map(|(id, block)| self.with_details(id, block)).transpose()
    }

    /// How a block came into the nodes: by node, step and source, in this order.
    pub fn block_steps(&self, block: &BlockRow) -> Result<Vec<BlockStep>, StoreError> {
        let (network, hash) = (block.network, block.block);
        let mut statement = self.connection.prepare_cached(STEPS)?;
        let mut rows = statement.query((hash.as_bytes(), network.genesis.as_bytes()))?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(BlockStep {
                network,
                block: hash,
                node: code::node_name(row.get("name")?)?,
                source: code::source(row.get("source")?)?,
                step: code::json("block_step.detail", row.get("detail")?)?,
                sighted: code::sighted(row)?,
            });
        }
        Ok(steps)
    }

    pub(super) fn with_details(&self, id: i64, mut block: BlockTimes) -> Result<BlockTimes, StoreError> {
        let BlockRow { network, block: hash, .. } = block.row;
        let mut statement = self.connection.prepare_cached(SIGHTINGS)?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            block.sightings.push(sighting(row, network, hash)?);
        }
        let mut statement = self.connection.prepare_cached(PROCESSING)?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            block.processing.push(processing(row, network, hash)?);
        }
        block.miner = self.miner(&network, &hash)?;
        Ok(block)
    }
}

pub(super) fn block(row: &Row<'_>) -> rusqlite::Result<(i64, BlockTimes)> {
    let block = BlockRow {
        network: code::network(row.get("genesis")?),
        block: BlockHash::from_bytes(row.get("hash")?),
        height: row.get("height")?,
    };
    let first_at = ServerTime::from_micros(row.get("first_at_us")?);
    Ok((
        row.get("id")?,
        BlockTimes { row: block, first_at, sightings: Vec::new(), processing: Vec::new(), miner: None },
    ))
}

fn sighting(row: &Row<'_>, network: Network, block: BlockHash) -> Result<BlockSighting, StoreError> {
    Ok(BlockSighting {
        network,
        block,
        node: code::node_name(row.get("name")?)?,
        source: code::source(row.get("source")?)?,
        stage: code::stage(row.get("stage")?)?,
        sighted: code::sighted(row)?,
    })
}

fn processing(row: &Row<'_>, network: Network, block: BlockHash) -> Result<BlockProcessing, StoreError> {
    Ok(BlockProcessing {
        network,
        block,
        node: code::node_name(row.get("name")?)?,
        sighted: code::sighted(row)?,
        processing: code::json("block_processing.processing", row.get("processing")?)?,
    })
}
