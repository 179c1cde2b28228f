//! `bmon block-times`.

use std::path::Path;

use bmon_server::api::block_times::Reply;
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    text::{duration, or_dash},
};

#[derive(Args)]
pub(crate) struct BlockTimes {
    #[command(flatten)]
    query: Query,
    /// How many records, each of one node and 144 heights
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl BlockTimes {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("block-times?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.block_times {
        let times = &found.body;
        let blocks = times.requested.iter().flatten().count();
        let asked = times.requested.iter().flatten().filter(|requested| **requested > 0).count();
        text.push_str(&format!(
            "{:>8} {:<12} {:<10} arrival {:>8}  reconstruction {:>8}  processing {:>8}  requests {asked} of {blocks}\n",
            times.from_height,
            or_dash(found.node.clone()),
            found.network,
            middle(&times.arrival_us),
            middle(&times.reconstruction_us),
            middle(&times.processing_us),
        ));
    }
    if text.is_empty() { "no block has settled yet; it takes an hour\n".to_owned() } else { text }
}

/// The median, a dash of none.
fn middle(us: &[Option<u32>]) -> String {
    let known: Vec<f64> = us.iter().flatten().map(|us| f64::from(*us)).collect();
    #[expect(clippy::cast_possible_truncation, reason = "a median of 32-bit numbers")]
    let middle = bmon_analysis::statistic::median(&known).map(|us| duration(us.round() as i64));
    or_dash(middle)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_one_line_of_medians() {
        let record = json!({
            "id": "00", "revision": 6, "network": "main", "node": "bob", "at": "then", "at_us": 0,
            "clock_bound_us": null, "sources": ["log"], "from_height": 144, "arrival_us": [0, 90_000, null],
            "reconstruction_us": [null, null, null], "requested": [0, 3, null], "processing_us": [7_000, null, null],
            "peers": [1, 1, 1], "versions": [],
        });
        let reply = json!({ "block_times": [record], "next": null });
        assert_eq!(
            text(&serde_json::from_value(reply).unwrap()),
            "     144 bob          main       arrival  45.0 ms  reconstruction        -  processing  7.00 ms  requests 1 of 2\n"
        );
        assert!(text(&Reply { block_times: Vec::new(), next: None }).starts_with("no block"));
    }
}
