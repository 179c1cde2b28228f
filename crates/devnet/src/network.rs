//! Several nodes, connected with each other.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use bmon_event::{BlockHash, NodeName, Txid};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Node, NodeConfig, NodeError, Policy, clock::wait_for, coin::Lock};

/// Connecting, relaying and validating take well under a second; this is for a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Names of the first nodes; later ones are numbered.
const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

/// Real nodes, in a full mesh unless started apart. They are killed when this is dropped.
#[derive(Debug)]
pub struct Network {
    nodes: Vec<Node>,
}

/// One connection as RPC `getpeerinfo` of one of its ends tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct PeerInfo {
    id: u64,
    pub(crate) addr: String,
    addrbind: Option<String>,
    /// Absent until the first `pong`.
    pingtime: Option<f64>,
    /// In BTC per 1,000 virtual bytes; the end that is in initial block download asks for more than exists.
    minfeefilter: f64,
}

/// One connection, from both ends.
struct Link {
    here: PeerInfo,
    there: PeerInfo,
}

impl PeerInfo {
    /// Whether this end has done the handshake. The first `ping` leaves with the first round of announcements, so that
    /// from its `pong` on nothing that is to be announced is forgotten.
    pub(crate) const fn is_up(&self) -> bool {
        self.pingtime.is_some()
    }
}

impl Link {
    /// Whether both ends have done the handshake.
    const fn is_up(&self) -> bool {
        self.here.is_up() && self.there.is_up()
    }

    /// Whether both ends ask to be told of transactions.
    fn relays(&self) -> bool {
        self.here.minfeefilter < 1.0 && self.there.minfeefilter < 1.0
    }
}

impl Network {
    /// Starts `count` nodes with the binaries `exes` in turn and connects them. Each has a directory with its name in
    /// `dir`, ZMQ, and one of [`Policy::ALL`] in turn.
    pub fn start(count: usize, exes: &[PathBuf], dir: &Path) -> Result<Self, NodeError> {
        Self::start_from(Self::configs(count, exes, dir))
    }

    /// What [`Network::start`] starts nodes with, for a caller that changes some of it.
    pub fn configs(count: usize, exes: &[PathBuf], dir: &Path) -> Vec<NodeConfig> {
        let policies = Policy::ALL.into_iter().cycle();
        let nodes = (0..count).zip(exes.iter().cycle()).zip(policies);
        nodes
            .map(|((index, exe), policy)| {
                let name = name(index);
                let dir = dir.join(name.as_str());
                NodeConfig { policy, ..NodeConfig::new(name, exe.clone(), dir) }
            })
            .collect()
    }

    /// Starts nodes, all at once, and connects them.
    pub fn start_from(configs: Vec<NodeConfig>) -> Result<Self, NodeError> {
        let network = Self::start_apart(configs)?;
        network.join()?;
        Ok(network)
    }

    /// Starts nodes, all at once, and connects none: whoever does not want a full mesh connects them.
    pub fn start_apart(configs: Vec<NodeConfig>) -> Result<Self, NodeError> {
        Ok(Self { nodes: start_all(configs)? })
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes, to stop and start them.
    pub fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// The nodes' names.
    pub fn names(&self) -> Vec<NodeName> {
        self.nodes.iter().map(|node| node.name().clone()).collect()
    }

    /// Connects every two nodes that are not connected, and waits until each connection is up.
    pub fn join(&self) -> Result<(), NodeError> {
        wait_for("a connection between every two nodes", LIMIT, || {
            let mut up = true;
            for (here, there) in self.pairs() {
                if let Some(link) = link(here, there)? {
                    up &= link.is_up();
                } else {
                    // Does nothing while one end still believes in a connection that the other has given up.
                    let address = there.p2p_address().to_string();
                    let _: Value = here.rpc().call("addnode", json!([address, "onetry"]))?;
                    up = false;
                }
            }
            Ok(up.then_some(()))
        })
    }

    /// Cuts every connection between the nodes at the positions `apart` and the others, and waits until they are
    /// gone.
    pub fn part(&self, apart: &[usize]) -> Result<(), NodeError> {
        let (parted, rest): (Vec<_>, Vec<_>) =
            self.nodes.iter().enumerate().partition(|(index, _)| apart.contains(index));
        let mut ends = Vec::new();
        for (_, here) in &parted {
            for (_, there) in &rest {
                if let Some(link) = link(here, there)? {
                    let _: Value = here.rpc().call("disconnectnode", json!(["", link.here.id]))?;
                    ends.extend([(*here, link.here.id), (*there, link.there.id)]);
                }
            }
        }
        wait_for("the end of all connections across the cut", LIMIT, || {
            for (node, id) in &ends {
                if peers(node)?.iter().any(|peer| peer.id == *id) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Waits until no node is in initial block download and every connection relays transactions.
    pub fn wait_for_relay(&self) -> Result<(), NodeError> {
        #[derive(Deserialize)]
        struct ChainInfo {
            initialblockdownload: bool,
        }
        wait_for("the relay of transactions between all nodes", LIMIT, || {
            for node in &self.nodes {
                if node.rpc().call::<ChainInfo>("getblockchaininfo", json!([]))?.initialblockdownload {
                    return Ok(None);
                }
            }
            for (here, there) in self.pairs() {
                if !link(here, there)?.is_some_and(|link| link.relays()) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Waits until the active chain of every node in `nodes` (positions) ends with `block`.
    pub fn wait_for_tip(&self, nodes: &[usize], block: BlockHash) -> Result<(), NodeError> {
        wait_for(&format!("the tip `{block}` on every node"), LIMIT, || {
            for node in nodes.iter().filter_map(|&index| self.nodes.get(index)) {
                if node.rpc().call::<BlockHash>("getbestblockhash", json!([]))? != block {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Waits until `txid` is in the mempool of every node in `nodes` (positions).
    pub fn wait_for_transaction(&self, nodes: &[usize], txid: Txid) -> Result<(), NodeError> {
        wait_for(&format!("`{txid}` in the mempools"), LIMIT, || {
            for node in nodes.iter().filter_map(|&index| self.nodes.get(index)) {
                if !node.has_in_mempool(txid)? {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    fn pairs(&self) -> impl Iterator<Item = (&Node, &Node)> {
        let rest = |index| self.nodes.iter().skip(index + 1);
        self.nodes
            .iter()
            .enumerate()
            .flat_map(move |(index, here)| rest(index).map(move |there| (here, there)))
    }
}

impl Node {
    /// Mines blocks to a lock of the caller's choice and returns their hashes, lowest first. Nodes that mine to one
    /// lock in the same second make the very same block.
    pub fn mine(&self, count: u32, lock: Lock) -> Result<Vec<BlockHash>, NodeError> {
        Ok(self.rpc().call("generatetoaddress", json!([count, lock.address()]))?)
    }

    /// Whether a transaction is in the node's mempool.
    pub fn has_in_mempool(&self, txid: Txid) -> Result<bool, NodeError> {
        let txids: Vec<Txid> = self.rpc().call("getrawmempool", json!([]))?;
        Ok(txids.contains(&txid))
    }
}

fn name(index: usize) -> NodeName {
    let name = NAMES.get(index).map_or_else(|| format!("node-{index}"), |&name| name.to_owned());
    name.parse().expect("made of lower-case letters, digits and `-`")
}

/// Starts nodes at the same time.
fn start_all(configs: Vec<NodeConfig>) -> Result<Vec<Node>, NodeError> {
    thread::scope(|scope| {
        let starting: Vec<_> =
            configs.into_iter().map(|config| scope.spawn(|| Node::start(config))).collect();
        starting
            .into_iter()
            .map(|thread| thread.join().expect("starting a node does not panic"))
            // All are joined before the first error is returned.
            .collect::<Vec<_>>()
            .into_iter()
            .collect()
    })
}

/// The connections of a node.
pub(crate) fn peers(node: &Node) -> Result<Vec<PeerInfo>, NodeError> {
    Ok(node.rpc().call("getpeerinfo", json!([]))?)
}

/// The connection between two nodes, whichever of them made it; `None` unless both ends know of it.
fn link(here: &Node, there: &Node) -> Result<Option<Link>, NodeError> {
    let mut there = peers(there)?;
    for end in peers(here)? {
        let same = |other: &PeerInfo| {
            end.addrbind.as_ref() == Some(&other.addr) && other.addrbind.as_ref() == Some(&end.addr)
        };
        if let Some(index) = there.iter().position(same) {
            return Ok(Some(Link { here: end, there: there.swap_remove(index) }));
        }
    }
    Ok(None)
}
