//! How the newest block that is settled came into alice and bob: alice has it as a compact block without asking, bob asks for
//! the block and for some of its transactions.

use bmon_analysis::row::{Announcement, BlockStep, Reconstruction, Row, Step};
use bmon_event::{ServerTime, Source};

use super::{MS, block, name, network, sighted};

/// Microseconds from when the node connected the block.
const ALICE: [(i64, Source, Step); 5] = [
    (-135 * MS, Source::Log, Step::Announced { message: Announcement::Cmpctblock, peer: 3 }),
    (-134_100, Source::Log, Step::CompactBlock { bytes: 20_711, peer: Some(3) }),
    (
        -112 * MS,
        Source::Log,
        Step::Reconstructed(Reconstruction {
            prefilled: 1,
            from_mempool: 3_411,
            from_extra: 5,
            requested: 0,
            requested_bytes: Some(0),
            message_bytes: None,
            peer: Some(3),
        }),
    ),
    (9_420, Source::Log, Step::Tip {}),
    (9_900, Source::Zmq, Step::Tip {}),
];
const BOB: [(i64, Source, Step); 6] = [
    (-135 * MS, Source::Log, Step::Announced { message: Announcement::Headers, peer: 8 }),
    (-134_900, Source::Log, Step::Requested { peer: 8 }),
    (-130 * MS, Source::Log, Step::CompactBlock { bytes: 20_711, peer: Some(8) }),
    (-129_600, Source::Log, Step::TransactionsRequested { peer: 8 }),
    (
        -112 * MS,
        Source::Log,
        Step::Reconstructed(Reconstruction {
            prefilled: 1,
            from_mempool: 3_399,
            from_extra: 0,
            requested: 12,
            requested_bytes: None,
            message_bytes: Some(3_462),
            peer: Some(8),
        }),
    ),
    (9_510, Source::Log, Step::Tip {}),
];

/// The steps with block `number`, which alice connected at `connected` and bob after a delay.
pub(super) fn rows(rows: &mut Vec<Row>, number: u8, connected: ServerTime, delay_us: i64) {
    let alice = ALICE.iter().map(|step| ("alice", 0, step));
    let bob = BOB.iter().map(|step| ("bob", delay_us, step));
    for (node, delay_us, (us, source, step)) in alice.chain(bob) {
        rows.push(Row::BlockStep(Box::new(BlockStep {
            network: network(),
            block: block(number),
            node: name(node),
            source: *source,
            step: *step,
            sighted: sighted(node, connected.plus_micros(delay_us + us)),
        })));
    }
}
