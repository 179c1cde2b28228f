use bmon_event::{Network, NodeName};

use crate::{Reader, StoreError, code};

/// How much is kept. Read from tallies, so that it takes no longer with more rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks.
    pub blocks: TableCount,
    /// Transactions.
    pub transactions: TableCount,
    /// Findings, by kind, network and node.
    pub findings: Vec<FindingCount>,
}

/// Rows of one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableCount {
    /// Rows that are there.
    pub kept: u64,
    /// Rows that retention has deleted since the database was made.
    pub deleted: u64,
}

/// Findings of one kind about one node, or about a network as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingCount {
    /// The kind (see [`bmon_analysis::finding::Body::kind`]).
    pub kind: String,
    /// The network.
    pub network: Network,
    /// The node, `None` for those about the network as a whole.
    pub node: Option<NodeName>,
    /// Their number.
    pub findings: u64,
}

const FINDINGS: &str = "
    SELECT kind, genesis, node.name, kept
    FROM tally LEFT JOIN node ON node.id = tally.node
    JOIN network ON network.id = coalesce(node.network, -tally.node)
    WHERE what = 'finding' ORDER BY kind, network.id, node.name";

impl Reader {
    /// How much is kept.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut statement = self.connection.prepare_cached(FINDINGS)?;
        let mut rows = statement.query([])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            findings.push(FindingCount {
                kind: row.get("kind")?,
                network: code::network(row.get("genesis")?),
                node: row.get::<_, Option<String>>("name")?.map(code::node_name).transpose()?,
                findings: code::unsigned("tally.kept", row.get("kept")?)?,
            });
        }
        Ok(Counts { blocks: self.table("block")?, transactions: self.table("tx")?, findings })
    }

    fn table(&self, name: &str) -> Result<TableCount, StoreError> {
        let sql = "SELECT kept, deleted FROM tally WHERE what = ?1";
        let (kept, deleted) =
            self.connection.prepare_cached(sql)?.query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(TableCount {
            kept: code::unsigned("tally.kept", kept)?,
            deleted: code::unsigned("tally.deleted", deleted)?,
        })
    }
}
