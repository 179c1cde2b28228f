//! The demo, as a person starts it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{LIMIT, wait_for};

/// `bmon demo` whose temporary directory is in `dir`.
fn demo(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bmon"));
    command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", dir);
    command
}

/// Whether nothing of the demo is left: no file, and no process that was started in its directory.
fn is_clean(dir: &Path) -> bool {
    let in_dir = |path: &Path| fs::read_link(path).is_ok_and(|cwd| cwd.starts_with(dir));
    let runs_there = |entry: fs::DirEntry| {
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        in_dir(&entry.path().join("cwd"))
            || String::from_utf8_lossy(&arguments).contains(dir.to_str().unwrap())
    };
    fs::read_dir(dir).unwrap().next().is_none()
        && !fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(runs_there)
}

#[test]
fn everything_staged_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let output = demo(dir.path()).args(["--once", "--json"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let compared: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (what, least) in
        [("blocks", 10), ("transactions", 200), ("rejections", 3), ("reorgs", 1), ("invalid_blocks", 1)]
    {
        let count = compared[what].as_array().unwrap().len();
        assert!(count >= least, "{count} {what}");
    }
    assert_eq!(compared["reorgs"][0]["found"]["depth"], 2);
    assert_eq!(
        (&compared["missing"], &compared["unexpected"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    assert!(is_clean(dir.path()));
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = demo(dir.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the page is at http://")));
    assert!(!is_clean(dir.path()));
    let process = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
    // The rest is read so that the demo never waits for its reader.
    lines.for_each(drop);
    let status = wait_for("the demo's end", LIMIT, || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
    assert!(is_clean(dir.path()));
}

#[test]
fn with_the_stack_every_job_is_scraped_and_ctrl_c_ends_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut child =
        demo(dir.path()).arg("--stack").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut at = |program: &str| {
        let start = format!("{program} is at ");
        lines.find_map(|line| line.unwrap().strip_prefix(&start).map(str::to_owned)).unwrap()
    };
    let [prometheus, alertmanager, exporter] =
        ["prometheus", "prometheus-alertmanager", "prometheus-node-exporter"].map(&mut at);
    let get = |url: &str| ureq::get(url).call().ok()?.body_mut().read_to_string().ok();
    wait_for("every job to be scraped", LIMIT, || {
        let up: Value = serde_json::from_str(&get(&format!("{prometheus}/api/v1/query?query=up"))?).unwrap();
        let is_up = |of: &&Value| of["value"][1] == "1";
        let mut jobs: Vec<_> = up["data"]["result"]
            .as_array()?
            .iter()
            .filter(is_up)
            .map(|of| of["metric"]["job"].as_str().unwrap())
            .collect();
        jobs.sort_unstable();
        let all = ["alertmanager", "bmon", "bmon-agent", "bmon-compat", "node", "prometheus"];
        (jobs == all).then_some(())
    });
    // The scenario has a reorg, of which Alertmanager is told.
    wait_for("the alert of the reorg", LIMIT, || {
        let alerts: Value = serde_json::from_str(&get(&format!("{alertmanager}/api/v2/alerts"))?).unwrap();
        alerts.as_array()?.iter().any(|alert| alert["labels"]["alertname"] == "reorg").then_some(())
    });
    assert!(get(&format!("{exporter}/metrics")).unwrap().contains("node_cpu_seconds_total"));
    let process = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
    lines.for_each(drop);
    let status = wait_for("the demo's end", LIMIT, || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
    assert!(is_clean(dir.path()));
}
