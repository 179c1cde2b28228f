//! Who mined the blocks, and what competing branches confirmed differently.

use bmon_analysis::{
    double_spend::{Fate, Replacement, Unshared},
    finding::{Body, DoubleSpend, Finding, FindingId},
    pool::{Mark, Miner, Recognised},
    row::{MinerRow, RawBlockRow, Row},
};
use bmon_event::{ServerTime, Source};

use super::{S, block, network, sighted, txid};

pub(super) fn rows(rows: &mut Vec<Row>, now: ServerTime) {
    miners(rows);
    double_spends(rows, now);
}

/// The pool that mined a block, where its coinbase tells.
pub(super) fn pool(number: u8) -> Option<&'static str> {
    match number {
        1 | 4 | 0xc2 => Some("ViaBTC"),
        3 | 6 | 0xa2 | 0xf1 => Some("AntPool"),
        0xa1 | 0xc1 => Some("Foundry USA"),
        _ => None,
    }
}

/// Most blocks are of a pool, one of nobody known, and of the others the coinbase was not read. One that was left behind
/// is kept whole.
fn miners(rows: &mut Vec<Row>) {
    for number in [1, 2, 3, 4, 6, 0xa1, 0xa2, 0xc1, 0xc2, 0xf1] {
        let pool = pool(number);
        let coinbase_text =
            pool.map_or_else(|| "my own rig".to_owned(), |pool| format!("/{pool}/Mined by alice/"));
        let pool =
            pool.map(|pool| Recognised { name: pool.to_owned(), by: Mark::Tag { tag: format!("/{pool}/") } });
        let miner = Miner { pool, coinbase_text };
        rows.push(Row::Miner(MinerRow { network: network(), block: block(number), miner }));
    }
    rows.push(Row::RawBlock(RawBlockRow { network: network(), block: block(0xa1), raw: vec![0xa1; 300] }));
}

/// Of the two blocks that bob left, two transactions were spent twice and one paid a higher fee; of a fork long ago one
/// is in the branch that lost and nowhere else.
fn double_spends(rows: &mut Vec<Row>, now: ServerTime) {
    use Fate::{DoubleSpend as Theft, FeeBump, OnlyHere};
    for (fork, seconds, fates) in [(5, 431, &[Theft, Theft, FeeBump][..]), (9, 90_000, &[OnlyHere])] {
        let count = |fate| u32::try_from(fates.iter().filter(|other| **other == fate).count()).unwrap();
        let body = Body::DoubleSpend(DoubleSpend {
            fork: block(fork),
            fork_height: 207,
            winner: Some(block(4)),
            branches: vec![vec![block(4), block(3), block(2)], vec![block(0xa1), block(0xa2)]],
            missing: Vec::new(),
            double_spends: count(Theft),
            double_spent_sat: u64::from(count(Theft)) * 70_000,
            fee_bumps: count(FeeBump),
            only_here: Some(count(OnlyHere)),
            entries: (8..).step_by(2).zip(fates).map(|(number, fate)| unshared(number, *fate)).collect(),
            omitted: 0,
        });
        rows.push(Row::Finding(Box::new(Finding {
            id: FindingId::new(&network(), body.kind(), &[block(fork).as_bytes()]),
            revision: 2,
            network: network(),
            node: None,
            sighted: sighted("alice", now.plus_micros(-seconds * S)),
            sources: vec![Source::Log, Source::Rpc],
            body,
        })));
    }
}

fn unshared(number: u8, fate: Fate) -> Unshared {
    let pays_the_same = fate == Fate::FeeBump;
    let unpaid_sat = if pays_the_same { 0 } else { 70_000 };
    let other = Replacement { txid: txid(number + 1), block: block(4), pays_the_same, unpaid_sat };
    let replacements = if fate == Fate::OnlyHere { Vec::new() } else { vec![other] };
    Unshared { txid: txid(number), block: block(0xa1), fate, replacements }
}
