//! The community's lists of pools.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use super::Pool;

/// Where a part of the older list belongs.
type Field = fn(&mut Pool) -> &mut Vec<String>;

/// The parts of the older list.
const PARTS: [(&str, Field); 2] =
    [("coinbase_tags", |pool| &mut pool.tags), ("payout_addresses", |pool| &mut pool.addresses)];

/// A text is not a list of pools.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Not even JSON.
    #[error("the list is not JSON")]
    Json(#[source] serde_json::Error),
    /// JSON, but of neither shape.
    #[error("the list is neither an array nor an object with `coinbase_tags` or `payout_addresses`")]
    Shape,
    /// An element of the array is not a pool.
    #[error("entry {index} of the list is not a pool")]
    Entry {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A part of the older list is not an object.
    #[error("`{part}` of the list is not an object")]
    Part {
        /// Its name.
        part: &'static str,
    },
    /// What stands beside a tag or address does not name a pool.
    #[error("`{key}` in `{part}` of the list does not belong to a pool")]
    Key {
        /// The part it is in.
        part: &'static str,
        /// The tag or address.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// An element of the array. What else it has (`id`, `link`) is of no use here.
#[derive(Deserialize)]
struct Entry {
    name: Text,
    #[serde(default)]
    tags: Vec<Text>,
    #[serde(default)]
    addresses: Vec<Text>,
}

/// What the older list says of a tag or an address.
#[derive(Deserialize)]
struct Owner {
    name: Text,
}

/// A text that is not empty, which as a tag would be in every script, and that shows on a terminal as what it is.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.contains(char::is_control) {
            return Err(D::Error::custom(format_args!("{text:?} is empty or has control characters")));
        }
        Ok(Self(text))
    }
}

/// Reads a list of pools: `pools-v2.json`, an array of pools each with `name`, `tags` and `addresses`, in its order; or the
/// older `pools.json`, an object with a pool's name for each tag in `coinbase_tags` and each address in
/// `payout_addresses`, in the order of the names.
pub fn parse(text: &str) -> Result<Vec<Pool>, ListError> {
    match serde_json::from_str(text).map_err(ListError::Json)? {
        Value::Array(entries) => {
            entries.into_iter().enumerate().map(|(index, entry)| read_entry(index, entry)).collect()
        }
        Value::Object(list) => read_older(list),
        _ => Err(ListError::Shape),
    }
}

fn read_entry(index: usize, entry: Value) -> Result<Pool, ListError> {
    let entry: Entry = serde_json::from_value(entry).map_err(|source| ListError::Entry { index, source })?;
    let texts = |texts: Vec<Text>| texts.into_iter().map(|text| text.0).collect();
    Ok(Pool { name: entry.name.0, tags: texts(entry.tags), addresses: texts(entry.addresses) })
}

fn read_older(mut list: Map<String, Value>) -> Result<Vec<Pool>, ListError> {
    if PARTS.iter().all(|(part, _)| !list.contains_key(*part)) {
        return Err(ListError::Shape);
    }
    let mut pools = BTreeMap::new();
    for (part, field) in PARTS {
        let marks = match list.remove(part) {
            None => continue,
            Some(Value::Object(marks)) => marks,
            Some(_) => return Err(ListError::Part { part }),
        };
        for (key, owner) in marks {
            let owner = read_owner(&key, owner);
            let owner = owner.map_err(|source| ListError::Key { part, key: key.clone(), source })?;
            let pool = || Pool { name: owner.clone(), tags: Vec::new(), addresses: Vec::new() };
            field(pools.entry(owner.clone()).or_insert_with(pool)).push(key);
        }
    }
    Ok(pools.into_values().collect())
}

/// The name of the pool that this tag or address belongs to.
fn read_owner(key: &str, owner: Value) -> Result<String, serde_json::Error> {
    serde_json::from_value::<Text>(Value::from(key))?;
    serde_json::from_value::<Owner>(owner).map(|owner| owner.name.0)
}
