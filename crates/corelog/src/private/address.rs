//! Addresses of hosts in a text.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

/// Of which network an address is, in the words of RPC `getpeerinfo` (`GetNetworkName`, `src/netbase.cpp@v30`), and `dns` for a
/// name that is still to be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the node's own word")]
pub enum AddressKind {
    Ipv4,
    Ipv6,
    Onion,
    I2p,
    Cjdns,
    Dns,
}

impl AddressKind {
    /// The node's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Onion => "onion",
            Self::I2p => "i2p",
            Self::Cjdns => "cjdns",
            Self::Dns => "dns",
        }
    }
}

/// An address in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// Where it stands, with its port and brackets.
    pub place: Range<usize>,
    /// Its network.
    pub kind: AddressKind,
    group: Group<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Group<'a> {
    Bits([u8; 4]),
    Name(&'a [u8]),
}

impl Address<'_> {
    /// What it has in common with its neighbours: the /16 of an IPv4 address, the /32 of an IPv6 address, as the node itself groups
    /// them (`NetGroupManager::GetGroup`, `src/netgroup.cpp@v30`). The other networks have no neighbourhood: there it is all of the name, or
    /// for CJDNS the /16.
    pub fn group(&self) -> &[u8] {
        match &self.group {
            Group::Bits(bits) => match self.kind {
                AddressKind::Ipv4 | AddressKind::Cjdns => &bits[..2],
                _ => bits,
            },
            Group::Name(name) => name,
        }
    }
}

/// Gives every address in `text`, in the order in which they stand. Loopback and unspecified addresses tell of nobody and are left
/// out.
pub fn addresses<'a>(text: &'a [u8], mut each: impl FnMut(Address<'a>)) {
    let mut end = 0;
    // Every address has a dot or a colon, and nothing else that a node often writes has either within a word.
    for mark in memchr::memchr2_iter(b'.', b':', text) {
        if mark < end {
            continue;
        }
        let Some(found) = at(text, mark, end) else { continue };
        end = found.place.end;
        each(found);
    }
}

/// The address around a dot or colon at `mark`, if it begins at `least` or behind.
fn at(text: &[u8], mark: usize, least: usize) -> Option<Address<'_>> {
    let word = around(text, mark, least, |byte| byte.is_ascii_alphanumeric() || b".:[]-%_".contains(&byte));
    whole(text, word).or_else(|| within(text, mark, least))
}

/// The address that a word is.
fn whole(text: &[u8], word: Range<usize>) -> Option<Address<'_>> {
    let bytes = text.get(word.clone())?;
    if bytes.len() < 3 {
        return None;
    }
    let host = host_of(bytes);
    let name = std::str::from_utf8(host.name).ok()?;
    let (kind, group) = match name.parse::<IpAddr>() {
        Ok(ip) => of_ip(ip)?,
        Err(_) => (of_name(host.name, host.has_port)?, Group::Name(host.name)),
    };
    let begin = word.start + host.skipped;
    Some(Address { place: begin..begin + host.length, kind, group })
}

/// The IPv4 address in a word that has other things before or behind it, such as a range of addresses.
fn within(text: &[u8], mark: usize, least: usize) -> Option<Address<'_>> {
    let place = around(text, mark, least, |byte| byte.is_ascii_digit() || byte == b'.');
    let before = place.start.checked_sub(1).and_then(|before| text.get(before));
    if before.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let ip = std::str::from_utf8(text.get(place.clone())?).ok()?.trim_end_matches('.').parse::<Ipv4Addr>();
    let (kind, group) = of_ip(ip.ok()?.into())?;
    Some(Address { place, kind, group })
}

/// The longest stretch around `mark` of bytes that are part of it.
fn around(text: &[u8], mark: usize, least: usize, is_part: fn(u8) -> bool) -> Range<usize> {
    let before = text.get(least..mark).unwrap_or_default();
    let begin = least + before.iter().rposition(|byte| !is_part(*byte)).map_or(0, |place| place + 1);
    let after = text.get(mark..).unwrap_or_default();
    let end = mark + after.iter().position(|byte| !is_part(*byte)).unwrap_or(after.len());
    begin..end
}

struct Host<'a> {
    name: &'a [u8],
    has_port: bool,
    /// Bytes of the word before the host.
    skipped: usize,
    /// Bytes of the word that are the host, its port and brackets.
    length: usize,
}

/// Takes brackets, port and the punctuation of a sentence off a word.
fn host_of(word: &[u8]) -> Host<'_> {
    let ended = word
        .iter()
        .rposition(|byte| !b".:-".contains(byte) || word.ends_with(b"::"))
        .map_or(0, |last| last + 1);
    let word = word.get(..ended).unwrap_or_default();
    if let Some(open) = memchr::memchr(b'[', word)
        && let Some(rest) = word.get(open + 1..)
        && let Some(close) = memchr::memchr(b']', rest)
    {
        let after = rest.get(close + 1..).unwrap_or_default();
        let port = after.strip_prefix(b":").map_or(0, |port| 1 + digits(port));
        let name = rest.get(..close).unwrap_or_default();
        return Host {
            name: without_zone(name),
            has_port: port > 1,
            skipped: open,
            length: close + 2 + port,
        };
    }
    let word = word.strip_suffix(b"]").unwrap_or(word);
    let lonely = memchr::memchr(b':', word).and_then(|colon| word.split_at_checked(colon));
    match lonely {
        Some((name, port)) if digits(port.get(1..).unwrap_or_default()) + 1 == port.len() => {
            Host { name, has_port: port.len() > 1, skipped: 0, length: word.len() }
        }
        _ => Host { name: without_zone(word), has_port: false, skipped: 0, length: word.len() },
    }
}

fn without_zone(name: &[u8]) -> &[u8] {
    memchr::memchr(b'%', name).and_then(|zone| name.get(..zone)).unwrap_or(name)
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn of_ip(ip: IpAddr) -> Option<(AddressKind, Group<'static>)> {
    if ip.is_loopback() || ip.is_unspecified() {
        return None;
    }
    Some(match ip {
        IpAddr::V4(ip) => (AddressKind::Ipv4, Group::Bits(ip.octets())),
        IpAddr::V6(ip) => of_ipv6(ip),
    })
}

fn of_ipv6(ip: Ipv6Addr) -> (AddressKind, Group<'static>) {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return (AddressKind::Ipv4, Group::Bits(Ipv4Addr::octets(&ip)));
    }
    let [first, second, third, fourth, ..] = ip.octets();
    // CJDNS has fc00::/8 (`CJDNS_PREFIX`, `src/netaddress.h@v30`).
    let kind = if first == 0xfc { AddressKind::Cjdns } else { AddressKind::Ipv6 };
    (kind, Group::Bits([first, second, third, fourth]))
}

/// Which network a name is of, `None` if it is no host's name: only a port tells that from a file's name or a version.
fn of_name(name: &[u8], has_port: bool) -> Option<AddressKind> {
    if name.ends_with(b".onion") {
        return Some(AddressKind::Onion);
    }
    if name.ends_with(b".b32.i2p") {
        return Some(AddressKind::I2p);
    }
    let top = name.rsplit(|byte| *byte == b'.').next().filter(|top| top.len() < name.len())?;
    let is_source = [b"cpp".as_slice(), b"h", b"c", b"cc", b"hpp"].contains(&top);
    let is_top = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
    (has_port && is_top && !is_source).then_some(AddressKind::Dns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, &'static str, Vec<u8>)> {
        let mut all = Vec::new();
        addresses(text.as_bytes(), |address| {
            all.push((
                text[address.place.clone()].to_owned(),
                address.kind.as_str(),
                address.group().to_vec(),
            ));
        });
        all
    }

    fn places(text: &str) -> Vec<(String, &'static str)> {
        found(text).into_iter().map(|(place, kind, _)| (place, kind)).collect()
    }

    #[test]
    fn every_way_in_which_a_node_writes_an_address_is_found() {
        const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
        const I2P: &str = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p";
        for (text, place, kind) in [
            ("connection from 198.51.100.7:49152 accepted", "198.51.100.7:49152", "ipv4"),
            (
                "trying v2 connection (outbound-full-relay) to 198.51.100.7:8333, lastseen=0.1hrs",
                "198.51.100.7:8333",
                "ipv4",
            ),
            ("received block ab peer=3, peeraddr=[2001:db8::1]:8333", "[2001:db8::1]:8333", "ipv6"),
            ("peer=3 peeraddr=198.51.100.7:8333, disconnecting", "198.51.100.7:8333", "ipv4"),
            (
                "send version message: version 70016, blocks=1, us=198.51.100.7:8333, them=x",
                "198.51.100.7:8333",
                "ipv4",
            ),
            ("AddLocal(2001:db8:85a3::8a2e:370:7334,1)", "2001:db8:85a3::8a2e:370:7334", "ipv6"),
            ("Discover: eth0 - fe80::1%eth0", "fe80::1%eth0", "ipv6"),
            ("Moving 198.51.100.7:8333 to tried", "198.51.100.7:8333", "ipv4"),
            ("connected to fc12:3456::1.", "fc12:3456::1", "cjdns"),
            ("mapped [::ffff:198.51.100.7]:8333", "[::ffff:198.51.100.7]:8333", "ipv4"),
            ("connection to node.example.org:8333 failed", "node.example.org:8333", "dns"),
            ("Command-line arg: addnode=\"198.51.100.7\"", "198.51.100.7", "ipv4"),
            ("198.51.100.7", "198.51.100.7", "ipv4"),
            ("peer_198.51.100.7_out", "198.51.100.7", "ipv4"),
            ("a-198.51.100.7-b", "198.51.100.7", "ipv4"),
            ("banned 198.51.100.0/24", "198.51.100.0", "ipv4"),
        ] {
            assert_eq!(places(text), [(place.to_owned(), kind)], "{text}");
        }
        assert_eq!(
            places(&format!("tor: Got service ID x, advertising service {ONION}:8333")),
            [(format!("{ONION}:8333"), "onion")]
        );
        assert_eq!(places(&format!("Creating session to {I2P}:0")), [(format!("{I2P}:0"), "i2p")]);
        assert_eq!(places("198.51.100.7:1 and 203.0.113.9:2").len(), 2);
        assert_eq!(places("198.51.100.7-203.0.113.9").len(), 2);
    }

    #[test]
    fn neighbours_have_a_group_in_common() {
        let group = |text| found(text)[0].2.clone();
        assert_eq!(group("198.51.100.7:1"), group("198.51.1.2"));
        assert_eq!(group("[::ffff:198.51.100.7]:1"), group("198.51.1.2"));
        assert_ne!(group("198.51.100.7:1"), group("198.52.100.7:1"));
        assert_eq!(group("[2001:db8:1::1]:1"), group("2001:db8:2::9"));
        assert_ne!(group("[2001:db8:1::1]:1"), group("[2001:db9:1::1]:1"));
    }

    #[test]
    fn what_is_no_address_stays() {
        for text in [
            "UpdateTip: new best=00 height=961640 version=0x20000000 log2_work=95.1 date='2026-08-09T10:11:12Z' cache=1.5MiB(7txo)",
            "Bound to 127.0.0.1:8333",
            "Binding RPC on address ::1 port 8332",
            "Bound to [::]:8333",
            "Bitcoin Core version v30.0.0 (release build)",
            "receive version message: /Satoshi:30.0.0/: version 70016, blocks=1, us=127.0.0.1:8333, peer=3",
            "PeerManager::NewPoWValidBlock sending header-and-ids 00ab to peer=1",
            "  - Connect 2500 transactions: 12.34ms (0.005ms/tx)",
            "std::bad_alloc in net.cpp:123 ",
            "Opening LevelDB in /var/lib/bitcoin/blocks/index",
            "init message: Done loading...",
            "10:11:12",
            ":::",
            "[]",
            "...",
            "a.b:c",
            ".",
            "1.2.3",
            "1.2.3.4.5",
        ] {
            assert_eq!(places(text), [], "{text}");
        }
    }
}
