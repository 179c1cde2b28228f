//! A program that is run beside the network, and ends with it.

use std::{fs::File, io, path::Path, process::Command, process::Stdio, time::Duration};

use rustix::process::Signal;

use crate::{port, process::Process};

/// How long a program has to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running program. Dropped, it is asked to end, and killed if it does not; it does not outlive this process either.
#[derive(Debug)]
pub struct Companion(Process);

impl Companion {
    /// Starts `command`, which reads nothing and writes into `log`.
    pub fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let log = File::create(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Process::spawn(command).map(Self)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.ended()?.is_some())
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let asked = self.0.signal(Signal::TERM).and_then(|()| self.0.ends_within(PATIENCE));
        match asked {
            Ok(true) => {}
            Ok(false) => tracing::warn!(pid = self.0.id(), "a program does not end and is killed"),
            Err(error) => tracing::warn!(pid = self.0.id(), %error, "cannot ask a program to end"),
        }
    }
}

/// `wanted` if nobody listens there, else a free address on loopback. `None` if there is none.
pub fn free_address(wanted: &str) -> Option<String> {
    if std::net::TcpListener::bind(wanted).is_ok() {
        return Some(wanted.to_owned());
    }
    port::free().map(|port| port::on_loopback(port).to_string())
}

#[cfg(test)]
mod tests {
    use std::{fs, net::TcpListener};

    use super::*;

    #[test]
    fn a_dropped_program_ends_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut command = Command::new("bash");
        command.args(["-c", "trap 'echo ended; exit' TERM; echo begun; while true; do sleep 0.01; done"]);
        let mut companion = Companion::start(command, &log).unwrap();
        let written = || fs::read_to_string(&log).unwrap();
        crate::clock::wait_for("its first word", PATIENCE, || {
            Ok::<_, crate::Timeout>((written() == "begun\n").then_some(()))
        })
        .unwrap();
        assert!(!companion.has_ended().unwrap());
        drop(companion);
        assert_eq!(written(), "begun\nended\n");
    }

    #[test]
    fn an_address_in_use_is_replaced() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().to_string();
        assert_ne!(free_address(&taken).unwrap(), taken);
        drop(listener);
        assert_eq!(free_address(&taken).unwrap(), taken);
    }
}
