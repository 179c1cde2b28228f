//! Addresses on this server, as others reach it.

use std::{fs, net::SocketAddr, sync::Arc};

/// Where others reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links(Arc<str>);

impl Links {
    /// Under `external_url`; without one at the address where the server listens, by the name of this host if that is every
    /// address of it, as Prometheus has it (`computeExternalURL` in `cmd/prometheus/main.go@v2.42`).
    pub fn new(external_url: Option<&str>, listen: SocketAddr) -> Self {
        let url = external_url.map_or_else(
            || match host_name().filter(|_| listen.ip().is_unspecified()) {
                Some(name) => format!("http://{name}:{}", listen.port()),
                None => format!("http://{listen}"),
            },
            str::to_owned,
        );
        Self(url.trim_end_matches('/').into())
    }

    /// The page.
    pub fn page(&self) -> String {
        format!("{}/", self.0)
    }

    /// What to do about an alert of a rule.
    pub fn runbook(&self, rule: &str) -> String {
        format!("{}/runbooks/{rule}", self.0)
    }

    /// An alert on the page.
    pub fn alert(&self, id: &impl std::fmt::Display) -> String {
        format!("{}/#alert={id}", self.0)
    }
}

/// The name of this host (proc(5)), `None` where it has none.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty() && name != "(none)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_where_others_reach_the_server() {
        let listen = "127.0.0.1:8890".parse().unwrap();
        let links = Links::new(None, listen);
        assert_eq!(links.runbook("reorg"), "http://127.0.0.1:8890/runbooks/reorg");
        let links = Links::new(Some("https://a.example/bmon/"), listen);
        assert_eq!(links.page(), "https://a.example/bmon/");
        assert_eq!(links.alert(&"0707"), "https://a.example/bmon/#alert=0707");
        let everywhere = Links::new(None, "0.0.0.0:8890".parse().unwrap()).page();
        assert_eq!(everywhere, format!("http://{}:8890/", host_name().unwrap()));
    }
}
