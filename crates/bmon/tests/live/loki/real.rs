//! A real Loki in a directory of the test's own, on loopback.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::model::{Entries, PATIENCE};
use crate::support::wait_for;

/// How many entries one answer may have (`max_entries_limit_per_query`, which is 5000 by default).
const PAGE: usize = 5_000;

pub(super) struct Real {
    exe: PathBuf,
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Real {
    pub(super) fn start(exe: &Path, dir: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, grpc) = (free(), free());
        fs::write(dir.join("loki.yml"), config(dir, port, grpc)).unwrap();
        let mut loki = Self { exe: exe.to_owned(), dir: dir.to_owned(), port, child: None };
        loki.run();
        loki
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn run(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.join("loki.log")).unwrap();
        let mut command = Command::new(&self.exe);
        command.arg(format!("-config.file={}/loki.yml", self.dir.display()));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        wait_for("Loki to be ready", PATIENCE, || {
            ureq::get(format!("{}/ready", self.url()))
                .call()
                .ok()
                .filter(|answer| answer.status() == 200)
                .map(drop)
        });
    }

    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// All entries of some nodes. Of one log no two have the same time, so that a page can begin behind the last.
    pub(super) fn streams(&self, nodes: &[&str]) -> BTreeMap<String, Entries> {
        let mut all = BTreeMap::new();
        for node in nodes {
            let mut start = super::lines::now() * 1_000 - 3_600_000_000_000;
            while let Some(last) = self.page(node, start, &mut all) {
                start = last + 1;
            }
        }
        all
    }

    /// Reads one page. Returns the time of its last entry, `None` if it has none.
    fn page(&self, node: &str, start: i64, all: &mut BTreeMap<String, Entries>) -> Option<i64> {
        let end = super::lines::now() * 1_000 + 3_600_000_000_000;
        let answer = ureq::get(format!("{}/loki/api/v1/query_range", self.url()))
            .query("query", format!("{{node=\"{node}\"}}"))
            .query("start", start.to_string())
            .query("end", end.to_string())
            .query("limit", PAGE.to_string())
            .query("direction", "forward")
            .call();
        let reply: Value = answer.ok()?.body_mut().with_config().limit(1 << 30).read_json().unwrap();
        let mut last = None;
        for stream in reply["data"]["result"].as_array().unwrap() {
            let labels = stream["stream"].as_object().unwrap();
            // Structured metadata stand among the labels.
            let kept = ["node", "network", "source", "version", "level", "category"];
            let labels: Vec<_> =
                kept.iter().filter_map(|name| Some(format!("{name}={}", labels.get(*name)?))).collect();
            let entries: &mut Entries = all.entry(format!("{{{}}}", labels.join(", "))).or_default();
            for value in stream["values"].as_array().unwrap() {
                let nanos: i64 = value[0].as_str().unwrap().parse().unwrap();
                last = last.max(Some(nanos));
                entries.push((nanos, value[1].as_str().unwrap().to_owned()));
            }
        }
        for entries in all.values_mut() {
            entries.sort_by_key(|(nanos, _)| *nanos);
        }
        last
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

fn config(dir: &Path, port: u16, grpc: u16) -> String {
    let dir = dir.display();
    format!(
        "auth_enabled: false\n\
         server:\n  http_listen_address: 127.0.0.1\n  http_listen_port: {port}\n  grpc_listen_address: 127.0.0.1\n  \
         grpc_listen_port: {grpc}\n\
         common:\n  instance_addr: 127.0.0.1\n  path_prefix: {dir}/data\n  replication_factor: 1\n  \
         storage:\n    filesystem:\n      chunks_directory: {dir}/data/chunks\n      rules_directory: {dir}/data/rules\n  \
         ring:\n    kvstore:\n      store: inmemory\n\
         schema_config:\n  configs:\n    - from: 2020-01-01\n      store: tsdb\n      object_store: filesystem\n      \
         schema: v13\n      index:\n        prefix: index_\n        period: 24h\n\
         limits_config:\n  allow_structured_metadata: true\n  ingestion_rate_mb: 64\n  ingestion_burst_size_mb: 128\n  \
         per_stream_rate_limit: 64MB\n  per_stream_rate_limit_burst: 128MB\n  \
         shard_streams:\n    enabled: false\n\
         analytics:\n  reporting_enabled: false\n"
    )
}
