mod document;
mod strategy;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use self::strategy::batch;
use super::{FURTHEST_US, compress, schema, to_message};
use crate::event::{ClockSample, Gap, Processing};
use crate::{
    AgentTime, Batch, BlockHash, DecodeError, Epoch, Event, Kind, Network, NodeTime, Positions, Source, Txid,
};

const LIMIT: usize = 1 << 20;

proptest! {
    #[test]
    fn any_batch_comes_back_as_it_was(batch in batch()) {
        let bytes = batch.encode();
        prop_assert_eq!(&Batch::decode(&bytes, LIMIT).unwrap(), &batch);
        prop_assert_eq!(batch.clone().encode(), bytes, "equal batches give equal bytes");
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(Batch::decode(&bytes, LIMIT).is_err());
        // The same bytes as the content of a sound frame reach the inner readers.
        let _ = Batch::decode(&compress(&bytes).unwrap(), LIMIT);
    }

    #[test]
    fn a_message_with_one_byte_changed_never_panics(batch in batch(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut message = to_message(&batch).encode_to_vec();
        let at = at.index(message.len());
        message[at] = to;
        let _ = Batch::decode(&compress(&message).unwrap(), LIMIT);
    }

    #[test]
    fn truncated_bytes_are_an_error_and_so_are_bytes_after_the_end(batch in batch(), keep in any::<prop::sample::Index>()) {
        let mut bytes = batch.encode();
        prop_assert!(Batch::decode(&bytes[..keep.index(bytes.len())], LIMIT).is_err());
        bytes.push(0);
        prop_assert!(matches!(Batch::decode(&bytes, LIMIT), Err(DecodeError::Compression(_))));
    }

    #[test]
    fn a_flipped_bit_is_an_error(batch in batch(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = batch.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        // Flags in the frame's header that change nothing about the content may flip unnoticed.
        if let Ok(decoded) = Batch::decode(&bytes, LIMIT) {
            prop_assert_eq!(decoded, batch);
        }
    }
}

fn added(source: Source, n: u8, us: i64) -> Event {
    Event {
        source,
        node_time: (source == Source::Log).then(|| NodeTime::from_micros(us)),
        agent_time: AgentTime::from_micros(us + 900),
        kind: Kind::TxAdded {
            txid: Txid::from_bytes([n; 32]),
            wtxid: None,
            peer: (source == Source::Log).then_some(u64::from(n)),
            mempool_sequence: (source == Source::Zmq).then_some(1000 + u64::from(n)),
        },
    }
}

fn stopping(us: i64) -> Event {
    Event {
        source: Source::Log,
        node_time: None,
        agent_time: AgentTime::from_micros(us),
        kind: Kind::NodeStopping,
    }
}

fn batch_of(events: Vec<Event>) -> Batch {
    Batch {
        network: Network::from_chain("regtest").unwrap(),
        node: "alice".parse().unwrap(),
        epoch: Epoch(7),
        sequence: 3,
        made_at: AgentTime::from_micros(1_700_000_000_000_000),
        positions: Positions::default(),
        events,
        unknown_events: 0,
    }
}

fn decode(message: &schema::Batch) -> Result<Batch, DecodeError> {
    Batch::decode(&compress(&message.encode_to_vec()).unwrap(), LIMIT)
}

#[test]
fn transactions_cost_little_more_than_their_ids() {
    let start = 1_700_000_000_000_000;
    let mut state = 1_u64;
    let events = (0..1000_i64).map(|n| {
        // Ids that do not compress, as real ones.
        let id = std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        let mut event = added(if n % 2 == 0 { Source::Log } else { Source::Zmq }, 0, start + n * 50_123);
        if let Kind::TxAdded { txid, .. } = &mut event.kind {
            *txid = Txid::from_bytes(id);
        }
        event
    });
    let size = batch_of(events.collect()).encode().len();
    assert!(size < 1000 * 40, "{size} bytes for 1000 transactions");
}

#[test]
fn the_order_of_events_and_transactions_is_kept_as_runs() {
    let batch = batch_of(vec![
        added(Source::Log, 1, 5),
        added(Source::Zmq, 2, 6),
        stopping(7),
        added(Source::Log, 3, 8),
    ]);
    assert_eq!(to_message(&batch).runs, [0, 2, 1, 1]);
    assert_eq!(to_message(&batch_of(vec![stopping(7), stopping(8)])).runs, [2]);
    assert_eq!(Batch::decode(&batch.encode(), LIMIT).unwrap(), batch);
}

#[test]
fn what_a_newer_agent_says_is_skipped_and_counted() {
    let mut message = to_message(&batch_of(vec![
        stopping(1),
        stopping(2),
        stopping(3),
        added(Source::Log, 1, 5),
        added(Source::Zmq, 2, 6),
    ]));
    message.events[0].kind = None;
    message.events[1].source = 6;
    message.transactions.as_mut().unwrap().flags[0] += 6;
    let batch = decode(&message).unwrap();
    assert_eq!(batch.events, [stopping(3), added(Source::Zmq, 2, 6)]);
    assert_eq!(batch.unknown_events, 3);
}

#[test]
fn a_source_inside_an_event_may_be_unknown_too() {
    let mut message = to_message(&batch_of(vec![stopping(1)]));
    message.events[0].kind =
        Some(schema::Kind::Gap(Box::new(schema::Gap { source: 99, ..Default::default() })));
    let batch = decode(&message).unwrap();
    assert_eq!((batch.events.len(), batch.unknown_events), (0, 1));
}

#[test]
fn a_value_that_no_agent_may_send_is_named() {
    type Damage = fn(&mut schema::Batch);
    fn columns(message: &mut schema::Batch) -> &mut schema::Transactions {
        message.transactions.as_mut().unwrap()
    }
    let cases: [(Damage, &str); 13] = [
        (|m| m.version = 2, "field `version` is 2, this reader knows 1"),
        (|m| m.version = 0, "field `version` is 0, this reader knows 1"),
        (|m| m.sequence = 0, "field `sequence` is 0, not from 1 to 9223372036854775807"),
        (
            |m| m.sequence = 1 << 63,
            "field `sequence` is 9223372036854775808, not from 1 to 9223372036854775807",
        ),
        (|m| m.network.truncate(31), "field `network` is 31 bytes long, a hash is 32"),
        (|m| m.events[0].source = 0, "field `events.source` is missing"),
        (|m| m.runs.push(0), ""),
        (|m| m.runs[0] += 1, "field `runs` does not add up to 4 events"),
        (|m| m.runs = vec![4], "field `runs` does not fit the numbers of events and transactions"),
        (
            |m| columns(m).txids.truncate(33),
            "field `transactions.txids` is 33 bytes long, not a multiple of 32",
        ),
        (|m| columns(m).peers.clear(), "field `transactions.peers` has fewer entries than the flags tell"),
        (|m| columns(m).peers.push(1), "field `transactions.peers` has 1 entries more than the flags tell"),
        (
            |m| {
                let block = schema::BlockValid { block: vec![1] };
                m.events[1].kind = Some(schema::Kind::BlockValid(Box::new(block)));
            },
            "field `BlockValid.block` is 1 bytes long, a hash is 32",
        ),
    ];
    let sound = to_message(&batch_of(vec![
        stopping(1),
        added(Source::Log, 1, 5),
        stopping(2),
        added(Source::Zmq, 2, 6),
    ]));
    for (damage, error) in cases {
        let mut message = sound.clone();
        damage(&mut message);
        let said = decode(&message).map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(said, error);
    }
    let mut message = sound;
    message.node = "No".to_owned();
    assert!(
        decode(&message)
            .unwrap_err()
            .to_string()
            .starts_with("field `node` is refused: `No` is not a node name")
    );
}

/// Puts a time somewhere into a batch.
type Say = fn(&mut Batch, i64);

/// What decoding says of a batch in which `say` put the time `us` somewhere, empty if nothing.
fn error_of_time(us: i64, say: Say) -> String {
    let mut batch = batch_of(vec![stopping(1)]);
    say(&mut batch, us);
    match Batch::decode(&batch.encode(), LIMIT) {
        Ok(decoded) => {
            assert_eq!(decoded, batch);
            String::new()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_time_beyond_the_year_10000_is_refused_wherever_it_stands() {
    fn clock(batch: &mut Batch, at: i64, offset_min_us: i64, offset_max_us: i64) {
        let at = AgentTime::from_micros(at);
        batch.events[0].kind = Kind::Clock(ClockSample { at, offset_min_us, offset_max_us });
    }
    fn gap(batch: &mut Batch, from: i64, to: i64) {
        let (from, to) = (Some(AgentTime::from_micros(from)), AgentTime::from_micros(to));
        batch.events[0].kind =
            Kind::Gap(Gap { source: Source::Log, from, to, lost: None, reason: String::new() });
    }
    let places: [(&str, Say); 10] = [
        ("made_at_us", |batch, us| batch.made_at = AgentTime::from_micros(us)),
        ("events.agent_time_us", |batch, us| batch.events[0].agent_time = AgentTime::from_micros(us)),
        ("events.node_time_us", |batch, us| batch.events[0].node_time = Some(NodeTime::from_micros(us))),
        ("transactions.node_times_us", |batch, us| {
            batch.events[0] = added(Source::Log, 1, 0);
            batch.events[0].node_time = Some(NodeTime::from_micros(us));
        }),
        ("transactions.agent_times_us", |batch, us| {
            batch.events[0] = added(Source::Zmq, 1, 0);
            batch.events[0].agent_time = AgentTime::from_micros(us);
        }),
        ("ClockSample.at", |batch, us| clock(batch, us, 0, 0)),
        ("ClockSample.offset_min_us", |batch, us| clock(batch, 0, us, 0)),
        ("ClockSample.offset_max_us", |batch, us| clock(batch, 0, 0, us)),
        ("Gap.from", |batch, us| gap(batch, us, 0)),
        ("Gap.to", |batch, us| gap(batch, 0, us)),
    ];
    for (field, say) in places {
        for us in [FURTHEST_US, -FURTHEST_US] {
            assert_eq!(error_of_time(us, say), "");
        }
        for us in [FURTHEST_US + 1, -FURTHEST_US - 1, i64::MAX, i64::MIN] {
            let expected = format!("field `{field}` is {us}, not from -{FURTHEST_US} to {FURTHEST_US}");
            assert_eq!(error_of_time(us, say), expected);
        }
    }
}

#[test]
fn a_duration_longer_than_times_can_be_apart_is_refused() {
    let decoded = |us: u64| {
        let processing = Box::new(Processing { load_us: Some(us), ..Processing::default() });
        let mut event = added(Source::Log, 1, 0);
        event.kind = Kind::BlockProcessed { block: BlockHash::from_bytes([1; 32]), height: 1, processing };
        Batch::decode(&batch_of(vec![event]).encode(), LIMIT).map_err(|error| error.to_string())
    };
    let longest = FURTHEST_US.unsigned_abs();
    assert!(decoded(longest).is_ok());
    for us in [longest + 1, u64::MAX] {
        assert!(decoded(us).unwrap_err().starts_with("field `load_us` is "));
    }
}

#[test]
fn more_events_than_a_batch_may_have_are_refused() {
    let fit = Batch::MOST_EVENTS - 1;
    let mut message = to_message(&batch_of(vec![added(Source::Zmq, 1, 5)]));
    for (events, fits) in [(fit, true), (fit + 1, false)] {
        message.events = vec![schema::Event { source: 1, ..Default::default() }; events];
        message.runs = vec![u32::try_from(events).unwrap(), 1];
        let said = decode(&message).map(|batch| batch.unknown_events).map_err(|error| error.to_string());
        let refused = "field `events` are 100001 with transactions, more than 100000".to_owned();
        assert_eq!(said, if fits { Ok(events as u64) } else { Err(refused) });
    }
}

#[test]
fn a_frame_that_unpacks_to_too_much_is_refused() {
    let bomb = compress(&vec![0; 64 << 20]).unwrap();
    assert!(bomb.len() < 10_000);
    assert!(matches!(Batch::decode(&bomb, LIMIT), Err(DecodeError::TooLarge { limit: LIMIT })));
    // Without the size in the header only unpacking tells.
    let mut streamed = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut streamed, &vec![0; 64 << 20]).unwrap();
    let streamed = streamed.finish().unwrap();
    assert!(matches!(Batch::decode(&streamed, LIMIT), Err(DecodeError::TooLarge { limit: LIMIT })));
    let batch = batch_of(vec![stopping(1)]);
    let exact = to_message(&batch).encoded_len();
    assert_eq!(Batch::decode(&batch.encode(), exact).unwrap(), batch);
    assert!(matches!(Batch::decode(&batch.encode(), exact - 1), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn a_streamed_frame_of_another_writer_is_read() {
    let batch = batch_of(vec![stopping(1), added(Source::Log, 1, 5)]);
    let bytes = zstd::stream::encode_all(to_message(&batch).encode_to_vec().as_slice(), 1).unwrap();
    assert_eq!(Batch::decode(&bytes, LIMIT).unwrap(), batch);
}

#[test]
fn bytes_of_the_first_version_stay_readable() {
    let batch = batch_of(vec![added(Source::Log, 1, 5), stopping(7), added(Source::Zmq, 2, 6)]);
    let bytes: Vec<u8> = FIRST
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(Batch::decode(&bytes, LIMIT).unwrap(), batch);
}

/// A batch as version 1 wrote it.
const FIRST: &str = concat!(
    "28b52ffd24b29d03003406080112200f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e22061a0561",
    "6c6963652107002803308080f281838985064a060801180e5a0052630a039102421209edf1f1021a08f5ff22400102320101",
    "3a02d40f5a04000101010500a011b8365c46cff33a0fa00c0f9802f5",
);
