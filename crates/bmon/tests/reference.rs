//! `docs/cli.md`, `docs/configuration.md`, `docs/rules.md` and `docs/metrics.md` say what the binary says. `BMON_BLESS=1` writes them.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{env, fs, path::Path, process::Command};

/// Every command that has a `--help` of its own.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["demo"],
    &["run"],
    &["agent"],
    &["agent", "rpc-whitelist"],
    &["server"],
    &["server", "token"],
    &["nodes"],
    &["blocks"],
    &["block"],
    &["tx"],
    &["spread"],
    &["alerts"],
    &["alerts", "test"],
    &["alerts", "silence"],
    &["alerts", "silences"],
    &["alerts", "expire"],
    &["tips"],
    &["forks"],
    &["double-spends"],
    &["watch"],
    &["watch", "tx"],
    &["watch", "outpoint"],
    &["watch", "list"],
    &["watch", "remove"],
    &["stale-blocks"],
    &["partitions"],
    &["validity-disagreements"],
    &["lags"],
    &["reorgs"],
    &["rejections"],
    &["invalid-blocks"],
    &["gaps"],
    &["vanished-messages"],
    &["selfish-mining"],
    &["slow-nodes"],
    &["version-comparisons"],
    &["clocks"],
    &["block-times"],
    &["deployments"],
    &["export"],
    &["backtest"],
    &["replay"],
    &["explain"],
    &["explain", "block"],
    &["explain", "tx"],
    &["stack"],
    &["stack", "render"],
    &["config"],
    &["config", "default"],
    &["config", "check"],
];

fn output(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bmon")).args(arguments).output().unwrap();
    assert!(output.status.success(), "bmon {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Compares a page with what it should be, or writes it.
fn check(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if env::var_os("BMON_BLESS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "docs/{name} is not what the binary says; `make docs` writes it again");
}

#[test]
fn the_command_line_page_is_what_help_prints() {
    let mut page = "# Command line\n\nWhat `--help` prints, written by `make docs`.\n".to_owned();
    for command in COMMANDS {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let name = ["bmon"].iter().chain(*command).copied().collect::<Vec<_>>().join(" ");
        page.push_str(&format!("\n## `{name}`\n\n```text\n{}```\n", output(&arguments)));
    }
    check("cli.md", &page);
}

#[test]
fn every_command_is_on_the_page() {
    let help = output(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for line in commands.lines() {
        let name = line.split_whitespace().next().unwrap();
        assert!(
            name == "help" || COMMANDS.iter().any(|known| *known == [name]),
            "`{name}` is not in COMMANDS"
        );
    }
}

#[test]
fn the_configuration_page_is_the_embedded_default() {
    let page = format!(
        "# Configuration\n\nWhat `bmon config default` prints, written by `make docs`. A file given with `--config` \
         needs only what differs.\n\n```toml\n{}```\n",
        output(&["config", "default"])
    );
    check("configuration.md", &page);
}

#[test]
fn the_page_of_metrics_is_what_the_agent_declares() {
    let mut page = "# Metrics of the agent\n\nWhat an agent serves where `agent.metrics_listen` says, written by `make docs`. The \
                    server's own `/metrics` tells of\nall nodes; an agent's tells of its host and itself, also while no server \
                    can be reached. A metric of which nothing is known is\nleft out: a call that fails takes with it what it \
                    told.\n"
        .to_owned();
    for (of, about) in bmon_agent::page::ALL.iter().zip([OWN, COMPAT]) {
        page.push_str(&format!("\n## `{}`\n\n{about}\n", of.path));
        page.push_str("\n| metric | type | unit | labels | what it is | from |\n| --- | --- | --- | --- | --- | --- |\n");
        for metric in of.declared() {
            let (suffix, kind) = if metric.counter { ("_total", "counter") } else { ("", "gauge") };
            page.push_str(&format!(
                "| `{}{suffix}` | {kind} | {} | {} | {} | {} |\n",
                metric.name,
                metric.unit,
                metric.labels.join(", "),
                metric.help,
                metric.from
            ));
        }
    }
    check("metrics.md", &page);
}

const OWN: &str = "Seconds and bytes, no rates. Several nodes beside one agent share its process and the host, of which there is one \
                   series; all else has\nthe label `node`. The node's process is found by `bitcoind.pid` in its data directory.";
const COMPAT: &str = "The names of `jvstein/bitcoin-prometheus-exporter` and `Primexz/bitcoind-exporter` with their units, so that \
                      Grafana's dashboards 11274 and 21351\nshow a node without change. With one node beside the agent there is no \
                      label `node`, which they do not expect; with several each\nsample has it. The calls that nothing else needs are \
                      made only while the page is served, each at its own interval\n(`agent.interval.compat_…_ms`, 0 for never), and \
                      never two at a time; `bmon agent rpc-whitelist` names them. A gauge with the name of a\ncounter \
                      (`…_total`, `…_count`) is `untyped` on the page.";

#[test]
fn the_page_of_rules_is_what_the_rules_say() {
    let mut page = "# Rules\n\nWhat turns into an alert, written by `make docs`. A rule's condition must hold for its grace \
                    before the alert fires, and not hold\nfor its hold before it is over, so that what comes and goes fires once. An alert grows louder, not \
                    quieter, while it lasts; what is told late opens none.\n\n| rule | what it tells | how loud | grace | \
                    hold |\n| --- | --- | --- | --- | --- |\n"
        .to_owned();
    for rule in bmon_analysis::rule::ALL {
        page.push_str(&format!(
            "| [{0}](runbooks/{0}.md) | {1} | {2} | {3} s | {4} s |\n",
            rule.id,
            rule.about,
            rule.loudness,
            rule.grace_us / 1_000_000,
            rule.hold_us / 1_000_000
        ));
    }
    check("rules.md", &page);
}
