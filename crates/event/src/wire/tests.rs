use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use prost::Message;

use super::{compress, schema, to_message};
use crate::event::{
    AgentHealth, ChainInfo, ChainTip, ClockSample, Gap, HostSample, MempoolInfo, NetworkInfo, PeerInfo,
    RemovalReason, TipStatus,
};
use crate::{
    AgentTime, Batch, BlockHash, DecodeError, Epoch, Event, Kind, LogPosition, Network, NodeTime, Positions,
    Source, Txid, Wtxid, ZmqPosition,
};

const LIMIT: usize = 1 << 20;

fn block() -> impl Strategy<Value = BlockHash> {
    any::<[u8; 32]>().prop_map(BlockHash::from_bytes)
}

fn txid() -> impl Strategy<Value = Txid> {
    any::<[u8; 32]>().prop_map(Txid::from_bytes)
}

fn wtxid() -> impl Strategy<Value = Wtxid> {
    any::<[u8; 32]>().prop_map(Wtxid::from_bytes)
}

fn agent_time() -> impl Strategy<Value = AgentTime> {
    any::<i64>().prop_map(AgentTime::from_micros)
}

fn source() -> impl Strategy<Value = Source> {
    prop::sample::select(Source::ALL.as_slice())
}

/// A node's word, as often unknown as known.
fn word(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(known).prop_map(str::to_owned), ".{0,12}"]
}

fn transaction_kind() -> impl Strategy<Value = Kind> {
    let with_witness = (txid(), of(wtxid()), of(any::<u64>()), of(any::<u64>())).prop_map(
        |(txid, wtxid, peer, mempool_sequence)| Kind::TxAdded { txid, wtxid, peer, mempool_sequence },
    );
    let without_witness = txid().prop_map(|txid| Kind::TxAdded {
        txid,
        wtxid: Some(Wtxid::from_bytes(*txid.as_bytes())),
        peer: None,
        mempool_sequence: None,
    });
    let reason = word(&["expiry", "sizelimit", "reorg", "conflict", "replaced"]);
    let removed = (txid(), of(reason), of(any::<u64>())).prop_map(|(txid, reason, mempool_sequence)| {
        let reason = reason.map(|word| RemovalReason::from_word(&word));
        Kind::TxRemoved { txid, reason, mempool_sequence }
    });
    let rejected = (txid(), of(wtxid()), of(any::<u64>()), ".{0,20}", ".{0,20}")
        .prop_map(|(txid, wtxid, peer, code, detail)| Kind::TxRejected { txid, wtxid, peer, code, detail });
    let replaced = (txid(), of(txid())).prop_map(|(old, new)| Kind::TxReplaced { old, new });
    prop_oneof![4 => with_witness, 1 => without_witness, 2 => removed, 1 => rejected, 1 => replaced]
}

fn block_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (block(), of(any::<u32>()), of(any::<u64>()), any::<bool>())
            .prop_map(|(block, height, peer, compact)| Kind::HeaderSeen { block, height, peer, compact }),
        (block(), any::<u64>()).prop_map(|(block, peer)| Kind::BlockReceived { block, peer }),
        (block(), any::<[u32; 4]>(), of(any::<u64>())).prop_map(
            |(block, [prefilled, from_mempool, from_extra, requested], requested_bytes)| {
                Kind::BlockReconstructed {
                    block,
                    prefilled,
                    from_mempool,
                    from_extra,
                    requested,
                    requested_bytes,
                }
            }
        ),
        block().prop_map(|block| Kind::BlockValid { block }),
        (block(), of(any::<u32>()), of(".{0,20}")).prop_map(|(block, height, reason)| Kind::BlockInvalid {
            block,
            height,
            reason
        }),
        (block(), of(any::<u32>())).prop_map(|(block, height)| Kind::BlockConnected { block, height }),
        (block(), of(any::<u32>())).prop_map(|(block, height)| Kind::BlockDisconnected { block, height }),
        (block(), of(any::<u32>()), of(any::<f64>()), of(any::<u64>())).prop_map(
            |(block, height, log2_work, transactions)| Kind::Tip { block, height, log2_work, transactions }
        ),
    ]
}

fn chain_info() -> impl Strategy<Value = Kind> {
    (
        (".{0,8}", any::<u32>(), any::<u32>(), of(block()), of(any::<bool>())),
        (any::<f64>(), of(any::<u64>()), any::<bool>(), vec(".{0,8}", 0..3)),
    )
        .prop_map(|((chain, blocks, headers, best_block, initial_block_download), rest)| {
            let (verification_progress, size_on_disk_bytes, pruned, warnings) = rest;
            Kind::ChainInfo(ChainInfo {
                chain,
                blocks,
                headers,
                best_block,
                initial_block_download,
                verification_progress,
                size_on_disk_bytes,
                pruned,
                warnings,
            })
        })
}

fn network_info() -> impl Strategy<Value = Kind> {
    (
        any::<[u64; 2]>(),
        ".{0,8}",
        any::<u32>(),
        [of(any::<u32>()), of(any::<u32>())],
        [of(any::<u64>()), of(any::<u64>())],
        vec(".{0,8}", 0..3),
    )
        .prop_map(
            |(
                [version, protocol_version],
                subversion,
                connections,
                [inbound, outbound],
                [relay, increment],
                warnings,
            )| {
                Kind::NetworkInfo(NetworkInfo {
                    version,
                    subversion,
                    protocol_version,
                    connections,
                    connections_in: inbound,
                    connections_out: outbound,
                    relay_fee_sat_per_kvb: relay,
                    incremental_fee_sat_per_kvb: increment,
                    warnings,
                })
            },
        )
}

fn rpc_kind() -> impl Strategy<Value = Kind> {
    let mempool = (any::<[u64; 4]>(), of(any::<u64>()), of(any::<u64>())).prop_map(
        |([transactions, virtual_bytes, usage_bytes, max_bytes], min_fee_sat_per_kvb, unbroadcast)| {
            Kind::MempoolInfo(MempoolInfo {
                transactions,
                virtual_bytes,
                usage_bytes,
                max_bytes,
                min_fee_sat_per_kvb,
                unbroadcast,
            })
        },
    );
    let peers = (any::<[u32; 2]>(), of(any::<u64>())).prop_map(|([inbound, outbound], min_ping_us)| {
        Kind::PeerInfo(PeerInfo { inbound, outbound, min_ping_us })
    });
    let status = word(&["active", "valid-fork", "valid-headers", "headers-only", "invalid"]);
    let tip = (block(), any::<[u32; 2]>(), status).prop_map(|(block, [height, branch_length], status)| {
        ChainTip { block, height, branch_length, status: TipStatus::from_word(&status) }
    });
    let uptime = any::<u64>().prop_map(|seconds| Kind::Uptime { seconds });
    prop_oneof![
        chain_info(),
        network_info(),
        mempool,
        peers,
        vec(tip, 0..4).prop_map(Kind::ChainTips),
        uptime
    ]
}

fn host_kind() -> impl Strategy<Value = Kind> {
    (vec(of(any::<u64>()), 7), of(any::<f64>()), of(any::<bool>())).prop_map(
        |(n, load_1m, clock_synchronised)| {
            Kind::Host(HostSample {
                cpu_busy_us: n[0],
                cpu_total_us: n[1],
                memory_total_bytes: n[2],
                memory_available_bytes: n[3],
                disk_total_bytes: n[4],
                disk_free_bytes: n[5],
                load_1m,
                clock_synchronised,
                clock_max_error_us: n[6],
            })
        },
    )
}

fn agent_kind() -> impl Strategy<Value = Kind> {
    let clock = (agent_time(), any::<[i64; 2]>()).prop_map(|(at, [offset_min_us, offset_max_us])| {
        Kind::Clock(ClockSample { at, offset_min_us, offset_max_us })
    });
    let gap = (source(), of(agent_time()), agent_time(), of(any::<u64>()), ".{0,20}")
        .prop_map(|(source, from, to, lost, reason)| Kind::Gap(Gap { source, from, to, lost, reason }));
    let state = (source(), any::<bool>(), ".{0,20}")
        .prop_map(|(source, working, detail)| Kind::SourceState { source, working, detail });
    let health = (".{0,8}", any::<i64>(), any::<[u64; 10]>(), of(any::<u64>())).prop_map(
        |(version, started_at_us, n, resident_bytes)| {
            Kind::AgentHealth(AgentHealth {
                version,
                started_at_us,
                log_bytes: n[0],
                log_lines: n[1],
                log_lines_matched: n[2],
                zmq_messages: n[3],
                rpc_calls: n[4],
                rpc_errors: n[5],
                rpc_time_us: n[6],
                dropped_events: n[7],
                spool_batches: n[8],
                spool_bytes: n[9],
                resident_bytes,
            })
        },
    );
    let started = ".{0,20}".prop_map(|banner| Kind::NodeStarted { banner });
    prop_oneof![clock, gap, state, health, started, Just(Kind::NodeStopping)]
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![6 => transaction_kind(), 3 => block_kind(), 2 => rpc_kind(), 1 => host_kind(), 2 => agent_kind()];
    (source(), of(any::<i64>().prop_map(NodeTime::from_micros)), agent_time(), kind)
        .prop_map(|(source, node_time, agent_time, kind)| Event { source, node_time, agent_time, kind })
}

fn positions() -> impl Strategy<Value = Positions> {
    let log = (any::<[u64; 5]>(), any::<[u32; 2]>(), of(any::<i64>())).prop_map(
        |(n, [head_len, tail_len], last)| LogPosition {
            device: n[0],
            inode: n[1],
            offset: n[2],
            head_len,
            head_hash: n[3],
            tail_len,
            tail_hash: n[4],
            last_line_us: last,
        },
    );
    let zmq = any::<i64>().prop_map(|alive_until_us| ZmqPosition { alive_until_us });
    (of(log), of(zmq)).prop_map(|(log, zmq)| Positions { log, zmq })
}

prop_compose! {
    fn batch()(
        genesis in block(),
        node in "[a-z0-9][a-z0-9._-]{0,62}",
        epoch in any::<u64>(),
        sequence in 1..=i64::MAX as u64,
        made_at in agent_time(),
        positions in positions(),
        events in vec(event(), 0..40),
    ) -> Batch {
        Batch {
            network: Network::from_genesis(genesis),
            node: node.parse().unwrap(),
            epoch: Epoch(epoch),
            sequence,
            made_at,
            positions,
            events,
            unknown_events: 0,
        }
    }
}

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
                m.events[1].kind =
                    Some(schema::Kind::BlockValid(Box::new(schema::BlockValid { block: vec![1] })))
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
