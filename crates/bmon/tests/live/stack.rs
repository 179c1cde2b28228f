//! What `bmon stack render` writes, with a real Prometheus and Alertmanager: a reorg reaches a webhook, and no panel of the dashboards
//! is empty while the demo's scenario is watched.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::Path,
    time::Duration,
};

use bmon_devnet::{Network, Scenario, coin::Lock};
use serde_json::Value;

use crate::{
    alertmanager::{Alertmanager, Webhook, reorg},
    prometheus::{Prometheus, free_address},
    support::{self, LIMIT, Site, now_seconds, wait_for},
};

/// Blocks are counted a minute after they came, transactions when nothing more is waited for.
const PATIENCE: Duration = Duration::from_mins(6);

/// Queries that may have no answer on demo data, with the reason.
const EMPTY: &str = include_str!("empty_panels.txt");

/// A query of a panel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Query {
    /// Dashboard, panel and legend.
    name: String,
    expr: String,
    is_instant: bool,
}

impl Query {
    /// Every query of these dashboards that is Prometheus's.
    fn all(dir: &Path) -> Vec<Self> {
        let mut queries = Vec::new();
        for entry in fs::read_dir(dir).unwrap() {
            let dashboard: Value =
                serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
            for panel in dashboard["panels"].as_array().unwrap() {
                let targets = panel["targets"].as_array().into_iter().flatten();
                let of_prometheus = targets.filter(|target| target["datasource"]["type"] == "prometheus");
                queries.extend(of_prometheus.map(|target| Self::new(&dashboard, panel, target)));
            }
        }
        queries.sort();
        queries
    }

    fn new(dashboard: &Value, panel: &Value, target: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let [dashboard, title, legend] =
            [&dashboard["uid"], &panel["title"], &target["legendFormat"]].map(text);
        let name = format!("{dashboard}: {title}: {legend}").trim_end_matches(": ").to_owned();
        Self { name, expr: text(&target["expr"]), is_instant: target["instant"] == true }
    }

    /// The values that come, as Grafana would ask with these networks and nodes, an hour shown and a scrape a second.
    fn values(&self, prometheus: &Prometheus, network: &str, node: &str) -> Vec<f64> {
        let filled = [
            ("$__rate_interval", "4s"),
            ("$__range", "3600s"),
            ("$__interval", "15s"),
            ("$network", network),
            ("$node", node),
        ];
        let expr =
            filled.iter().fold(self.expr.clone(), |expr, (variable, value)| expr.replace(variable, value));
        assert!(!expr.contains('$'), "{expr}");
        let now = now_seconds();
        let (now, from) = (now.to_string(), (now - 600).to_string());
        let data = if self.is_instant {
            prometheus.ask("query", &[("query", &expr)])
        } else {
            prometheus.ask("query_range", &[("query", &expr), ("start", &from), ("end", &now), ("step", "5")])
        };
        let series = data["result"].as_array().unwrap().iter();
        let samples = series.flat_map(|series| match &series["values"] {
            Value::Array(values) => values.clone(),
            _ => vec![series["value"].clone()],
        });
        samples.map(|sample| sample[1].as_str().unwrap().parse().unwrap()).collect()
    }

    fn is_empty(&self, prometheus: &Prometheus) -> bool {
        !self.values(prometheus, ".+", ".+").iter().any(|value| value.is_finite())
    }
}

/// A network, bmon, and what is rendered for it, all running.
struct Stack {
    network: Network,
    site: Site,
    webhook: Webhook,
    prometheus: Prometheus,
    _alertmanager: Alertmanager,
}

impl Stack {
    fn start(dir: &Path) -> Self {
        let network = support::network(dir, 3);
        let mut site = Site::new(&dir.join("bmon"), network.nodes());
        let (webhook, webhook_port) = Webhook::start();
        let [prometheus, alertmanager, agent] = [(); 3].map(|()| free_address());
        site.set("agent", &format!("metrics_listen = '{agent}'"));
        site.set("server", &format!("alertmanager = 'http://{alertmanager}'"));
        site.add(&format!(
            "[stack]\nprometheus = '{prometheus}'\nalertmanager = '{alertmanager}'\nscrape_seconds = 1\nnode_exporters = []\n\
             webhook = 'http://127.0.0.1:{webhook_port}/'"
        ));
        let rendered = dir.join("stack");
        let told = site.bmon(&["stack", "render", rendered.to_str().unwrap()]);
        assert!(told.contains("prometheus/prometheus.yml\n"), "{told}");
        let port = alertmanager.rsplit(':').next().unwrap().parse().unwrap();
        let mut alertmanager = Alertmanager::of(&rendered.join("alertmanager/alertmanager.yml"), port);
        alertmanager.start();
        let prometheus = Prometheus::of(&rendered.join("prometheus/prometheus.yml"), &prometheus);
        site.start_server();
        site.start_agent();
        site.wait_for_sources(network.nodes());
        Self { network, site, webhook, prometheus, _alertmanager: alertmanager }
    }

    /// Waits until everything that is to be scraped is.
    fn wait_for_targets(&self) {
        wait_for("every job to be scraped", LIMIT, || {
            let up: BTreeMap<_, _> = self.prometheus.query("up", "job").into_iter().collect();
            let jobs = ["bmon", "bmon-agent", "bmon-compat", "prometheus", "alertmanager"];
            (up.len() == jobs.len() && jobs.iter().all(|job| up.get(&format!("\"{job}\"")) == Some(&1.0)))
                .then_some(())
        });
        let alertmanagers = self.prometheus.get("alertmanagers").unwrap();
        assert_eq!(alertmanagers["activeAlertmanagers"].as_array().unwrap().len(), 1, "{alertmanagers}");
    }

    /// What the variables offer.
    fn assert_variables(&self) {
        let series = ("match[]", r#"bmon_node_heard_timestamp_seconds{job="bmon",network=~"regtest"}"#);
        for (label, expected) in [("network", r#"["regtest"]"#), ("node", r#"["alice","bob","carol"]"#)] {
            let found = self.prometheus.ask("series", &[series]);
            let values: BTreeSet<_> =
                found.as_array().unwrap().iter().map(|of| of[label].as_str().unwrap()).collect();
            assert_eq!(serde_json::to_string(&values).unwrap(), expected);
        }
    }
}

/// The lines of the list: what is empty, and why.
fn expected_empty() -> BTreeMap<&'static str, &'static str> {
    let lines = EMPTY.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_once(" | ").unwrap_or_else(|| panic!("no reason in `{line}`"))).collect()
}

#[test]
fn all_that_is_rendered_works_together_and_no_panel_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::start(dir.path());
    stack.wait_for_targets();
    stack.assert_variables();
    Scenario::default().run(&stack.network, &mut |_| ControlFlow::Continue(())).unwrap();
    let (subject, _) = reorg(&stack.network, &stack.site);
    wait_for("the webhook", LIMIT, || stack.webhook.told("reorg", &subject, "firing").into_iter().next());

    let queries = Query::all(&dir.path().join("stack/grafana/dashboards"));
    assert!(queries.len() > 80, "{}", queries.len());
    let expected: BTreeSet<&str> = expected_empty().into_keys().collect();
    let mut miners = (0..3).cycle();
    let mut empty = BTreeSet::new();
    let all = || {
        stack.network.nodes()[miners.next().unwrap()].mine(1, Lock::new(0)).unwrap();
        let of = queries.iter().filter(|query| query.is_empty(&stack.prometheus));
        empty = of.map(|query| query.name.as_str()).collect();
        empty.is_subset(&expected).then_some(())
    };
    let found = support::try_wait_for(PATIENCE, all);
    assert!(found.is_some(), "empty: {empty:#?}");
    assert_eq!(empty, expected, "what is listed in empty_panels.txt is not empty");
    for query in &queries {
        query.values(&stack.prometheus, "regtest", "alice");
        query.values(&stack.prometheus, "(main|regtest)", "(alice|bob)");
    }
    println!("{} queries of dashboards, {} of them empty as listed", queries.len(), expected.len());
}
