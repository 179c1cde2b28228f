use bmon_event::Network;

use super::{Stretch, Visit};
use crate::{BlockTimes, Cursor, Reader, StoreError, reader::block::block};

const BLOCKS: &str = "
    SELECT block.id, network.genesis, hash, height, first_at_us
    FROM block INDEXED BY block_by_time JOIN network ON network.id = block.network
    WHERE (first_at_us, block.id) > (?1, ?2) AND first_at_us < ?3 AND genesis = ?4
    ORDER BY first_at_us, block.id";

impl Reader {
    /// Walks through the blocks that any node first saw in the stretch, each with all its sightings.
    pub fn visit_blocks(
        &self,
        stretch: &Stretch,
        after: Option<Cursor>,
        visit: Visit<'_, BlockTimes>,
    ) -> Result<Option<Cursor>, StoreError> {
        let Cursor { at_us, id } = after.unwrap_or(stretch.start());
        let Stretch { network: Network { genesis }, until, .. } = stretch;
        let mut statement = self.connection.prepare_cached(BLOCKS)?;
        let mut rows = statement.query((at_us, id, until.as_micros(), genesis.as_bytes()))?;
        while let Some(row) = rows.next()? {
            let (id, times) = block(row)?;
            let place = Cursor { at_us: times.first_at.as_micros(), id };
            if visit(self.with_details(id, times)?).is_break() {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}
