//! How late nodes told, as the histograms of `/metrics` have it.

use bmon_analysis::{NodeDelays, histogram::Histogram};

use bmon_event::Network;

const MS: i64 = 1_000;
const S: i64 = 1_000_000;

fn histogram(delays: &[i64]) -> Histogram {
    let mut histogram = Histogram::default();
    for us in delays {
        histogram.add(*us);
    }
    histogram
}

/// Alice is first, bob is not, and of carol's batches it is not known when they were made.
pub(crate) fn late() -> Vec<NodeDelays> {
    let of = |node: &str, blocks: &[i64], transactions: &[i64], batches: &[i64]| NodeDelays {
        network: Network::from_chain("regtest").unwrap(),
        node: node.parse().unwrap(),
        blocks: histogram(blocks),
        transactions: histogram(transactions),
        batches: histogram(batches),
    };
    vec![
        of("alice", &[0, 0, 0], &[0, 0, 0, 2 * S], &[3 * MS, 4 * MS, 5 * MS]),
        of("bob", &[20 * MS, 700 * MS, 400 * S], &[40 * MS, S, 3 * S, 0], &[30 * MS, 40 * MS, 90 * S]),
    ]
}
