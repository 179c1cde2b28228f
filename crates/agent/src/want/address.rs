//! Peers' addresses do not leave the host.
//!
//! With `-logips` a node adds `peeraddr=` and the address to a peer's number: after a comma (`CNode::LogPeer`,
//! `src/net.cpp@v31`) or a blank (`CNode::LogIP`, `src/net.cpp@v30`; `src/net_processing.cpp` before). An address is
//! printed without blanks and commas (`CService::ToStringAddrPort`).

use std::borrow::Cow;

use memchr::memmem;

const KEY: &[u8] = b"peeraddr=";

/// The line without peers' addresses.
pub(super) fn without(line: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut place) = memmem::find(line, KEY) else { return Cow::Borrowed(line) };
    let (mut kept, mut rest) = (Vec::with_capacity(line.len()), line);
    loop {
        let (before, found) = rest.split_at(place);
        let before = before.strip_suffix(b" ").map_or(before, |bare| bare.strip_suffix(b",").unwrap_or(bare));
        kept.extend_from_slice(before);
        let end = found.iter().position(|byte| matches!(byte, b' ' | b',')).unwrap_or(found.len());
        rest = &found[end..];
        match memmem::find(rest, KEY) {
            Some(next) => place = next,
            None => break,
        }
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_out_wherever_a_node_prints_it() {
        for (line, left) in [
            ("received block ab peer=3", "received block ab peer=3"),
            ("Requesting block ab peer=3, peeraddr=1.2.3.4:8333", "Requesting block ab peer=3"),
            (
                "Timeout downloading block ab from peer=3 peeraddr=[2001:db8::1]:8333, disconnecting",
                "Timeout downloading block ab from peer=3, disconnecting",
            ),
            ("from peer=3 peeraddr=abc.onion:8333 stopping", "from peer=3 stopping"),
            ("a peeraddr=1.1.1.1:1, peeraddr=2.2.2.2:2 b", "a b"),
            ("peeraddr=1.2.3.4:8333", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&without(line.as_bytes())), left);
        }
    }
}
