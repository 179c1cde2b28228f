//! The chain, its forks, and on what nodes disagree.

use super::{
    Dashboard,
    panel::{bars, lines, stacked, stat, table},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-chain",
        title: "bmon: chain and forks",
        description: "Where the chain ends at each node, what was left behind, and what nodes disagree on. bmon's page draws the forks.",
        from: "now-7d",
        is_of_logs: false,
        rows: vec![row("Now", now()), row("The chain", chain()), row("What was found", findings())],
    }
}

fn now() -> Vec<super::Panel> {
    vec![
        stat("Height", "Height of the chain with the most work that a node follows.")
            .unit("none")
            .ask("{{network}}", "max by (network) (bmon_chain_height@networks)"),
        stat("Stale blocks", "Blocks of the last 2016 that were left behind, invalid ones not included. 2.7 are the rule on main: \
              0.132 % in 2023 and in 2026.")
            .ask("{{network}}", "max by (network) (bmon_chain_stale_blocks@networks)"),
        stat("Ends of branches", "Ends of branches of stale blocks in the last 2016 blocks.")
            .ask("{{network}}", "max by (network) (bmon_chain_unused_tips@networks)"),
        stat("Most behind", "The most blocks of the chain with the most work that a node has not connected.")
            .from(1.0, "yellow")
            .from(3.0, "red")
            .ask("{{network}}", "max by (network) (bmon_node_blocks_behind@nodes)"),
        stat("Critical alerts", "Alerts of severity critical that fire.")
            .from(1.0, "red")
            .ask("", r#"sum(bmon_alerts{job="bmon", network=~"$network", severity="critical", state="firing"}) or vector(0)"#),
        stat("Warnings", "Alerts of severity warning that fire.")
            .from(1.0, "orange")
            .ask("", r#"sum(bmon_alerts{job="bmon", network=~"$network", severity="warning", state="firing"}) or vector(0)"#),
    ]
}

fn chain() -> Vec<super::Panel> {
    vec![
        lines("Height", "Height of each node's active chain.")
            .unit("none")
            .ask("{{network}} {{node}}", "bmon_node_blocks@nodes"),
        lines("Headers without blocks", "Headers that the node has beyond its active chain: blocks that it is still loading, or refuses.")
            .ask("{{network}} {{node}}", "bmon_node_headers@nodes - bmon_node_blocks@nodes"),
        lines("Blocks behind", "Blocks of the chain with the most work that the node has not connected. It stays above 0 at nodes on \
              the other side of a partition.")
            .ask("{{network}} {{node}}", "bmon_node_blocks_behind@nodes"),
        lines("Branches", "Branches that each node knows (RPC getchaintips), the active one included.")
            .ask("{{network}} {{node}}", "bmon_node_chain_tips@nodes"),
        lines("Age of the tip", "Since when each node has its tip, by its own clock.")
            .unit("s")
            .ask("{{network}} {{node}}", "bmon:node_tip_age_seconds@recorded"),
        lines("Stale blocks", "Blocks of the last 2016 that were left behind, and ends of their branches.")
            .ask("{{network}} blocks", "bmon_chain_stale_blocks@networks")
            .ask("{{network}} ends", "bmon_chain_unused_tips@networks"),
    ]
}

fn findings() -> Vec<super::Panel> {
    vec![
        bars("Findings in the store", "What was found of the chain, by kind; bmon's page and API tell each with what it rests on.")
            .unit("none")
            .ask("{{network}} {{kind}}", &format!("sum by (network, kind) (bmon_analysis_findings_total{CHAIN})")),
        stacked("New findings", "The same as they came, in the last hour at each time. The first of a kind at a node is not counted: \
                 there is no series before it.")
            .ask("{{network}} {{kind}}", &format!("sum by (network, kind) (increase(bmon_analysis_findings_total{CHAIN}[1h]))")),
        table("By node", "Of findings about single nodes, how many each has.")
            .ask(
                "reorgs",
                r#"sum by (network, node) (bmon_analysis_findings_total{job="bmon", network=~"$network", node=~"$node", kind="reorg"})"#,
            )
            .ask(
                "invalid blocks",
                r#"sum by (network, node) (bmon_analysis_findings_total{job="bmon", network=~"$network", node=~"$node", kind="invalid-block"})"#,
            ),
        stacked("Alerts firing", "Open alerts by rule (docs/rules.md).")
            .wide(24)
            .ask("{{network}} {{rule}}", r#"sum by (network, rule) (bmon_alerts{job="bmon", network=~"$network", state="firing"}) > 0"#),
    ]
}

/// Findings about the chain. Those of a network as a whole have no node.
const CHAIN: &str = r#"{job="bmon", network=~"$network", node=~"$node|", kind=~"fork|stale-block|reorg|invalid-block|partition|validity-disagreement|lag|double-spend|selfish-mining|deployment-change|version-bit"}"#;
