use bmon_analysis::row::NodeRow;

use crate::{Reader, StoreError};

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
}
