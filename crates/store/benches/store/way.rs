//! How blocks came into nodes.

use bmon_analysis::row::{Announcement, BlockProcessing, BlockStep, Reconstruction, Row, Step};
use bmon_event::{NodeName, Source, event::Processing};

use crate::{hash, network, sighted};

/// What nodes tell of a compact block that lacks transactions, besides its stages.
pub(crate) fn steps(number: u64, nodes: &[NodeName]) -> Vec<Row> {
    let (network, block, mut rows) = (network(), hash(number), Vec::new());
    let reconstruction = Reconstruction {
        prefilled: 1,
        from_mempool: 2_410,
        from_extra: 3,
        requested: 12,
        requested_bytes: Some(3_404),
        message_bytes: Some(3_440),
        peer: Some(7),
    };
    let told = [
        Step::Announced { message: Announcement::Cmpctblock, peer: 7 },
        Step::CompactBlock { bytes: 15_000, peer: Some(7) },
        Step::TransactionsRequested { peer: 7 },
        Step::Reconstructed(reconstruction),
        Step::Tip {},
    ];
    for node in nodes {
        let (source, sighted) = (Source::Log, sighted(number * 4_000));
        rows.extend(told.map(|step| {
            let node = node.clone();
            Row::BlockStep(Box::new(BlockStep { network, block, node, source, step, sighted }))
        }));
        let (node, processing) = (node.clone(), Processing { total_us: 90_000, ..Processing::default() });
        rows.push(Row::BlockProcessing(Box::new(BlockProcessing {
            network,
            block,
            node,
            sighted,
            processing,
        })));
    }
    rows
}
