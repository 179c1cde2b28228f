use bmon_analysis::finding::Finding;
use bmon_event::{BlockHash, Network};
use rusqlite::OptionalExtension;

use crate::{Reader, StoreError, code};

/// A block that was found stale, or invalid by a node, with all that was found of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DubiousBlock {
    /// Where it is in the list.
    pub place: Place,
    /// Its header's bytes.
    pub raw: Vec<u8>,
    /// The findings that it is stale, that a node found it invalid, and that nodes disagree on it; oldest first.
    pub findings: Vec<Finding>,
    /// Whether a node ever connected it to its active chain.
    pub is_connected: bool,
}

/// A block's place in a list by height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its height.
    pub height: u32,
    /// The block.
    pub block: BlockHash,
}

/// Once for every block that a finding of these kinds is about: there are some hundred in a year.
const BLOCKS: &str = "
    WITH dubious (block) AS (
        SELECT DISTINCT body ->> 'block' FROM finding
        WHERE kind IN ('invalid-block', 'stale-block')
          AND network = (SELECT id FROM network WHERE genesis = ?1)
    )
    SELECT header.height, header.hash, header.raw
    FROM dubious JOIN header INDEXED BY header_by_hash ON header.hash = unhex(dubious.block)
    WHERE header.network = (SELECT id FROM network WHERE genesis = ?1)
      AND (header.height, header.hash) < (?2, ?3)
    ORDER BY header.height DESC, header.hash DESC LIMIT ?4";

const CONNECTED: &str = "
    SELECT 1 FROM block JOIN network ON network.id = block.network
    JOIN block_sighting ON block_sighting.block = block.id AND block_sighting.stage = ?3
    WHERE block.hash = ?1 AND network.genesis = ?2 LIMIT 1";

const WITHOUT_HEADER: &str = "
    SELECT count(DISTINCT body ->> 'block') FROM finding
    WHERE kind = 'invalid-block' AND network = (SELECT id FROM network WHERE genesis = ?1)
      AND NOT EXISTS (SELECT 1 FROM header WHERE header.hash = unhex(body ->> 'block')
                                             AND header.network = finding.network)";

impl Reader {
    /// The blocks of one network that were found stale, or invalid by a node, and whose header is known; the highest
    /// first. At most `limit` of those after `after`, from the highest when that is `None`.
    pub fn dubious_blocks(
        &self,
        network: &Network,
        limit: u32,
        after: Option<Place>,
    ) -> Result<Vec<DubiousBlock>, StoreError> {
        // One snapshot for the blocks and what was found of them.
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut statement = self.connection.prepare_cached(BLOCKS)?;
        let (height, block) =
            after.map_or((i64::MAX, [0xff; 32]), |place| (place.height.into(), *place.block.as_bytes()));
        let mut rows = statement.query((network.genesis.as_bytes(), height, block, limit))?;
        let mut blocks = Vec::new();
        while let Some(row) = rows.next()? {
            let block = BlockHash::from_bytes(row.get("hash")?);
            blocks.push(DubiousBlock {
                place: Place { height: row.get("height")?, block },
                raw: row.get("raw")?,
                findings: self.findings_judging_block(network, &block)?,
                is_connected: self.is_connected(network, &block)?,
            });
        }
        Ok(blocks)
    }

    /// Number of blocks that a node found invalid and whose header is not known.
    pub fn invalid_blocks_without_header(&self, network: &Network) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(WITHOUT_HEADER)?;
        let count = statement.query_row([network.genesis.as_bytes()], |row| row.get(0))?;
        code::unsigned("count", count)
    }

    fn is_connected(&self, network: &Network, block: &BlockHash) -> Result<bool, StoreError> {
        let connected = code::stage_code(bmon_analysis::row::Stage::Connected);
        let key = (block.as_bytes(), network.genesis.as_bytes(), connected);
        let found: Option<i64> =
            self.connection.prepare_cached(CONNECTED)?.query_row(key, |row| row.get(0)).optional()?;
        Ok(found.is_some())
    }
}
