//! The order in which the nodes' batches arrive, and repeats, change nothing.

use std::collections::BTreeMap;

use bmon_analysis::{
    Engine, Settings,
    row::{Row, TxChunk},
};
use bmon_event::{
    AgentTime, Batch, BlockHash, Event, Kind, NodeTime, ServerTime, Source, Txid,
    event::{ChainInfo, ClockSample, Gap},
};
use proptest::{prelude::*, sample::Index};

use crate::rows::{batches, findings};

const NODES: [&str; 3] = ["alice", "bob", "carol"];

fn kind() -> impl Strategy<Value = Kind> {
    // Few blocks and heights, so that every kind of contradiction occurs.
    let block = || (0..12_u8).prop_map(|block| BlockHash::from_bytes([block; 32]));
    let height = || (0..8_u32).prop_map(Some);
    let txid = || (0..9_u8).prop_map(|txid| Txid::from_bytes([txid; 32]));
    prop_oneof![
        6 => (block(), height()).prop_map(|(block, height)| Kind::Tip { block, height, log2_work: None, transactions: None }),
        2 => (block(), height()).prop_map(|(block, height)| Kind::BlockConnected { block, height }),
        2 => (block(), height()).prop_map(|(block, height)| Kind::BlockDisconnected { block, height }),
        1 => block().prop_map(|block| Kind::BlockConnected { block, height: None }),
        1 => block().prop_map(|block| Kind::BlockDisconnected { block, height: None }),
        1 => (block(), height()).prop_map(|(block, height)| Kind::HeaderSeen { block, height, peer: None, compact: false }),
        1 => block().prop_map(|block| Kind::BlockInvalid { block, height: None, reason: Some("bad".to_owned()) }),
        2 => txid().prop_map(|txid| Kind::TxAdded { txid, wtxid: None, peer: None, mempool_sequence: None }),
        1 => txid().prop_map(|txid| {
            let (code, detail) = ("dust".to_owned(), String::new());
            Kind::TxRejected { txid, wtxid: None, peer: None, code, detail }
        }),
        1 => Just(Kind::NodeStarted { banner: "v30".to_owned() }),
        1 => (-99..99_i64, 0..99_i64).prop_map(|(min, width)| {
            let (offset_min_us, offset_max_us) = (min, min + width);
            Kind::Clock(ClockSample { at: AgentTime::from_micros(0), offset_min_us, offset_max_us })
        }),
        1 => prop::sample::select(vec![Source::Log, Source::Zmq]).prop_map(|source| {
            Kind::Gap(Gap { source, from: None, to: AgentTime::from_micros(7), lost: None, reason: String::new() })
        }),
        1 => (block(), 0..8_u32).prop_map(|(block, blocks)| {
            Kind::ChainInfo(ChainInfo { best_block: Some(block), blocks, ..ChainInfo::default() })
        }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    // Steps of up to a minute: some are within the limits of time, some are not.
    (kind(), 0..60_000_000_i64, any::<bool>()).prop_map(|(kind, agent_us, is_log)| Event {
        source: if is_log { Source::Log } else { Source::Zmq },
        node_time: is_log.then_some(NodeTime::from_micros(agent_us)),
        agent_time: AgentTime::from_micros(agent_us),
        kind,
    })
}

/// Events whose times rise: each is given as the distance from the one before.
fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..40).prop_map(|mut events| {
        let mut now = 0;
        for event in &mut events {
            now += event.agent_time.as_micros() / 4;
            event.agent_time = AgentTime::from_micros(now + 100);
            event.node_time = event.node_time.map(|_| NodeTime::from_micros(now));
            if let Kind::Clock(sample) = &mut event.kind {
                sample.at = event.agent_time;
            }
        }
        events
    })
}

/// Each node's batches with the times at which the server receives them.
fn journals() -> impl Strategy<Value = Vec<Vec<Batch>>> {
    prop::collection::vec(events(), NODES.len()).prop_map(|streams| {
        NODES.iter().zip(&streams).map(|(node, events)| batches(node, events, 4)).collect()
    })
}

/// The nodes' batches in one order, each node's own order kept.
fn interleave(journals: &[Vec<Batch>], choices: &[Index]) -> Vec<Batch> {
    let mut queues: Vec<_> = journals.iter().map(|batches| batches.iter()).collect();
    let mut journal = Vec::new();
    for choice in choices.iter().cycle() {
        queues.retain(|queue| queue.len() > 0);
        if queues.is_empty() {
            break;
        }
        let next = choice.index(queues.len());
        journal.extend(queues[next].next().cloned());
    }
    journal
}

fn run(journal: &[Batch]) -> Vec<Row> {
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    for batch in journal {
        let received = batch.events.last().map_or(0, |event| event.agent_time.as_micros());
        engine.apply(batch, ServerTime::from_micros(received), &mut rows);
    }
    engine.tick(ServerTime::from_micros(i64::MAX), &mut rows);
    rows
}

/// Rows about nodes as text, in one order. A block's own row names no node, and may be said first by any. An alert is about
/// a moment of the server. Of transactions counts what is told in the end, wherever it stands.
fn sorted(rows: &[Row]) -> Vec<String> {
    let of_nodes = rows.iter().filter(|row| !matches!(row, Row::Alert(_) | Row::TxChunk(_)));
    let mut texts: Vec<_> = of_nodes.map(|row| format!("{row:?}")).collect();
    let chunks: BTreeMap<_, _> = rows.iter().filter_map(chunk).map(|chunk| (chunk.id, chunk)).collect();
    for (chunk, column) in
        chunks.values().flat_map(|chunk| chunk.nodes.iter().map(move |column| (chunk, column)))
    {
        let ids = |place: usize| (chunk.txs[place], &column.node);
        let accepted =
            column.accepted.iter().enumerate().filter_map(|(place, seen)| Some((ids(place), seen.as_ref()?)));
        texts.extend(accepted.map(|told| format!("{told:?}")));
        texts.extend(
            column.refused.iter().map(|(place, seen)| format!("{:?}", (ids(usize::from(*place)), seen))),
        );
        texts.extend(
            column.left.iter().map(|(place, left)| format!("{:?}", (ids(usize::from(*place)), left))),
        );
    }
    texts.sort();
    texts
}

fn chunk(row: &Row) -> Option<&TxChunk> {
    match row {
        Row::TxChunk(chunk) => Some(chunk),
        _ => None,
    }
}

proptest! {
    #[test]
    fn rows_do_not_depend_on_how_the_nodes_are_interleaved(
        journals in journals(),
        choices in prop::collection::vec(any::<Index>(), 1..50),
    ) {
        let (one_by_one, mixed) = (journals.concat(), interleave(&journals, &choices));
        prop_assert_eq!(sorted(&run(&one_by_one)), sorted(&run(&mixed)));
    }

    #[test]
    fn a_journal_that_is_applied_again_gives_equal_rows(journals in journals()) {
        let journal = journals.concat();
        prop_assert_eq!(run(&journal), run(&journal));
    }

    #[test]
    fn batches_that_are_repeated_change_nothing(journals in journals()) {
        let journal = journals.concat();
        let twice: Vec<_> = journal.iter().flat_map(|batch| [batch.clone(), batch.clone()]).collect();
        prop_assert_eq!(run(&journal), run(&twice));
    }

    #[test]
    fn revisions_rise_one_by_one(journals in journals()) {
        // `findings` checks it.
        findings(&run(&journals.concat()));
    }
}
