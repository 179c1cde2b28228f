//! A relay between two nodes that holds back what one sends to the other, and knows when it let go of each block.
//!
//! It takes the connection of one node, makes one to the other, the *source* of blocks, and passes on messages: those
//! from the source as late as it is told to, in their order, those to the source at once. Just before the first byte of
//! a message that tells of a block goes out it notes the time: no later than any node can know the block through it.
//! The nodes must speak the version 1 transport, which can be read (`-v2transport=0`).
//!
//! It is some threads of the process that uses it, not a process: the kernel schedules both alike, the time of day is
//! the same, and what was released can be asked for without a protocol of its own.

mod link;
mod message;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use bmon_event::{BlockHash, ServerTime};
use serde_json::{Value, json};

use self::link::Link;
pub use self::message::Carrier;
use crate::{
    Node, NodeError,
    clock::wait_for,
    network::{LIMIT, PeerInfo, peers},
};

/// A message that told of a block was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// What the message carried of the block.
    pub carrier: Carrier,
    /// When, by the clock of this host, which is the server's too where nodes are staged: just before its first byte.
    pub at: ServerTime,
}

/// A relay on loopback. Its connections end when this is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddrV4,
    inner: Arc<Inner>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    source: SocketAddrV4,
    book: Book,
    links: Mutex<Links>,
}

#[derive(Debug, Default)]
struct Links {
    open: Vec<Arc<Link>>,
    /// No more connections are made.
    is_closed: bool,
}

/// How long messages are held, and which were released.
#[derive(Debug, Default)]
struct Book {
    delay: Mutex<Duration>,
    releases: Mutex<Vec<(BlockHash, Release)>>,
}

impl Book {
    fn delay(&self) -> Duration {
        *lock(&self.delay)
    }

    fn note(&self, blocks: &[(BlockHash, Carrier)], at: ServerTime) {
        let release = |&(block, carrier)| (block, Release { carrier, at });
        self.releases().extend(blocks.iter().map(release));
    }

    fn releases(&self) -> MutexGuard<'_, Vec<(BlockHash, Release)>> {
        lock(&self.releases)
    }
}

impl Relay {
    /// A relay that holds nothing back yet, to `source`, which need not be there yet.
    pub fn start(source: SocketAddrV4) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, listener.local_addr()?.port());
        let inner = Arc::new(Inner { source, book: Book::default(), links: Mutex::default() });
        let acceptor = {
            let inner = Arc::clone(&inner);
            thread::Builder::new().name("relay".to_owned()).spawn(move || inner.accept(&listener))?
        };
        Ok(Self { address, inner, acceptor: Some(acceptor) })
    }

    /// Where it takes connections.
    pub const fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// Holds every message that comes from the source from now on back by `delay`, and longer where one before it is held
    /// longer.
    pub fn hold(&self, delay: Duration) {
        *lock(&self.inner.book.delay) = delay;
    }

    /// When what of `block` was released, in that order.
    pub fn releases(&self, block: BlockHash) -> Vec<Release> {
        let releases = self.inner.book.releases();
        releases.iter().filter(|(released, _)| *released == block).map(|(_, release)| *release).collect()
    }

    /// Ends all connections. What is held is never released.
    pub fn cut(&self) {
        for link in lock(&self.inner.links).open.drain(..) {
            link.cut();
        }
    }

    /// Lets `node` connect to `source`, where this relay leads to, and waits until the connection is up at both. Does
    /// nothing if it is.
    pub fn connect(&self, node: &Node, source: &Node) -> Result<(), NodeError> {
        let what = format!("a connection of node `{}` through the relay", node.name());
        wait_for(&what, LIMIT, || {
            let here = peers(node)?.into_iter().find(|peer| peer.addr == self.address.to_string());
            let Some(here) = here else {
                let _: Value = node.rpc().call("addnode", json!([self.address.to_string(), "onetry"]))?;
                return Ok(None);
            };
            let address = self.inner.address_at_source().map(|address| address.to_string());
            let there = peers(source)?.into_iter().find(|peer| Some(&peer.addr) == address.as_ref());
            Ok((here.is_up() && there.as_ref().is_some_and(PeerInfo::is_up)).then_some(()))
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        lock(&self.inner.links).is_closed = true;
        self.cut();
        // Wakes the acceptor; if that fails it is not waiting.
        let _ = TcpStream::connect(self.address);
        if self.acceptor.take().is_some_and(|acceptor| acceptor.join().is_err()) {
            tracing::error!("a thread of a relay panicked");
        }
    }
}

impl Inner {
    /// Serves connections until no more are to be made and all have ended.
    fn accept(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            for node in listener.incoming() {
                // Held meanwhile: whoever cuts all connections cuts the one that the source has just seen too.
                let mut links = lock(&self.links);
                // What wakes the acceptor at the end needs no source.
                if links.is_closed {
                    return;
                }
                match node.and_then(|node| Link::open(node, self.source)) {
                    Ok(link) => {
                        let link = Arc::new(link);
                        links.open.push(Arc::clone(&link));
                        scope.spawn(move || link.run(&self.book));
                    }
                    Err(error) => tracing::warn!(%error, "a relay cannot make a connection"),
                }
            }
        });
    }

    /// The relay's own end of its last connection towards the source, `None` before the first and after a cut.
    fn address_at_source(&self) -> Option<SocketAddr> {
        lock(&self.links).open.last()?.address_at_source().ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
