//! One connection through a relay: a socket to either node, and a thread for each direction and for what is held.

use std::{
    io::{self, Write as _},
    net::{Shutdown, SocketAddr, SocketAddrV4, TcpStream},
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Instant,
};

use super::{Book, message::Message};
use crate::clock;

/// Both sockets of a connection.
#[derive(Debug)]
pub(super) struct Link {
    /// To the node that blocks come from.
    source: TcpStream,
    /// To the node that they are held back from.
    node: TcpStream,
    is_cut: Mutex<bool>,
    was_cut: Condvar,
}

/// A message that waits for its time.
struct Held {
    message: Message,
    due: Instant,
}

impl Link {
    /// Connects a node that came to the relay with the source of blocks.
    pub(super) fn open(node: TcpStream, source: SocketAddrV4) -> io::Result<Self> {
        let source = TcpStream::connect(source)?;
        for stream in [&source, &node] {
            // A message leaves when it is released, not when the one before it was acknowledged.
            stream.set_nodelay(true)?;
        }
        Ok(Self { source, node, is_cut: Mutex::new(false), was_cut: Condvar::new() })
    }

    /// The relay's own end towards the source: the peer that the source sees.
    pub(super) fn address_at_source(&self) -> io::Result<SocketAddr> {
        self.source.local_addr()
    }

    /// Ends the connection at both nodes. What is held is never released.
    pub(super) fn cut(&self) {
        *self.is_cut() = true;
        self.was_cut.notify_all();
        for stream in [&self.source, &self.node] {
            // It may have been closed by its node.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Passes everything on until either node closes the connection or it is cut.
    pub(super) fn run(&self, book: &Book) {
        let (sender, held) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| self.until_its_end("requests", self.pass_back()));
            scope.spawn(move || self.until_its_end("held messages", self.release(held, book)));
            self.until_its_end("messages of the source", self.hold(sender, book));
        });
    }

    /// When one direction ends, so does the connection.
    fn until_its_end(&self, what: &'static str, ended: io::Result<()>) {
        let was_cut = *self.is_cut();
        if let Err(error) = ended
            && !was_cut
        {
            tracing::warn!(what, %error, "a relay gives up a connection");
        }
        self.cut();
    }

    fn pass_back(&self) -> io::Result<()> {
        io::copy(&mut &self.node, &mut &self.source).map(drop)
    }

    /// Reads what the source sends, and when it is due.
    #[expect(clippy::needless_pass_by_value, reason = "nothing more is held once this is dropped")]
    fn hold(&self, sender: mpsc::Sender<Held>, book: &Book) -> io::Result<()> {
        while let Some(message) = Message::read(&mut &self.source)? {
            let due = clock::now() + book.delay();
            if sender.send(Held { message, due }).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Sends each message when it is due, and not before those that came earlier.
    fn release(&self, held: mpsc::Receiver<Held>, book: &Book) -> io::Result<()> {
        for Held { message, due } in held {
            if !self.waited_until(due) {
                break;
            }
            book.note(&message.blocks, clock::unix_time());
            (&self.node).write_all(&message.bytes)?;
        }
        Ok(())
    }

    /// Whether it was not cut before.
    fn waited_until(&self, due: Instant) -> bool {
        let is_cut = self.is_cut();
        let left = due.saturating_duration_since(clock::now());
        let (is_cut, _) = self
            .was_cut
            .wait_timeout_while(is_cut, left, |is_cut| !*is_cut)
            .unwrap_or_else(PoisonError::into_inner);
        !*is_cut
    }

    fn is_cut(&self) -> MutexGuard<'_, bool> {
        self.is_cut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, net::TcpListener, time::Duration};

    use bmon_event::BlockHash;

    use super::*;
    use crate::relay::Carrier;

    fn held(byte: u8, due: Instant) -> Held {
        let blocks = vec![(BlockHash::from_bytes([byte; 32]), Carrier::Block)];
        Held { message: Message { bytes: vec![byte], blocks }, due }
    }

    #[test]
    fn nothing_overtakes_what_came_before_it_and_is_held_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
        let node = TcpStream::connect(address).unwrap();
        let (mut far_end, _) = listener.accept().unwrap();
        let link = Link::open(node, address).unwrap();
        let (sender, queue) = mpsc::channel();
        let begun = clock::now();
        let delay = Duration::from_millis(200);
        for (byte, due) in [(1, begun + delay), (2, begun), (3, begun + delay / 2)] {
            sender.send(held(byte, due)).unwrap();
        }
        drop(sender);
        let book = Book::default();
        link.release(queue, &book).unwrap();
        assert!(clock::now() - begun >= delay);
        let mut found = [0; 3];
        far_end.read_exact(&mut found).unwrap();
        assert_eq!(found, [1, 2, 3]);
        let released: Vec<_> = book.releases().iter().map(|(block, _)| *block).collect();
        assert_eq!(released, [1, 2, 3].map(|byte| BlockHash::from_bytes([byte; 32])));
    }
}
