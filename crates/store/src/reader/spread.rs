use std::collections::BTreeMap;

use bmon_analysis::{
    row::{Stage, TxSpread},
    spread::{Seen, Spread, Tally, first},
};
use bmon_event::{Network, NodeName, ServerTime};

use crate::{Reader, StoreError, code, tx_spread};

pub(super) const HOUR_US: i64 = 3_600_000_000;

const TX_HOURS: &str = "
    SELECT begun_at_us, body FROM tx_spread JOIN network ON network.id = tx_spread.network
    WHERE genesis = ?1 AND begun_at_us >= ?2 AND begun_at_us < ?3 ORDER BY begun_at_us";

const ALL_TX_HOURS: &str = "
    SELECT genesis, begun_at_us, body FROM tx_spread JOIN network ON network.id = tx_spread.network
    WHERE begun_at_us >= ?1 AND begun_at_us < ?2 ORDER BY begun_at_us";

/// The sightings of a stage of the blocks first seen then, block by block; of each node the best source first.
const BLOCK_SIGHTINGS: &str = "
    SELECT block.id AS block, first_at_us, node.name, source, at_us, offset_min_us, offset_max_us
    FROM block JOIN network ON network.id = block.network
    JOIN block_sighting AS sighting ON sighting.block = block.id AND stage = ?4
    JOIN node ON node.id = sighting.node
    WHERE first_at_us >= ?2 AND first_at_us < ?3 AND genesis = ?1
    ORDER BY first_at_us, block.id, node.id, source";

impl Reader {
    /// The spread of a network's transactions in each hour that began from `from` to before `to`, the oldest first.
    pub fn tx_spread(
        &self,
        network: &Network,
        from: ServerTime,
        to: ServerTime,
    ) -> Result<Vec<(ServerTime, Spread)>, StoreError> {
        let mut statement = self.connection.prepare_cached(TX_HOURS)?;
        let mut rows = statement.query((network.genesis.as_bytes(), from.as_micros(), to.as_micros()))?;
        let mut hours = Vec::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref("body")?.as_blob().map_err(rusqlite::Error::from)?;
            hours.push((ServerTime::from_micros(row.get("begun_at_us")?), tx_spread::decode(body)?));
        }
        Ok(hours)
    }

    /// The transactions of each hour of any network that began from `from` to before `to`, the oldest first, each handed to `take`;
    /// of the spread what is of one node each.
    pub fn tx_hours(
        &self,
        from: ServerTime,
        to: ServerTime,
        mut take: impl FnMut(TxSpread),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(ALL_TX_HOURS)?;
        let mut rows = statement.query((from.as_micros(), to.as_micros()))?;
        while let Some(row) = rows.next()? {
            let body = row.get_ref("body")?.as_blob().map_err(rusqlite::Error::from)?;
            let spread = tx_spread::decode_nodes(body)?;
            let begun_at = ServerTime::from_micros(row.get("begun_at_us")?);
            take(TxSpread { network: code::network(row.get("genesis")?), begun_at, spread });
        }
        Ok(())
    }

    /// When the last hour of any network began that has transactions, `None` if there is none.
    pub fn last_tx_hour(&self) -> Result<Option<ServerTime>, StoreError> {
        let last = self.connection.query_row("SELECT max(begun_at_us) FROM tx_spread", [], |row| row.get(0));
        Ok(last.map(|us: Option<i64>| us.map(ServerTime::from_micros))?)
    }

    /// The spread of the blocks that a network's nodes first saw from `from` to before `to`, in each hour that has any, by the
    /// times at which they reached a stage.
    pub fn block_spread(
        &self,
        network: &Network,
        stage: Stage,
        from: ServerTime,
        to: ServerTime,
    ) -> Result<Vec<(ServerTime, Spread)>, StoreError> {
        let mut statement = self.connection.prepare_cached(BLOCK_SIGHTINGS)?;
        let range = (network.genesis.as_bytes(), from.as_micros(), to.as_micros(), code::stage_code(stage));
        let mut rows = statement.query(range)?;
        let (mut hours, mut names, mut block) =
            (Hours::default(), Names::default(), (0_i64, Vec::<Seen>::new()));
        while let Some(row) = rows.next()? {
            let (id, node) = (row.get("block")?, names.number(code::node_name(row.get("name")?)?));
            if block.0 != id {
                hours.add(&std::mem::take(&mut block.1));
                block.0 = id;
            }
            if block.1.last().is_none_or(|last| last.node != node) {
                let (source, sighted) = (code::source(row.get("source")?)?, code::sighted(row)?);
                block.1.push(Seen { node, source, sighted, is_refused: false });
            }
        }
        hours.add(&block.1);
        let spread = |(hour, tally): (i64, Tally)| {
            (ServerTime::from_micros(hour * HOUR_US), tally.spread(&names.list))
        };
        Ok(hours.0.into_iter().map(spread).collect())
    }
}

#[derive(Default)]
struct Hours(BTreeMap<i64, Tally>);

impl Hours {
    fn add(&mut self, seen: &[Seen]) {
        if let Some(first) = first(seen) {
            self.0.entry(first.as_micros().div_euclid(HOUR_US)).or_default().add(seen);
        }
    }
}

/// Numbers for names, in the order in which they are met.
#[derive(Default)]
struct Names {
    list: Vec<NodeName>,
    numbers: BTreeMap<NodeName, u16>,
}

impl Names {
    fn number(&mut self, name: NodeName) -> u16 {
        let next = u16::try_from(self.list.len()).expect("a server has tokens of few nodes");
        *self.numbers.entry(name).or_insert_with_key(|name| {
            self.list.push(name.clone());
            next
        })
    }
}
