//! What a node is started with, and the `bitcoin.conf` that says so.

use std::{fmt::Write as _, path::PathBuf};

use bmon_event::NodeName;

use crate::{
    Policy,
    port::{self, Ports},
};

/// The log categories that bmon reads: what enters and leaves chain and mempool, what is refused, and how long blocks
/// take. `net` is not
/// among them: it writes lines for every message of every peer, and what bmon would take from it, the arrival of
/// whole blocks, `cmpctblock` tells for nearly all of them.
pub const DEBUG_CATEGORIES: [&str; 5] = ["validation", "mempool", "mempoolrej", "cmpctblock", "bench"];

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its name.
    pub name: NodeName,
    /// Its binary.
    pub exe: PathBuf,
    /// Its data directory; made if it is missing.
    pub dir: PathBuf,
    /// Its ZMQ publishers.
    pub zmq: Zmq,
    /// Categories of `-debug`.
    pub debug: Vec<String>,
    /// Its policy, and what a scenario may expect it to refuse.
    pub policy: Policy,
    /// More arguments for the command line; they come last and win.
    pub extra_args: Vec<String>,
    /// Added to the host's time of day for this node, in microseconds; other than 0 it needs Debian's package `faketime`.
    pub clock_offset_us: i64,
}

/// How a node publishes `hashblock` and `sequence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zmq {
    /// Not at all.
    Off,
    /// On a TCP port of loopback.
    Tcp,
    /// On a Unix socket in the data directory, whose path must then be short: a socket's has at most 107 bytes.
    Ipc,
}

impl NodeConfig {
    /// A node with ZMQ on TCP, the log categories that bmon reads, and its implementation's own policy.
    pub fn new(name: NodeName, exe: PathBuf, dir: PathBuf) -> Self {
        Self {
            name,
            exe,
            dir,
            zmq: Zmq::Tcp,
            debug: DEBUG_CATEGORIES.map(str::to_owned).to_vec(),
            policy: Policy::default(),
            extra_args: Vec::new(),
            clock_offset_us: 0,
        }
    }

    /// Where the node publishes, in the form that a ZMQ library takes; `None` if it does not.
    pub(crate) fn zmq_endpoint(&self, ports: Ports) -> Option<String> {
        match self.zmq {
            Zmq::Off => None,
            Zmq::Tcp => Some(format!("tcp://{}", port::on_loopback(ports.zmq))),
            Zmq::Ipc => Some(format!("ipc://{}", self.dir.join("zmq.sock").display())),
        }
    }

    /// The content of `bitcoin.conf`.
    pub(crate) fn render(&self, ports: Ports) -> String {
        let Ports { p2p, rpc, .. } = ports;
        // Everything that would leave loopback is off; `connect=0` makes connections only where `addnode` says so.
        // Peers on loopback may relay at once and may do wrong: without `noban` a node delays its announcements by
        // random seconds and disconnects who sends it an invalid block (`src/net_processing.cpp@v30`).
        let mut conf = format!(
            "regtest=1\n\
             [regtest]\n\
             server=1\nport={p2p}\nbind=127.0.0.1:{p2p}\n\
             rpcport={rpc}\nrpcbind=127.0.0.1\nrpcallowip=127.0.0.1\n\
             listen=1\nconnect=0\ndnsseed=0\nfixedseeds=0\ndiscover=0\nlistenonion=0\nnatpmp=0\n\
             whitelist=in,out,noban,relay@127.0.0.1\n\
             disablewallet=1\nprinttoconsole=0\n\
             logtimemicros=1\nshrinkdebugfile=0\n"
        );
        for category in &self.debug {
            let _ = writeln!(conf, "debug={category}");
        }
        if let Some(endpoint) = self.zmq_endpoint(ports) {
            let _ = writeln!(conf, "zmqpubhashblock={endpoint}\nzmqpubsequence={endpoint}");
        }
        for setting in self.policy.settings {
            let _ = writeln!(conf, "{setting}");
        }
        conf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { p2p: 1, rpc: 2, zmq: 3 };

    fn config() -> NodeConfig {
        NodeConfig::new("alice".parse().unwrap(), PathBuf::new(), PathBuf::from("/data"))
    }

    #[test]
    fn nothing_leaves_loopback() {
        let conf = config().render(PORTS);
        let lines: Vec<&str> = conf.lines().collect();
        for quiet in ["connect=0", "dnsseed=0", "fixedseeds=0", "discover=0", "listenonion=0", "natpmp=0"] {
            assert!(lines.contains(&quiet), "{quiet}");
        }
        let addresses = lines.iter().filter(|line| line.contains("bind=") || line.starts_with("zmq"));
        assert!(addresses.clone().count() == 4 && addresses.clone().all(|line| line.contains("127.0.0.1")));
    }

    #[test]
    fn policy_log_and_publishers_are_as_asked_for() {
        let mut config = config();
        config.policy = Policy::STRICT;
        config.debug = vec!["net".to_owned()];
        config.zmq = Zmq::Ipc;
        let conf = config.render(PORTS);
        assert!(conf.contains("\ndatacarriersize=40\n") && conf.contains("\ndebug=net\n"));
        assert!(!conf.contains("debug=mempool"));
        assert!(conf.contains("\nzmqpubsequence=ipc:///data/zmq.sock\n"));
        config.zmq = Zmq::Off;
        assert!(!config.render(PORTS).contains("zmq"));
    }
}
