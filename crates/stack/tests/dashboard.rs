//! What can be said of the dashboards without Grafana: that they are of its types, whole, and alike.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use bmon_stack::dashboard;
use serde_json::Value;

fn all() -> Vec<(&'static str, Value)> {
    dashboard::all("http://bmon.example.org/")
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| unreachable!("`{key}` of {value:#}"))
}

/// What a dashboard asks for its panels, with the panel.
fn targets(dashboard: &Value) -> Vec<(&Value, &Value)> {
    let mut targets = Vec::new();
    for panel in panels(dashboard) {
        targets.extend(panel["targets"].as_array().into_iter().flatten().map(|target| (panel, target)));
    }
    targets
}

/// What of these dashboards is not of Grafana's types.
fn faults(dashboards: &[Value]) -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grafana");
    assert!(dir.join("node_modules").exists(), "`scripts/setup --tests` installs the types");
    let mut command = Command::new("node");
    command.arg("model.mjs").current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut checker = command.spawn().expect("`scripts/setup --tests` installs node");
    checker.stdin.take().unwrap().write_all(Value::from(dashboards).to_string().as_bytes()).unwrap();
    let output = checker.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_dashboard_is_of_grafanas_types_and_not_just_anything_is() {
    let mut dashboards: Vec<_> = all().into_iter().map(|(_, dashboard)| dashboard).collect();
    assert_eq!(faults(&dashboards), [] as [&str; 0]);
    let panels = dashboards[0]["panels"].as_array_mut().unwrap();
    panels[1]["options"]["colorMode"] = "red".into();
    panels[2]["gridPos"]["x"] = "left".into();
    panels[3]["options"]["graphmode"] = "none".into();
    let told = faults(&dashboards);
    let of = |title| told.iter().filter(|fault| fault.starts_with(&format!("bmon-fleet: {title}: "))).count();
    assert_eq!(["Nodes", "Silent nodes", "Chain height"].map(of), [1; 3], "{told:#?}");
}

#[test]
fn every_panel_has_a_number_of_its_own_and_a_place_of_its_own() {
    for (name, dashboard) in all() {
        let mut taken = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = text(panel, "title");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: {title}");
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(x + w <= 24 && w > 0 && h > 0, "{name}: {title}");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert_eq!(taken.insert(cell, title), None, "{name}: {title} at {cell:?}");
            }
        }
    }
}

#[test]
fn every_dashboard_has_its_variables_and_leads_to_the_others_and_to_bmon() {
    let mut uids = BTreeSet::new();
    assert_eq!(all().len(), 7);
    for (name, dashboard) in all() {
        assert!(uids.insert(text(&dashboard, "uid").to_owned()) && text(&dashboard, "uid") == name);
        assert_eq!((&dashboard["schemaVersion"], &dashboard["tags"][0]), (&39.into(), &"bmon".into()));
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        for needed in ["network", "node"] {
            let variable = variables.iter().find(|variable| variable["name"] == needed).unwrap();
            assert_eq!((&variable["multi"], &variable["includeAll"]), (&true.into(), &true.into()), "{name}");
        }
        let links = dashboard["links"].as_array().unwrap();
        assert!(links[0]["includeVars"] == true && links[1]["url"] == "http://bmon.example.org/", "{name}");
    }
}

#[test]
fn every_panel_says_what_it_means_asks_a_source_that_is_a_variable_and_selects_by_network_and_node() {
    let mut count = 0;
    for (name, dashboard) in all() {
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        for (panel, target) in targets(&dashboard) {
            let title = text(panel, "title");
            assert!(text(panel, "description").ends_with(['.', ')']), "{name}: {title}");
            assert!(!text(&panel["fieldConfig"]["defaults"], "unit").is_empty());
            let kind = text(&panel["datasource"], "type");
            assert_eq!(panel["datasource"]["uid"], format!("${{{kind}}}"), "{name}: {title}");
            assert!(
                variables.iter().any(|variable| variable["name"] == kind && variable["type"] == "datasource")
            );
            assert_eq!(panel["datasource"], target["datasource"]);
            let expr = text(target, "expr");
            // What is of the server alone is of no node.
            let is_own = expr.contains(r#"{job="bmon"}"#) || expr.starts_with("bmon:") && !expr.contains('{');
            assert!(is_own || expr.contains(r#"network=~"$network"#), "{name}: {title}: {expr}");
            assert!(!expr.contains(" @"), "{name}: {title}: {expr}");
            count += 1;
        }
    }
    assert!(count > 90, "{count}");
}

#[test]
fn every_metric_that_is_asked_for_is_one_that_is_shown_or_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let mut known = BTreeSet::new();
    for page in [read("crates/server/tests/api/metrics.txt"), read("crates/agent/tests/data/metrics.txt")] {
        let names = page.lines().filter(|line| !line.starts_with('#'));
        known.extend(names.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()));
    }
    let rules = read("stack/prometheus/bmon.rules.yml");
    known.extend(rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).map(str::to_owned));
    let mut asked = 0;
    for (name, dashboard) in all() {
        for (panel, target) in targets(&dashboard) {
            let expr = text(target, "expr");
            let words = expr.split(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != ':');
            for word in words.filter(|word| word.starts_with("bmon_") || word.starts_with("bmon:")) {
                assert!(known.contains(word), "{word} of {name}: {}", panel["title"]);
                asked += 1;
            }
        }
    }
    assert!(asked > 90, "{asked}");
}
