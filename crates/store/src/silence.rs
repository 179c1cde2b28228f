//! The silences, which whoever calls `bmon alerts silence` writes.

use bmon_analysis::alert::Alert;
use bmon_event::{Network, NodeName, ServerTime};
use rusqlite::Connection;

use crate::{Reader, Store, StoreError, code};

const LIST: &str = "
    SELECT silence.id, genesis, rule, node, begins_at_us, ends_at_us, comment
    FROM silence LEFT JOIN network ON network.id = silence.network ORDER BY silence.id DESC";

/// Alerts of which nobody is told for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// Which of them.
    pub matcher: Matcher,
    /// Since when.
    pub begins_at: ServerTime,
    /// Until when.
    pub ends_at: ServerTime,
    /// Why, in the words of whoever made it.
    pub comment: String,
}

/// Which alerts are meant; what is `None` is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Of this network.
    pub network: Option<Network>,
    /// Of this rule.
    pub rule: Option<String>,
    /// About this node.
    pub node: Option<NodeName>,
}

impl Silence {
    /// Whether it lasts.
    pub fn is_active(&self, now: ServerTime) -> bool {
        (self.begins_at..self.ends_at).contains(&now)
    }

    /// Whether nobody is to be told of an alert as it stands now: it lasts, or did when the alert was over.
    pub fn holds(&self, alert: &Alert, now: ServerTime) -> bool {
        self.matcher.matches(alert) && self.is_active(alert.resolved_at_us.unwrap_or(now))
    }
}

impl Matcher {
    fn matches(&self, alert: &Alert) -> bool {
        self.network.is_none_or(|network| network == alert.network)
            && self.rule.as_ref().is_none_or(|rule| *rule == alert.rule)
            && self.node.as_ref().is_none_or(|node| Some(node) == alert.node.as_ref())
    }
}

impl Reader {
    /// Every silence there was, what was made last first.
    pub fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        list(&self.connection)
    }
}

impl Store {
    /// The same.
    pub fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        list(&self.connection)
    }

    /// Makes a silence, and gives its number. Flushed to the disk before it returns, since no journal repeats it.
    pub fn silence(
        &mut self,
        matcher: &Matcher,
        begins_at: ServerTime,
        ends_at: ServerTime,
        comment: &str,
    ) -> Result<i64, StoreError> {
        let Matcher { network, rule, node } = matcher;
        let genesis = network.as_ref().map(|network| network.genesis.as_bytes());
        self.flushed(|transaction| {
            if let Some(network) = network {
                transaction.execute(
                    "INSERT INTO network (genesis, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    (genesis, network.to_string()),
                )?;
            }
            transaction.execute(
                "INSERT INTO silence (network, rule, node, begins_at_us, ends_at_us, comment)
                 VALUES ((SELECT id FROM network WHERE genesis = ?1), ?2, ?3, ?4, ?5, ?6)",
                (
                    genesis,
                    rule,
                    node.as_ref().map(NodeName::as_str),
                    begins_at.as_micros(),
                    ends_at.as_micros(),
                    comment,
                ),
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Ends a silence now. False if it is not there or has ended.
    pub fn expire_silence(&mut self, id: i64, now: ServerTime) -> Result<bool, StoreError> {
        let sql = "UPDATE silence SET ends_at_us = ?2 WHERE id = ?1 AND ends_at_us > ?2";
        self.flushed(|transaction| Ok(transaction.execute(sql, (id, now.as_micros()))? > 0))
    }
}

fn list(connection: &Connection) -> Result<Vec<Silence>, StoreError> {
    let mut statement = connection.prepare_cached(LIST)?;
    let mut rows = statement.query([])?;
    let mut silences = Vec::new();
    while let Some(row) = rows.next()? {
        let node: Option<String> = row.get("node")?;
        silences.push(Silence {
            id: row.get("id")?,
            matcher: Matcher {
                network: row.get::<_, Option<[u8; 32]>>("genesis")?.map(code::network),
                rule: row.get("rule")?,
                node: node.map(code::node_name).transpose()?,
            },
            begins_at: ServerTime::from_micros(row.get("begins_at_us")?),
            ends_at: ServerTime::from_micros(row.get("ends_at_us")?),
            comment: row.get("comment")?,
        });
    }
    Ok(silences)
}
