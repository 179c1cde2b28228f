//! One panel: what it asks, and how that looks.

use serde_json::{Map, Value, json};

/// Where a panel stands in the grid.
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

impl Place {
    pub(super) fn json(&self) -> Value {
        json!({"x": self.x, "y": self.y, "w": self.w, "h": self.h})
    }
}

/// Which series a query takes.
const SELECTORS: &[(&str, &str)] = &[
    // What the server tells of nodes, of networks, and of itself.
    ("@nodes", r#"{job="bmon", network=~"$network", node=~"$node"}"#),
    ("@networks", r#"{job="bmon", network=~"$network"}"#),
    ("@server", r#"{job="bmon"}"#),
    // What is recorded of nodes.
    ("@recorded", r#"{network=~"$network", node=~"$node"}"#),
    // What agents tell themselves. One of several nodes has no label for what these share.
    ("@agents", r#"{job="bmon-agent", network=~"$network|", node=~"$node|"}"#),
    // Streams of logs; not every line has a category or a level.
    (
        "@streams",
        r#"{network=~"$network", node=~"$node", source=~"$source|", category=~"$category|", level=~"$level|"}"#,
    ),
];

/// How a panel looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Lines,
    Stacked,
    Stat,
    Table,
    Heatmap,
    Bars,
    Logs,
}

/// A question and how its series are named; in a table, its column.
struct Query {
    expr: String,
    legend: &'static str,
}

/// One panel.
pub(super) struct Panel {
    title: &'static str,
    description: &'static str,
    look: Look,
    pub(super) width: u32,
    pub(super) height: u32,
    unit: &'static str,
    /// From which value on which colour; all below the first is green.
    thresholds: Vec<(f64, &'static str)>,
    /// Units of the columns that have another than the panel.
    units: Vec<(&'static str, &'static str)>,
    max: Option<f64>,
    queries: Vec<Query>,
}

fn panel(look: Look, width: u32, height: u32, title: &'static str, description: &'static str) -> Panel {
    let (thresholds, units, queries) = (Vec::new(), Vec::new(), Vec::new());
    Panel { title, description, look, width, height, unit: "short", thresholds, units, max: None, queries }
}

/// Lines over time.
pub(super) fn lines(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Lines, 12, 8, title, description)
}

/// What adds up, over time.
pub(super) fn stacked(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Stacked, 12, 8, title, description)
}

/// The latest value, large.
pub(super) fn stat(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Stat, 4, 4, title, description)
}

/// A line for each node, a column for each query.
pub(super) fn table(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Table, 24, 8, title, description)
}

/// How many of each size, over time.
pub(super) fn heatmap(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Heatmap, 12, 8, title, description)
}

/// A bar for each series, by its latest value.
pub(super) fn bars(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Bars, 12, 8, title, description)
}

/// Lines of logs.
pub(super) fn logs(title: &'static str, description: &'static str) -> Panel {
    panel(Look::Logs, 24, 16, title, description)
}

impl Panel {
    /// Asks `expr`, in which the words of [`SELECTORS`] stand for what selects series, and names what comes by `legend`, in
    /// which `{{label}}` stands for a label's value.
    pub(super) fn ask(mut self, legend: &'static str, expr: &str) -> Self {
        let expr =
            SELECTORS.iter().fold(expr.to_owned(), |expr, (word, selector)| expr.replace(word, selector));
        self.queries.push(Query { expr, legend });
        self
    }

    /// The unit, by Grafana's id for it (`packages/grafana-data/src/valueFormats/categories.ts`).
    pub(super) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The unit of one column of a table.
    pub(super) fn column(mut self, legend: &'static str, unit: &'static str) -> Self {
        self.units.push((legend, unit));
        self
    }

    pub(super) const fn wide(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    /// The colour from a value on.
    pub(super) fn from(mut self, value: f64, colour: &'static str) -> Self {
        self.thresholds.push((value, colour));
        self
    }

    /// The largest value that there can be.
    pub(super) const fn at_most(mut self, max: f64) -> Self {
        self.max = Some(max);
        self
    }

    pub(super) fn json(&self, id: usize, place: &Place) -> Value {
        let (kind, options) = self.options();
        let mut panel = json!({
            "id": id, "type": kind, "title": self.title, "description": self.description, "gridPos": place.json(),
            "datasource": self.source(),
            "targets": self.targets(),
            "fieldConfig": {"defaults": self.defaults(), "overrides": self.overrides()},
            "options": options,
        });
        if self.look == Look::Table {
            panel["transformations"] = self.transformations();
        }
        panel
    }

    fn is_of_logs(&self) -> bool {
        self.look == Look::Logs || self.queries.iter().any(|query| query.expr.contains("$__auto"))
    }

    fn source(&self) -> Value {
        let kind = if self.is_of_logs() { "loki" } else { "prometheus" };
        json!({"type": kind, "uid": format!("${{{kind}}}")})
    }

    fn targets(&self) -> Vec<Value> {
        let is_instant = matches!(self.look, Look::Stat | Look::Table | Look::Bars);
        let format = match self.look {
            Look::Table => "table",
            Look::Heatmap => "heatmap",
            _ => "time_series",
        };
        let target = |(ref_id, query): (char, &Query)| {
            let mut target = json!({
                "refId": ref_id.to_string(), "datasource": self.source(), "expr": query.expr, "legendFormat": query.legend,
                "editorMode": "code"
            });
            if self.is_of_logs() {
                target["queryType"] = json!(if is_instant { "instant" } else { "range" });
            } else {
                target["format"] = json!(format);
                target["instant"] = json!(is_instant);
                target["range"] = json!(!is_instant);
            }
            target
        };
        ('A'..).zip(&self.queries).map(target).collect()
    }

    fn defaults(&self) -> Value {
        let mut steps = vec![json!({"color": "green", "value": null})];
        steps.extend(self.thresholds.iter().map(|(value, colour)| json!({"color": colour, "value": value})));
        let colour = if matches!(self.look, Look::Stat | Look::Bars | Look::Table) {
            "thresholds"
        } else {
            "palette-classic"
        };
        let mut defaults = json!({
            "unit": self.unit,
            "color": {"mode": colour},
            "thresholds": {"mode": "absolute", "steps": steps},
            "mappings": [],
            "custom": self.custom(),
        });
        if let Some(max) = self.max {
            defaults["min"] = json!(0);
            defaults["max"] = json!(max);
        }
        defaults
    }

    fn custom(&self) -> Value {
        match self.look {
            Look::Lines | Look::Stacked => {
                let stacking = if self.look == Look::Stacked { "normal" } else { "none" };
                let fill = if self.look == Look::Stacked { 30 } else { 5 };
                json!({
                    "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": fill,
                    "showPoints": "never", "spanNulls": false, "stacking": {"mode": stacking, "group": "A"},
                    "thresholdsStyle": {"mode": if self.thresholds.is_empty() { "off" } else { "dashed" }}
                })
            }
            Look::Table => json!({"align": "auto", "filterable": true, "cellOptions": {"type": "auto"}}),
            _ => json!({}),
        }
    }

    /// The panel's type and its options (`public/app/plugins/panel/TYPE/panelcfg.cue` of Grafana).
    fn options(&self) -> (&'static str, Value) {
        match self.look {
            Look::Lines | Look::Stacked => ("timeseries", timeseries()),
            Look::Stat => ("stat", stat_options()),
            Look::Table => {
                let footer = json!({"show": false, "reducer": []});
                ("table", json!({"showHeader": true, "cellHeight": "sm", "footer": footer}))
            }
            Look::Heatmap => ("heatmap", heatmap_options(self.unit)),
            Look::Bars => ("bargauge", bar_options()),
            Look::Logs => ("logs", log_options()),
        }
    }

    /// The units of single columns, and in a table of nodes a link from each to its own dashboard.
    fn overrides(&self) -> Vec<Value> {
        let unit = |(column, unit): &(&str, &str)| {
            json!({
                "matcher": {"id": "byName", "options": column},
                "properties": [{"id": "unit", "value": unit}]
            })
        };
        let link = json!({
            "matcher": {"id": "byName", "options": "node"},
            "properties": [{"id": "links", "value": [{
                "title": "This node",
                "url": "/d/bmon-node?${__url_time_range}&var-network=${__data.fields.network}&var-node=${__data.fields.node}"
            }]}]
        });
        let links = (self.look == Look::Table).then_some(link);
        self.units.iter().map(unit).chain(links).collect()
    }

    /// Puts what is told of the same labels into one line, and names the columns.
    fn transformations(&self) -> Value {
        let mut names = Map::new();
        for (ref_id, query) in ('A'..).zip(&self.queries) {
            // With a single query the column is called by the first name only.
            let column =
                if self.queries.len() == 1 { "Value".to_owned() } else { format!("Value #{ref_id}") };
            names.insert(column, json!(query.legend));
        }
        json!([
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": true}, "indexByName": {}, "renameByName": names}}
        ])
    }
}

/// The last value stands for all.
fn last() -> Value {
    json!({"calcs": ["lastNotNull"], "fields": "", "values": false})
}

fn timeseries() -> Value {
    json!({
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"}
    })
}

fn stat_options() -> Value {
    json!({
        "reduceOptions": last(), "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
        "orientation": "auto"
    })
}

fn heatmap_options(unit: &str) -> Value {
    let scheme = json!({
        "mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "fill": "dark-orange", "reverse": false
    });
    json!({
        "calculate": false, "cellGap": 1, "color": scheme, "yAxis": {"unit": unit, "axisPlacement": "left"},
        "legend": {"show": true}, "tooltip": {"mode": "single", "yHistogram": false}
    })
}

fn bar_options() -> Value {
    json!({
        "reduceOptions": last(), "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true,
        "valueMode": "color"
    })
}

fn log_options() -> Value {
    json!({
        "showTime": true, "showLabels": false, "showCommonLabels": false, "wrapLogMessage": true,
        "prettifyLogMessage": false, "enableLogDetails": true, "dedupStrategy": "none", "sortOrder": "Descending"
    })
}
