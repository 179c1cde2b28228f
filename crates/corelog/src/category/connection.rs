//! Messages about connections to peers. Most are of `-debug=net`; those that the node writes with any settings have
//! no category.

use crate::{format::Word, message::message};

message! {
    /// A peer is connected and told its version. Of peers that connected to the node it is written with
    /// `-debug=net` only.
    PeerConnected<'a> {
        /// What for, for example `outbound-full-relay`, `block-relay-only`, `inbound`; `None` where it is not told.
        purpose: Option<Word<'a>>,
        /// `v1` or `v2` (BIP 324), `None` up to 25.
        transport: Option<Word<'a>>,
        /// Its version of the P2P protocol.
        version: u32,
        /// Its height, `None` where it is not told.
        height: Option<i64>,
        /// The peer.
        peer: u64,
    }
    in All | Net;
    "32?.." "src/net_processing.cpp:3828@31.99": "New %s peer connected: transport: %s, version: %d, peer=%d"
        (purpose, transport, version, peer) { height: None };
    "31?" "src/net_processing.cpp:3801@30.99": "New %s peer connected: transport: %s, version: %d, blocks=%d peer=%d"
        (purpose, transport, version, height, peer);
    "26..=30?" "src/net_processing.cpp:3619@29.99": "New %s %s peer connected: version: %d, blocks=%d, peer=%d" (purpose, transport, version, height, peer);
    "0.19?..=25" "src/net_processing.cpp:3450@v25.1": "New outbound peer connected: version: %d, blocks=%d, peer=%d%s (%s)"
        (version, height, peer, _, purpose) { transport: None };
    "0.16?..=0.17?" "src/net_processing.cpp:1819@v0.17.1": "New outbound peer connected: version: %d, blocks=%d, peer=%d"
        (version, height, peer) { purpose: None, transport: None };
}

message! {
    /// A peer told about itself.
    VersionReceived<'a> {
        /// Its user agent, a text of its choice.
        user_agent: &'a [u8],
        /// Its version of the P2P protocol.
        version: u32,
        /// Its height.
        height: i64,
        /// The peer.
        peer: u64,
    }
    in Net;
    "22.." "src/net_processing.cpp:3698@31.99": "receive version message: %s: version %d, blocks=%d, us=%s, txrelay=%d, peer=%d"
        (user_agent, version, height, _, _, peer);
    "0.16?..=0.21" "src/net_processing.cpp:2487@v0.21.2": "receive version message: %s: version %d, blocks=%d, us=%s, peer=%d" (user_agent, version, height, _, peer);
}

message! {
    /// The node told a peer about itself.
    VersionSent {
        /// The node's version of the P2P protocol.
        version: u32,
        /// Its height.
        height: i64,
        /// The peer.
        peer: u64,
    }
    in Net;
    "31?.." "src/net_processing.cpp:1592@31.99": "send version message: version=%d, blocks=%d%s, txrelay=%d, peer=%d" (version, height, _, _, peer);
    "23..=30?" "src/net_processing.cpp:1515@29.99": "send version message: version %d, blocks=%d, txrelay=%d, peer=%d" (version, height, _, peer);
    "23..=30?" "src/net_processing.cpp:1513@29.99": "send version message: version %d, blocks=%d, them=%s, txrelay=%d, peer=%d" (version, height, _, _, peer);
    "22" "src/net_processing.cpp:1071@v22.1": "send version message: version %d, blocks=%d, us=%s, txrelay=%d, peer=%d" (version, height, _, _, peer);
    "0.16?..=0.21" "src/net_processing.cpp:529@v0.21.2": "send version message: version %d, blocks=%d, us=%s, peer=%d" (version, height, _, peer);
}

message! {
    /// A connection is open; its peer has not told anything yet.
    ConnectionAdded {
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net.cpp:4015@31.99": "Added connection peer=%d" (peer);
    "0.16?.." "src/net.cpp:4013@31.99": "Added connection to %s peer=%d" (.., peer);
}

message! {
    /// A peer is gone, and what was known of it is forgotten.
    ConnectionForgotten {
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:1751@31.99": "Cleared nodestate for peer=%d" (peer);
}

message! {
    /// The node opens a connection.
    ConnectionAttempt<'a> {
        /// `v1` or `v2` (BIP 324), `None` up to 25.
        transport: Option<Word<'a>>,
        /// Hours since the address was last heard of.
        last_seen_hours: f64,
    }
    in Net;
    "32?.." "src/net.cpp:398@31.99": "trying %s connection (%s) to %s, lastseen=%.1fhrs" (transport, _, .., last_seen_hours);
    "26..=30?" "src/net.cpp:393@30.99": "trying %s connection %s lastseen=%.1fhrs" (transport, .., last_seen_hours);
}

message! {
    /// A connection from outside was accepted.
    ConnectionAccepted<'a> {
        /// The peer's address and port.
        address: Word<'a>,
    }
    in Net;
    "0.16?.." "src/net.cpp:1864@31.99": "connection from %s accepted" (address);
}

message! {
    /// A connection from outside was refused.
    ConnectionRefused<'a> {
        /// The peer's address and port.
        address: Word<'a>,
        /// Why, for example `(banned)` or `: not accepting new connections`.
        reason: &'a [u8],
    }
    in Net;
    "0.16?.." "src/net.cpp:1808@31.99": "connection from %s dropped (banned)" (address) { reason: b"(banned)" };
    "0.20.." "src/net.cpp:1816@31.99": "connection from %s dropped (discouraged)" (address) { reason: b"(discouraged)" };
    "0.16?.." "src/net.cpp:1787@31.99": "connection from %s dropped: not accepting new connections"
        (address) { reason: b"not accepting new connections" };
}

message! {
    /// A connection from outside was refused because there are too many, and none of them can be dropped.
    ConnectionsFull {}
    in Net;
    "0.16?.." "src/net.cpp:1824@31.99": "failed to find an eviction candidate - connection dropped (full)" ();
}

message! {
    /// A peer is dropped, so that another can take its place.
    PeerEvicted<'a> {
        /// What the connection was for.
        purpose: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net;
    "29.." "src/net.cpp:1724@31.99": "selected %s connection for eviction, disconnecting peer=%d" (purpose, peer);
    "22..=28" "src/net.cpp:1698@28.99": "selected %s connection for eviction peer=%d; disconnecting" (purpose, peer);
}

message! {
    /// A peer closed its connection.
    SocketClosed {
        /// The peer.
        peer: u64,
    }
    in Net;
    "29.." "src/net.cpp:2205@31.99": "socket closed, disconnecting peer=%d" (peer);
    "0.20..=28" "src/net.cpp:2133@28.99": "socket closed for peer=%d" (peer);
}

message! {
    /// A connection failed while it was read.
    SocketReceiveError<'a> {
        /// The peer.
        peer: u64,
        /// The operating system's error.
        error: &'a [u8],
    }
    in Net;
    "29.." "src/net.cpp:2216@31.99": "socket recv error, disconnecting peer=%d: %s" (peer, error);
    "0.20..=28" "src/net.cpp:2144@28.99": "socket recv error for peer=%d: %s" (peer, error);
}

message! {
    /// A connection failed while it was written.
    SocketSendError<'a> {
        /// The peer.
        peer: u64,
        /// The operating system's error.
        error: &'a [u8],
    }
    in Net;
    "29.." "src/net.cpp:1664@31.99": "socket send error, disconnecting peer=%d: %s" (peer, error);
    "22..=28" "src/net.cpp:1638@28.99": "socket send error for peer=%d: %s" (peer, error);
}

message! {
    /// A peer took too long: for its first message, to take what is sent, or to send anything at all.
    SocketTimeout<'a> {
        /// What was missing: `sending`, `receive`, `handshake`, `first message`.
        what: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net;
    "29.." "src/net.cpp:2039@31.99": "socket sending timeout: %is, disconnecting peer=%d" (_, peer) { what: Word(b"sending") };
    "22..=28" "src/net.cpp:1980@28.99": "socket sending timeout: %is peer=%d" (_, peer) { what: Word(b"sending") };
    "29.." "src/net.cpp:2047@31.99": "socket receive timeout: %is, disconnecting peer=%d" (_, peer) { what: Word(b"receive") };
    "22..=28" "src/net.cpp:1985@28.99": "socket receive timeout: %is peer=%d" (_, peer) { what: Word(b"receive") };
    "29.." "src/net.cpp:2056@31.99": "V2 handshake timeout, disconnecting peer=%d" (peer) { what: Word(b"handshake") };
    "29.." "src/net.cpp:2058@31.99": "version handshake timeout, disconnecting peer=%d" (peer) { what: Word(b"handshake") };
    "22..=28" "src/net.cpp:1993@28.99": "version handshake timeout peer=%d" (peer) { what: Word(b"handshake") };
    "29.." "src/net.cpp:2029@31.99": "socket no message in first %i seconds%s, disconnecting peer=%d" (_, .., peer) { what: Word(b"first message") };
    "22..=28" "src/net.cpp:1975@28.99": "socket no message in first %i seconds, %d %d peer=%d" (_, _, _, peer) { what: Word(b"first message") };
}

message! {
    /// A peer did not answer a ping in time.
    PingTimeout {
        /// The time in seconds.
        seconds: f64,
        /// The peer.
        peer: u64,
    }
    in Net;
    "29.." "src/net_processing.cpp:5356@31.99": "ping timeout: %fs, disconnecting peer=%d" (seconds, peer);
    "22..=28" "src/net_processing.cpp:5211@28.99": "ping timeout: %fs peer=%d" (seconds, peer);
}

message! {
    /// A peer is dropped because of an RPC call, or because the node stops or its network is switched off.
    DisconnectedOnPurpose {
        /// The peer.
        peer: u64,
    }
    in Net;
    "29.." "src/net.cpp:3663@31.99": "Stopping node, disconnecting peer=%d" (peer);
    "29.." "src/net.cpp:1931@31.99": "Network not active, disconnecting peer=%d" (peer);
    "0.17..=28" "src/net.cpp:1882@28.99": "Network not active, dropping peer=%d" (peer);
    "29.." "src/net.cpp:3854@31.99": "disconnect by id, disconnecting peer=%d" (peer);
    "22..=28" "src/net.cpp:3608@28.99": "disconnect by id peer=%d; disconnecting" (peer);
    "29.." "src/net.cpp:3823@31.99": "disconnect by address%s match, disconnecting peer=%d" (.., peer);
    "22..=28" "src/net.cpp:3577@28.99": "disconnect by address%s matched peer=%d; disconnecting" (.., peer);
    "29.." "src/net.cpp:3836@31.99": "disconnect by subnet%s match, disconnecting peer=%d" (.., peer);
    "22..=28" "src/net.cpp:3590@28.99": "disconnect by subnet%s matched peer=%d; disconnecting" (.., peer);
}

message! {
    /// A connection's socket is closed. Every end of a connection writes it.
    SocketReset {
        /// The peer.
        peer: u64,
    }
    in Net;
    "29.." "src/net.cpp:561@31.99": "Resetting socket for peer=%d" (peer);
    "0.16?..=28" "src/net.cpp:561@28.99": "disconnecting peer=%d" (peer);
}

message! {
    /// A peer broke the protocol or sent something invalid.
    Misbehaving<'a> {
        /// The peer.
        peer: u64,
        /// What it did, empty where it is not told.
        reason: &'a [u8],
    }
    in Net;
    "29?.." "src/net_processing.cpp:1902@31.99": "Misbehaving: peer=%d: %s" (peer, reason);
    "0.21..=22" "src/net_processing.cpp:1286@v22.1": "Misbehaving: peer=%d (%d -> %d) DISCOURAGE THRESHOLD EXCEEDED: %s" (peer, _, _, reason);
    "0.21..=26?" "src/net_processing.cpp:1743@v26.0": "Misbehaving: peer=%d (%d -> %d): %s" (peer, _, _, reason);
    "29?.." "src/net_processing.cpp:1902@31.99": "Misbehaving: peer=%d" (peer) { reason: b"" };
}

message! {
    /// A peer misbehaved: it is dropped, and its address is avoided.
    PeerDiscouraged {
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.21.." "src/net_processing.cpp:5064@31.99": "Disconnecting and discouraging peer %d!" (peer);
}

message! {
    /// A peer misbehaved, and stays connected, because it has the permission `noban` or was asked for by RPC or
    /// configuration.
    PeerNotPunished {
        /// The peer.
        peer: u64,
    }
    in All;
    "31?.." "src/net_processing.cpp:5044@31.99": "Not punishing noban peer %d!" (peer);
    "0.21..=30?" "src/net_processing.cpp:4900@29.99": "Warning: not punishing noban peer %d!" (peer);
    "31?.." "src/net_processing.cpp:5050@31.99": "Not punishing manually connected peer %d!" (peer);
    "0.21..=30?" "src/net_processing.cpp:4906@29.99": "Warning: not punishing manually connected peer %d!" (peer);
}

message! {
    /// A peer's reason to be dropped that Knots counts but lets pass.
    MisbehaviourTolerated<'a> {
        /// The peer.
        peer: u64,
        /// How bad it is: 100 would be the end.
        score: u32,
        /// What was invalid, and that it is tolerated.
        what: &'a [u8],
    }
    in Net;
    "knots 29" "bitcoind@knots-29.4.3": "peer=%d got DoS score %d on invalid %s" (peer, score, what);
}

message! {
    /// The node connected to itself.
    ConnectedToSelf<'a> {
        /// The address it used.
        address: Word<'a>,
    }
    in All;
    "0.16?.." "src/net_processing.cpp:3651@31.99": "connected to self at %s, disconnecting" (address);
}

message! {
    /// A peer that is the only one to deliver the next block is too slow, and is dropped.
    PeerStalling {
        /// The peer.
        peer: u64,
    }
    in All;
    "29.." "src/net_processing.cpp:6109@31.99": "Peer is stalling block download, disconnecting peer=%d" (peer);
    "26..=28" "src/net_processing.cpp:5789@28.99": "Peer=%d%s is stalling block download, disconnecting" (peer, _);
    "0.16?..=28" "src/net_processing.cpp:5789@28.99": "Peer=%d is stalling block download, disconnecting" (peer);
}

message! {
    /// A peer did not deliver headers in time, and is dropped; one with the permission `noban` is kept.
    HeadersTimeout {
        /// The peer.
        peer: u64,
    }
    in All;
    "29.." "src/net_processing.cpp:6144@31.99": "Timeout downloading headers, disconnecting peer=%d" (peer);
    "26..=28" "src/net_processing.cpp:5824@28.99": "Timeout downloading headers from peer=%d%s, disconnecting" (peer, _);
    "0.16?..=28" "src/net_processing.cpp:5824@28.99": "Timeout downloading headers from peer=%d, disconnecting" (peer);
    "29.." "src/net_processing.cpp:6148@31.99": "Timeout downloading headers from noban peer, not disconnecting peer=%d" (peer);
    "26..=28" "src/net_processing.cpp:5828@28.99": "Timeout downloading headers from noban peer=%d%s, not disconnecting" (peer, _);
}

message! {
    /// A peer's chain is far behind, and it does not catch up.
    PeerChainOld<'a> {
        /// The best block it is known to have, `<none>` when none is known.
        best: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in All;
    "29.." "src/net_processing.cpp:5188@31.99": "Outbound peer has old chain, best known block = %s, disconnecting peer=%d" (best, peer);
    "0.16?..=28" "src/net_processing.cpp:5044@28.99": "Disconnecting outbound peer %d for old chain, best known block = %s" (peer, best);
}

message! {
    /// A peer's chain has less work than the least that the node accepts.
    PeerChainWeak {
        /// The peer.
        peer: u64,
    }
    in All;
    "29.." "src/net_processing.cpp:2942@31.99": "outbound peer headers chain has insufficient work, disconnecting peer=%d" (peer);
    "0.16?..=28" "src/net_processing.cpp:2791@28.99": "Disconnecting outbound peer %d -- headers chain has insufficient work" (peer);
}

message! {
    /// An additional peer that was connected because the tip seemed stale is dropped again.
    ExtraPeerDropped {
        /// The peer.
        peer: u64,
        /// When it last announced a block, in seconds since the Unix epoch; 0 for never.
        last_announcement: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5299@31.99": "disconnecting extra outbound peer=%d (last block announcement received at time %d)" (peer, last_announcement);
}

message! {
    /// A peer misbehaved: it is dropped, but its address is not avoided, because it is of this host.
    LocalPeerDropped {
        /// The peer.
        peer: u64,
    }
    in Net;
    "22.." "src/net_processing.cpp:5057@31.99": "Warning: disconnecting but not discouraging %s peer %d!" (_, peer);
}

message! {
    /// All connections are closed and none is made, or that is over (RPC `setnetworkactive`).
    NetworkActive {
        /// Whether connections are made.
        active: bool,
    }
    in All;
    "0.16?.." "src/net.cpp:3356@31.99": "SetNetworkActive: %s" (active);
}

message! {
    /// The node waits for peers at an address.
    Bound<'a> {
        /// Address and port.
        address: Word<'a>,
    }
    in All;
    "0.16?.." "src/net.cpp:3335@31.99": "Bound to %s" (address);
}

message! {
    /// Whether the node looks for one outbound peer more, because its tip seems stale.
    ExtraPeerWanted {
        /// Whether it does.
        wanted: bool,
    }
    in Net;
    "24.." "src/net.cpp:2439@31.99": "setting try another outbound peer=%s" (wanted);
}

message! {
    /// The encrypted connection (BIP 324) to a peer is begun.
    HandshakeStarted {
        /// The peer.
        peer: u64,
    }
    in Net;
    "26.." "src/net.cpp:1540@31.99": "start sending v2 handshake to peer=%d" (peer);
}
