use bmon_analysis::row::{TxChunk, TxNode};

use super::{Stretch, Visit};
use crate::{
    Reader, StoreError, TxTimes, code,
    reader::{
        spread::HOUR_US,
        tx::{names, read, tx_at},
    },
};

/// A place in a walk through transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxPlace {
    chunk: u64,
    place: usize,
}

/// How long after a chunk's last transaction something may be told that is put into it: to the end of the next hour
/// (`bmon_analysis::transaction`), and an hour for clocks that are ahead.
const LONGEST_OPEN_US: i64 = 3 * HOUR_US;

/// How late something may be told and still be found: what is told later is in a chunk begun later. The server revises
/// what it found for as long.
const LATEST_US: i64 = 48 * HOUR_US;

/// Chunks are numbered in the order in which they were begun. Left to itself the planner could sort them, bytes and all.
const CHUNKS: &str = "
    SELECT tx_chunk.id, genesis, begun_at_us, last_at_us, is_full, txids, body
    FROM tx_chunk NOT INDEXED JOIN network ON network.id = tx_chunk.network
    WHERE tx_chunk.id >= ?1 AND last_at_us >= ?2 AND genesis = ?3
    ORDER BY tx_chunk.id";

const FIRST: &str = "SELECT min(id) FROM tx_chunk INDEXED BY tx_chunk_by_time WHERE last_at_us >= ?1";

impl Reader {
    /// Walks through the transactions of which nodes told about the time of the stretch, with what happened in it and nothing
    /// else: some have no nodes left. One that was told of again hours later comes again, with what was told then. What came to
    /// the server more than 48 hours after `until` is left out.
    pub fn visit_txs(
        &self,
        stretch: &Stretch,
        after: Option<TxPlace>,
        visit: Visit<'_, TxTimes>,
    ) -> Result<Option<TxPlace>, StoreError> {
        let names = names(&self.connection)?;
        let from_us = stretch.from.plus_micros(-LONGEST_OPEN_US).as_micros();
        let begun_before_us = stretch.until.plus_micros(LATEST_US).as_micros();
        let first = match after {
            Some(after) => Some(code::signed(after.chunk)?),
            None => self.connection.prepare_cached(FIRST)?.query_row([from_us], |row| row.get(0))?,
        };
        let mut statement = self.connection.prepare_cached(CHUNKS)?;
        let mut rows = statement.query((first, from_us, stretch.network.genesis.as_bytes()))?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>("begun_at_us")? >= begun_before_us {
                break;
            }
            let chunk = read(row, &names)?;
            let next = after.filter(|after| after.chunk == chunk.id).map_or(0, |after| after.place + 1);
            if let Some(place) = visit_chunk(&chunk, stretch, next, visit) {
                return Ok(Some(TxPlace { chunk: chunk.id, place }));
            }
        }
        Ok(None)
    }
}

/// The transactions of a chunk from a place on; where it was stopped, `None` at the end.
fn visit_chunk(chunk: &TxChunk, stretch: &Stretch, next: usize, visit: Visit<'_, TxTimes>) -> Option<usize> {
    for place in next..chunk.txs.len() {
        let Some(mut tx) = tx_at(chunk, place) else { continue };
        tx.nodes.iter_mut().for_each(|node| cut(node, stretch));
        tx.nodes.retain(|node| node.first().is_some() || node.left.is_some());
        if visit(tx).is_break() {
            return Some(place);
        }
    }
    None
}

/// Takes away what did not happen in the stretch.
fn cut(node: &mut TxNode, stretch: &Stretch) {
    node.accepted.take_if(|seen| !stretch.holds(seen.sighted.on_server_clock()));
    node.refused.take_if(|seen| !stretch.holds(seen.sighted.on_server_clock()));
    node.left.take_if(|left| !stretch.holds(left.seen.sighted.on_server_clock()));
}
