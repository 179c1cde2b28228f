//! The variables by which a dashboard is narrowed down.

use serde_json::{Value, json};

/// One variable.
pub(super) enum Variable {
    /// Which data source of a kind is asked.
    Source { name: &'static str, label: &'static str, kind: &'static str },
    /// Values of a label, several or all.
    Label { name: &'static str, label: &'static str, source: &'static str, query: &'static str },
    /// A text.
    Text { name: &'static str, label: &'static str },
}

pub(super) const OF_METRICS: &[Variable] = &[
    Variable::Source { name: "prometheus", label: "Prometheus", kind: "prometheus" },
    Variable::Label {
        name: "network",
        label: "Network",
        source: "prometheus",
        query: r#"label_values(bmon_node_heard_timestamp_seconds{job="bmon"}, network)"#,
    },
    Variable::Label {
        name: "node",
        label: "Node",
        source: "prometheus",
        query: r#"label_values(bmon_node_heard_timestamp_seconds{job="bmon", network=~"$network"}, node)"#,
    },
];

pub(super) const OF_LOGS: &[Variable] = &[
    Variable::Source { name: "loki", label: "Loki", kind: "loki" },
    Variable::Label { name: "network", label: "Network", source: "loki", query: "label_values(network)" },
    Variable::Label {
        name: "node",
        label: "Node",
        source: "loki",
        query: r#"label_values({network=~"$network"}, node)"#,
    },
    Variable::Label { name: "source", label: "Source", source: "loki", query: "label_values(source)" },
    Variable::Label { name: "category", label: "Category", source: "loki", query: "label_values(category)" },
    Variable::Label { name: "level", label: "Level", source: "loki", query: "label_values(level)" },
    Variable::Text { name: "search", label: "Text" },
    Variable::Text { name: "hash", label: "Block hash or txid" },
];

impl Variable {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Source { name, label, kind } => json!({
                "type": "datasource", "name": name, "label": label, "query": kind, "hide": 0, "refresh": 1, "regex": "",
                "multi": false, "includeAll": false,
                // None that there is, so that Grafana takes the first.
                "current": {"selected": false, "text": "", "value": ""}, "options": []
            }),
            Self::Label { name, label, source, query } => json!({
                "type": "query", "name": name, "label": label, "hide": 0, "refresh": 2, "regex": "", "sort": 1,
                "datasource": {"type": source, "uid": format!("${{{source}}}")},
                "query": query_of(source, query),
                "multi": true, "includeAll": true,
                // Loki wants a matcher that does not match the empty text.
                "allValue": ".+",
                "current": {"selected": true, "text": ["All"], "value": ["$__all"]}, "options": []
            }),
            Self::Text { name, label } => json!({
                "type": "textbox", "name": name, "label": label, "hide": 0, "query": "",
                "current": {"selected": true, "text": "", "value": ""}, "options": []
            }),
        }
    }
}

/// Each data source has a form of its own for the query of a variable.
fn query_of(source: &str, query: &str) -> Value {
    match query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) if source == "loki" => {
            let (stream, label) = inside.rsplit_once(", ").unwrap_or(("", inside));
            json!({"type": 1, "label": label, "stream": stream, "refId": "LokiVariableQueryEditor-VariableQuery"})
        }
        _ => json!({"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}),
    }
}
