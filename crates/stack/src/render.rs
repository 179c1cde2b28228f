//! From an installation to files.

use crate::{Installation, dashboard};

/// A file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the directory, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Files in which `@WORD@` stands for what differs between installations.
const TEMPLATES: &[(&str, &str)] = &[
    ("README.md", include_str!("template/README.md")),
    ("prometheus/prometheus.yml", include_str!("template/prometheus.yml")),
    ("alertmanager/alertmanager.yml", include_str!("template/alertmanager.yml")),
    ("loki/loki.yml", include_str!("template/loki.yml")),
    ("grafana/grafana.ini", include_str!("template/grafana.ini")),
    ("grafana/provisioning/datasources/bmon.yml", include_str!("template/datasources.yml")),
    ("grafana/provisioning/dashboards/bmon.yml", include_str!("template/dashboards.yml")),
];

/// The rules stand where they are read and tested by hand too, with links to the page at [`DEFAULT_PAGE`].
const RULES: &str = include_str!("../../../stack/prometheus/bmon.rules.yml");

/// Where bmon's page is unless it is set otherwise.
const DEFAULT_PAGE: &str = "http://127.0.0.1:8890/";

/// Every file for this installation.
pub fn render(installation: &Installation) -> Vec<File> {
    let words = words(installation);
    let filled = |text: &str| {
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("@{word}@"), value))
    };
    let own = format!("http://{}/", installation.server);
    let page = installation.page.as_ref().map_or(own, |page| format!("{}/", page.trim_end_matches('/')));
    let templates = TEMPLATES.iter().map(|(path, text)| ((*path).to_owned(), filled(text)));
    let rules = ("prometheus/bmon.rules.yml".to_owned(), RULES.replace(DEFAULT_PAGE, &page));
    let dashboards = dashboard::all(&page).into_iter();
    let dashboards = dashboards
        .map(|(name, dashboard)| (format!("grafana/dashboards/{name}.json"), format!("{dashboard:#}\n")));
    let files = templates.chain([rules]).chain(dashboards);
    files.map(|(path, text)| File { path, text }).collect()
}

fn words(installation: &Installation) -> Vec<(&'static str, String)> {
    let Installation { dir, server, prometheus, alertmanager, loki, grafana, .. } = installation;
    let (loki_host, loki_port) = parts(loki);
    let (grafana_host, grafana_port) = parts(grafana);
    let webhook = &installation.webhook;
    vec![
        ("DIR", dir.display().to_string()),
        ("SERVER", server.clone()),
        ("PROMETHEUS", prometheus.clone()),
        ("ALERTMANAGER", alertmanager.clone()),
        ("LOKI", loki.clone()),
        ("LOKI_HOST", loki_host),
        ("LOKI_PORT", loki_port),
        ("GRAFANA", grafana.clone()),
        ("GRAFANA_HOST", grafana_host),
        ("GRAFANA_PORT", grafana_port),
        ("NODE_EXPORTERS", list(&installation.node_exporters)),
        ("INTERVAL", format!("{}s", installation.scrape_seconds)),
        ("RECEIVER", webhook.as_ref().map_or("nobody", |_| "webhook").to_owned()),
        ("WEBHOOK", webhook.as_deref().map(receiver).unwrap_or_default()),
    ]
}

/// Host without brackets, and port.
fn parts(address: &str) -> (String, String) {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    (host.trim_matches(['[', ']']).to_owned(), port.to_owned())
}

/// A list of YAML on one line.
fn list(items: &[String]) -> String {
    let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A text of YAML: within single quotes only these are written twice.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn receiver(url: &str) -> String {
    format!("\n- name: webhook\n  webhook_configs:\n  - url: {}\n    send_resolved: true\n", quoted(url))
}
