//! A small P2P peer that hands nodes transactions and blocks, wrong ones too.
//!
//! No node relays what it refused itself, so that only a peer can bring the same refused transaction to several
//! nodes. The peer speaks the version 1 transport, serves nothing and asks for nothing; it reads what the node says
//! only while it waits for something.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    time::Duration,
};

use bitcoin::{
    Block, Transaction,
    block::Header,
    consensus::{Decodable, encode},
    p2p::{
        Address, Magic, ServiceFlags,
        message::{NetworkMessage, RawNetworkMessage},
        message_network::VersionMessage,
    },
};

use crate::clock;

/// How long the node may be silent while the peer waits for it, and how long a write may take.
const LIMIT: Duration = Duration::from_mins(1);

/// `WTXID_RELAY_VERSION` (BIP 339), the version that all nodes of the last years speak.
const PROTOCOL_VERSION: u32 = 70016;

/// The conversation with the node failed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The connection could not be made.
    #[error("connect to `{address}`")]
    Connect {
        /// The node's address.
        address: SocketAddrV4,
        /// Why not.
        source: io::Error,
    },
    /// The node did not take a message.
    #[error("send `{command}` to the node")]
    Send {
        /// The message's name in the protocol.
        command: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The node closed the connection, was silent for too long, or sent what is not a message.
    #[error("read a message of the node while waiting for `{waiting_for}`")]
    Receive {
        /// The message's name in the protocol.
        waiting_for: &'static str,
        /// Why not.
        source: encode::Error,
    },
}

/// A connection to one node.
#[derive(Debug)]
pub struct Peer {
    stream: BufReader<TcpStream>,
    received: BTreeMap<String, u64>,
    next_nonce: u64,
}

impl Peer {
    /// Connects and exchanges `version` and `verack`.
    pub fn connect(address: SocketAddrV4) -> Result<Self, PeerError> {
        Self::connect_as(address, ServiceFlags::NONE)
    }

    /// The same as a peer that says that it serves blocks with witnesses, so that the node asks it for some, and that never
    /// answers.
    pub fn connect_withholding(address: SocketAddrV4) -> Result<Self, PeerError> {
        Self::connect_as(address, ServiceFlags::NETWORK | ServiceFlags::WITNESS)
    }

    fn connect_as(address: SocketAddrV4, services: ServiceFlags) -> Result<Self, PeerError> {
        let connect = |source| PeerError::Connect { address, source };
        let stream = TcpStream::connect_timeout(&SocketAddr::V4(address), LIMIT).map_err(connect)?;
        stream.set_read_timeout(Some(LIMIT)).map_err(connect)?;
        stream.set_write_timeout(Some(LIMIT)).map_err(connect)?;
        stream.set_nodelay(true).map_err(connect)?;
        let mut peer = Self { stream: BufReader::new(stream), received: BTreeMap::new(), next_nonce: 1 };
        peer.send(NetworkMessage::Version(version(address, services)))?;
        peer.wait_for("version", |message| matches!(message, NetworkMessage::Version(_)))?;
        peer.send(NetworkMessage::Verack)?;
        peer.wait_for("verack", |message| matches!(message, NetworkMessage::Verack))?;
        peer.round_trip()?;
        Ok(peer)
    }

    /// Sends a transaction, unasked, and waits until the node has decided on it.
    pub fn deliver_transaction(&mut self, transaction: &Transaction) -> Result<(), PeerError> {
        self.send(NetworkMessage::Tx(transaction.clone()))?;
        self.round_trip()
    }

    /// Sends a whole block, unasked, and waits until the node has taken the message.
    pub fn deliver_block(&mut self, block: &Block) -> Result<(), PeerError> {
        self.send(NetworkMessage::Block(block.clone()))?;
        self.round_trip()
    }

    /// Sends headers, unasked, at most 2000, and waits until the node has taken them. It may ask for the blocks; it gets
    /// none that are not delivered.
    pub fn deliver_headers(&mut self, headers: Vec<Header>) -> Result<(), PeerError> {
        self.send(NetworkMessage::Headers(headers))?;
        self.round_trip()
    }

    /// Sends a `ping` and waits for its `pong`. A node handles the messages of one peer in order, so that it is done
    /// with all that was sent before.
    pub fn round_trip(&mut self) -> Result<(), PeerError> {
        let nonce = self.next_nonce;
        self.next_nonce += 1;
        self.send(NetworkMessage::Ping(nonce))?;
        self.wait_for("pong", |message| *message == NetworkMessage::Pong(nonce))
    }

    /// Sends any message.
    pub fn send(&mut self, message: NetworkMessage) -> Result<(), PeerError> {
        let command = message.cmd();
        let bytes = encode::serialize(&RawNetworkMessage::new(Magic::REGTEST, message));
        self.stream.get_mut().write_all(&bytes).map_err(|source| PeerError::Send { command, source })
    }

    /// How many messages of each name the node has sent, as far as they were read.
    pub fn received(&self) -> &BTreeMap<String, u64> {
        &self.received
    }

    /// Reads until a message is `wanted`, answering the node's own pings.
    fn wait_for(
        &mut self,
        name: &'static str,
        wanted: impl Fn(&NetworkMessage) -> bool,
    ) -> Result<(), PeerError> {
        loop {
            let message = RawNetworkMessage::consensus_decode(&mut self.stream)
                .map_err(|source| PeerError::Receive { waiting_for: name, source })?
                .into_payload();
            *self.received.entry(message.command().to_string()).or_default() += 1;
            if let NetworkMessage::Ping(nonce) = message {
                self.send(NetworkMessage::Pong(nonce))?;
            }
            if wanted(&message) {
                return Ok(());
            }
        }
    }
}

fn version(receiver: SocketAddrV4, services: ServiceFlags) -> VersionMessage {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    VersionMessage {
        version: PROTOCOL_VERSION,
        services,
        timestamp: i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX),
        receiver: Address::new(&SocketAddr::V4(receiver), ServiceFlags::NONE),
        sender: Address::new(&here, services),
        // 0 is never a node's own, so that it does not take the peer for itself.
        nonce: 0,
        user_agent: "/bmon-devnet/".to_owned(),
        start_height: 0,
        relay: false,
    }
}
