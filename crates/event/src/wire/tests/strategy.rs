//! Any batch with any events.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::super::FURTHEST_US;
use crate::event::{
    AgentHealth, BlockPart, ChainInfo, ChainTip, ClockSample, Deployment, Gap, Headers, HostSample, LogLines,
    LogMessages, MempoolInfo, MempoolSpend, MempoolSpends, MessageCount, NetworkInfo, PeerInfo, Processing,
    RawHeader, RawTx, RemovalReason, TipStatus,
};
use crate::{
    AgentTime, Batch, BlockHash, Epoch, Event, Kind, LogPosition, Network, NodeTime, OutPoint, Positions,
    Source, Subject, Txid, Wtxid, ZmqPosition,
};

fn block() -> impl Strategy<Value = BlockHash> {
    any::<[u8; 32]>().prop_map(BlockHash::from_bytes)
}

fn txid() -> impl Strategy<Value = Txid> {
    any::<[u8; 32]>().prop_map(Txid::from_bytes)
}

fn wtxid() -> impl Strategy<Value = Wtxid> {
    any::<[u8; 32]>().prop_map(Wtxid::from_bytes)
}

fn micros() -> impl Strategy<Value = i64> {
    -FURTHEST_US..=FURTHEST_US
}

fn agent_time() -> impl Strategy<Value = AgentTime> {
    micros().prop_map(AgentTime::from_micros)
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
        relay_kind(),
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
        (block(), any::<u32>(), processing().prop_map(Box::new))
            .prop_map(|(block, height, processing)| Kind::BlockProcessed { block, height, processing }),
    ]
}

/// What a node told of how a block came to it.
fn relay_kind() -> impl Strategy<Value = Kind> {
    let reconstructed = (block(), any::<[u32; 4]>(), [of(any::<u64>()), of(any::<u64>()), of(any::<u64>())])
        .prop_map(
            |(
                block,
                [prefilled, from_mempool, from_extra, requested],
                [requested_bytes, peer, message_bytes],
            )| {
                Kind::BlockReconstructed {
                    block,
                    prefilled,
                    from_mempool,
                    from_extra,
                    requested,
                    requested_bytes,
                    peer,
                    message_bytes,
                }
            },
        );
    prop_oneof![
        (block(), any::<u64>()).prop_map(|(block, peer)| Kind::BlockAnnounced { block, peer }),
        (block(), of(any::<u32>()), any::<u64>()).prop_map(|(block, height, peer)| Kind::BlockRequested {
            block,
            height,
            peer
        }),
        (block(), any::<u64>(), of(any::<u64>())).prop_map(|(block, peer, bytes)| Kind::BlockReceived {
            block,
            peer,
            bytes
        }),
        (block(), any::<u64>(), of(any::<u64>()))
            .prop_map(|(block, bytes, peer)| Kind::CompactBlockMatched { block, bytes, peer }),
        (block(), any::<u64>()).prop_map(|(block, peer)| Kind::BlockTransactionsRequested { block, peer }),
        reconstructed,
        block().prop_map(|block| Kind::TipSettled { block }),
    ]
}

fn processing() -> impl Strategy<Value = Processing> {
    let us = || 0..=FURTHEST_US.unsigned_abs();
    (us(), vec(of(us()), 11), of(any::<u32>()), of(any::<u32>())).prop_map(
        |(total_us, steps, transactions, inputs)| Processing {
            total_us,
            load_us: steps[0],
            connect_us: steps[1],
            sanity_us: steps[2],
            forks_us: steps[3],
            transactions_us: steps[4],
            scripts_us: steps[5],
            undo_us: steps[6],
            index_us: steps[7],
            flush_us: steps[8],
            chainstate_us: steps[9],
            postprocess_us: steps[10],
            transactions,
            inputs,
        },
    )
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
    let deployment =
        (".{0,8}", any::<bool>(), [of(any::<u32>()), of(any::<u32>()), of(any::<u32>())], of(".{0,8}"))
            .prop_map(|(name, active, [height, bit, since], status)| Deployment {
                name,
                active,
                height,
                bit,
                status,
                since,
            });
    let uptime = any::<u64>().prop_map(|seconds| Kind::Uptime { seconds });
    prop_oneof![
        chain_info(),
        network_info(),
        mempool,
        peers,
        vec(tip, 0..4).prop_map(Kind::ChainTips),
        vec(deployment, 0..4).prop_map(Kind::Deployments),
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
    let clock = (agent_time(), [micros(), micros()]).prop_map(|(at, [offset_min_us, offset_max_us])| {
        Kind::Clock(ClockSample { at, offset_min_us, offset_max_us })
    });
    let gap = (source(), of(agent_time()), agent_time(), of(any::<u64>()), ".{0,20}")
        .prop_map(|(source, from, to, lost, reason)| Kind::Gap(Gap { source, from, to, lost, reason }));
    let state = (source(), any::<bool>(), ".{0,20}")
        .prop_map(|(source, working, detail)| Kind::SourceState { source, working, detail });
    let address = "[a-z0-9]{1,8}\\.[a-z]{1,8}:[1-9][0-9]{0,3}".prop_map(|address| address.parse().unwrap());
    let health = (".{0,8}", micros(), any::<[u64; 13]>(), of(any::<u64>()), of(address)).prop_map(
        |(version, started_at_us, n, resident_bytes, metrics_address)| {
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
                wants_fulfilled: n[10],
                wants_refused: n[11],
                want_log_bytes: n[12],
                metrics_address,
            })
        },
    );
    let started = ".{0,20}".prop_map(|banner| Kind::NodeStarted { banner });
    prop_oneof![clock, gap, state, health, started, Just(Kind::NodeStopping)]
}

fn log_messages() -> impl Strategy<Value = Kind> {
    let count = (".{0,20}", ".{0,10}", any::<u64>());
    let count = count.prop_map(|(name, category, lines)| MessageCount { name, category, lines });
    (micros(), micros(), any::<[u64; 2]>(), vec(count, 0..4), vec(".{0,20}", 0..3)).prop_map(
        |(from, to, [lines, unmatched], messages, settings)| {
            let (from, to) = (NodeTime::from_micros(from), NodeTime::from_micros(to));
            Kind::LogMessages(LogMessages { from, to, lines, unmatched, messages, settings })
        },
    )
}

fn want_kind() -> impl Strategy<Value = Kind> {
    let subject = prop_oneof![block().prop_map(Subject::Block), txid().prop_map(Subject::Tx)];
    let lines = (any::<u64>(), subject, vec(".{0,40}", 0..4), of(".{0,20}")).prop_map(
        |(want, subject, lines, problem)| Kind::LogLines(LogLines { want, subject, lines, problem }),
    );
    let header = (block(), vec(any::<u8>(), 0..4)).prop_map(|(block, raw)| RawHeader { block, raw });
    let headers = (any::<u64>(), vec(header, 0..4))
        .prop_map(|(want, headers)| Kind::Headers(Headers { want, headers }));
    let part = (any::<[u64; 3]>(), block(), vec(any::<u8>(), 0..40)).prop_map(
        |([want, size_bytes, offset], block, bytes)| {
            Kind::BlockPart(BlockPart { want, block, size_bytes, offset, bytes })
        },
    );
    let raw_tx = (any::<u64>(), txid(), vec(any::<u8>(), 0..40))
        .prop_map(|(want, txid, raw)| Kind::RawTx(RawTx { want, txid, raw }));
    let spend = (txid(), any::<u32>(), txid())
        .prop_map(|(txid, vout, by)| MempoolSpend { outpoint: OutPoint { txid, vout }, by });
    let spends = (any::<u64>(), vec(spend, 0..4), of(".{0,20}"))
        .prop_map(|(want, spends, problem)| Kind::MempoolSpends(MempoolSpends { want, spends, problem }));
    let refused = (any::<u64>(), ".{0,20}").prop_map(|(want, reason)| Kind::WantRefused { want, reason });
    prop_oneof![2 => lines, 1 => headers, 1 => part, 1 => raw_tx, 1 => spends, 1 => refused]
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![6 => transaction_kind(), 3 => block_kind(), 2 => rpc_kind(), 1 => host_kind(), 2 => agent_kind(), 1 => want_kind(), 1 => log_messages()];
    (source(), of(micros().prop_map(NodeTime::from_micros)), agent_time(), kind)
        .prop_map(|(source, node_time, agent_time, kind)| Event { source, node_time, agent_time, kind })
}

fn positions() -> impl Strategy<Value = Positions> {
    let log =
        (any::<[u64; 5]>(), any::<[u32; 2]>(), of(micros())).prop_map(|(n, [head_len, tail_len], last)| {
            LogPosition {
                device: n[0],
                inode: n[1],
                offset: n[2],
                head_len,
                head_hash: n[3],
                tail_len,
                tail_hash: n[4],
                last_line_us: last,
            }
        });
    let zmq = micros().prop_map(|alive_until_us| ZmqPosition { alive_until_us });
    (of(log), of(zmq)).prop_map(|(log, zmq)| Positions { log, zmq })
}

prop_compose! {
    /// Any batch.
    pub(super) fn batch()(
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
