//! A real Prometheus scrapes the server and the agents that the server names, and evaluates the rules that are shipped on what they show.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{self, LIMIT, Site, wait_for};

/// Prometheus, as Debian packages it; killed when it is dropped.
pub(crate) struct Prometheus {
    url: String,
    process: Child,
}

impl Prometheus {
    /// Started with this configuration, which scrapes and evaluates every second.
    pub(crate) fn start(dir: &Path, scrape_configs: &str) -> Self {
        fs::create_dir_all(dir).unwrap();
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stack/prometheus/bmon.rules.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n{scrape_configs}",
            rules.canonicalize().unwrap().display()
        );
        let file = dir.join("prometheus.yml");
        fs::write(&file, config).unwrap();
        Self::of(&file, &free_address())
    }

    /// With a configuration that is there.
    pub(crate) fn of(config: &Path, address: &str) -> Self {
        let dir = config.parent().unwrap();
        let log = fs::File::create(dir.join("prometheus.log")).unwrap();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", dir.join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().expect("`scripts/setup --tests` installs Prometheus");
        Self { url: format!("http://{address}/api/v1"), process }
    }

    /// What is under `data` in the reply to a form; a refusal fails.
    pub(crate) fn ask(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = ureq::post(format!("{}/{path}", self.url)).config().http_status_as_error(false).build();
        let mut reply = request.send_form(form.iter().copied()).unwrap();
        let reply: Value = reply.body_mut().read_json().unwrap();
        assert_eq!(reply["status"], "success", "{path} {form:?}: {reply}");
        reply["data"].clone()
    }

    /// What scrapes the server, and the agents that the server names.
    pub(crate) fn start_beside(dir: &Path, site: &Site) -> Self {
        let server = site.url.strip_prefix("http://").unwrap();
        let jobs = format!(
            "- {{job_name: bmon, static_configs: [{{targets: ['{server}']}}]}}\n\
             - {{job_name: bmon-agent, honor_labels: true, http_sd_configs: [{{url: '{}/api/v1/http_sd', refresh_interval: 1s}}]}}\n",
            site.url
        );
        Self::start(dir, &jobs)
    }

    /// What is under `data` in the reply, `None` while there is none.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let mut reply = ureq::get(format!("{}/{path}", self.url)).call().ok()?;
        let reply: Value = reply.body_mut().read_json().ok()?;
        Some(reply["data"].clone())
    }

    /// The values of a query, by what `label` says of each.
    pub(crate) fn query(&self, query: &str, label: &str) -> Vec<(String, f64)> {
        let found = self.get(&format!("query?query={query}")).unwrap_or_default();
        let results = found["result"].as_array().cloned().unwrap_or_default();
        let value = |result: &Value| result["value"][1].as_str().unwrap().parse().unwrap();
        results.iter().map(|result| (result["metric"][label].to_string(), value(result))).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn prometheus_finds_the_agents_takes_both_pages_and_the_rules_are_well_on_them() {
    let dir = tempfile::tempdir().unwrap();
    let network = support::network(dir.path(), 2);
    network.nodes()[0].mine(1, bmon_devnet::coin::Lock::new(0)).unwrap();
    let mut site = Site::new(&dir.path().join("bmon"), network.nodes());
    let agent = free_address();
    site.set("agent", &format!("metrics_listen = '{agent}'"));
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());

    let prometheus = Prometheus::start_beside(&dir.path().join("prometheus"), &site);
    let up = || {
        let mut up = prometheus.query("up", "job");
        up.sort_by(|one, other| one.0.cmp(&other.0));
        up
    };
    wait_for("both pages", LIMIT, || {
        (up() == [("\"bmon\"".into(), 1.0), ("\"bmon-agent\"".into(), 1.0)]).then_some(())
    });
    let behind = || prometheus.query("bmon:journal_behind_records", "instance");
    let behind = wait_for("a recorded value", LIMIT, || behind().pop());
    assert!((0.0..1_000.0).contains(&behind.1), "{behind:?}");
    let working = prometheus.query("bmon_agent_source_working", "source");
    assert_eq!(working.iter().filter(|(_, working)| *working > 0.0).count(), 8, "{working:?}");

    let groups = prometheus.get("rules").unwrap();
    let rules: Vec<&Value> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    assert!(rules.len() > 13, "{rules:#?}");
    for rule in rules {
        assert_eq!((&rule["health"], &rule["lastError"]), (&"ok".into(), &Value::Null), "{rule:#}");
        assert_ne!(rule["state"], "firing", "{rule:#}");
    }
}

#[test]
fn an_agent_of_one_node_is_scraped_with_its_labels_without_being_named() {
    let dir = tempfile::tempdir().unwrap();
    let network = support::network(dir.path(), 1);
    let mut site = Site::new(&dir.path().join("bmon"), network.nodes());
    let agent = free_address();
    let port = agent.rsplit(':').next().unwrap();
    site.set("agent", &format!("metrics_listen = '0.0.0.0:{port}'\nmetrics_address = 'localhost:{port}'"));
    site.start_server();
    let prometheus = Prometheus::start_beside(&dir.path().join("prometheus"), &site);
    site.start_agent();
    for label in ["network", "node", "exported_node", "instance"] {
        let expected = match label {
            "network" => "\"regtest\"".to_owned(),
            "node" => "\"alice\"".to_owned(),
            "instance" => format!("\"localhost:{port}\""),
            _ => "null".to_owned(),
        };
        for metric in ["bmon_agent_log_bytes_total", "bmon_agent_host_load1"] {
            let query = format!("{metric}{{job=%22bmon-agent%22}}");
            let found = wait_for(metric, LIMIT, || prometheus.query(&query, label).pop());
            assert_eq!(found.0, expected, "{label} of {metric}");
        }
    }
    // An agent that serves none any more is not scraped any more.
    site.kill_agent();
    site.unset("metrics_");
    site.start_agent();
    wait_for("no agent to scrape", LIMIT, || {
        prometheus.query("up{job=%22bmon-agent%22}", "node").is_empty().then_some(())
    });
}
