//! How a transaction is found by its txid.
//!
//! A B-tree of random keys would write a page for each transaction. Instead the txids of many chunks are sorted at once and
//! put into 256 rows by their first byte: a segment. A look-up reads one row of each segment, in order; chunks that are
//! in no segment yet are few and are looked through.

use rusqlite::{Connection, OptionalExtension};

use crate::{StoreError, tx_chunk};

/// Chunks of a segment: so many that the rows of one fill pages well, and few enough for an entry's two bytes.
const CHUNKS: u32 = 64;
/// Places of a chunk, as entries count them.
const PLACES: u16 = 512;
/// Bytes of an entry.
const ENTRY: usize = 5;

/// Where a transaction is: its chunk and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) chunk: i64,
    pub(crate) place: usize,
}

/// Puts full chunks into a segment, if there are enough that are in none.
pub(crate) fn extend(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, txids FROM tx_chunk WHERE segment IS NULL AND is_full = 1 ORDER BY id LIMIT ?1",
    )?;
    let count = "SELECT count(*) FROM tx_chunk WHERE segment IS NULL AND is_full = 1";
    while connection.prepare_cached(count)?.query_row([], |row| row.get::<_, u32>(0))? >= CHUNKS {
        let rows = statement.query_map([CHUNKS], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let chunks: Vec<(i64, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
        write_segment(connection, &chunks)?;
    }
    Ok(())
}

fn write_segment(connection: &Connection, chunks: &[(i64, Vec<u8>)]) -> Result<(), StoreError> {
    let Some(segment) = chunks.first().map(|(id, _)| *id) else { return Ok(()) };
    let mut update =
        connection.prepare_cached("UPDATE tx_chunk SET segment = ?2, ordinal = ?3 WHERE id = ?1")?;
    let mut entries = Vec::new();
    for (ordinal, (id, txids)) in (0_u16..).zip(chunks) {
        update.execute((id, segment, ordinal))?;
        for (place, txid) in (0..PLACES).zip(tx_chunk::txids(txids)) {
            let (first, next) = beginning(txid);
            entries.push((first, next, (ordinal * PLACES + place).to_be_bytes()));
        }
    }
    entries.sort_unstable();
    let mut insert = connection
        .prepare_cached("INSERT INTO tx_index (first_byte, segment, entries) VALUES (?1, ?2, ?3)")?;
    for row in entries.chunk_by(|one, other| one.0 == other.0) {
        let bytes: Vec<u8> = row.iter().flat_map(|(_, next, to)| next.iter().chain(to).copied()).collect();
        insert.execute((row[0].0, segment, bytes))?;
    }
    Ok(())
}

/// The first byte of a txid, and the three after it.
fn beginning(txid: &[u8; 32]) -> (u8, [u8; 3]) {
    let [first, a, b, c, ..] = *txid;
    (first, [a, b, c])
}

/// Every place where a transaction of this txid may be, in the order of chunks.
pub(crate) fn find(connection: &Connection, txid: &[u8; 32]) -> Result<Vec<Found>, StoreError> {
    let (first, next) = beginning(txid);
    let mut found = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT segment, entries FROM tx_index WHERE first_byte = ?1 ORDER BY segment")?;
    let mut rows = statement.query([first])?;
    while let Some(row) = rows.next()? {
        let entries =
            row.get_ref("entries")?.as_blob().map_err(rusqlite::Error::from)?.as_chunks::<ENTRY>().0;
        let from = entries.partition_point(|entry| entry[..3] < next[..]);
        let segment: i64 = row.get("segment")?;
        for [.., high, low] in entries[from..].iter().take_while(|entry| entry[..3] == next[..]) {
            let to = u16::from_be_bytes([*high, *low]);
            if let Some(chunk) = chunk(connection, segment, to / PLACES)? {
                found.push(Found { chunk, place: usize::from(to % PLACES) });
            }
        }
    }
    look_through(connection, txid, &mut found)?;
    Ok(found)
}

/// A chunk of a segment, `None` if it was deleted.
fn chunk(connection: &Connection, segment: i64, ordinal: u16) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM tx_chunk WHERE segment = ?1 AND ordinal = ?2";
    Ok(connection.prepare_cached(sql)?.query_row((segment, ordinal), |row| row.get(0)).optional()?)
}

/// Adds where it is among the chunks that are in no segment.
fn look_through(connection: &Connection, txid: &[u8; 32], found: &mut Vec<Found>) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, txids FROM tx_chunk WHERE segment IS NULL ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let txids = row.get_ref("txids")?.as_blob().map_err(rusqlite::Error::from)?;
        let chunk = row.get("id")?;
        let places = tx_chunk::txids(txids).iter().enumerate().filter(|(_, known)| *known == txid);
        found.extend(places.map(|(place, _)| Found { chunk, place }));
    }
    Ok(())
}

/// Forgets a segment of which no chunk is left.
pub(crate) fn tidy(connection: &Connection, segment: i64) -> Result<(), StoreError> {
    let left = "SELECT 1 FROM tx_chunk WHERE segment = ?1 LIMIT 1";
    let is_left = connection.prepare_cached(left)?.query_row([segment], |_| Ok(())).optional()?.is_some();
    if !is_left {
        let mut delete =
            connection.prepare_cached("DELETE FROM tx_index WHERE first_byte = ?1 AND segment = ?2")?;
        for first_byte in 0..=u8::MAX {
            delete.execute((first_byte, segment))?;
        }
    }
    Ok(())
}
