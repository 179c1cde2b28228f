//! What is kept of blocks.

use bmon_analysis::{
    pool::Mark,
    row::{BlockProcessing, BlockRow, BlockSighting, BlockStep, HeaderRow, MinerRow, RawBlockRow, Sighted},
};
use bmon_event::{BlockHash, Network};

use super::{Writer, json};
use crate::{
    StoreError,
    code::{source_code, stage_code, step_code},
};

impl Writer<'_> {
    pub(super) fn block(&mut self, row: &BlockRow) -> Result<(), StoreError> {
        let block = self.block_id(&row.network, &row.block)?;
        let Some(height) = row.height else { return Ok(()) };
        self.execute("UPDATE block SET height = ?2 WHERE id = ?1 AND height IS NULL", (block, height))
    }

    pub(super) fn block_sighting(&mut self, row: &BlockSighting) -> Result<(), StoreError> {
        let block = self.block_id(&row.network, &row.block)?;
        let node = self.node_id(&row.network, &row.node)?;
        let Sighted { at, offset } = row.sighted;
        self.execute(
            concat!(
                "INSERT INTO block_sighting AS old (block, node, stage, source, at_us, offset_min_us, offset_max_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                earliest_stays!()
            ),
            (
                block,
                node,
                stage_code(row.stage),
                source_code(row.source),
                at.as_micros(),
                offset.map(|offset| offset.min_us),
                offset.map(|offset| offset.max_us),
            ),
        )?;
        self.execute(
            "UPDATE block SET first_at_us = ?2 WHERE id = ?1 AND (first_at_us IS NULL OR first_at_us > ?2)",
            (block, at.plus_micros(offset.map_or(0, bmon_analysis::row::Offset::middle_us)).as_micros()),
        )
    }

    /// The earliest stays. Of two at the same time, the one that was told from its beginning on.
    pub(super) fn block_processing(&mut self, row: &BlockProcessing) -> Result<(), StoreError> {
        let block = self.block_id(&row.network, &row.block)?;
        let node = self.node_id(&row.network, &row.node)?;
        let Sighted { at, offset } = row.sighted;
        self.execute(
            "INSERT INTO block_processing AS old (block, node, at_us, offset_min_us, offset_max_us, processing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET
                 at_us = excluded.at_us, offset_min_us = excluded.offset_min_us,
                 offset_max_us = excluded.offset_max_us, processing = excluded.processing
             WHERE (excluded.at_us, excluded.processing ->> 'load_us' IS NULL, excluded.offset_min_us IS NULL,
                    excluded.offset_max_us - excluded.offset_min_us, excluded.offset_min_us)
                 < (old.at_us, old.processing ->> 'load_us' IS NULL, old.offset_min_us IS NULL,
                    old.offset_max_us - old.offset_min_us, old.offset_min_us)",
            (
                block,
                node,
                at.as_micros(),
                offset.map(|offset| offset.min_us),
                offset.map(|offset| offset.max_us),
                json(&row.processing),
            ),
        )
    }

    /// The earliest stays. Of two at the same time, the one that tells more, then as with sightings.
    pub(super) fn block_step(&mut self, row: &BlockStep) -> Result<(), StoreError> {
        let block = self.block_id(&row.network, &row.block)?;
        let node = self.node_id(&row.network, &row.node)?;
        let Sighted { at, offset } = row.sighted;
        self.execute(
            "INSERT INTO block_step AS old
                 (block, node, step, source, at_us, offset_min_us, offset_max_us, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET
                 at_us = excluded.at_us, offset_min_us = excluded.offset_min_us,
                 offset_max_us = excluded.offset_max_us, detail = excluded.detail
             WHERE (excluded.at_us, -length(excluded.detail), excluded.detail, excluded.offset_min_us IS NULL,
                    excluded.offset_max_us - excluded.offset_min_us, excluded.offset_min_us)
                 < (old.at_us, -length(old.detail), old.detail, old.offset_min_us IS NULL,
                    old.offset_max_us - old.offset_min_us, old.offset_min_us)",
            (
                block,
                node,
                step_code(&row.step),
                source_code(row.source),
                at.as_micros(),
                offset.map(|offset| offset.min_us),
                offset.map(|offset| offset.max_us),
                json(&row.step),
            ),
        )
    }

    pub(super) fn header(&mut self, row: &HeaderRow) -> Result<(), StoreError> {
        let network = self.network_ids(&row.network)?.network;
        self.execute(
            "INSERT INTO header (network, height, hash, raw) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            (network, row.height, row.block.as_bytes(), &row.raw),
        )
    }

    pub(super) fn miner(&mut self, row: &MinerRow) -> Result<(), StoreError> {
        let network = self.network_ids(&row.network)?.network;
        let pool = row.miner.pool.as_ref();
        let (address, tag) = match pool.map(|pool| &pool.by) {
            Some(Mark::Address { address }) => (Some(address), None),
            Some(Mark::Tag { tag }) => (None, Some(tag)),
            None => (None, None),
        };
        self.execute(
            "INSERT INTO miner (network, hash, pool, address, tag, coinbase_text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET pool = excluded.pool, address = excluded.address, tag = excluded.tag,
                 coinbase_text = excluded.coinbase_text",
            (
                network,
                row.block.as_bytes(),
                pool.map(|pool| &pool.name),
                address,
                tag,
                &row.miner.coinbase_text,
            ),
        )
    }

    pub(super) fn raw_block(&mut self, row: &RawBlockRow) -> Result<(), StoreError> {
        let network = self.network_ids(&row.network)?.network;
        self.execute(
            "INSERT INTO raw_block (network, hash, raw) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (network, row.block.as_bytes(), &row.raw),
        )
    }

    fn block_id(&mut self, network: &Network, block: &BlockHash) -> Result<i64, StoreError> {
        let key = (self.network_ids(network)?.network, block.as_bytes());
        match self.id("SELECT id FROM block WHERE network = ?1 AND hash = ?2", key)? {
            Some(id) => Ok(id),
            None => self.insert("INSERT INTO block (network, hash) VALUES (?1, ?2)", key),
        }
    }
}

/// What makes of an insert of a sighting the earlier of two. Of two at the same time, the one with the tighter bound
/// stays, and then the one with the smaller offset: whichever comes first, the same one stays.
macro_rules! earliest_stays {
    () => {
        " ON CONFLICT DO UPDATE SET
              at_us = excluded.at_us, offset_min_us = excluded.offset_min_us, offset_max_us = excluded.offset_max_us
          WHERE (excluded.at_us, excluded.offset_min_us IS NULL,
                 excluded.offset_max_us - excluded.offset_min_us, excluded.offset_min_us)
              < (old.at_us, old.offset_min_us IS NULL, old.offset_max_us - old.offset_min_us, old.offset_min_us)"
    };
}
use earliest_stays;
