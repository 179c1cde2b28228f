//! What was found of the chain: alice and bob each follow a branch of a race at the tip, next to a block that both
//! refuse; carol refuses a block lower down and follows a chain of her own since; and what was left behind before.

use bmon_analysis::{
    finding::{
        Body, Finding, FindingId, Fork, ForkBranch, InvalidBlock, Lag, NodeStatus, Partition, PartitionSide,
        SelfishMining, StaleBlock, ValidityDisagreement, Verdict,
    },
    row::{HeaderRow, NodeTip, Row, Tip, TipsRow},
    selfish::SignalName,
    tree::{ProofOfWork, Status},
};
use bmon_event::{BlockHash, NodeName, ServerTime, Source};

use super::{MS, S, block, chain_block, finding, miner::pool, name, network, sighted};

/// Every block with its height, and the number of the block below it.
const BLOCKS: [(u8, u32, u8); 15] = [
    (7, 205, 8),
    (6, 206, 7),
    (0x67, 206, 7),
    (5, 207, 6),
    (0xd1, 207, 6),
    (4, 208, 5),
    (0xa1, 208, 5),
    (3, 209, 4),
    (0xa2, 209, 0xa1),
    (0xf1, 209, 4),
    (2, 210, 3),
    (0xf2, 210, 0xf1),
    (1, 211, 2),
    (0xc1, 212, 1),
    (0xc2, 212, 1),
];

pub(super) fn rows(rows: &mut Vec<Row>, now: ServerTime) {
    let ago = |seconds: i64| now.plus_micros(-seconds * S);
    rows.extend(BLOCKS.map(|(number, height, below)| header(number, height, below)));
    chain_block(rows, 0xc1, 212, ago(21), [Some(0), None, None]);
    chain_block(rows, 0xc2, 212, ago(20), [None, Some(0), None]);
    for (number, height, seconds) in [(0xf1, 209, 390), (0xf2, 210, 280), (0xf3, 211, 102)] {
        chain_block(rows, number, height, ago(seconds), [None, None, Some(0)]);
    }
    verdicts(rows, now);
    forks(rows, now);
    stale_blocks(rows, now);
    disagreements(rows, now);
    partitions(rows, now);
    lags(rows, now);
    selfish_mining(rows, now);
    rows.push(tips(now));
}

fn selfish_mining(rows: &mut Vec<Row>, now: ServerTime) {
    for (number, have, seconds) in [(0xe1, 212, 110), (0xe2, 150, 40_000)] {
        let explanation = format!(
            "not enough history: of 2016 blocks that it takes, the miners of {have} in a row are known"
        );
        let said = SelfishMining {
            signal: SignalName::Runs,
            is_alarm: false,
            chance: None,
            explanation,
            block: block(1),
            from_height: 0,
            to_height: have - 1,
            numbers: None,
        };
        let body = Body::SelfishMining(Box::new(said));
        rows.push(of_network(number, "alice", now.plus_micros(-seconds * S), body));
    }
}

/// Not the block's real header, whose hash would be another.
fn raw(number: u8, below: u8) -> [u8; 80] {
    let mut raw = [number; 80];
    raw[..4].copy_from_slice(&0x2000_0000_u32.to_le_bytes());
    raw[4..36].iter_mut().zip(block(below).as_bytes().iter().rev()).for_each(|(byte, other)| *byte = *other);
    raw[72..76].copy_from_slice(&0x207f_ffff_u32.to_le_bytes());
    raw
}

fn header(number: u8, height: u32, below: u8) -> Row {
    let (network, block, raw) = (network(), block(number), raw(number, below).to_vec());
    Row::Header(HeaderRow { network, block, height, raw })
}

/// What is found of the network as a whole, told by the log of `node` first.
fn of_network(number: u8, node: &str, at: ServerTime, body: Body) -> Row {
    Row::Finding(Box::new(Finding {
        id: FindingId::new(&network(), body.kind(), &[block(number).as_bytes()]),
        revision: 2,
        network: network(),
        node: None,
        sighted: sighted(node, at),
        sources: vec![Source::Log, Source::Rpc],
        body,
    }))
}

fn names(names: &[&str]) -> Vec<NodeName> {
    names.iter().map(|node| name(node)).collect()
}

fn blocks(numbers: &[u8]) -> Vec<BlockHash> {
    numbers.iter().map(|number| block(*number)).collect()
}

fn verdicts(rows: &mut Vec<Row>, now: ServerTime) {
    for (number, node, height, seconds, reason) in [
        (
            3,
            "carol",
            209,
            421,
            "mandatory-script-verify-flag-failed (Script failed an OP_EQUALVERIFY operation)",
        ),
        (0x67, "alice", 206, 828, "bad-blk-sigops"),
        (0x67, "bob", 206, 827, "bad-blk-sigops"),
    ] {
        let reason = Some(reason.to_owned());
        let body = InvalidBlock { block: block(number), height: Some(height), reason };
        rows.push(finding(
            number,
            node,
            now.plus_micros(-seconds * S),
            Source::Log,
            Body::InvalidBlock(body),
        ));
    }
}

fn branch(now: ServerTime, seconds: i64, numbers: &[u8], at: [&[&str]; 4]) -> ForkBranch {
    let [active_at, valid_at, invalid_at, header_only_at] = at.map(names);
    ForkBranch {
        blocks: blocks(numbers),
        miners: numbers.iter().map(|number| pool(*number).map(str::to_owned)).collect(),
        length: u32::try_from(numbers.len()).unwrap(),
        seen_at_us: now.plus_micros(-seconds * S),
        active_at,
        valid_at,
        invalid_at,
        header_only_at,
    }
}

fn forks(rows: &mut Vec<Row>, now: ServerTime) {
    let all: &[&str] = &["alice", "bob", "carol"];
    let race = [
        branch(now, 75, &[0x66], [&[], &[], all, &[]]),
        branch(now, 21, &[0xc1], [&["alice"], &[], &[], &["bob"]]),
        branch(now, 20, &[0xc2], [&["bob"], &["alice"], &[], &[]]),
    ];
    let parted = [
        branch(now, 422, &[3, 2, 1, 0xc1], [&["alice", "bob"], &[], &["carol"], &[]]),
        branch(now, 390, &[0xf1, 0xf2, 0xf3], [&["carol"], &[], &[], &["alice", "bob"]]),
    ];
    let left = [
        branch(now, 660, &[0xa1, 0xa2], [&[], &["bob"], &[], &["alice"]]),
        branch(now, 559, &[4, 3, 2], [all, &[], &[], &[]]),
    ];
    let withheld = [
        branch(now, 696, &[5, 4], [all, &[], &[], &[]]),
        branch(now, 690, &[0xd1], [&[], &[], &[], &["carol"]]),
    ];
    for (number, height, seconds, node, winner, decided, branches) in [
        (1, 211, 20, "bob", None, None, race.to_vec()),
        (4, 208, 390, "carol", Some(3), Some(21), parted.to_vec()),
        (5, 207, 559, "bob", Some(4), Some(285), left.to_vec()),
        (6, 206, 690, "carol", Some(5), Some(559), withheld.to_vec()),
    ] {
        let body = Body::Fork(Fork {
            fork: block(number),
            fork_height: height,
            is_race: winner.is_none(),
            winner: winner.map(block),
            decided_at_us: decided.map(|seconds: i64| now.plus_micros(-seconds * S)),
            branches,
        });
        rows.push(of_network(number, node, now.plus_micros(-seconds * S + 21 * MS), body));
    }
}

fn stale_blocks(rows: &mut Vec<Row>, now: ServerTime) {
    for (number, height, seconds, node, below, replaced_by, fork, statuses) in [
        (0xa2, 209, 605, "bob", 0xa1, 3, 5, &[("bob", Status::Valid)][..]),
        (0xa1, 208, 660, "bob", 5, 4, 5, &[("alice", Status::HeaderOnly), ("bob", Status::Valid)]),
        (0xd1, 207, 690, "carol", 6, 5, 6, &[("carol", Status::HeaderOnly)]),
        (0x67, 206, 829, "alice", 7, 6, 7, &[("alice", Status::Invalid), ("bob", Status::Invalid)]),
    ] {
        let header = raw(number, below);
        let status = |(node, status): &(&str, Status)| NodeStatus { node: name(node), status: *status };
        let body = StaleBlock {
            block: block(number),
            height,
            header: header.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
            replaced_by: block(replaced_by),
            fork: block(fork),
            fork_height: 212 - u32::from(fork),
            is_stale: true,
            miner: pool(number).map(str::to_owned),
            nodes: statuses.iter().map(status).collect(),
        };
        rows.push(of_network(number, node, now.plus_micros(-seconds * S), Body::StaleBlock(body)));
    }
}

fn disagreements(rows: &mut Vec<Row>, now: ServerTime) {
    let reason = "mandatory-script-verify-flag-failed (Script failed an OP_EQUALVERIFY operation)";
    for (number, height, seconds, reason, is_open) in
        [(3, 209, 422, Some(reason), true), (0x21, 148, 9_200, None, false)]
    {
        let verdict = Verdict { node: name("carol"), reason: reason.map(str::to_owned) };
        let valid_at = if is_open { names(&["alice", "bob"]) } else { Vec::new() };
        let body = ValidityDisagreement {
            block: block(number),
            height,
            invalid_at: vec![verdict],
            valid_at,
            is_open,
        };
        let at = now.plus_micros(-seconds * S);
        rows.push(of_network(number, "alice", at, Body::ValidityDisagreement(body)));
    }
}

fn partitions(rows: &mut Vec<Row>, now: ServerTime) {
    let side = |first, tip, length, nodes: &[&str]| PartitionSide {
        first: block(first),
        tip: block(tip),
        length,
        proof_of_work: Some(ProofOfWork::Sha256d),
        nodes: names(nodes),
    };
    let open = [side(3, 0xc1, 4, &["alice", "bob"]), side(0xf1, 0xf3, 3, &["carol"])];
    let over = [side(0x22, 0x29, 9, &["alice", "bob", "carol"]), side(0x32, 0x36, 5, &[])];
    for (number, height, seconds, sides, most_work, healed) in
        [(4, 208, 390, open, 3, None), (0x20, 120, 22_000, over, 0x22, Some(19_000))]
    {
        let body = Body::Partition(Partition {
            fork: block(number),
            fork_height: height,
            sides: sides.to_vec(),
            most_work: Some(block(most_work)),
            healed_at_us: healed.map(|seconds: i64| now.plus_micros(-seconds * S)),
        });
        rows.push(of_network(number, "carol", now.plus_micros(-seconds * S), body));
    }
}

fn lags(rows: &mut Vec<Row>, now: ServerTime) {
    for (number, node, seconds, height, behind, caught_up) in
        [(0x41, "bob", 4_000, 180, 3, Some(3_100)), (0x42, "carol", 30_000, 90, 14, Some(28_000))]
    {
        let body = Body::Lag(Lag {
            tip: block(number),
            height,
            best: block(number + 0x10),
            best_height: height + behind,
            blocks_behind: behind,
            caught_up_at_us: caught_up.map(|seconds: i64| now.plus_micros(-seconds * S)),
        });
        rows.push(finding(number, node, now.plus_micros(-seconds * S), Source::Log, body));
    }
}

fn tips(now: ServerTime) -> Row {
    use Status::{Active, HeaderOnly, Invalid, Valid};
    let tip = |(number, height, length, fork, seconds, at): (u8, u32, u32, u8, i64, &[(&str, Status)])| Tip {
        block: block(number),
        height,
        branch_length: length,
        fork: block(fork),
        fork_height: height - length,
        seen_at_us: now.plus_micros(-seconds * S),
        nodes: at.iter().map(|(node, status)| NodeStatus { node: name(node), status: *status }).collect(),
    };
    let tips = [
        (0xc1, 212, 0, 0xc1, 21, &[("alice", Active), ("bob", HeaderOnly)][..]),
        (0x66, 212, 1, 1, 75, &[("alice", Invalid), ("bob", Invalid), ("carol", Invalid)]),
        (0xc2, 212, 1, 1, 20, &[("alice", Valid), ("bob", Active)]),
        (0xf3, 211, 3, 4, 102, &[("alice", HeaderOnly), ("bob", HeaderOnly), ("carol", Active)]),
        (0xa2, 209, 2, 5, 605, &[("bob", Valid)]),
        (0xd1, 207, 1, 6, 690, &[("carol", HeaderOnly)]),
        (0x67, 206, 1, 7, 829, &[("alice", Invalid), ("bob", Invalid)]),
    ];
    let nodes = [("alice", 0xc1, 212, 0), ("bob", 0xc2, 212, 1), ("carol", 0xf3, 211, 4)];
    let node = |(node, tip, height, blocks_behind)| NodeTip {
        node: name(node),
        tip: block(tip),
        height,
        blocks_behind,
    };
    let (tips, nodes) = (tips.map(tip).to_vec(), nodes.map(node).to_vec());
    Row::Tips(Box::new(TipsRow { network: network(), tips, nodes }))
}
