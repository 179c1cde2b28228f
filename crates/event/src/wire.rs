//! The wire format of a batch: one zstd frame around one protobuf message.
//!
//! **Constraints.** Transactions are most of what is sent, and their ids do not compress: everything else about them
//! has to be small. Agents and servers are updated one at a time, so that a batch of a newer agent must stay readable
//! as far as it is understood. The bytes come from the network: none may cost more than the reader's limit or break it.
//!
//! **Layout.** [`schema`] holds the messages and their numbers; `docs/wire.md` shows the same as protobuf text.
//! Transactions that entered or left a mempool are in columns ([`transaction`]), every other event is a message of its
//! own ([`kind`]). `runs` restores their common order: it holds the lengths of runs, by turns of events and of
//! transactions, beginning with events.
//!
//! **Operation.** A number once given to a field is never used for another. A new kind, source or field gets a new
//! number; readers skip and count the events they do not know. [`VERSION`] rises only when an old reader would
//! misunderstand.

mod kind;
mod schema;
mod transaction;

use std::io::{self, Read};

use prost::Message;
use zstd::bulk::Compressor;
use zstd::stream::raw::CParameter;
use zstd::stream::read::Decoder;

use self::kind::{Field, known};
use crate::{AgentTime, Batch, BlockHash, DecodeError, Epoch, Event, Network, NodeNameError, Positions};

/// The version of the schema that this crate writes and reads.
const VERSION: u32 = 1;

/// The largest sequence: databases have signed numbers.
const MOST_SEQUENCE: u64 = i64::MAX as u64;

/// The furthest that a time may be from 1970, and two times from one another, in microseconds: the year 10,000. Readers
/// may add and subtract such numbers without a thought of overflow, and so may databases.
const FURTHEST_US: i64 = 253_402_300_800_000_000;

/// zstd's own default: higher levels gain under one percent, because ids do not compress.
const LEVEL: i32 = 3;

pub(crate) fn encode(batch: &Batch) -> Vec<u8> {
    compress(&to_message(batch).encode_to_vec())
        .expect("compressing memory into memory only fails without memory")
}

pub(crate) fn decode(bytes: &[u8], limit: usize) -> Result<Batch, DecodeError> {
    from_message(schema::Batch::decode(decompress(bytes, limit)?.as_slice())?)
}

fn compress(message: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(message)
}

fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::with_buffer(bytes).map_err(DecodeError::Compression)?.single_frame();
    decoder.window_log_max(window_log(limit)).map_err(DecodeError::Compression)?;
    let mut message = Vec::new();
    let unpacked = decoder.by_ref().take(limit as u64 + 1).read_to_end(&mut message);
    // The decoder refuses a frame whose declared window is over the limit before it unpacks anything.
    if message.len() > limit || declared_size(bytes).is_some_and(|size| size > limit as u64) {
        return Err(DecodeError::TooLarge { limit });
    }
    unpacked.map_err(DecodeError::Compression)?;
    if decoder.finish().is_empty() {
        Ok(message)
    } else {
        Err(DecodeError::Compression(io::Error::new(io::ErrorKind::InvalidData, "bytes after the frame")))
    }
}

/// The window that holds `limit` bytes, so that a frame cannot make the decoder reserve more memory than that; never
/// under the 8 MiB that every decoder should accept (RFC 8878, 3.1.1.1.2).
fn window_log(limit: usize) -> u32 {
    limit.checked_next_power_of_two().map_or(31, usize::trailing_zeros).clamp(23, 31)
}

fn declared_size(bytes: &[u8]) -> Option<u64> {
    zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten()
}

fn to_message(batch: &Batch) -> schema::Batch {
    let made_at_us = batch.made_at.as_micros();
    let mut events = Vec::new();
    let mut transactions = transaction::Writer::new(made_at_us);
    let mut runs = Vec::new();
    for event in &batch.events {
        let in_columns = transactions.push(event);
        if !in_columns {
            events.extend(kind::to_message(event));
        }
        lengthen(&mut runs, in_columns);
    }
    schema::Batch {
        version: VERSION,
        network: batch.network.genesis.as_bytes().to_vec(),
        node: batch.node.as_str().to_owned(),
        epoch: batch.epoch.0,
        sequence: batch.sequence,
        made_at_us,
        log: batch.positions.log.to_wire(),
        zmq: batch.positions.zmq.to_wire(),
        events,
        transactions: transactions.finish(),
        runs,
    }
}

/// Adds one to the last run, which is of transactions if its place is odd, or begins the next.
fn lengthen(runs: &mut Vec<u32>, in_columns: bool) {
    if runs.is_empty() {
        runs.push(0);
    }
    if runs.len().is_multiple_of(2) != in_columns {
        runs.push(0);
    }
    if let Some(run) = runs.last_mut() {
        *run += 1;
    }
}

fn from_message(message: schema::Batch) -> Result<Batch, DecodeError> {
    if message.version != VERSION {
        return Err(bad("version", format!("is {}, this reader knows {VERSION}", message.version)));
    }
    if !(1..=MOST_SEQUENCE).contains(&message.sequence) {
        return Err(bad("sequence", format!("is {}, not from 1 to {MOST_SEQUENCE}", message.sequence)));
    }
    let rows = message.transactions.as_ref().map_or(0, |transactions| transactions.flags.len());
    let events = message.events.len() + rows;
    if events > Batch::MOST_EVENTS {
        return Err(bad(
            "events",
            format!("are {events} with transactions, more than {}", Batch::MOST_EVENTS),
        ));
    }
    let transactions = transaction::read(&message.transactions.unwrap_or_default(), message.made_at_us)?;
    let (events, unknown_events) = in_order(&message.runs, message.events, transactions)?;
    Ok(Batch {
        network: Network::from_genesis(BlockHash::from_bytes(hash("network", &message.network)?)),
        node: message
            .node
            .parse()
            .map_err(|error: NodeNameError| bad("node", format!("is refused: {error}")))?,
        epoch: Epoch(message.epoch),
        sequence: message.sequence,
        made_at: AgentTime::from_micros(micros("made_at_us", message.made_at_us)?),
        positions: Positions {
            log: known(Field::from_wire("log", message.log))?.flatten(),
            zmq: known(Field::from_wire("zmq", message.zmq))?.flatten(),
        },
        events,
        unknown_events,
    })
}

/// Merges events and transactions as `runs` says; those that are not known are left out and counted.
fn in_order(
    runs: &[u32],
    events: Vec<schema::Event>,
    transactions: Vec<Option<Event>>,
) -> Result<(Vec<Event>, u64), DecodeError> {
    let total = events.len() + transactions.len();
    if runs.iter().map(|&run| u64::from(run)).sum::<u64>() != total as u64 {
        return Err(bad("runs", format!("does not add up to {total} events")));
    }
    let (mut events, mut transactions) = (events.into_iter(), transactions.into_iter());
    let mut ordered = Vec::with_capacity(total);
    let mut unknown = 0;
    for (place, &run) in runs.iter().enumerate() {
        for _ in 0..run {
            let next = if place.is_multiple_of(2) {
                events.next().map(kind::from_message).transpose()?
            } else {
                transactions.next()
            };
            match next {
                Some(Some(event)) => ordered.push(event),
                Some(None) => unknown += 1,
                None => return Err(bad("runs", "does not fit the numbers of events and transactions")),
            }
        }
    }
    Ok((ordered, unknown))
}

fn bad(field: &'static str, problem: impl Into<String>) -> DecodeError {
    DecodeError::Field { field, problem: problem.into() }
}

fn hash(field: &'static str, bytes: &[u8]) -> Result<[u8; 32], DecodeError> {
    bytes.try_into().map_err(|_| bad(field, format!("is {} bytes long, a hash is 32", bytes.len())))
}

/// A time, or the difference of two.
fn micros(field: &'static str, us: i64) -> Result<i64, DecodeError> {
    if us.unsigned_abs() <= FURTHEST_US.unsigned_abs() {
        Ok(us)
    } else {
        Err(bad(field, format!("is {us}, not from -{FURTHEST_US} to {FURTHEST_US}")))
    }
}

#[cfg(test)]
mod tests;
