//! Three nodes on one network, as the engine would give them: blocks that all have or that a node is missing, one whose
//! order the clocks cannot tell, an invalid one, a reorg, refusals, gaps and a failing source.

#[path = "sample/alert.rs"]
mod alert;
#[path = "sample/chain.rs"]
mod chain;
#[path = "sample/delay.rs"]
mod delay;
#[path = "sample/miner.rs"]
mod miner;
#[path = "sample/step.rs"]
mod step;
#[path = "sample/watch.rs"]
pub(crate) mod watch;

use bmon_analysis::spread::{Seen, Tally};
use bmon_analysis::{
    finding::{
        Body, DeploymentChange, Finding, FindingId, Gap, InvalidBlock, RejectedTx, Reorg, VanishedMessage,
    },
    row::{
        AgentRow, BlockProcessing, BlockRow, BlockSighting, HostRow, NodeRow, Offset, Row, Sighted,
        SourceRow, Stage, TxChunk, TxColumn, TxIds, TxLeft, TxSeen, TxSpread,
    },
};
use bmon_event::{
    AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Txid, Wtxid,
    event::{Processing, RemovalReason},
};
use bmon_store::{Matcher, Store};

const NODES: [&str; 3] = ["alice", "bob", "carol"];
const MS: i64 = 1_000;
const S: i64 = 1_000_000;

fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

fn name(name: &str) -> NodeName {
    name.parse().unwrap()
}

/// A hash that begins with `kind` and `number`.
fn bytes(kind: u8, number: u8) -> [u8; 32] {
    let mut bytes = [number; 32];
    bytes[0] = kind;
    bytes
}

fn block(number: u8) -> BlockHash {
    BlockHash::from_bytes(bytes(0x0b, number))
}

fn txid(number: u8) -> Txid {
    Txid::from_bytes(bytes(0x71, number))
}

/// How the clock of each node stands. Carol's was never compared.
fn offset(node: &str) -> Option<Offset> {
    match node {
        "alice" => Some(Offset { min_us: -90, max_us: 110 }),
        "bob" => Some(Offset { min_us: 2_499_400, max_us: 2_500_800 }),
        _ => None,
    }
}

/// At `at` on the server's clock, as the clock of `node` showed it.
fn sighted(node: &str, at: ServerTime) -> Sighted {
    let offset = offset(node);
    let shift = offset.map_or(0, Offset::middle_us);
    Sighted { at: AgentTime::from_micros(at.as_micros() - shift), offset }
}

/// Every row, with `now` as the moment at which the nodes were last heard.
pub(crate) fn rows(now: ServerTime) -> Vec<Row> {
    let mut rows = vec![alice(now), bob(now), carol(now)];
    for (number, delays) in [
        (1, [Some(0), Some(41 * MS), None]),
        (2, [Some(350), Some(0), None]),
        (3, [Some(0), Some(2_140 * MS), None]),
        (4, [Some(96 * MS), Some(0), Some(77 * MS)]),
        (5, [Some(0), Some(15 * MS), None]),
        (6, [Some(0), Some(640), Some(1_020 * MS)]),
    ] {
        let first = now.plus_micros(-i64::from(number) * 137 * S - 11 * S);
        chain_block(&mut rows, number, 212 - u32::from(number), first, delays);
    }
    for (number, height) in [(0xa1, 208_u32), (0xa2, 209)] {
        let first = now.plus_micros(-i64::from(220 - height) * 55 * S);
        chain_block(&mut rows, number, height, first, [None, Some(0), None]);
    }
    processing(&mut rows, now);
    step::rows(&mut rows, 1, now.plus_micros(-148 * S), 41 * MS);
    invalid_block(&mut rows, now);
    vanished_messages(&mut rows, now);
    transactions(&mut rows, now);
    rows.push(spread(now));
    findings(&mut rows, now);
    alert::rows(&mut rows, now);
    rows.push(finding(
        1,
        "bob",
        now.plus_micros(-3_600 * S),
        Source::Rpc,
        Body::DeploymentChange(DeploymentChange {
            deployment: "testdummy".to_owned(),
            before: Some("defined".to_owned()),
            now: "started".to_owned(),
            bit: Some(28),
            since_height: Some(144),
        }),
    ));
    chain::rows(&mut rows, now);
    miner::rows(&mut rows, now);
    delay::rows(&mut rows, now);
    watch::rows(&mut rows, now);
    rows
}

/// A silence that holds the reorg, and one that is over, as `bmon alerts silence` makes them beside the server.
pub(crate) fn silence(store: &mut Store, now: ServerTime) {
    let of = |rule: &str| Matcher { rule: Some(rule.to_owned()), ..Matcher::default() };
    let at = |seconds: i64| now.plus_micros(seconds * S);
    store.silence(&of("reorg"), at(-300), at(6_900), "a test of reorgs on this network").unwrap();
    store.silence(&of("race"), at(-90_000), at(-86_400), "races are known").unwrap();
}

pub(crate) fn chain_block(
    rows: &mut Vec<Row>,
    number: u8,
    height: u32,
    first: ServerTime,
    delays: [Option<i64>; 3],
) {
    rows.push(Row::Block(BlockRow { network: network(), block: block(number), height: Some(height) }));
    for (node, delay) in NODES.into_iter().zip(delays) {
        let Some(delay) = delay else { continue };
        for (stage, before) in [
            (Stage::Header, 135 * MS),
            (Stage::Block, 112 * MS),
            (Stage::Checked, 21 * MS),
            (Stage::Connected, 0),
        ] {
            let at = first.plus_micros(delay - before);
            rows.push(block_sighting(number, node, Source::Log, stage, at));
        }
        let told = first.plus_micros(delay + 450);
        rows.push(block_sighting(number, node, Source::Zmq, Stage::Connected, told));
    }
}

fn block_sighting(number: u8, node: &str, source: Source, stage: Stage, at: ServerTime) -> Row {
    let sighted = sighted(node, at);
    let (network, block, node) = (network(), block(number), name(node));
    Row::BlockSighting(BlockSighting { network, block, node, source, stage, sighted })
}

/// Alice tells of the newest block how long it took, bob only from the middle on: its agent was started meanwhile.
fn processing(rows: &mut Vec<Row>, now: ServerTime) {
    let rest = Processing {
        total_us: 88_230,
        flush_us: Some(24_110),
        chainstate_us: Some(1_020),
        postprocess_us: Some(9_340),
        ..Processing::default()
    };
    let whole = Processing {
        total_us: 91_480,
        load_us: Some(30),
        connect_us: Some(71_150),
        sanity_us: Some(2_310),
        forks_us: Some(120),
        transactions_us: Some(38_900),
        scripts_us: Some(51_270),
        undo_us: Some(9_060),
        index_us: Some(40),
        flush_us: Some(11_020),
        chainstate_us: Some(30),
        postprocess_us: Some(9_250),
        transactions: Some(3_412),
        inputs: Some(7_901),
    };
    for (node, processing, after_us) in [("alice", whole, 9_250), ("bob", rest, 41 * MS + 9_340)] {
        let done = now.plus_micros(-148 * S + after_us);
        let (network, block, sighted) = (network(), block(1), sighted(node, done));
        let node = name(node);
        rows.push(Row::BlockProcessing(Box::new(BlockProcessing {
            network,
            block,
            node,
            sighted,
            processing,
        })));
    }
}

fn invalid_block(rows: &mut Vec<Row>, now: ServerTime) {
    let at = now.plus_micros(-75 * S);
    rows.push(Row::Block(BlockRow { network: network(), block: block(0x66), height: Some(212) }));
    for (node, reason) in [("alice", Some("bad-cb-amount")), ("bob", Some("bad-cb-amount")), ("carol", None)]
    {
        rows.push(block_sighting(0x66, node, Source::Log, Stage::Header, at));
        let body = InvalidBlock { block: block(0x66), height: Some(212), reason: reason.map(str::to_owned) };
        rows.push(finding(0x66, node, at.plus_micros(4 * MS), Source::Log, Body::InvalidBlock(body)));
    }
}

fn transactions(rows: &mut Vec<Row>, now: ServerTime) {
    let at = now.plus_micros(-30 * S);
    let seen =
        |node: &str, source, delay_us| TxSeen { source, sighted: sighted(node, at.plus_micros(delay_us)) };
    let accepted =
        [("alice", Source::Log, 0), ("bob", Source::Log, 1_830 * MS), ("carol", Source::Zmq, 420 * MS)];
    let column = |(node, source, delay_us): (&str, Source, i64)| {
        let left = TxLeft {
            seen: seen(node, source, delay_us + 5 * S),
            reason: (source == Source::Log).then_some(RemovalReason::Replaced),
            by: (source == Source::Log).then_some(txid(4)),
        };
        TxColumn {
            node: name(node),
            accepted: vec![Some(seen(node, source, delay_us)), None],
            refused: Vec::new(),
            left: vec![(0, left)],
        }
    };
    rows.push(Row::TxChunk(Box::new(TxChunk {
        id: 1,
        network: network(),
        begun_at: at,
        last_at: at,
        is_full: false,
        txs: vec![
            TxIds { txid: txid(1), wtxid: Some(Wtxid::from_bytes(bytes(0x77, 1))) },
            TxIds { txid: txid(9), wtxid: None },
        ],
        nodes: accepted.map(column).to_vec(),
        // Both branches of the race have the first although it was replaced; of the other only a block told that was left behind.
        mined: vec![(0, block(0xc1)), (0, block(0xc2)), (1, block(0xa1))],
    })));
}

/// Twenty transactions of the hour: alice is first but for each fifth one, which bob refuses.
fn spread(now: ServerTime) -> Row {
    const HOUR: i64 = 3_600 * S;
    let begun_at = ServerTime::from_micros(now.as_micros().div_euclid(HOUR) * HOUR);
    let mut tally = Tally::default();
    for number in 0..20 {
        let at = begun_at.plus_micros(number * S);
        let is_fifth = number % 5 == 0;
        let delays =
            [("alice", if is_fifth { 900 * MS } else { 0 }), ("bob", 400 * MS), ("carol", 2_000 * MS)];
        let seen = |(node, (name, delay_us)): (u16, (&str, i64))| Seen {
            node,
            source: if name == "carol" { Source::Zmq } else { Source::Log },
            sighted: sighted(name, at.plus_micros(delay_us)),
            is_refused: is_fifth && name == "bob",
        };
        tally.add(&(0..).zip(delays).map(seen).collect::<Vec<_>>());
    }
    let names = ["alice", "bob", "carol"].map(name);
    Row::TxSpread(Box::new(TxSpread { network: network(), begun_at, spread: tally.spread(&names) }))
}

fn finding(number: u8, node: &str, at: ServerTime, source: Source, body: Body) -> Row {
    Row::Finding(Box::new(Finding {
        id: FindingId::new(&network(), body.kind(), &[node.as_bytes(), &[number]]),
        revision: 1,
        network: network(),
        node: Some(name(node)),
        sighted: sighted(node, at),
        sources: vec![source],
        body,
    }))
}

fn findings(rows: &mut Vec<Row>, now: ServerTime) {
    let ago = |seconds: i64| now.plus_micros(-seconds * S);
    let reorg = |fork_height, old: &[u8], new: &[u8]| {
        let depth = u32::try_from(old.len()).unwrap();
        let blocks = |numbers: &[u8]| numbers.iter().map(|number| block(*number)).collect();
        Body::Reorg(Reorg {
            fork_height,
            depth,
            old: blocks(old),
            new: blocks(new),
            duration_us: Some(41_250),
        })
    };
    rows.push(finding(1, "bob", ago(285), Source::Log, reorg(Some(207), &[0xa1, 0xa2], &[4, 3, 2])));
    rows.push(finding(2, "carol", ago(2_900), Source::Zmq, reorg(None, &[0xa3], &[])));
    for (number, node, seconds, code, detail) in [
        (1, "bob", 28, "min relay fee not met", ", 110 < 1100"),
        (2, "alice", 95, "txn-mempool-conflict", ""),
        (3, "carol", 96, "bad-txns-inputs-missingorspent", ""),
        (
            4,
            "bob",
            640,
            "insufficient fee",
            ", rejecting replacement; new feerate 0.00001 <= old feerate 0.00002",
        ),
    ] {
        let body = RejectedTx {
            txid: txid(number),
            wtxid: Some(Wtxid::from_bytes(bytes(0x77, number))),
            code: code.to_owned(),
            reason: format!("{code}{detail}"),
            peer: Some(4),
        };
        rows.push(finding(number, node, ago(seconds), Source::Log, Body::RejectedTx(body)));
    }
    let gap = |source, from: Option<i64>, to: i64, lost, reason: &str| {
        let time = |seconds| AgentTime::from_micros(ago(seconds).as_micros());
        Body::Gap(Gap { source, from: from.map(time), to: time(to), lost, reason: reason.to_owned() })
    };
    let dropped = "14 messages of `sequence` are missing by its counter";
    rows.push(finding(
        1,
        "carol",
        ago(300),
        Source::Zmq,
        gap(Source::Zmq, Some(303), 300, Some(14), dropped),
    ));
    let away = "the agent was not running";
    rows.push(finding(2, "bob", ago(7_200), Source::Agent, gap(Source::Zmq, None, 7_200, None, away)));
}

fn vanished_messages(rows: &mut Vec<Row>, now: ServerTime) {
    let time = |seconds: i64| AgentTime::from_micros(now.as_micros() - seconds * S);
    for (number, message, came_at) in [(0x71, "HeaderSeen", None), (0x72, "BlockReceived", Some(time(60)))] {
        let body = VanishedMessage {
            message: Some(message.to_owned()),
            version_before: "Bitcoin Core version v29.1.0 (release build)".to_owned(),
            version_after: "Bitcoin Core version v32.0.0 (release build)".to_owned(),
            lines_before: 152,
            expected: 20.5,
            unmatched_before: 0.18,
            unmatched_after: 0.22,
            watched_from: time(12_000),
            watched_to: time(100),
            came_at,
        };
        let at = now.plus_micros(-12_000 * S);
        rows.push(finding(number, "carol", at, Source::Log, Body::VanishedMessage(body)));
    }
}

fn node(now: ServerTime, node: &str, version: &str, (tip, height): (u8, u32)) -> NodeRow {
    NodeRow {
        network: network(),
        node: name(node),
        heard_at: now.plus_micros(-400 * MS),
        version: Some(version.to_owned()),
        tip: Some(block(tip)),
        height: Some(height),
        tip_at: Some(sighted(node, now.plus_micros(-21 * S)).at),
        headers: Some(height),
        initial_block_download: Some(false),
        peers_in: Some(3),
        peers_out: Some(8),
        mempool_transactions: Some(1_284),
        mempool_virtual_bytes: Some(412_907),
        mempool_min_fee_sat_per_kvb: Some(1_000),
        uptime_seconds: Some(3_725),
        warnings: Vec::new(),
        chain_tips: Some(2),
        offset: offset(node),
        host: HostRow {
            cpu_busy: Some(0.125),
            load_1m: Some(0.75),
            memory_total_bytes: Some(16 << 30),
            memory_available_bytes: Some(9 << 30),
            disk_total_bytes: Some(512 << 30),
            disk_free_bytes: Some(201 << 30),
            clock_synchronised: Some(true),
            clock_max_error_us: Some(1_500),
        },
        agent: AgentRow {
            version: "0.1.0".to_owned(),
            started_at_us: now.as_micros() - 3_700 * S,
            log_bytes: 5_242_880,
            log_lines: 48_211,
            log_lines_matched: 20_408,
            zmq_messages: 9_311,
            rpc_calls: 740,
            rpc_errors: 0,
            rpc_time_us: 912_345,
            dropped_events: 0,
            spool_batches: 0,
            spool_bytes: 1_048_576,
            resident_bytes: Some(18 << 20),
            wants_fulfilled: 5,
            wants_refused: 1,
            want_log_bytes: 2_097_152,
            metrics_address: Some(format!("{node}.example.org:8891").parse().unwrap()),
        },
        sources: [
            (Source::Log, "debug.log, every category it can use"),
            (Source::Zmq, "hashblock and sequence"),
            (Source::Rpc, "six calls"),
            (Source::Host, "CPU, memory, disk, clock"),
        ]
        .map(|(source, detail)| SourceRow { source, working: true, detail: detail.to_owned() })
        .to_vec(),
    }
}

pub(crate) fn alice(now: ServerTime) -> Row {
    Row::Node(Box::new(node(now, "alice", "/Satoshi:30.0.0/", (0xc1, 212))))
}

pub(crate) fn bob(now: ServerTime) -> Row {
    let mut row = node(now, "bob", "/Satoshi:29.1.0/Knots:20250903/", (0xc2, 212));
    row.warnings = vec!["This is a pre-release test build - use at your own risk".to_owned()];
    row.agent.spool_batches = 3;
    row.agent.rpc_errors = 2;
    row.sources[1] = SourceRow {
        source: Source::Zmq,
        working: false,
        detail: "no publisher at `tcp://127.0.0.1:28332`: removals from the mempool are not seen".to_owned(),
    };
    Row::Node(Box::new(row))
}

/// A node whose agent has only its log.
fn carol(now: ServerTime) -> Row {
    let mut row = node(now, "carol", "Bitcoin Core version v28.1.0 (release build)", (0xf3, 211));
    row.heard_at = now.plus_micros(-94 * S);
    row.tip_at = Some(sighted("carol", now.plus_micros(-102 * S)).at);
    (row.headers, row.initial_block_download, row.peers_in, row.peers_out) = (None, None, None, None);
    (row.mempool_transactions, row.mempool_virtual_bytes, row.mempool_min_fee_sat_per_kvb) =
        (None, None, None);
    (row.uptime_seconds, row.chain_tips) = (None, None);
    row.host = HostRow::default();
    row.agent = AgentRow::default();
    row.sources.truncate(1);
    Row::Node(Box::new(row))
}
