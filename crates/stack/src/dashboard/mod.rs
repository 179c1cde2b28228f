//! The dashboards for Grafana, one in each file.
//!
//! A dashboard is some rows of panels. Where each stands, its number, and how it looks follows from what it is, so that all look
//! alike. Every query selects by the variables `$network` and `$node`; what the server tells it takes from job `bmon`, since the
//! agents' own pages (job `bmon-agent`) tell some of it too.

mod blocks;
mod chain;
mod fleet;
mod logs;
mod mempool;
mod node;
mod panel;
mod transactions;
mod variable;

use serde_json::{Value, json};

use self::{
    panel::{Panel, Place},
    variable::Variable,
};

/// The version of Grafana's dashboard model that these are written in: that of Grafana 10.2, which later ones migrate from.
const SCHEMA_VERSION: u32 = 39;
/// All dashboards have it, and are linked by it.
const TAG: &str = "bmon";
/// The grid's width.
const GRID: u32 = 24;

/// One dashboard.
pub(crate) struct Dashboard {
    uid: &'static str,
    title: &'static str,
    description: &'static str,
    /// How far back it looks.
    from: &'static str,
    /// Whether it asks Loki, not Prometheus, for its panels.
    is_of_logs: bool,
    rows: Vec<Row>,
}

/// Panels under one title.
pub(crate) struct Row {
    title: &'static str,
    panels: Vec<Panel>,
}

fn row(title: &'static str, panels: Vec<Panel>) -> Row {
    Row { title, panels }
}

/// Makes each dashboard, in the order in which they are listed.
const ALL: &[fn() -> Dashboard] = &[
    fleet::dashboard,
    blocks::dashboard,
    transactions::dashboard,
    mempool::dashboard,
    chain::dashboard,
    node::dashboard,
    logs::dashboard,
];

/// Every dashboard as Grafana takes it, with its name, for a bmon whose page is at `page`.
pub fn all(page: &str) -> Vec<(&'static str, Value)> {
    ALL.iter().map(|make| make()).map(|dashboard| (dashboard.uid, dashboard.json(page))).collect()
}

impl Dashboard {
    fn json(&self, page: &str) -> Value {
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": true,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": self.from, "to": "now"},
            "timezone": "utc",
            "links": links(page),
            "templating": {"list": self.variables()},
            "annotations": {"list": []},
            "panels": self.panels(),
        })
    }

    fn variables(&self) -> Vec<Value> {
        let variables = if self.is_of_logs { variable::OF_LOGS } else { variable::OF_METRICS };
        variables.iter().map(Variable::json).collect()
    }

    /// Row by row, each panel beside the one before while there is room, numbered from 1.
    fn panels(&self) -> Vec<Value> {
        let (mut panels, mut y) = (Vec::new(), 0);
        for row in &self.rows {
            let id = panels.len() + 1;
            let place = Place { x: 0, y, w: GRID, h: 1 };
            panels.push(json!({
                "type": "row", "id": id, "title": row.title, "collapsed": false, "gridPos": place.json(), "panels": []
            }));
            y += 1;
            let (mut x, mut highest) = (0, 0);
            for panel in &row.panels {
                if x + panel.width > GRID {
                    (x, y, highest) = (0, y + highest, 0);
                }
                let place = Place { x, y, w: panel.width, h: panel.height };
                panels.push(panel.json(panels.len() + 1, &place));
                (x, highest) = (x + panel.width, highest.max(panel.height));
            }
            y += highest;
        }
        panels
    }
}

/// To the other dashboards, with time and variables kept, and to bmon's own page.
fn links(page: &str) -> Value {
    json!([
        {
            "type": "dashboards", "title": "bmon", "tags": [TAG], "asDropdown": true, "includeVars": true, "keepTime": true,
            "targetBlank": false, "icon": "external link", "tooltip": "", "url": ""
        },
        {
            "type": "link", "title": "bmon's page", "url": page, "tags": [], "asDropdown": false, "includeVars": false,
            "keepTime": false, "targetBlank": true, "icon": "dashboard",
            "tooltip": "Blocks, transactions, forks and alerts one by one"
        }
    ])
}
