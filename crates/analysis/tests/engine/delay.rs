//! How long after the first node each told, as it is counted for Prometheus and hour by hour.

use bmon_analysis::{
    Engine, NodeDelays, Settings,
    row::{Row, TxChunk, TxSpread},
};
use bmon_event::{AgentTime, BlockHash, Event, Kind, NodeTime, ServerTime, Source, Txid, event::ClockSample};

use crate::{
    rows::{batch, name},
    sim::SECOND,
};

const MINUTE: i64 = 60 * SECOND;
/// When an hour begins.
const START: i64 = 1_780_002_000 * SECOND;

/// The node's clock is ahead of the server's by `ahead_us`, and it told of a block and a transaction at `at_us` by that.
fn told(node: &str, ahead_us: i64, at_us: i64) -> bmon_event::Batch {
    let at = START + at_us + ahead_us;
    let event = |source, kind| Event {
        source,
        node_time: Some(NodeTime::from_micros(at)),
        agent_time: AgentTime::from_micros(at),
        kind,
    };
    let sample = ClockSample {
        at: AgentTime::from_micros(at),
        offset_min_us: -ahead_us - 100,
        offset_max_us: -ahead_us + 100,
    };
    let (block, txid) = (BlockHash::from_bytes([1; 32]), Txid::from_bytes([2; 32]));
    let header = Kind::HeaderSeen { block, height: Some(7), peer: None, compact: false };
    let added = Kind::TxAdded { txid, wtxid: None, peer: None, mempool_sequence: None };
    let clock = event(Source::Agent, Kind::Clock(sample));
    let events = vec![clock, event(Source::Log, header), event(Source::Log, added)];
    bmon_event::Batch { made_at: AgentTime::from_micros(at), ..batch(node, 1, events) }
}

fn server(us: i64) -> ServerTime {
    ServerTime::from_micros(START + us)
}

/// What is said of transactions of two nodes, of which bob, whose clock is 500 ms ahead, is 2 s later than alice; and what is
/// counted of them in the end.
fn hear(engine: &mut Engine) -> (Vec<Row>, Vec<NodeDelays>) {
    let mut rows = Vec::new();
    engine.apply(&told("alice", 0, SECOND), server(2 * SECOND), &mut rows);
    engine.apply(&told("bob", SECOND / 2, 3 * SECOND), server(4 * SECOND), &mut rows);
    engine.tick(server(60 * SECOND), &mut rows);
    let counted = |delays: &NodeDelays| delays.blocks.count + delays.transactions.count;
    assert!(engine.delays().iter().all(|delays| counted(delays) == 0), "more may come");
    engine.tick(server(2 * MINUTE), &mut rows);
    engine.tick(server(4 * MINUTE), &mut rows);
    (rows, engine.delays())
}

#[test]
fn a_delay_is_counted_once_on_the_servers_clock() {
    let (_, delays) = hear(&mut Engine::new(Settings::default()));
    let of = |delays: &NodeDelays| [delays.blocks, delays.transactions].map(|of| (of.count, of.sum_us));
    let told: Vec<_> = delays.iter().map(|delays| (delays.node.clone(), of(delays))).collect();
    let expected = [("alice", 0), ("bob", 2_000_000)].map(|(node, sum_us)| (name(node), [(1, sum_us); 2]));
    assert_eq!(told, expected);
    let batches: Vec<_> = delays.iter().map(|of| (of.batches.count, of.batches.sum_us)).collect();
    assert_eq!(
        batches,
        [(1, SECOND.unsigned_abs()); 2],
        "each came a second after it was made, by the server's clock"
    );
}

#[test]
fn an_engine_that_takes_over_counts_anew_only_what_comes_anew() {
    let (rows, _) = hear(&mut Engine::new(Settings::default()));
    let chunk = rows.iter().rev().find_map(|row| match row {
        Row::TxChunk(chunk) => Some(TxChunk::clone(chunk)),
        _ => None,
    });
    let mut engine = Engine::new(Settings::default());
    engine.restore_tx_chunk(&chunk.unwrap());
    let mut out = Vec::new();
    engine.tick(server(5 * MINUTE), &mut out);
    assert_eq!(engine.delays(), []);
    // The hour is counted again from what was restored.
    let spread = |rows: &[Row]| {
        rows.iter().rev().find_map(|row| match row {
            Row::TxSpread(row) => Some(TxSpread::clone(row)),
            _ => None,
        })
    };
    assert_eq!(spread(&out), spread(&rows));
    assert_eq!(spread(&out).map(|row| row.spread.items), Some(1));
}

#[test]
fn a_chunk_begun_after_the_takeover_has_a_new_number() {
    let mut engine = Engine::new(Settings::default());
    engine.begin_tx_chunks_after(41);
    let (rows, _) = hear(&mut engine);
    assert!(rows.iter().any(|row| matches!(row, Row::TxChunk(chunk) if chunk.id == 42)));
}
