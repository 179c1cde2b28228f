//! Weeks of blocks that an earlier engine measured, and blocks after them that nodes tell.

use bmon_analysis::{
    finding::{BlockTimes, Body, Finding, FindingId, VersionFrom},
    row::Sighted,
};
use bmon_event::{
    BlockHash, Kind, ServerTime, Source,
    event::{PeerInfo, Processing},
};

use crate::{
    fork::common,
    world::{MINUTE, MS, SECOND, World, network, node},
};

pub(crate) const NODES: [&str; 3] = ["alice", "bob", "carol"];
pub(crate) const DAY: u32 = 144;

/// How long a block took a node, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) arrival: f64,
    pub(crate) processing: f64,
}

/// A number between −1 and 1 that looks random.
fn noise(height: u32, node: usize, what: u64) -> f64 {
    let mut bits = u64::from(height) << 20 | (node as u64) << 8 | what;
    for _ in 0..3 {
        bits = (bits ^ (bits >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (bits >> 12) as f64 / (1_u64 << 51) as f64 - 1.0
}

/// What blocks usually take: alice is first, the others come about a second later.
pub(crate) fn usual(height: u32, node: usize) -> Took {
    let arrival = if node == 0 { 0.0 } else { 1e6 * (noise(height, node, 1) * 0.8).exp() };
    Took { arrival, processing: 100e3 * (noise(height, 9, 2) * 0.5 + noise(height, node, 2) * 0.15).exp() }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and no less than 0")]
pub(crate) fn us(us: f64) -> u32 {
    us.round() as u32
}

/// What was measured of a node on one day.
fn record(
    node: usize,
    day: u32,
    length: u32,
    version: &str,
    took: impl Fn(u32, usize) -> Took,
) -> BlockTimes {
    let took: Vec<Took> = (day * DAY..day * DAY + length).map(|height| took(height, node)).collect();
    let height = day * DAY;
    BlockTimes {
        from_height: height,
        arrival_us: took.iter().map(|took| Some(us(took.arrival))).collect(),
        reconstruction_us: vec![Some(15_000); took.len()],
        requested: vec![Some(0); took.len()],
        processing_us: took.iter().map(|took| Some(us(took.processing))).collect(),
        peers: vec![Some(10); took.len()],
        versions: vec![VersionFrom { height, version: version.to_owned() }],
    }
}

/// That as an earlier engine told it.
fn told(name: &str, day: u32, times: BlockTimes) -> Finding {
    Finding {
        id: FindingId::new(&network(), "block-times", &[name.as_bytes(), &day.to_le_bytes()]),
        revision: u32::try_from(times.arrival_us.len() / 24).unwrap(),
        network: network(),
        node: Some(node(name)),
        sighted: Sighted::by_server(ServerTime::from_micros(i64::from(day))),
        sources: vec![Source::Log],
        body: Body::BlockTimes(Box::new(times)),
    }
}

/// A world after so many days, and its last block. Of the last day one stretch of 24 blocks is yet to come.
pub(crate) fn after(
    days: u32,
    version: impl Fn(usize, u32) -> &'static str,
    took: impl Fn(u32, usize) -> Took + Copy,
) -> (World, BlockHash) {
    let (mut world, genesis) = World::new();
    let tip = common(&mut world, genesis);
    let blocks = world.chain(tip, (days * DAY - 24 - 6) as usize);
    let rows: Vec<_> = blocks.iter().map(|block| world.header_row(*block)).collect();
    world.headers.extend(rows);
    for (which, name) in NODES.iter().enumerate() {
        for day in 0..days {
            let length = if day + 1 == days { DAY - 24 } else { DAY };
            let times = record(which, day, length, version(which, day), took);
            let finding = told(name, day, times);
            world.findings.insert(finding.id, finding);
        }
    }
    world.restart();
    let last = blocks[blocks.len() - 1];
    for name in NODES {
        world.log(name, vec![Kind::Tip { block: last, height: None, log2_work: None, transactions: None }]);
        let peers = PeerInfo { inbound: 2, outbound: 8, min_ping_us: None };
        world.tell(name, Source::Rpc, vec![Kind::PeerInfo(peers)]);
    }
    world.pass(12 * MINUTE);
    (world, last)
}

pub(crate) fn one_version(_: usize, _: u32) -> &'static str {
    "Bitcoin Core v30.0.0"
}

/// So many blocks, each ten minutes after the one before.
pub(crate) fn blocks(
    world: &mut World,
    mut tip: BlockHash,
    count: usize,
    took: impl Fn(u32, usize) -> Took,
) -> BlockHash {
    for _ in 0..count {
        tip = world.block(tip);
        let height = world.header_row(tip).height;
        let base = world.now;
        let mut steps = Vec::new();
        for (which, name) in NODES.iter().enumerate() {
            let Took { arrival, processing } = took(height, which);
            let header = Kind::HeaderSeen { block: tip, height: Some(height), peer: None, compact: true };
            let at = base + i64::from(us(arrival));
            steps.push((at, *name, vec![header]));
            steps.push((at + 15 * MS, *name, rest(tip, height, processing)));
        }
        steps.sort_by_key(|(at, ..)| *at);
        for (at, name, kinds) in steps {
            world.now = at;
            world.log(name, kinds);
        }
        world.now = base + 10 * MINUTE;
        world.wait(SECOND);
    }
    tip
}

fn rest(block: BlockHash, height: u32, processing_us: f64) -> Vec<Kind> {
    let processing = Processing { total_us: us(processing_us).into(), ..Processing::default() };
    vec![
        Kind::BlockReconstructed {
            block,
            prefilled: 1,
            from_mempool: 9,
            from_extra: 0,
            requested: 0,
            requested_bytes: None,
            message_bytes: None,
            peer: None,
        },
        Kind::Tip { block, height: Some(height), log2_work: None, transactions: None },
        Kind::BlockProcessed { block, height, processing: Box::new(processing) },
    ]
}
