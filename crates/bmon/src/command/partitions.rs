//! `bmon partitions`.

use std::path::Path;

use bmon_analysis::tree::ProofOfWork;
use bmon_server::api::partitions::{Partition, Reply};
use clap::Args;

use super::Query;
use crate::{failure::Result, text::list};

#[derive(Args)]
pub(crate) struct Partitions {
    #[command(flatten)]
    query: Query,
    /// How many partitions
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Partitions {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("partitions?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.partitions {
        let Partition { partition, healed_at } = &found.body;
        let end = healed_at.as_ref().map_or_else(|| "open".to_owned(), |at| format!("healed {at}"));
        text.push_str(&format!(
            "{} {}: {} sides after block {}, {end}\n  {}\n",
            found.at,
            found.network,
            partition.sides.len(),
            partition.fork_height,
            partition.fork
        ));
        for side in &partition.sides {
            let work = if partition.most_work == Some(side.first) { ", most work" } else { "" };
            let kind = match side.proof_of_work {
                Some(ProofOfWork::Sha256d) => "",
                Some(ProofOfWork::Blake2b) => ", proof of work blake2b",
                None => ", mixed proofs of work",
            };
            let nodes = if side.nodes.is_empty() { "no node".to_owned() } else { list(&side.nodes) };
            text.push_str(&format!("  - {nodes}: {} blocks{work}{kind}\n", side.length));
            text.push_str(&format!("    from {}\n    to   {}\n", side.first, side.tip));
        }
    }
    if text.is_empty() { "no partitions\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_partition_names_its_sides_and_whether_it_is_over() {
        let [fork, a, b] = ["a", "b", "c"].map(|digit| digit.repeat(64));
        let reply: Reply = serde_json::from_value(json!({ "partitions": [{
            "id": "00", "revision": 1, "network": "main", "node": null, "at": "then", "at_us": 0,
            "clock_bound_us": 1, "sources": ["log"], "fork": fork, "fork_height": 99, "most_work": a,
            "healed_at": null, "healed_at_us": null,
            "sides": [
                { "first": a, "tip": a, "length": 9, "proof_of_work": "sha256d", "nodes": ["alice", "bob"] },
                { "first": b, "tip": b, "length": 4, "proof_of_work": "blake2b", "nodes": [] },
            ],
        }], "next": null }))
        .unwrap();
        let expected = format!(
            "then main: 2 sides after block 99, open\n  {fork}\n  - alice, bob: 9 blocks, most work\n    from {a}\n    \
             to   {a}\n  - no node: 4 blocks, proof of work blake2b\n    from {b}\n    to   {b}\n"
        );
        assert_eq!(text(&reply), expected);
        assert_eq!(text(&Reply { partitions: Vec::new(), next: None }), "no partitions\n");
    }
}
