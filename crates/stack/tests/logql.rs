//! The queries of the dashboard of logs: Grafana's own parser takes them, and where `LOKI_EXE` names a Loki, it finds lines by them.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    env, fs,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use bmon_stack::{Installation, dashboard, render};
use serde_json::{Value, json};

const HASH: &str = "00000000000000000001d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6";

/// What the panels ask of Loki, as Grafana fills in the variables when all is chosen and a text and a hash are given.
fn queries() -> Vec<String> {
    let dashboards = dashboard::all("http://127.0.0.1:8890/");
    let targets = dashboards.iter().flat_map(|(_, dashboard)| dashboard["panels"].as_array().unwrap());
    let targets = targets.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let of_loki = targets.filter(|target| target["datasource"]["type"] == "loki");
    let queries: Vec<_> = of_loki.map(|target| filled(target["expr"].as_str().unwrap())).collect();
    assert_eq!(queries.len(), 6, "{queries:?}");
    queries
}

fn filled(expr: &str) -> String {
    let all = ["$network", "$node", "$source", "$category", "$level"].map(|name| (name, ".+"));
    let others = [("$__auto", "1m"), ("$search", "UpdateTip"), ("$hash", HASH)];
    let filled =
        all.iter().chain(&others).fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value));
    assert!(!filled.contains('$'), "{filled}");
    filled
}

/// What the parser finds wrong with each query.
fn faults(queries: &[String]) -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grafana");
    assert!(dir.join("node_modules").exists(), "`scripts/setup --tests` installs the parser");
    let mut command = Command::new("node");
    command.arg("logql.mjs").current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut parser = command.spawn().expect("`scripts/setup --tests` installs node");
    let lines: Vec<_> = queries.iter().map(|query| json!(query).to_string()).collect();
    parser.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn grafanas_parser_takes_every_query_and_not_just_any_text() {
    let mut queries = queries();
    assert_eq!(faults(&queries), vec![""; queries.len()], "{queries:#?}");
    for query in &mut queries {
        *query = query.replace('}', "");
    }
    assert!(faults(&queries).iter().all(|fault| !fault.is_empty()));
}

/// A Loki with the configuration that is rendered, but for where its data lies; killed when it is dropped.
struct Loki {
    url: String,
    process: Child,
}

impl Loki {
    fn start(exe: &Path, dir: &Path) -> Self {
        let [address, inner] =
            [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string());
        let installation =
            Installation { dir: dir.to_owned(), loki: address.clone(), ..Installation::default() };
        let files = render(&installation);
        let file = files.iter().find(|file| file.path == "loki/loki.yml").unwrap();
        let config = dir.join("loki.yml");
        let text = file.text.replace("/var/lib/loki", dir.to_str().unwrap());
        let port = inner.rsplit(':').next().unwrap();
        fs::write(&config, text.replace("grpc_listen_port: 9096", &format!("grpc_listen_port: {port}")))
            .unwrap();
        let log = fs::File::create(dir.join("loki.log")).unwrap();
        let mut command = Command::new(exe);
        command.arg(format!("-config.file={}", config.display()));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { url: format!("http://{address}"), process: command.spawn().unwrap() }
    }

    /// Pushes a line for each of some streams, one of them about a block.
    fn push(&self) -> bool {
        let now = now_ns().to_string();
        let stream = |source: &str, level: &str, line: &str, about: Value| {
            json!({
                "stream": {"network": "regtest", "node": "alice", "version": "v30", "source": source, "category": "validation",
                           "level": level},
                "values": [[now, line, about]]
            })
        };
        let about = json!({"block_hash": HASH});
        let streams = json!({"streams": [
            stream("debug.log", "info", "UpdateTip: new best", about),
            stream("stderr", "error", "Error: out of disk", json!({})),
        ]});
        ureq::post(format!("{}/loki/api/v1/push", self.url)).send_json(streams).is_ok()
    }

    /// How many series or streams come, `None` while it does not answer.
    fn found(&self, query: &str) -> Option<usize> {
        let (start, end) = (now_ns() - 600_000_000_000, now_ns() + 1_000_000_000);
        let request = ureq::get(format!("{}/loki/api/v1/query_range", self.url));
        let request =
            request.query("query", query).query("start", start.to_string()).query("end", end.to_string());
        let reply: Value = request.call().ok()?.body_mut().read_json().ok()?;
        reply["data"]["result"].as_array().map(Vec::len)
    }
}

impl Drop for Loki {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "a line's time is real time")]
fn now_ns() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()
}

#[expect(clippy::disallowed_methods, reason = "a wait is bounded by real time")]
fn wait_for(what: &str, mut state: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !state() {
        assert!(Instant::now() < end, "waited for {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_real_loki_finds_lines_by_every_query() {
    let Some(exe) = env::var_os("LOKI_EXE") else {
        println!("LOKI_EXE names no Loki: its answers are not looked at");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let loki = Loki::start(Path::new(&exe), dir.path());
    wait_for("a push that is taken", || loki.push());
    for query in queries() {
        wait_for(&query, || loki.found(&query).is_some_and(|found| found > 0));
    }
}
