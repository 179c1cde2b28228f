//! What nodes and agents wrote into their logs, in Loki.
//!
//! Streams have the labels network, node, version, source, category and level; a line that names a block or transaction has
//! `block_hash`, `txid` or `wtxid` as structured metadata.

use super::{
    Dashboard,
    panel::{logs, stacked},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-logs",
        title: "bmon: logs",
        description: "debug.log and stderr of the nodes, and the agents' own logs.",
        from: "now-1h",
        is_of_logs: true,
        rows: vec![row("How many", counts()), row("Lines", found())],
    }
}

fn counts() -> Vec<super::Panel> {
    vec![
        stacked("By level", "Lines a second by level; bitcoind names none in most lines, and info is meant then.")
            .unit("ops")
            .wide(8)
            .ask("{{level}}", "sum by (level) (rate(@streams [$__auto]))"),
        stacked("By category", "Lines a second by category of debug.log (-debug=CATEGORY); lines without one are always written.")
            .unit("ops")
            .wide(8)
            .ask("{{category}}", "sum by (category) (rate(@streams [$__auto]))"),
        stacked("By node", "Lines a second by node and source.")
            .unit("ops")
            .wide(8)
            .ask("{{node}} {{source}}", "sum by (node, source) (rate(@streams [$__auto]))"),
    ]
}

fn found() -> Vec<super::Panel> {
    vec![
        logs("Lines", "Lines that contain the text, newest first.").ask("", "@streams |= `$search`"),
        logs(
            "About a block or transaction",
            "Lines of all nodes that name what stands in the field above, whatever their category.",
        )
        .ask(
            "",
            r#"{network=~"$network", node=~"$node"} | block_hash="$hash" or txid="$hash" or wtxid="$hash""#,
        ),
        logs("Errors", "Lines of level error, and what bitcoind wrote to stderr.")
            .ask("", r#"{network=~"$network", node=~"$node"} | source="stderr" or level="error""#),
    ]
}
