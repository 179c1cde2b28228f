use std::collections::HashMap;

use bmon_analysis::row::NodeRow;
use bmon_event::{Network, NodeName};

use crate::{Reader, StoreError, code};

const VERSIONS: &str = "
    SELECT name, state ->> 'version' AS version FROM node
    WHERE network = (SELECT id FROM network WHERE genesis = ?1) AND version IS NOT NULL";

impl Reader {
    /// Every node whose agent has told how it is, by network and name.
    pub fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT state FROM node WHERE state IS NOT NULL ORDER BY network, name")?;
        let mut rows = statement.query([])?;
        let mut nodes = Vec::new();
        while let Some(row) = rows.next()? {
            let state: String = row.get(0)?;
            let Ok(node) = serde_json::from_str(&state) else {
                return Err(StoreError::Value { column: "node.state", value: state });
            };
            nodes.push(node);
        }
        Ok(nodes)
    }

    /// The version of each node of one network as it is now; those that have not told it are left out.
    pub fn versions(&self, network: &Network) -> Result<HashMap<NodeName, String>, StoreError> {
        let mut statement = self.connection.prepare_cached(VERSIONS)?;
        let mut rows = statement.query([network.genesis.as_bytes()])?;
        let mut versions = HashMap::new();
        while let Some(row) = rows.next()? {
            versions.insert(code::node_name(row.get("name")?)?, row.get("version")?);
        }
        Ok(versions)
    }
}
