//! How long after the first node each told of things, and how long that took to the server.

use std::fmt;

use bmon_analysis::{NodeDelays, histogram::Histogram};
use prometheus_client::encoding::DescriptorEncoder;

use super::family::{Delays, encode_histogram};

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, delays: &[NodeDelays]) -> fmt::Result {
    let of = |take: fn(&NodeDelays) -> Histogram| -> Vec<Delays> {
        let sample = |node: &NodeDelays| {
            let labels = vec![("network", node.network.to_string()), ("node", node.node.to_string())];
            // Also while nothing is counted: what grows from 0 is seen to grow.
            (labels, take(node))
        };
        delays.iter().map(sample).collect()
    };
    encode_histogram(
        encoder,
        "bmon_propagation_block_delay_seconds",
        "How long after the first node the node told of a block",
        &of(|node| node.blocks),
    )?;
    encode_histogram(
        encoder,
        "bmon_propagation_tx_delay_seconds",
        "How long after the first node the node told of a transaction",
        &of(|node| node.transactions),
    )?;
    encode_histogram(
        encoder,
        "bmon_ingest_batch_delay_seconds",
        "How long after the node's agent made a batch the server received it, where the clocks' difference is known",
        &of(|node| node.batches),
    )
}

#[cfg(test)]
mod tests {
    use bmon_event::Network;
    use prometheus_client::{collector::Collector, encoding::text, registry::Registry};

    use super::*;

    #[derive(Debug)]
    struct Page(Vec<NodeDelays>);

    impl Collector for Page {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            super::encode(&mut encoder, &self.0)
        }
    }

    #[test]
    fn a_histogram_is_in_seconds_and_counts_all_up_to_each_bound() {
        let mut blocks = Histogram::default();
        for us in [0, 20_000, 700_000_000] {
            blocks.add(us);
        }
        let (transactions, batches) = (Histogram::default(), Histogram::default());
        let (network, node) = (Network::from_chain("regtest").unwrap(), "alice".parse().unwrap());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Page(vec![NodeDelays {
            network,
            node,
            blocks,
            transactions,
            batches,
        }])));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        let name = "bmon_propagation_block_delay_seconds";
        let labels = r#"network="regtest",node="alice""#;
        for line in [
            format!("# TYPE {name} histogram"),
            format!("{name}_sum{{{labels}}} 700.02"),
            format!("{name}_count{{{labels}}} 3"),
            format!(r#"{name}_bucket{{le="0.01",{labels}}} 1"#),
            format!(r#"{name}_bucket{{le="0.025",{labels}}} 2"#),
            format!(r#"{name}_bucket{{le="300.0",{labels}}} 2"#),
            format!(r#"{name}_bucket{{le="+Inf",{labels}}} 3"#),
        ] {
            assert!(page.lines().any(|written| written == line), "{line}\n{page}");
        }
        let nothing = format!("bmon_propagation_tx_delay_seconds_count{{{labels}}} 0");
        assert!(page.lines().any(|line| line == nothing), "{page}");
    }
}
