//! Where an agent serves its metrics.

use std::{fmt, net::SocketAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

/// An address as Prometheus wants it for a target, `HOST:PORT`, at which others reach it. HOST is a name, an IPv4 address or an IPv6
/// address in brackets. Safe as a metric label and in a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MetricsAddress(String);

/// A text cannot be such an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST:PORT as others reach it")]
pub struct MetricsAddressError(String);

impl MetricsAddress {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;

impl FromStr for MetricsAddress {
    type Err = MetricsAddressError;

    fn from_str(s: &str) -> Result<Self, MetricsAddressError> {
        let is_reachable = match s.parse::<SocketAddr>() {
            Ok(address) => address.port() > 0 && !address.ip().is_unspecified(),
            Err(_) => s.rsplit_once(':').is_some_and(|(host, port)| is_name(host) && is_port(port)),
        };
        if is_reachable {
            Ok(Self(s.to_owned()))
        } else {
            Err(MetricsAddressError(s.chars().take(80).collect()))
        }
    }
}

/// A name that is no IPv4 address: its last part is not a number.
fn is_name(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= LONGEST_HOST
        && host.starts_with(|first: char| first.is_ascii_alphanumeric())
        && host.bytes().all(allowed)
        && !is_number
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

impl fmt::Display for MetricsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MetricsAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_can_reach_is_an_address() {
        for good in ["127.0.0.1:8891", "[::1]:8891", "alice:8891", "alice.example.org.:80", "node-1:65535"] {
            assert_eq!(good.parse::<MetricsAddress>().unwrap().as_str(), good);
        }
        let long = format!("{}:1", "a".repeat(254));
        for bad in [
            "",
            "alice",
            ":8891",
            "alice:",
            "alice:0",
            "alice:65536",
            "alice:+1",
            "0.0.0.0:8891",
            "[::]:8891",
            "127.0.0.1:0",
            "1.2.3:1",
            "1.2.3.400:1",
            "::1:8891",
            "http://alice:1",
            "alice:1/x",
            "a b:1",
            "ä:1",
            &long,
        ] {
            assert!(bad.parse::<MetricsAddress>().is_err(), "{bad}");
        }
    }
}
