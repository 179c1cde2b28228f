//! How far reading is, on a terminal only.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use bmon_replay::Progress;

/// How often it is shown anew.
const EVERY: Duration = Duration::from_millis(200);

/// Shows progress until it is dropped.
pub(super) struct Shown {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Shows how far a replay is.
pub(super) fn show(progress: Progress) -> Shown {
    show_line(move || line(progress.read_bytes(), progress.total_bytes()))
}

/// Shows on stderr, if that is a terminal, what `line` says.
pub(super) fn show_line(line: impl Fn() -> String + Send + 'static) -> Shown {
    if !io::stderr().is_terminal() {
        return Shown { stop: None, thread: None };
    }
    let (stop, stopped) = mpsc::channel();
    let thread = thread::spawn(move || {
        while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            // What cannot be shown is no reason to end.
            let _ = write!(io::stderr(), "\r\x1b[K{}", line());
        }
        let _ = write!(io::stderr(), "\r\x1b[K");
    });
    Shown { stop: Some(stop), thread: Some(thread) }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn line(read: u64, total: Option<u64>) -> String {
    let read_mb = read as f64 / 1e6;
    match total {
        Some(total @ 1..) => {
            let (percent, total_mb) = (100.0 * read as f64 / total as f64, total as f64 / 1e6);
            format!("reading: {percent:.0} %, {read_mb:.1} of {total_mb:.1} MB")
        }
        _ => format!("reading: {read_mb:.1} MB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_a_share_where_the_size_is_known() {
        assert_eq!(line(1_250_000, Some(5_000_000)), "reading: 25 %, 1.2 of 5.0 MB");
        assert_eq!(line(1_250_000, None), "reading: 1.2 MB");
        assert_eq!(line(0, Some(0)), "reading: 0.0 MB");
    }
}
