//! `stack/` is what is rendered for an installation with everything on one host; `BMON_BLESS=1` writes it anew. And the checkers
//! of Prometheus and Alertmanager take it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "whatever fails fails the test")]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use bmon_stack::{File, Installation, MANIFEST, render, write};
use saphyr::{LoadableYamlNode as _, Yaml};

fn stack() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stack").canonicalize().unwrap()
}

#[test]
fn the_committed_files_are_what_is_rendered() {
    let files = render(&Installation::default());
    if env::var_os("BMON_BLESS").is_some() {
        write(&stack(), &files, true).unwrap();
        fs::remove_file(stack().join(MANIFEST)).unwrap();
    }
    for File { path, text } in &files {
        let there = fs::read_to_string(stack().join(path)).unwrap_or_default();
        let differing = text.lines().zip(there.lines()).find(|(new, old)| new != old);
        assert!(
            *text == there,
            "stack/{path} is not what the code says, first at {differing:?}; `make docs` writes it"
        );
    }
    let rendered: BTreeSet<_> = files.iter().map(|file| stack().join(&file.path)).collect();
    let dashboards = fs::read_dir(stack().join("grafana/dashboards")).unwrap();
    for dashboard in dashboards.map(|entry| entry.unwrap().path()) {
        assert!(rendered.contains(&dashboard), "{} is not rendered", dashboard.display());
    }
}

/// An installation that is nowhere like the default.
fn elsewhere(dir: &Path) -> Installation {
    Installation {
        dir: dir.to_owned(),
        server: "bmon.example.org:1".to_owned(),
        prometheus: "10.0.0.1:2".to_owned(),
        alertmanager: "10.0.0.2:3".to_owned(),
        loki: "[::1]:4".to_owned(),
        grafana: "10.0.0.4:5".to_owned(),
        page: Some("https://example.org/bmon/".to_owned()),
        node_exporters: vec!["alice:9100".to_owned(), "bob:9100".to_owned()],
        webhook: Some("http://10.0.0.5:6/it's".to_owned()),
        scrape_seconds: 7,
    }
}

#[test]
fn nothing_is_left_of_the_templates_and_of_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    for File { path, text } in render(&elsewhere(dir.path())) {
        let is_word =
            |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        assert!(!text.split('@').any(is_word), "{path}");
        for default in [
            "127.0.0.1:8890",
            "127.0.0.1:9090",
            "127.0.0.1:9093",
            "127.0.0.1:3100",
            "127.0.0.1:3000",
            "/etc/bmon",
            "15s",
        ] {
            assert!(!text.contains(default), "{default} in {path}");
        }
    }
}

fn check(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("`scripts/setup --tests` installs {program}: {error}"));
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{program} {}: {text}", file.display());
    text
}

#[test]
fn prometheus_and_alertmanager_take_their_files() {
    let dir = tempfile::tempdir().unwrap();
    let alone = Installation { node_exporters: Vec::new(), ..Installation::default() };
    for installation in [elsewhere(dir.path()), Installation::default(), alone] {
        write(dir.path(), &render(&installation), true).unwrap();
        let told = check("promtool", &["check", "config"], &dir.path().join("prometheus/prometheus.yml"));
        assert!(told.contains("rules found"), "{told}");
        let told = check("amtool", &["check-config"], &dir.path().join("alertmanager/alertmanager.yml"));
        let receivers = if installation.webhook.is_some() { "2 receivers" } else { "1 receivers" };
        assert!(told.contains("1 inhibit rules") && told.contains(receivers), "{told}");
    }
}

#[test]
fn what_ends_in_yml_is_yaml_with_what_each_program_must_know() {
    let dir = tempfile::tempdir().unwrap();
    let files = render(&elsewhere(dir.path()));
    let document = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        Yaml::load_from_str(&file.text).unwrap_or_else(|error| panic!("{path}: {error}")).remove(0)
    };
    let is_yaml =
        |file: &&File| Path::new(&file.path).extension().is_some_and(|extension| extension == "yml");
    let read: Vec<_> = files.iter().filter(is_yaml).map(|file| document(&file.path)).collect();
    assert_eq!(read.len(), 6);
    let loki = document("loki/loki.yml");
    assert_eq!(loki["server"]["http_listen_address"].as_str(), Some("::1"));
    assert_eq!(loki["server"]["http_listen_port"].as_integer(), Some(4));
    assert_eq!(loki["schema_config"]["configs"][0]["schema"].as_str(), Some("v13"));
    let sources = document("grafana/provisioning/datasources/bmon.yml");
    assert_eq!(sources["datasources"][1]["url"].as_str(), Some("http://[::1]:4"));
    let provider = document("grafana/provisioning/dashboards/bmon.yml");
    let path = provider["providers"][0]["options"]["path"].as_str().unwrap();
    assert_eq!(Path::new(path), dir.path().join("grafana/dashboards"));
    let alertmanager = document("alertmanager/alertmanager.yml");
    let url = alertmanager["receivers"][1]["webhook_configs"][0]["url"].as_str();
    assert_eq!(url, Some("http://10.0.0.5:6/it's"));
}
