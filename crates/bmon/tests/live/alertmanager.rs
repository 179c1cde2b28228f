//! A reorg on real nodes reaches a webhook behind a real Alertmanager, and one that bmon itself tells, soon, once, and ends; also when
//! they or the server were away.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime},
};

use bmon_devnet::{Network, fork};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    prometheus::Prometheus,
    support::{self, LIMIT, Site, quantile, setting, wait_for},
};

/// From the log's line to the webhook, on an idle machine, at the 95th percentile.
const SOON_US: i64 = 2_000_000;
/// What `make test` allows on a busy one.
const MOST_US: i64 = 15_000_000;

/// Alertmanager, as Debian packages it.
pub(crate) struct Alertmanager {
    port: u16,
    config: PathBuf,
    process: Option<Child>,
}

impl Alertmanager {
    /// With a configuration that is there.
    pub(crate) fn of(config: &Path, port: u16) -> Self {
        Self { port, config: config.to_owned(), process: None }
    }

    fn new(dir: &Path, webhook: u16) -> Self {
        fs::create_dir_all(dir).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = dir.join("alertmanager.yml");
        let text = format!(
            "route:\n  receiver: test\n  group_by: ['...']\n  group_wait: 100ms\n  group_interval: 1s\n  repeat_interval: 24h\n\
             receivers:\n- name: test\n  webhook_configs:\n  - url: http://127.0.0.1:{webhook}/\n    send_resolved: true\n"
        );
        fs::write(&config, text).unwrap();
        Self::of(&config, port)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn start(&mut self) {
        let dir = self.config.parent().unwrap();
        let log = fs::File::create(dir.join("alertmanager.log")).unwrap();
        let mut command = Command::new("prometheus-alertmanager");
        command.arg(format!("--config.file={}", self.config.display()));
        command.arg(format!("--storage.path={}", dir.join("data").display()));
        command.args([&format!("--web.listen-address=127.0.0.1:{}", self.port), "--cluster.listen-address="]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(command.spawn().expect("`scripts/setup` installs Alertmanager"));
        let ready = format!("{}/-/ready", self.url());
        wait_for("Alertmanager", LIMIT, || ureq::get(&ready).call().ok());
    }

    /// Lets it write down whom it has told: killed, it would tell all again.
    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a webhook was told: when, by the clock of this machine, and which alert in which state.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    at_us: i64,
    status: String,
    labels: Value,
}

/// A webhook that takes everything.
#[derive(Clone, Default)]
pub(crate) struct Webhook(Arc<Mutex<Vec<Told>>>);

impl Webhook {
    pub(crate) fn start() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, webhook) = (listener.local_addr().unwrap().port(), Self::default());
        let taken = webhook.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                taken.take(stream.unwrap());
            }
        });
        (webhook, port)
    }

    fn take(&self, mut stream: TcpStream) {
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        let body = loop {
            let read = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
            if let Some(body) = whole_body(&request) {
                break body;
            }
            if read == 0 {
                return;
            }
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        let at_us = now_us();
        let mut told = self.0.lock().unwrap();
        for alert in body["alerts"].as_array().unwrap() {
            let (status, labels) = (alert["status"].as_str().unwrap().to_owned(), alert["labels"].clone());
            told.push(Told { at_us, status, labels });
        }
    }

    /// What was told of the alerts of a rule about `subject`, in one state.
    pub(crate) fn told(&self, rule: &str, subject: &str, status: &str) -> Vec<Told> {
        let is_it = |told: &&Told| {
            told.labels["alertname"] == rule && told.labels["subject"] == subject && told.status == status
        };
        self.0.lock().unwrap().iter().filter(is_it).cloned().collect()
    }
}

/// The body of an HTTP request, once it is all there.
fn whole_body(request: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    })?;
    (body.len() >= length).then(|| serde_json::from_str(body).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the webhook's clock is that of the node's log")]
fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    now.as_micros().try_into().unwrap()
}

/// A reorg of node 0: the subject of its alert, and when the node's log told of the block that won.
pub(crate) fn reorg(network: &Network, site: &Site) -> (String, i64) {
    let reorg = fork::reorg(network, 0, 1).unwrap();
    let log = network.nodes()[0].debug_log();
    let winner = format!("UpdateTip: new best={}", reorg.new.last().unwrap());
    let line = wait_for("the reorg in the log", LIMIT, || {
        let text = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
        text.lines().find(|line| line.contains(&winner)).map(str::to_owned)
    });
    let alert = wait_for("the alert", LIMIT, || {
        let alerts = site.list("alerts");
        let old = reorg.old.last().unwrap().to_string();
        alerts
            .into_iter()
            .find(|alert| alert["rule"] == "reorg" && alert["subject"].as_str().unwrap().contains(&old))
    });
    let runbook = ureq::get(alert["runbook"].as_str().unwrap()).call().unwrap().body_mut().read_to_string();
    assert!(runbook.unwrap().contains("<h1>reorg</h1>"));
    (alert["subject"].as_str().unwrap().to_owned(), support::micros(&line))
}

#[test]
fn a_reorg_reaches_a_webhook_behind_alertmanager_soon_and_once_also_if_it_was_away() {
    let runs = setting("BMON_ALERT_RUNS", 2);
    let dir = tempfile::tempdir().unwrap();
    let (webhook, port) = Webhook::start();
    let (direct, direct_port) = Webhook::start();
    let mut alertmanager = Alertmanager::new(&dir.path().join("alertmanager"), port);
    alertmanager.start();
    let network = support::network(dir.path(), 2);
    fork::reorg(&network, 1, 1).unwrap();
    let mut site = Site::new(&dir.path().join("bmon"), network.nodes());
    site.set("server", &format!("alertmanager = '{}'", alertmanager.url()));
    site.set("server", &format!("webhook = 'http://127.0.0.1:{direct_port}/hook'"));
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());
    let prometheus = Prometheus::start_beside(&dir.path().join("prometheus"), &site);
    assert!(site.bmon(&["alerts", "test", "alertmanager"]).contains("took the alert"));
    assert!(site.bmon(&["alerts", "test", "webhook"]).contains("took the alert"));
    for webhook in [&webhook, &direct] {
        wait_for("the test alert", LIMIT, || {
            webhook.0.lock().unwrap().iter().any(|told| told.labels["alertname"] == "bmon-test").then_some(())
        });
    }

    let mut subjects = Vec::new();
    let mut took: Vec<i64> = (0..runs)
        .map(|_| {
            let (subject, logged_us) = reorg(&network, &site);
            let told = wait_for("the webhook", LIMIT, || {
                webhook.told("reorg", &subject, "firing").into_iter().next()
            });
            wait_for("the webhook that bmon tells", LIMIT, || {
                direct.told("reorg", &subject, "firing").into_iter().next()
            });
            subjects.push(subject);
            told.at_us - logged_us
        })
        .collect();
    took.sort_unstable();
    let p95 = quantile(&took, 0.95);
    println!(
        "log line to webhook behind Alertmanager, {runs} reorgs: p50 {} ms, p95 {} ms (aim 2,000 ms), max {} ms",
        quantile(&took, 0.5) / 1_000,
        p95 / 1_000,
        quantile(&took, 1.0) / 1_000
    );
    assert!(p95 < if runs >= 50 { SOON_US } else { MOST_US }, "{took:?}");

    wait_for("Prometheus to have the alerts", LIMIT, || {
        let firing = r#"bmon_alerts{rule="reorg", state="firing"} > 0"#;
        let found = prometheus.ask("query", &[("query", firing)]);
        found["result"].as_array().filter(|result| !result.is_empty()).map(drop)
    });
    subjects.push(while_away(&network, &site, &webhook, &mut alertmanager));
    // Who is told of the next reorg is told of no other again, also by a server that was killed.
    site.kill_server();
    site.start_server();
    subjects.push(reorg(&network, &site).0);
    subjects.push(while_silenced(&network, &site, &[&webhook, &direct]));
    if setting("BMON_ALERT_ENDS", 0) > 0 {
        for subject in &subjects {
            for webhook in [&webhook, &direct] {
                wait_for("the end of the alert", Duration::from_mins(15), || {
                    webhook.told("reorg", subject, "resolved").into_iter().next()
                });
            }
        }
        println!("{} alerts ended", subjects.len());
    }
    for (subject, webhook) in subjects.iter().flat_map(|subject| [(subject, &webhook), (subject, &direct)]) {
        wait_for("the webhook", LIMIT, || webhook.told("reorg", subject, "firing").into_iter().next());
        assert_eq!(webhook.told("reorg", subject, "firing").len(), 1, "{subject}");
    }
}

/// A reorg happens under a silence: it is an alert, and nobody is told until the silence is ended.
fn while_silenced(network: &Network, site: &Site, webhooks: &[&Webhook]) -> String {
    let silence =
        ["alerts", "silence", "--rule", "reorg", "--for", "1h", "--comment", "a test of the network"];
    let made = site.bmon(&silence);
    let id = made.split(' ').nth(1).unwrap();
    let (subject, _) = reorg(network, site);
    let shown = site.bmon(&["alerts", "--state", "firing"]);
    assert!(shown.contains(", silenced until ") && shown.contains("(a test of the network)"), "{shown}");
    assert!(site.bmon(&["alerts", "silences"]).starts_with(&format!("{id} rule reorg: from ")));
    let ended_us = now_us();
    site.bmon(&["alerts", "expire", id]);
    for webhook in webhooks {
        let told = wait_for("what was silenced", LIMIT, || {
            webhook.told("reorg", &subject, "firing").into_iter().next()
        });
        assert!(told.at_us >= ended_us, "{told:?}");
    }
    assert_eq!(site.bmon(&["alerts", "silences"]), "no silences\n");
    subject
}

/// Alertmanager is away while a reorg happens, and is told of it once it is back.
fn while_away(network: &Network, site: &Site, webhook: &Webhook, alertmanager: &mut Alertmanager) -> String {
    alertmanager.stop();
    let (subject, _) = reorg(network, site);
    wait_for("a failure that is counted", LIMIT, || {
        let metrics =
            ureq::get(format!("{}/metrics", site.url)).call().unwrap().body_mut().read_to_string().unwrap();
        let failures = metrics
            .lines()
            .find_map(|line| line.strip_prefix("bmon_notify_failures_total{notifier=\"alertmanager\"} "));
        failures.filter(|failures| !["0", "0.0"].contains(failures)).map(drop)
    });
    // Which is about to be an alert itself, and is none when it is back.
    let failing = |state: &str| {
        let is_it = |alert: &Value| {
            alert["rule"] == "notifier-failing"
                && alert["subject"] == "alertmanager"
                && alert["state"] == state
        };
        site.list("alerts").into_iter().find(is_it)
    };
    wait_for("the alert about Alertmanager", LIMIT, || failing("pending"));
    thread::sleep(Duration::from_secs(setting("BMON_ALERT_AWAY_SECONDS", 2)));
    assert_eq!(webhook.told("reorg", &subject, "firing").len(), 0);
    alertmanager.start();
    wait_for("the alert that was kept", LIMIT, || {
        webhook.told("reorg", &subject, "firing").into_iter().next()
    });
    wait_for("the end of the alert about Alertmanager", LIMIT, || failing("resolved"));
    subject
}
