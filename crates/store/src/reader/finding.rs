use bmon_analysis::finding::{Body, Finding, FindingId, StaleBlock};
use bmon_event::{BlockHash, Network, Source, Txid};
use rusqlite::Row;

use super::page::{Cursor, Page};
use crate::{Reader, StoreError, code};

/// A query of findings that goes by `$index`: left to itself the planner would read every refusal there ever was to
/// find those of one transaction.
macro_rules! select {
    ($index:literal, $rest:literal) => {
        concat!(
            "SELECT row, finding.id, revision, network.genesis, node.name, at_us, offset_min_us, offset_max_us,
                    sources, body, server_at_us
             FROM finding INDEXED BY ",
            $index,
            " JOIN network ON network.id = finding.network LEFT JOIN node ON node.id = finding.node ",
            $rest
        )
    };
}

const OF_KIND: &str = select!(
    "finding_by_time",
    "WHERE kind = ?1 AND (server_at_us, row) < (?2, ?3) ORDER BY server_at_us DESC, row DESC LIMIT ?4"
);
const ABOUT_TX: &str = select!(
    "finding_by_tx",
    "WHERE kind = 'rejected-tx' AND body ->> 'txid' = ?1 ORDER BY server_at_us, row"
);
const ABOUT_BLOCK: &str = select!(
    "finding_by_block",
    "WHERE kind = 'invalid-block' AND body ->> 'block' = ?1 ORDER BY server_at_us, row"
);

const JUDGING_BLOCK: &str = select!(
    "finding_by_block",
    "WHERE (kind = 'invalid-block' OR kind = 'stale-block' OR kind = 'validity-disagreement')
       AND body ->> 'block' = ?1 AND network.genesis = ?2 ORDER BY server_at_us, row"
);

const OF_ITEM: &str = select!(
    "finding_by_watch",
    "WHERE kind = 'watch' AND body ->> 'item' = ?1 AND network.genesis = ?2 ORDER BY server_at_us, row"
);

const STALE: &str = "
    SELECT body FROM finding
    WHERE kind = 'stale-block' AND network = (SELECT id FROM network WHERE genesis = ?1)";

impl Reader {
    /// Findings of one kind (see [`Body::kind`]) in the order of their time, newest first: at most `limit` of those
    /// after `after`, from the newest when that is `None`.
    pub fn findings(
        &self,
        kind: &str,
        limit: u32,
        after: Option<Cursor>,
    ) -> Result<Page<Finding>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(Cursor::START);
        let rows = self.select(OF_KIND, (kind, at_us, id, i64::from(limit) + 1))?;
        Ok(Page::new(rows, limit))
    }

    /// Every refusal of one transaction, oldest first.
    pub fn findings_about_tx(&self, txid: &Txid) -> Result<Vec<Finding>, StoreError> {
        let rows = self.select(ABOUT_TX, [txid.to_string()])?;
        Ok(rows.into_iter().map(|(_, finding)| finding).collect())
    }

    /// Every verdict that one block is invalid, oldest first.
    pub fn findings_about_block(&self, block: &BlockHash) -> Result<Vec<Finding>, StoreError> {
        let rows = self.select(ABOUT_BLOCK, [block.to_string()])?;
        Ok(rows.into_iter().map(|(_, finding)| finding).collect())
    }

    /// Gives every block of one network that was ever found stale to `visit`, in no particular order.
    pub fn visit_stale_blocks(
        &self,
        network: &Network,
        mut visit: impl FnMut(StaleBlock),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(STALE)?;
        let mut rows = statement.query([network.genesis.as_bytes()])?;
        while let Some(row) = rows.next()? {
            if let Body::StaleBlock(block) = code::json("finding.body", row.get("body")?)? {
                visit(block);
            }
        }
        Ok(())
    }

    /// Everything found of one block's validity and its place, oldest first.
    pub fn findings_judging_block(
        &self,
        network: &Network,
        block: &BlockHash,
    ) -> Result<Vec<Finding>, StoreError> {
        let rows = self.select(JUDGING_BLOCK, (block.to_string(), network.genesis.as_bytes()))?;
        Ok(rows.into_iter().map(|(_, finding)| finding).collect())
    }

    /// Everything found of something that is watched, oldest first.
    pub(crate) fn findings_of_item(&self, network: &Network, item: &str) -> Result<Vec<Finding>, StoreError> {
        let rows = self.select(OF_ITEM, (item, network.genesis.as_bytes()))?;
        Ok(rows.into_iter().map(|(_, finding)| finding).collect())
    }

    fn select(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<(Cursor, Finding)>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            let cursor = Cursor { at_us: row.get("server_at_us")?, id: row.get("row")? };
            findings.push((cursor, finding(row)?));
        }
        Ok(findings)
    }
}

fn finding(row: &Row<'_>) -> Result<Finding, StoreError> {
    Ok(Finding {
        id: FindingId(row.get("id")?),
        revision: row.get("revision")?,
        network: code::network(row.get("genesis")?),
        node: row.get::<_, Option<String>>("name")?.map(code::node_name).transpose()?,
        sighted: code::sighted(row)?,
        sources: code::json::<Vec<Source>>("finding.sources", row.get("sources")?)?,
        body: code::json::<Body>("finding.body", row.get("body")?)?,
    })
}
