//! `bmon spread`.

use std::path::Path;

use bmon_server::api::spread::{Durations, Of, Pair, Reply};
use clap::{Args, ValueEnum};

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::{duration, many},
};

/// The end of `--help`.
const AFTER_HELP: &str = "\
FIRST is the share of all that the node saw before every other, SURELY where the clocks leave no doubt of it. MISSED is what
it did not see although it saw others at that time. P50, P90 and P99 are how long after the first node, within 1 %; BOUND is
the median error of the node's times. Of each two nodes the table below says who surely saw how many earlier, and how many the
clocks cannot tell.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Spread {
    #[command(flatten)]
    query: Query,
    /// How far back, in minutes, hours or days, like 90m, 24h, 7d
    #[arg(long, default_value = "24h", value_name = "TIME")]
    since: String,
    /// What was seen
    #[arg(long, value_enum, default_value_t = What::Tx)]
    of: What,
    /// With `--of block`: what the nodes had done with it
    #[arg(long, value_enum)]
    stage: Option<Stage>,
    /// The network, where the server knows of several
    #[arg(long)]
    network: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Transactions
    Tx,
    /// Blocks
    Block,
}

#[derive(Clone, Copy, ValueEnum)]
enum Stage {
    /// Seen the header
    Header,
    /// Had the whole block
    Block,
    /// Checked it
    Checked,
    /// Added it to the active chain
    Connected,
}

impl Spread {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        let of = match self.of {
            What::Tx => "tx",
            What::Block => "block",
        };
        let stage = self.stage.and_then(|stage| stage.to_possible_value());
        let mut path = format!("spread?of={of}&since={}", self.since);
        path.extend(stage.iter().map(|stage| format!("&stage={}", stage.get_name())));
        path.extend(self.network.iter().map(|network| format!("&network={network}")));
        self.query.show(config, &path, text)
    }
}

fn text(reply: &Reply) -> String {
    let what = match reply.of {
        Of::Tx => "transaction",
        Of::Block => "block",
    };
    if reply.items == 0 {
        return format!("no {what}s since {}\n", reply.from);
    }
    let head = format!("{}: {} since {}\n\n", reply.network, many(reply.items, what), reply.from);
    [head, nodes(reply), reach(reply), pairs(&reply.pairs)].concat()
}

fn nodes(reply: &Reply) -> String {
    use Align::{Left, Right};
    let columns = ["SEEN", "MISSED", "REFUSED", "FIRST", "SURELY", "P50", "P90", "P99", "BOUND"];
    let mut table = Table::new([vec![("NODE", Left)], columns.map(|name| (name, Right)).to_vec()].concat());
    for node in &reply.nodes {
        let share = |count: u64| format!("{:.1} %", count as f64 * 100.0 / reply.items as f64);
        table.row(vec![
            node.node.to_string(),
            node.seen.to_string(),
            node.missed.to_string(),
            node.refused.to_string(),
            share(node.first),
            share(node.surely_first),
            written(node.delay.p50_us),
            written(node.delay.p90_us),
            written(node.delay.p99_us),
            written(node.clock_bound.p50_us),
        ]);
    }
    table.render()
}

fn reach(reply: &Reply) -> String {
    use Align::Right;
    if reply.reach.is_empty() {
        return String::new();
    }
    let columns = ["SEEN BY", "OF ALL", "P50", "P90", "P99"];
    let mut table = Table::new(columns.map(|name| (name, Right)).to_vec());
    for reach in &reply.reach {
        let Durations { count, p50_us, p90_us, p99_us, .. } = reach.delay;
        let share = format!("{:.1} %", count as f64 * 100.0 / reply.items as f64);
        table.row(vec![reach.nodes.to_string(), share, written(p50_us), written(p90_us), written(p99_us)]);
    }
    format!("\n{}", table.render())
}

fn pairs(pairs: &[Pair]) -> String {
    use Align::{Left, Right};
    if pairs.is_empty() {
        return String::new();
    }
    let columns = ["EARLIER", "LATER", "CANNOT TELL", "MEDIAN"];
    let left = vec![("NODE", Left), ("OTHER", Left)];
    let mut table = Table::new([left, columns.map(|name| (name, Right)).to_vec()].concat());
    for pair in pairs {
        let sign = if pair.median_us.is_some_and(|us| us > 0) { "+" } else { "" };
        table.row(vec![
            pair.first.to_string(),
            pair.second.to_string(),
            pair.first_earlier.to_string(),
            pair.second_earlier.to_string(),
            pair.open.to_string(),
            format!("{sign}{}", written(pair.median_us)),
        ]);
    }
    format!("\n{}", table.render())
}

fn written(us: Option<i64>) -> String {
    us.map_or_else(|| "-".to_owned(), duration)
}
