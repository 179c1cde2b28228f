//! A relay between two sockets of the test's own.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    time::Instant,
};

use bitcoin::{
    block::Header,
    consensus::encode,
    constants::genesis_block,
    p2p::{
        Magic,
        message::{NetworkMessage, RawNetworkMessage},
    },
};

use super::*;
use crate::clock;

const LIMIT: Duration = Duration::from_secs(30);

/// Both ends of a connection through a relay.
struct Ends {
    relay: Relay,
    source: TcpStream,
    node: TcpStream,
}

impl Ends {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
        let relay = Relay::start(address).unwrap();
        let node = TcpStream::connect(relay.address()).unwrap();
        let (source, _) = listener.accept().unwrap();
        for stream in [&source, &node] {
            stream.set_read_timeout(Some(LIMIT)).unwrap();
        }
        Self { relay, source, node }
    }

    /// The source sends a header that no other has.
    fn send(&mut self, nonce: u32) -> BlockHash {
        let header = header(nonce);
        self.source.write_all(&on_wire(header)).unwrap();
        header.block_hash().to_string().parse().unwrap()
    }

    /// Waits until the header is at the node. By then it was released.
    fn receive(&mut self, nonce: u32) -> Instant {
        let expected = on_wire(header(nonce));
        let mut found = vec![0; expected.len()];
        self.node.read_exact(&mut found).unwrap();
        assert_eq!(found, expected);
        clock::now()
    }

    fn released(&self, block: BlockHash) -> ServerTime {
        let releases = self.relay.releases(block);
        let [Release { carrier: Carrier::Headers, at }] = releases[..] else { panic!("{releases:?}") };
        at
    }
}

fn header(nonce: u32) -> Header {
    Header { nonce, ..genesis_block(bitcoin::Network::Regtest).header }
}

fn on_wire(header: Header) -> Vec<u8> {
    encode::serialize(&RawNetworkMessage::new(Magic::REGTEST, NetworkMessage::Headers(vec![header])))
}

#[test]
fn a_block_is_released_after_the_delay_and_the_time_is_noted_before_it_arrives() {
    let mut ends = Ends::new();
    for delay in [Duration::ZERO, Duration::from_millis(300)] {
        ends.relay.hold(delay);
        let (sent, sent_at) = (clock::now(), clock::unix_time());
        let nonce = u32::try_from(delay.as_millis()).unwrap();
        let block = ends.send(nonce);
        assert!(ends.receive(nonce) - sent >= delay);
        let (released, received_at) = (ends.released(block), clock::unix_time());
        let delay_us = i64::try_from(delay.as_micros()).unwrap();
        assert!(released.micros_since(sent_at) >= delay_us && released <= received_at, "{released}");
    }
}

#[test]
fn what_the_node_sends_is_not_held() {
    let mut ends = Ends::new();
    ends.relay.hold(Duration::from_hours(1));
    ends.node.write_all(b"any bytes").unwrap();
    let mut found = [0; 9];
    ends.source.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"any bytes");
}

#[test]
fn what_is_held_when_the_connection_is_cut_is_never_released() {
    let mut ends = Ends::new();
    ends.relay.hold(Duration::from_hours(1));
    let block = ends.send(1);
    ends.relay.cut();
    assert_eq!(ends.node.read(&mut [0]).unwrap(), 0);
    assert!(ends.relay.releases(block).is_empty());
    // Nor does a relay that is dropped wait for it.
    let mut ends = Ends::new();
    ends.relay.hold(Duration::from_hours(1));
    ends.send(1);
    let Ends { relay, mut node, .. } = ends;
    drop(relay);
    assert_eq!(node.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_connection_of_the_other_transport_is_given_up() {
    let mut ends = Ends::new();
    ends.source.write_all(&[7; 64]).unwrap();
    let ended = ends.node.read(&mut [0]);
    assert!(matches!(&ended, Ok(0)) || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
}
