//! Rows to write, told apart by small numbers.

use bmon_analysis::{
    finding::{Body, Finding, FindingId, InvalidBlock, NodeStatus, RejectedTx},
    pool::{Mark, Miner, Recognised},
    row::{
        BlockProcessing, BlockRow, BlockSighting, BlockStep, HeaderRow, MinerRow, NodeRow, NodeTip, Offset,
        RawBlockRow, Row, Sighted, SourceRow, Stage, Step, Tip, TipsRow, TxChunk, TxColumn, TxIds, TxSeen,
    },
    tree::Status,
};
use bmon_event::{
    AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Txid, Wtxid, event::Processing,
};

pub(crate) fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

pub(crate) fn name(name: &str) -> NodeName {
    name.parse().unwrap()
}

pub(crate) fn hash(number: u8) -> BlockHash {
    BlockHash::from_bytes([number; 32])
}

pub(crate) fn txid(number: u8) -> Txid {
    Txid::from_bytes([number; 32])
}

pub(crate) fn wtxid(number: u8) -> Wtxid {
    Wtxid::from_bytes([number; 32])
}

/// At `us`, with the server's clock ahead by `offset.0` to `offset.1`.
pub(crate) fn at(us: i64, offset: Option<(i64, i64)>) -> Sighted {
    let offset = offset.map(|(min_us, max_us)| Offset { min_us, max_us });
    Sighted { at: AgentTime::from_micros(us), offset }
}

pub(crate) fn block(number: u8, height: Option<u32>) -> Row {
    Row::Block(BlockRow { network: network(), block: hash(number), height })
}

pub(crate) fn block_sighting(number: u8, node: &str, source: Source, stage: Stage, sighted: Sighted) -> Row {
    let (network, block, node) = (network(), hash(number), name(node));
    Row::BlockSighting(BlockSighting { network, block, node, source, stage, sighted })
}

/// Took `total_us`, and of its steps only the first is told or none.
pub(crate) fn block_processing(
    number: u8,
    node: &str,
    total_us: u64,
    load_us: Option<u64>,
    sighted: Sighted,
) -> BlockProcessing {
    let processing = Processing { total_us, load_us, transactions: Some(3), ..Processing::default() };
    BlockProcessing { network: network(), block: hash(number), node: name(node), sighted, processing }
}

pub(crate) fn block_step(number: u8, node: &str, source: Source, step: Step, sighted: Sighted) -> Row {
    let (network, block, node) = (network(), hash(number), name(node));
    Row::BlockStep(Box::new(BlockStep { network, block, node, source, step, sighted }))
}

/// A chunk of transactions told of by numbers, each with what nodes told: that they accepted it, and when.
pub(crate) fn tx_chunk(id: u64, txs: &[(u8, Option<u8>)], nodes: &[(&str, Source, Sighted)]) -> TxChunk {
    let column = |(node, source, sighted): &(&str, Source, Sighted)| TxColumn {
        node: name(node),
        accepted: vec![Some(TxSeen { source: *source, sighted: *sighted }); txs.len()],
        refused: Vec::new(),
        left: Vec::new(),
    };
    let ids = |(number, witness): &(u8, Option<u8>)| TxIds { txid: txid(*number), wtxid: witness.map(wtxid) };
    TxChunk {
        id,
        network: network(),
        begun_at: ServerTime::from_micros(0),
        last_at: ServerTime::from_micros(0),
        is_full: false,
        txs: txs.iter().map(ids).collect(),
        nodes: nodes.iter().map(column).collect(),
        mined: Vec::new(),
    }
}

pub(crate) fn rejection(number: u8, revision: u32, node: &str, code: &str, us: i64) -> Finding {
    let body = RejectedTx {
        txid: txid(number),
        wtxid: None,
        code: code.to_owned(),
        reason: format!("{code}, 100 < 1000"),
        peer: Some(7),
    };
    Finding {
        id: FindingId::new(&network(), "rejected-tx", &[node.as_bytes(), &[number]]),
        revision,
        network: network(),
        node: Some(name(node)),
        sighted: at(us, Some((-5, 15))),
        sources: vec![Source::Log],
        body: Body::RejectedTx(body),
    }
}

pub(crate) fn header(network: Network, number: u8, height: u32) -> Row {
    Row::Header(HeaderRow { network, block: hash(number), height, raw: vec![number; 80] })
}

pub(crate) fn invalid_block(network: Network, number: u8, node: &str) -> Finding {
    let body = InvalidBlock { block: hash(number), height: None, reason: None };
    Finding {
        id: FindingId::new(&network, "invalid-block", &[node.as_bytes(), &[number]]),
        revision: 1,
        network,
        node: Some(name(node)),
        sighted: at(i64::from(number), None),
        sources: vec![Source::Log],
        body: Body::InvalidBlock(body),
    }
}

/// An end for each, known to one node.
pub(crate) fn tips(network: Network, ends: &[(u8, &str, Status)]) -> TipsRow {
    let tip = |(number, node, status): &(u8, &str, Status)| Tip {
        block: hash(*number),
        height: u32::from(*number),
        branch_length: 1,
        fork: hash(0),
        fork_height: 0,
        seen_at_us: ServerTime::from_micros(i64::from(*number)),
        nodes: vec![NodeStatus { node: name(node), status: *status }],
    };
    let node = |(number, node, _): &(u8, &str, Status)| NodeTip {
        node: name(node),
        tip: hash(*number),
        height: u32::from(*number),
        blocks_behind: 0,
    };
    TipsRow { network, tips: ends.iter().map(tip).collect(), nodes: ends.iter().map(node).collect() }
}

pub(crate) fn node(node: &str, height: u32) -> NodeRow {
    NodeRow {
        network: network(),
        node: name(node),
        heard_at: ServerTime::from_micros(1_700_000_000_000_000),
        version: Some("/Satoshi:30.0.0/".to_owned()),
        tip: Some(hash(9)),
        height: Some(height),
        tip_at: Some(AgentTime::from_micros(1_699_999_999_000_000)),
        headers: Some(height + 1),
        initial_block_download: Some(false),
        peers_in: Some(3),
        peers_out: None,
        mempool_transactions: Some(12),
        mempool_virtual_bytes: Some(3000),
        mempool_min_fee_sat_per_kvb: Some(1000),
        uptime_seconds: Some(60),
        warnings: vec!["pre-release".to_owned()],
        chain_tips: Some(2),
        offset: Some(Offset { min_us: -3, max_us: 4 }),
        host: bmon_analysis::row::HostRow { cpu_busy: Some(0.25), ..Default::default() },
        agent: bmon_analysis::row::AgentRow {
            version: "0.1.0".to_owned(),
            log_lines: 5,
            ..Default::default()
        },
        sources: vec![SourceRow { source: Source::Log, working: true, detail: "debug.log".to_owned() }],
    }
}

/// Mined by a pool known by its address if the number is odd, by its tag if it is even, and by nobody if it is 0.
pub(crate) fn miner(number: u8) -> MinerRow {
    let by = match number % 2 {
        1 => Mark::Address { address: format!("1Address{number}") },
        _ => Mark::Tag { tag: format!("/tag {number}/") },
    };
    let pool = (number > 0).then(|| Recognised { name: format!("Pool {number}"), by });
    let miner = Miner { pool, coinbase_text: "text".to_owned() };
    MinerRow { network: network(), block: hash(number), miner }
}

pub(crate) fn raw_block(number: u8) -> RawBlockRow {
    RawBlockRow { network: network(), block: hash(number), raw: vec![number; 500] }
}
