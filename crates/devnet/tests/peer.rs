//! The P2P peer against a real node.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use std::net::TcpListener;

use bitcoin::{Amount, OutPoint};
use bmon_devnet::{
    Fault, Network, Peer, PeerError, Policy, Purse,
    coin::{Coin, Lock},
    exe,
};
use bmon_event::Txid;
use tempfile::TempDir;

fn start(dir: &TempDir) -> Network {
    let exes = exe::find().unwrap_or_else(|error| panic!("failed to {error}\nhint: {}", error.hint()));
    Network::start(1, &exes, dir.path()).unwrap()
}

fn txid(tx: &bitcoin::Transaction) -> Txid {
    tx.compute_txid().to_string().parse().unwrap()
}

#[test]
fn a_delivered_transaction_is_decided_on_when_the_call_returns() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir);
    let node = &network.nodes()[0];
    assert_eq!(node.config().policy, Policy::STRICT);
    let mut purse = Purse::fill(&network, 5).unwrap();
    let mut peer = Peer::connect(node.p2p_address()).unwrap();

    let good = purse.take().unwrap().pay(Amount::from_sat(1_000));
    peer.deliver_transaction(&good).unwrap();
    assert!(node.has_in_mempool(txid(&good)).unwrap());
    for fault in Fault::ALL {
        let bad = fault.transaction(&purse.take().unwrap());
        peer.deliver_transaction(&bad).unwrap();
        assert!(!node.has_in_mempool(txid(&bad)).unwrap(), "{fault:?}");
    }
    assert_eq!(peer.received().get("pong"), Some(&5));
    assert_eq!(peer.received().get("verack"), Some(&1));
}

#[test]
fn a_purse_gives_as_many_coins_as_it_was_filled_with_also_over_several_coinbases() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir);
    let mut purse = Purse::fill(&network, 1_500).unwrap();
    let coins: Vec<Coin> = std::iter::from_fn(|| purse.take()).collect();
    let outpoints: std::collections::BTreeSet<OutPoint> = coins.iter().map(|coin| coin.outpoint).collect();
    assert!(outpoints.len() >= 1_500 && outpoints.len() == coins.len());

    let mut peer = Peer::connect(network.nodes()[0].p2p_address()).unwrap();
    let last = coins.last().unwrap().pay(Amount::from_sat(1_000));
    peer.deliver_transaction(&last).unwrap();
    let block = network.nodes()[0].mine(1, Lock::new(0)).unwrap();
    assert_eq!(block.len(), 1);
    assert!(!network.nodes()[0].has_in_mempool(txid(&last)).unwrap());
}

#[test]
fn a_node_that_is_gone_is_an_error_and_not_a_wait() {
    let dir = TempDir::new().unwrap();
    let mut network = start(&dir);
    let mut peer = Peer::connect(network.nodes()[0].p2p_address()).unwrap();
    network.nodes_mut()[0].kill().unwrap();
    let error = peer.round_trip().unwrap_err();
    assert!(matches!(error, PeerError::Receive { .. } | PeerError::Send { .. }), "{error}");
}

#[test]
fn nobody_at_the_address_is_an_error_that_names_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
    drop(listener);
    let error = Peer::connect(address).unwrap_err();
    assert_eq!(error.to_string(), format!("connect to `{address}`"));
}
