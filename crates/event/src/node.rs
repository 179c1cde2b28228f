//! The name of a watched node.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

/// The name an operator gave a node: 1 to 63 of `a-z`, `0-9`, `-`, `_` and `.`, the first a letter or a digit. Safe
/// as a metric label, a file name and a URL segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeName(String);

/// A text cannot be a node's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a node name: 1 to 63 of a-z, 0-9, `-`, `_` and `.`, the first a letter or a digit")]
pub struct NodeNameError(String);

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeName {
    type Err = NodeNameError;

    fn from_str(s: &str) -> Result<Self, NodeNameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        let first_is_alphanumeric = s.starts_with(|first: char| first.is_ascii_alphanumeric());
        if first_is_alphanumeric && s.len() <= 63 && s.bytes().all(allowed) {
            Ok(Self(s.to_owned()))
        } else {
            Err(NodeNameError(s.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NodeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_labels_files_and_urls() {
        for good in ["a", "b1", "core-31.0", "knots_29", "0"] {
            assert_eq!(good.parse::<NodeName>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", ".", "..", "A", "a/b", "a b", "ä", &"a".repeat(64)] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
    }
}
