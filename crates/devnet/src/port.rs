//! Free TCP ports on loopback.
//!
//! `bitcoind` refuses port 0 ("Invalid port", `src/common/messages.cpp@v30`), so a port is bound, released and given to
//! it. Another process may take it in between: whoever starts a node looks afterwards ([`Ports::any_taken`]) and tries again with others.

use std::{
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Ports below the range that Linux gives to outgoing connections (32768 and up), so that a port that a stopped
/// node had is still free when it starts again.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The address of `port` on loopback.
pub(crate) const fn on_loopback(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// Whether someone listens on the port, or it cannot be bound for another reason.
fn is_taken(port: u16) -> bool {
    TcpListener::bind(on_loopback(port)).is_err()
}

/// A port that was free a moment ago and that no other caller in this process was given. `None` if none of
/// a thousand is free.
pub(crate) fn free() -> Option<u16> {
    // Processes that run at the same time begin far apart.
    let start = process::id().wrapping_mul(97);
    (0..1000).find_map(|_| {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + start.wrapping_add(step) % COUNT).ok()?;
        (!is_taken(port)).then_some(port)
    })
}

/// The ports of one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) p2p: u16,
    pub(crate) rpc: u16,
    /// Used only with ZMQ on TCP.
    pub(crate) zmq: u16,
}

impl Ports {
    /// Three free ports, `None` if there are none.
    pub(crate) fn free() -> Option<Self> {
        Some(Self { p2p: free()?, rpc: free()?, zmq: free()? })
    }

    /// Whether someone listens on one of them.
    pub(crate) fn any_taken(self) -> bool {
        [self.p2p, self.rpc, self.zmq].into_iter().any(is_taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_seen_and_is_not_given() {
        let port = free().unwrap();
        let _listener = TcpListener::bind(on_loopback(port)).unwrap();
        assert!(is_taken(port));
        assert_ne!(free().unwrap(), port);
    }
}
