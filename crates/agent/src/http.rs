//! A listener for a few small pages, on the standard library: requests of one line that matters, answers of known length,
//! one for each connection. A crate for that would bring a thread pool and a parser of which this would use nothing.
//!
//! Some threads each serve one client at a time, with a limit on what a client may send and how long it may take: one that is
//! slow holds up itself, and the agent, whose threads are others, never.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{clock, stop::Stop};

/// A scraper's request has some hundred bytes.
const LARGEST_REQUEST: usize = 8 * 1024;
/// Clients that are served at a time; the next waits.
const CLIENTS: usize = 4;
/// How often a thread that waits for its client looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);
/// How long to wait after the system refused a connection, for want of files for example.
const PAUSE: Duration = Duration::from_millis(100);
/// How long what a client still sends after its refusal is read, so that the refusal is not lost with it.
const LINGER: Duration = Duration::from_millis(500);
const STACK_BYTES: usize = 256 * 1024;

/// How long a client may take to send its request and to read the answer. Prometheus gives up after 10 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The page at a path, `None` if there is none.
pub(crate) type Pages = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Serves pages until it is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl Listener {
    /// Listens at `address`.
    pub(crate) fn start(address: SocketAddr, patience: Duration, pages: &Pages) -> io::Result<Self> {
        let listener = Arc::new(TcpListener::bind(address)?);
        let mut this = Self { address: listener.local_addr()?, stop: Stop::default(), threads: Vec::new() };
        this.stop.interrupts(Box::new({
            let listener = Arc::clone(&listener);
            // Ends the wait for a client (Linux: `accept` gives EINVAL from then on).
            move || {
                let _ = rustix::net::shutdown(&*listener, rustix::net::Shutdown::Both);
            }
        }));
        for number in 0..CLIENTS {
            let (listener, stop, pages) = (Arc::clone(&listener), this.stop.clone(), Arc::clone(pages));
            let thread = thread::Builder::new().name(format!("metrics-{number}")).stack_size(STACK_BYTES);
            this.threads.push(thread.spawn(move || serve_all(&listener, patience, &stop, &pages))?);
        }
        Ok(this)
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.set();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the listener panicked");
            }
        }
    }
}

fn serve_all(listener: &TcpListener, patience: Duration, stop: &Stop, pages: &Pages) {
    while !stop.is_set() {
        match listener.accept() {
            Ok((stream, _)) => {
                let client = Client { stream: &stream, stop };
                if let Err(error) = client.serve(patience, pages) {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a client was not served");
                }
            }
            Err(_) => drop(stop.wait(PAUSE)),
        }
    }
}

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Page(String),
    Refusal(&'static str),
}

const BAD: Answer = Answer::Refusal("400 Bad Request");
const NOT_FOUND: Answer = Answer::Refusal("404 Not Found");
const OTHER_METHOD: Answer = Answer::Refusal("405 Method Not Allowed");
const TOO_SLOW: Answer = Answer::Refusal("408 Request Timeout");
const TOO_LONG: Answer = Answer::Refusal("431 Request Header Fields Too Large");

struct Client<'a> {
    stream: &'a TcpStream,
    stop: &'a Stop,
}

impl Client<'_> {
    fn serve(&self, patience: Duration, pages: &Pages) -> io::Result<()> {
        self.stream.set_read_timeout(Some(TICK))?;
        self.stream.set_write_timeout(Some(TICK))?;
        let (answer, is_whole) = match self.read_head(clock::instant() + patience)? {
            Ok(head) => (answer(&head, pages), true),
            Err(refusal) => (refusal, false),
        };
        self.write(clock::instant() + patience, answer.text().as_bytes())?;
        if !is_whole {
            self.linger(clock::instant() + LINGER)?;
        }
        Ok(())
    }

    /// Everything up to the first empty line. What may follow is not looked at.
    fn read_head(&self, deadline: Instant) -> io::Result<Result<Vec<u8>, Answer>> {
        let (mut head, mut part) = (Vec::new(), [0; 1024]);
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            if head.len() > LARGEST_REQUEST {
                return Ok(Err(TOO_LONG));
            }
            match self.until(deadline, || (&mut &*self.stream).read(&mut part)) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => head.extend_from_slice(part.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(Err(TOO_SLOW)),
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(head))
    }

    fn write(&self, deadline: Instant, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            let written = self.until(deadline, || (&mut &*self.stream).write(text))?;
            if written == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            text = text.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// A connection that is closed while there is something to read is reset, and the answer may be lost.
    fn linger(&self, deadline: Instant) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let mut part = [0; 4096];
        while self.until(deadline, || (&mut &*self.stream).read(&mut part))? > 0 {}
        Ok(())
    }

    /// Tries until something happened, the deadline has passed, or the listener is to end. What happens bit by bit is bounded
    /// by the deadline too.
    fn until(&self, deadline: Instant, mut step: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
        while clock::instant() < deadline && !self.stop.is_set() {
            match step() {
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                done => return done,
            }
        }
        Err(ErrorKind::TimedOut.into())
    }
}

fn answer(head: &[u8], pages: &Pages) -> Answer {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = str::from_utf8(line).unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return BAD;
    };
    if !version.starts_with("HTTP/1.") {
        return BAD;
    }
    let path = target.split('?').next().unwrap_or_default();
    match pages(path) {
        None => NOT_FOUND,
        Some(_) if method != "GET" => OTHER_METHOD,
        Some(page) => Answer::Page(page),
    }
}

impl Answer {
    fn text(&self) -> String {
        let (status, kind, allow, body) = match self {
            Self::Page(page) => ("200 OK", bmon_metric::CLASSIC, "", page.as_str()),
            Self::Refusal(status) => {
                let allow = if *self == OTHER_METHOD { "Allow: GET\r\n" } else { "" };
                (*status, "text/plain; charset=utf-8", allow, *status)
            }
        };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any test waits for a client.
    const LONG: Duration = Duration::from_mins(1);

    fn listener(patience: Duration) -> Listener {
        let page = "x".repeat(1_000_000);
        let pages: Pages = Arc::new(move |path| match path {
            "/metrics" => Some("a 1\n".to_owned()),
            "/large" => Some(page.clone()),
            _ => None,
        });
        Listener::start(([127, 0, 0, 1], 0).into(), patience, &pages).unwrap()
    }

    fn connect(listener: &Listener) -> TcpStream {
        let stream = TcpStream::connect(listener.address()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    fn ask(listener: &Listener, request: &str) -> String {
        let mut stream = connect(listener);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(listener: &Listener, request: &str) -> String {
        ask(listener, request).split(' ').nth(1).unwrap().to_owned()
    }

    #[test]
    fn a_page_is_served_whole_with_its_type_and_length() {
        let listener = listener(LONG);
        let expected = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
                        Content-Length: 4\r\nConnection: close\r\n\r\na 1\n";
        assert_eq!(ask(&listener, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), expected);
        assert_eq!(ask(&listener, "GET /metrics?a=b HTTP/1.0\r\n\r\n"), expected);
        let large = ask(&listener, "GET /large HTTP/1.1\r\n\r\n");
        assert_eq!(large.split_once("\r\n\r\n").unwrap().1.len(), 1_000_000);
    }

    #[test]
    fn other_paths_methods_and_what_is_no_request_are_refused() {
        let listener = listener(LONG);
        for (request, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", "404"),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", "404"),
            ("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "405"),
            ("GET /metrics\r\n\r\n", "400"),
            ("GET /metrics SPDY/3\r\n\r\n", "400"),
            ("\u{fffd} \r\n\r\n", "400"),
        ] {
            assert_eq!(status(&listener, request), expected, "{request}");
        }
        assert!(ask(&listener, "PUT /metrics HTTP/1.1\r\n\r\n").contains("\r\nAllow: GET\r\n"));
    }

    #[test]
    fn a_request_that_is_too_long_is_refused_whatever_follows() {
        let listener = listener(LONG);
        let request = format!("GET /metrics HTTP/1.1\r\nCookie: {}\r\n\r\n", "x".repeat(3 * LARGEST_REQUEST));
        assert_eq!(status(&listener, &request), "431");
    }

    #[test]
    fn clients_that_are_slow_to_ask_or_to_read_hold_up_nobody() {
        let listener = listener(LONG);
        let mut slow: Vec<_> = (1..CLIENTS).map(|_| connect(&listener)).collect();
        slow[0].write_all(b"GET /met").unwrap();
        slow[1].write_all(b"GET /large HTTP/1.1\r\n\r\n").unwrap();
        for _ in 0..10 {
            assert_eq!(status(&listener, "GET /metrics HTTP/1.1\r\n\r\n"), "200");
        }
        slow[0].write_all(b"rics HTTP/1.1\r\n\r\n").unwrap();
        let mut late = String::new();
        slow[0].read_to_string(&mut late).unwrap();
        assert!(late.ends_with("\r\n\r\na 1\n"), "{late}");
    }

    #[test]
    fn more_slow_clients_than_are_served_are_sent_away_in_time() {
        let listener = listener(Duration::from_millis(200));
        let mut slow: Vec<_> = (0..2 * CLIENTS).map(|_| connect(&listener)).collect();
        assert_eq!(status(&listener, "GET /metrics HTTP/1.1\r\n\r\n"), "200");
        let mut refusal = String::new();
        slow[0].read_to_string(&mut refusal).unwrap();
        assert!(refusal.starts_with("HTTP/1.1 408 "), "{refusal}");
    }

    #[test]
    fn it_ends_at_once_though_clients_wait() {
        let listener = listener(LONG);
        let (address, start) = (listener.address(), clock::instant());
        let _slow = connect(&listener);
        drop(listener);
        assert!(start.elapsed() < LONG / 4);
        assert!(TcpStream::connect(address).is_err());
    }
}
