//! One connection to each publisher of the node, for as long as all of them hold.
//!
//! The library would connect anew by itself, but then it could not be said when messages were lost; so a lost
//! connection ends everything, and the next begins from nothing.

use std::time::Duration;

use futures_util::{
    FutureExt, StreamExt,
    future::{Either, select, select_all},
};
use zeromq::{Socket, SocketEvent, SocketOptions, SocketRecv, SubSocket, ZmqError, ZmqMessage};

use super::endpoint::Endpoint;

/// A publisher on the same host answers at once, or it is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// It could not be made.
    #[error("failed to connect to `{address}`")]
    Connect {
        address: String,
        #[source]
        source: ZmqError,
    },
    /// It broke.
    #[error("lost the connection to `{0}`")]
    Disconnected(String),
    /// What came is not of this protocol.
    #[error("failed to receive from `{address}`")]
    Receive {
        address: String,
        #[source]
        source: ZmqError,
    },
}

/// Connections to all publishers of a node.
pub(super) struct Connection(Vec<Subscriber>);

struct Subscriber {
    address: String,
    socket: SubSocket,
    monitor: futures_channel::mpsc::Receiver<SocketEvent>,
}

impl Connection {
    /// Connects and subscribes.
    pub(super) async fn open(endpoints: &[Endpoint]) -> Result<Self, Lost> {
        let mut subscribers = Vec::new();
        for endpoint in endpoints {
            subscribers.push(Subscriber::open(endpoint).await?);
        }
        Ok(Self(subscribers))
    }

    /// Waits for the next message.
    pub(super) async fn receive(&mut self) -> Result<ZmqMessage, Lost> {
        select_all(self.0.iter_mut().map(|subscriber| subscriber.receive().boxed())).await.0
    }

    /// The next message, if it is there already.
    pub(super) fn receive_now(&mut self) -> Option<Result<ZmqMessage, Lost>> {
        self.receive().now_or_never()
    }
}

impl Subscriber {
    async fn open(endpoint: &Endpoint) -> Result<Self, Lost> {
        let address = endpoint.address.clone();
        let failed = |source| Lost::Connect { address: address.clone(), source };
        let mut options = SocketOptions::default();
        options.connect_timeout(CONNECT_TIMEOUT);
        let mut socket = SubSocket::with_options(options);
        let monitor = socket.monitor();
        for topic in &endpoint.topics {
            socket.subscribe(topic.as_str()).await.map_err(failed)?;
        }
        socket.connect(&address).await.map_err(failed)?;
        Ok(Self { address, socket, monitor })
    }

    async fn receive(&mut self) -> Result<ZmqMessage, Lost> {
        let Self { address, socket, monitor } = self;
        let mut message = socket.recv();
        loop {
            message = match select(message, monitor.next()).await {
                Either::Left((Ok(message), _)) => return Ok(message),
                Either::Left((Err(source), _)) => {
                    return Err(Lost::Receive { address: address.clone(), source });
                }
                Either::Right((Some(SocketEvent::Disconnected(_)) | None, _)) => {
                    return Err(Lost::Disconnected(address.clone()));
                }
                Either::Right((Some(_), message)) => message,
            }
        }
    }
}
