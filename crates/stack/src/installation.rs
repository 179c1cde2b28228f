use std::path::PathBuf;

/// Where everything is. Addresses are `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The directory that the files are for, absolute: Grafana looks for dashboards nowhere else.
    pub dir: PathBuf,
    /// bmon's server, as Prometheus and a browser reach it.
    pub server: String,
    /// Where Prometheus listens.
    pub prometheus: String,
    /// Where Alertmanager listens.
    pub alertmanager: String,
    /// Where Loki listens.
    pub loki: String,
    /// Where Grafana listens.
    pub grafana: String,
    /// The address of bmon's page as people reach it, `None` for the server's own.
    pub page: Option<String>,
    /// The `node_exporter`s, none or several.
    pub node_exporters: Vec<String>,
    /// What Alertmanager tells of alerts, `None` to tell nobody yet.
    pub webhook: Option<String>,
    /// How often Prometheus asks for metrics, in seconds.
    pub scrape_seconds: u32,
}

/// Everything on one host, at the ports that each project chose.
impl Default for Installation {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("/etc/bmon/stack"),
            server: "127.0.0.1:8890".to_owned(),
            prometheus: "127.0.0.1:9090".to_owned(),
            alertmanager: "127.0.0.1:9093".to_owned(),
            loki: "127.0.0.1:3100".to_owned(),
            grafana: "127.0.0.1:3000".to_owned(),
            page: None,
            node_exporters: vec!["127.0.0.1:9100".to_owned()],
            webhook: None,
            scrape_seconds: 15,
        }
    }
}
