//! The files for Prometheus: its own checker takes them, and what they ask for is what the server shows.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What the tool says, which must succeed.
fn promtool(arguments: &[&str], input: impl Into<Stdio>) -> String {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(root().join("stack/prometheus")).stdin(input);
    let output = command.output().expect("`scripts/setup --tests` installs promtool");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {text}");
    text
}

#[test]
fn prometheus_takes_the_rules_and_they_fire_when_they_should() {
    promtool(&["check", "rules", "bmon.rules.yml"], Stdio::null());
    promtool(&["test", "rules", "bmon.rules.test.yml"], Stdio::null());
}

#[test]
fn prometheus_finds_nothing_wrong_with_the_golden_page_on_which_everything_is() {
    let page = fs::File::open(root().join("crates/server/tests/api/metrics.txt")).unwrap();
    assert_eq!(promtool(&["check", "metrics"], page), "");
}

/// Words of a text that begin like a metric of bmon.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != ':');
    words.filter(|word| word.starts_with("bmon_")).collect()
}

#[test]
fn every_metric_of_the_rules_is_one_that_the_server_or_an_agent_shows() {
    let rules = fs::read_to_string(root().join("stack/prometheus/bmon.rules.yml")).unwrap();
    let pages = [include_str!("api/metrics.txt"), include_str!("../../agent/tests/data/metrics.txt")];
    let lines = pages.iter().flat_map(|page| page.lines());
    let shown: BTreeSet<&str> =
        lines.filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    // What a histogram shows is named by its parts.
    let family = |name| {
        ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|part| shown.get(str::strip_suffix(name, part)?))
            .copied()
    };
    let asked: BTreeSet<&str> =
        metrics(&rules).into_iter().map(|name| family(name).unwrap_or(name)).collect();
    assert!(asked.len() > 10, "{asked:?}");
    assert_eq!(asked.difference(&shown).collect::<Vec<_>>(), [] as [&&str; 0]);
}

#[test]
fn every_alert_has_its_part_of_the_runbook_and_every_rule_a_test_that_names_it() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (rules, tests, runbook) = (
        read("stack/prometheus/bmon.rules.yml"),
        read("stack/prometheus/bmon.rules.test.yml"),
        read("docs/runbooks/monitor.md"),
    );
    let alerts: Vec<&str> =
        rules.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: ")).collect();
    let recorded = rules.lines().filter_map(|line| line.trim_start().strip_prefix("- record: "));
    let untested: Vec<&str> = recorded
        .filter(|name| !tests.contains(&format!("{name}\n")) && !tests.contains(&format!("{name})\n")))
        .collect();
    assert_eq!(untested, [] as [&str; 0]);
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        let link = format!("runbook_url: http://127.0.0.1:8890/runbooks/monitor#{}", alert.to_lowercase());
        assert!(rules.contains(&link), "{alert}");
        assert!(runbook.contains(&format!("\n## {alert}\n")), "{alert}");
        assert!(tests.contains(alert), "{alert}");
    }
}
