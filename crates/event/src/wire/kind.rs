//! Events that are a message of their own: one table of kinds and fields, both ways.

use super::{bad, schema};
use crate::event::{
    AgentHealth, BlockPart, ChainInfo, ChainTip, ClockSample, Deployment, Gap, Headers, HostSample, LogLines,
    LogMessages, MempoolInfo, MempoolSpend, MempoolSpends, MessageCount, NetworkInfo, PeerInfo, Processing,
    RawHeader, RawTx, TipStatus,
};
use crate::{
    AgentTime, BlockHash, DecodeError, Event, Kind, LogPosition, MetricsAddress, NodeTime, OutPoint, Source,
    Subject, Txid, Wtxid, ZmqPosition,
};

/// The message, `None` for the kinds that have a place in the columns.
pub(super) fn to_message(event: &Event) -> Option<schema::Event> {
    Some(schema::Event {
        source: event.source.to_wire(),
        node_time_us: event.node_time.to_wire(),
        agent_time_us: event.agent_time.to_wire(),
        kind: Some(to_kind(&event.kind)?),
    })
}

/// The event, `None` if its kind, or a source that it names, is not known to this version.
pub(super) fn from_message(message: schema::Event) -> Result<Option<Event>, DecodeError> {
    known(event(message))
}

fn event(message: schema::Event) -> Result<Event, Unreadable> {
    Ok(Event {
        source: Source::from_wire("events.source", message.source)?,
        node_time: Field::from_wire("events.node_time_us", message.node_time_us)?,
        agent_time: Field::from_wire("events.agent_time_us", message.agent_time_us)?,
        kind: from_kind(message.kind.ok_or(Unreadable::Unknown)?)?,
    })
}

/// Why something has no place in the event model.
pub(super) enum Unreadable {
    /// A newer agent knows more.
    Unknown,
    /// No agent may say it.
    Bad(DecodeError),
}

impl From<DecodeError> for Unreadable {
    fn from(error: DecodeError) -> Self {
        Self::Bad(error)
    }
}

/// `None` for what only a newer agent knows.
pub(super) fn known<T>(read: Result<T, Unreadable>) -> Result<Option<T>, DecodeError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Unreadable::Unknown) => Ok(None),
        Err(Unreadable::Bad(error)) => Err(error),
    }
}

/// A value of the event model that is `W` on the wire.
pub(super) trait Field<W>: Sized {
    fn to_wire(&self) -> W;
    fn from_wire(field: &'static str, wire: W) -> Result<Self, Unreadable>;
}

macro_rules! same_on_the_wire {
    ($($type:ty),*) => {$(
        impl Field<$type> for $type {
            fn to_wire(&self) -> $type {
                self.clone()
            }

            fn from_wire(_: &'static str, wire: $type) -> Result<Self, Unreadable> {
                Ok(wire)
            }
        }
    )*};
}

same_on_the_wire!(bool, u8, u32, u64, f64, String);

/// Whatever has a sign is a time or the difference of two.
impl Field<i64> for i64 {
    fn to_wire(&self) -> i64 {
        *self
    }

    fn from_wire(field: &'static str, wire: i64) -> Result<Self, Unreadable> {
        Ok(super::micros(field, wire)?)
    }
}

macro_rules! time_on_the_wire {
    ($($type:ty),*) => {$(
        impl Field<i64> for $type {
            fn to_wire(&self) -> i64 {
                self.as_micros()
            }

            fn from_wire(field: &'static str, wire: i64) -> Result<Self, Unreadable> {
                Ok(Self::from_micros(super::micros(field, wire)?))
            }
        }
    )*};
}

time_on_the_wire!(AgentTime, NodeTime);

macro_rules! hash_on_the_wire {
    ($($type:ty),*) => {$(
        impl Field<Vec<u8>> for $type {
            fn to_wire(&self) -> Vec<u8> {
                self.as_bytes().to_vec()
            }

            fn from_wire(field: &'static str, wire: Vec<u8>) -> Result<Self, Unreadable> {
                Ok(Self::from_bytes(super::hash(field, &wire)?))
            }
        }
    )*};
}

hash_on_the_wire!(BlockHash, Txid, Wtxid);

impl<T: Field<W>, W> Field<Option<W>> for Option<T> {
    fn to_wire(&self) -> Option<W> {
        self.as_ref().map(T::to_wire)
    }

    fn from_wire(field: &'static str, wire: Option<W>) -> Result<Self, Unreadable> {
        wire.map(|wire| T::from_wire(field, wire)).transpose()
    }
}

impl<T: Field<W>, W> Field<Vec<W>> for Vec<T> {
    fn to_wire(&self) -> Vec<W> {
        self.iter().map(T::to_wire).collect()
    }

    fn from_wire(field: &'static str, wire: Vec<W>) -> Result<Self, Unreadable> {
        wire.into_iter().map(|wire| T::from_wire(field, wire)).collect()
    }
}

impl Field<u32> for Source {
    fn to_wire(&self) -> u32 {
        match self {
            Self::Log => 1,
            Self::Zmq => 2,
            Self::Rpc => 3,
            Self::Host => 4,
            Self::Agent => 5,
        }
    }

    fn from_wire(field: &'static str, wire: u32) -> Result<Self, Unreadable> {
        match Self::ALL.into_iter().find(|source| source.to_wire() == wire) {
            Some(source) => Ok(source),
            None if wire == 0 => Err(bad(field, "is missing").into()),
            None => Err(Unreadable::Unknown),
        }
    }
}

impl Field<String> for TipStatus {
    fn to_wire(&self) -> String {
        self.as_str().to_owned()
    }

    fn from_wire(_: &'static str, wire: String) -> Result<Self, Unreadable> {
        Ok(Self::from_word(&wire))
    }
}

impl Field<String> for Subject {
    fn to_wire(&self) -> String {
        self.to_string()
    }

    fn from_wire(field: &'static str, wire: String) -> Result<Self, Unreadable> {
        wire.parse().map_err(|_| bad(field, "is neither a block nor a transaction").into())
    }
}

impl Field<String> for MetricsAddress {
    fn to_wire(&self) -> String {
        self.to_string()
    }

    fn from_wire(field: &'static str, wire: String) -> Result<Self, Unreadable> {
        wire.parse().map_err(|_| bad(field, "is not HOST:PORT as others reach it").into())
    }
}

/// Structs whose fields have the same names on the wire.
macro_rules! structs {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Field<schema::$type> for $type {
            fn to_wire(&self) -> schema::$type {
                schema::$type { $($field: self.$field.to_wire()),* }
            }

            fn from_wire(_: &'static str, wire: schema::$type) -> Result<Self, Unreadable> {
                Ok(Self {
                    $($field: Field::from_wire(concat!(stringify!($type), ".", stringify!($field)), wire.$field)?),*
                })
            }
        }
    )*};
}

structs! {
    LogPosition { device, inode, offset, head_len, head_hash, tail_len, tail_hash, last_line_us }
    ZmqPosition { alive_until_us }
    ChainInfo {
        chain, blocks, headers, best_block, initial_block_download, verification_progress, size_on_disk_bytes, pruned,
        warnings
    }
    NetworkInfo {
        version, subversion, protocol_version, connections, connections_in, connections_out, relay_fee_sat_per_kvb,
        incremental_fee_sat_per_kvb, warnings
    }
    MempoolInfo { transactions, virtual_bytes, usage_bytes, max_bytes, min_fee_sat_per_kvb, unbroadcast }
    PeerInfo { inbound, outbound, min_ping_us }
    Processing {
        total_us, load_us, connect_us, sanity_us, forks_us, transactions_us, scripts_us, undo_us, index_us, flush_us,
        chainstate_us, postprocess_us, transactions, inputs
    }
    ChainTip { block, height, branch_length, status }
    Deployment { name, active, height, bit, status, since }
    HostSample {
        cpu_busy_us, cpu_total_us, memory_total_bytes, memory_available_bytes, disk_total_bytes, disk_free_bytes,
        load_1m, clock_synchronised, clock_max_error_us
    }
    ClockSample { at, offset_min_us, offset_max_us }
    Gap { source, from, to, lost, reason }
    AgentHealth {
        version, started_at_us, log_bytes, log_lines, log_lines_matched, zmq_messages, rpc_calls, rpc_errors,
        rpc_time_us, dropped_events, spool_batches, spool_bytes, resident_bytes, wants_fulfilled, wants_refused,
        want_log_bytes, metrics_address
    }
    LogMessages { from, to, lines, unmatched, messages, settings }
    MessageCount { name, category, lines }
    LogLines { want, subject, lines, problem }
    Headers { want, headers }
    RawHeader { block, raw }
    BlockPart { want, block, size_bytes, offset, bytes }
    RawTx { want, txid, raw }
    MempoolSpends { want, spends, problem }
}

/// A coin takes no message of its own.
impl Field<schema::MempoolSpend> for MempoolSpend {
    fn to_wire(&self) -> schema::MempoolSpend {
        let OutPoint { txid, vout } = self.outpoint;
        schema::MempoolSpend { txid: txid.to_wire(), vout, by: self.by.to_wire() }
    }

    fn from_wire(_: &'static str, wire: schema::MempoolSpend) -> Result<Self, Unreadable> {
        let txid = Field::from_wire("MempoolSpend.txid", wire.txid)?;
        let by = Field::from_wire("MempoolSpend.by", wire.by)?;
        Ok(Self { outpoint: OutPoint { txid, vout: wire.vout }, by })
    }
}

/// A duration is the difference of two times, and as far from 0 as they may be from one another.
impl Field<Option<schema::Processing>> for Box<Processing> {
    fn to_wire(&self) -> Option<schema::Processing> {
        Some(Processing::to_wire(self))
    }

    fn from_wire(field: &'static str, wire: Option<schema::Processing>) -> Result<Self, Unreadable> {
        let wire = wire.ok_or_else(|| bad(field, "is missing"))?;
        let processing = Processing::from_wire(field, wire)?;
        for (step, us) in processing.durations() {
            super::micros(step, us.try_into().unwrap_or(i64::MAX))?;
        }
        Ok(Self::new(processing))
    }
}

/// Both ways between [`Kind`] and the oneof: kinds with fields of their own, and kinds around one struct.
macro_rules! kinds {
    (fields { $($kind:ident { $($field:ident),* })* } around { $($outer:ident($inner:ident))* }) => {
        fn to_kind(kind: &Kind) -> Option<schema::Kind> {
            Some(match kind {
                $(Kind::$kind { $($field),* } => schema::Kind::$kind(Box::new(schema::$kind {
                    $($field: $field.to_wire()),*
                })),)*
                $(Kind::$outer(inner) => schema::Kind::$outer(Box::new(inner.to_wire())),)*
                Kind::ChainTips(tips) => schema::Kind::ChainTips(Box::new(schema::ChainTips { tips: tips.to_wire() })),
                Kind::Deployments(deployments) => schema::Kind::Deployments(Box::new(schema::Deployments {
                    deployments: deployments.to_wire(),
                })),
                Kind::TxAdded { .. } | Kind::TxRemoved { .. } => return None,
            })
        }

        fn from_kind(kind: schema::Kind) -> Result<Kind, Unreadable> {
            Ok(match kind {
                $(schema::Kind::$kind(wire) => {
                    let schema::$kind { $($field),* } = *wire;
                    Kind::$kind {
                        $($field: Field::from_wire(concat!(stringify!($kind), ".", stringify!($field)), $field)?),*
                    }
                })*
                $(schema::Kind::$outer(wire) => Kind::$outer($inner::from_wire(stringify!($outer), *wire)?),)*
                schema::Kind::Deployments(wire) => {
                    Kind::Deployments(Field::from_wire("Deployments.deployments", wire.deployments)?)
                }
                schema::Kind::ChainTips(wire) => Kind::ChainTips(Field::from_wire("ChainTips.tips", wire.tips)?),
            })
        }
    };
}

kinds! {
    fields {
        NodeStarted { banner }
        NodeStopping {}
        HeaderSeen { block, height, peer, compact }
        BlockReceived { block, peer, bytes }
        BlockReconstructed {
            block, prefilled, from_mempool, from_extra, requested, requested_bytes, peer, message_bytes
        }
        BlockValid { block }
        BlockInvalid { block, height, reason }
        BlockConnected { block, height }
        BlockDisconnected { block, height }
        Tip { block, height, log2_work, transactions }
        BlockProcessed { block, height, processing }
        CompactBlockMatched { block, bytes, peer }
        BlockAnnounced { block, peer }
        BlockRequested { block, height, peer }
        BlockTransactionsRequested { block, peer }
        TipSettled { block }
        TxRejected { txid, wtxid, peer, code, detail }
        TxReplaced { old, new }
        Uptime { seconds }
        SourceState { source, working, detail }
        WantRefused { want, reason }
    }
    around {
        ChainInfo(ChainInfo)
        NetworkInfo(NetworkInfo)
        MempoolInfo(MempoolInfo)
        PeerInfo(PeerInfo)
        Host(HostSample)
        Clock(ClockSample)
        Gap(Gap)
        AgentHealth(AgentHealth)
        LogMessages(LogMessages)
        LogLines(LogLines)
        Headers(Headers)
        BlockPart(BlockPart)
        RawTx(RawTx)
        MempoolSpends(MempoolSpends)
    }
}
