//! One real `bitcoind` on regtest.

use std::{
    fmt::Write as _,
    fs, io,
    net::SocketAddrV4,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use bmon_event::NodeName;
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Policy, Rpc, RpcError, Timeout,
    clock::wait_for,
    port,
    process::{self, Process},
};

/// A start takes 0.3 s; this is for a machine that is busy with something else.
const START_LIMIT: Duration = Duration::from_mins(1);
/// A clean stop takes as long as a start.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const TERMINATE_LIMIT: Duration = Duration::from_secs(10);
/// How often a start is tried again with other ports because one was taken in the meantime.
const ATTEMPTS: u32 = 5;

/// The log categories that bmon reads: what enters and leaves chain and mempool, and what is refused. `net` is not
/// among them: it writes lines for every message of every peer, and what bmon would take from it, the arrival of
/// whole blocks, `cmpctblock` tells for nearly all of them.
pub const DEBUG_CATEGORIES: [&str; 4] = ["validation", "mempool", "mempoolrej", "cmpctblock"];

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
        }
    }
}

/// A node cannot be started, stopped or asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A file or a process of the node could not be handled.
    #[error("{action} of node `{name}`")]
    Io {
        /// The node.
        name: NodeName,
        /// What was tried, for example ``write `bitcoin.conf` ``.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// `bitcoind` ended before it answered.
    #[error("start node `{name}`: `{}` ended with {status}: {output}", exe.display())]
    Ended {
        /// The node.
        name: NodeName,
        /// Its binary.
        exe: PathBuf,
        /// How it ended.
        status: String,
        /// The end of what it wrote to standard error.
        output: String,
    },
    /// No free port was found, or all were taken at each attempt.
    #[error("find free ports for node `{0}`")]
    NoPort(NodeName),
    /// The node publishes nothing over ZMQ, although it was asked to.
    #[error("start the ZMQ publishers of node `{0}`")]
    NoZmq(NodeName),
    /// A call failed.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The node did not come into a state.
    #[error(transparent)]
    Timeout(#[from] Timeout),
}

/// A real `bitcoind` on regtest, with a directory and ports of its own. It is killed when this is dropped; its
/// directory stays and belongs to the caller.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    ports: Ports,
    rpc: Rpc,
    process: Option<Process>,
    version: String,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    p2p: u16,
    rpc: u16,
    zmq: u16,
}

impl Ports {
    fn free() -> Option<Self> {
        Some(Self { p2p: port::free()?, rpc: port::free()?, zmq: port::free()? })
    }

    fn rpc_client(self, data_dir: &Path) -> Rpc {
        Rpc::new(port::on_loopback(self.rpc), &regtest_dir(data_dir).join(".cookie"))
    }

    fn any_taken(self) -> bool {
        [self.p2p, self.rpc, self.zmq].into_iter().any(port::is_taken)
    }
}

#[derive(Deserialize)]
struct NetworkInfo {
    subversion: String,
}

impl Node {
    /// Starts a node and waits until it answers. If another process takes one of its ports in the meantime, tries
    /// again with others.
    pub fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let no_port = NodeError::NoPort(config.name.clone());
        let Some(ports) = Ports::free() else { return Err(no_port) };
        let rpc = ports.rpc_client(&config.dir);
        let mut node = Self { config, ports, rpc, process: None, version: String::new() };
        for _ in 0..ATTEMPTS {
            match node.start_again() {
                // A node that could not bind a port has ended, or runs without ZMQ; then someone else has the port.
                Err(NodeError::Ended { .. }) if node.ports.any_taken() => {}
                Err(NodeError::NoZmq(_)) => {}
                other => return other.map(|()| node),
            }
            let Some(ports) = Ports::free() else { break };
            node.ports = ports;
            node.rpc = ports.rpc_client(&node.config.dir);
        }
        Err(no_port)
    }

    /// Starts the node after [`Node::stop`] or [`Node::kill`], with the same directory and ports, and waits until it
    /// answers. Does nothing if it runs.
    pub fn start_again(&mut self) -> Result<(), NodeError> {
        if self.process.is_some() {
            return Ok(());
        }
        self.write_conf().map_err(|source| self.io("write `bitcoin.conf`", source))?;
        let output = fs::File::create(self.output_path())
            .map_err(|source| self.io("make the file for the output", source))?;
        let mut command = Command::new(&self.config.exe);
        command.arg(format!("-datadir={}", self.config.dir.display())).args(&self.config.extra_args);
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(output);
        let process = Process::spawn(command).map_err(|source| self.io("start the `bitcoind`", source))?;
        self.process = Some(process);
        let answered = self.wait_until_it_answers();
        if answered.is_err() {
            self.process = None;
        }
        answered
    }

    /// Stops the node: RPC `stop`, then SIGTERM, then SIGKILL, each with a bounded wait. Does nothing if it does not
    /// run.
    pub fn stop(&mut self) -> Result<(), NodeError> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let ended = (|| {
            process.signal(Signal::CONT)?;
            let asked = self.rpc.call::<Value>("stop", json!([]));
            if asked.is_ok() && process.ends_within(STOP_LIMIT)? {
                return Ok(());
            }
            tracing::warn!(node = %self.config.name, "node does not stop when asked, sending a signal");
            process.signal(Signal::TERM)?;
            if !process.ends_within(TERMINATE_LIMIT)? {
                process.kill()?;
            }
            Ok(())
        })();
        ended.map_err(|source| self.io("stop the process", source))
    }

    /// Kills the node with SIGKILL and waits for its end. Does nothing if it does not run.
    pub fn kill(&mut self) -> Result<(), NodeError> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.kill().map(drop).map_err(|source| self.io("kill the process", source))
    }

    /// Stops the node's process with SIGSTOP and waits until it stands still: its RPC takes calls and never answers.
    pub fn pause(&self) -> Result<(), NodeError> {
        self.running()?.pause().map_err(|source| self.io("pause the process", source))
    }

    /// Lets a paused node go on.
    pub fn resume(&self) -> Result<(), NodeError> {
        self.signal(Signal::CONT)
    }

    /// Sends the node's process a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), NodeError> {
        self.running()?.signal(signal).map_err(|source| self.io("signal the process", source))
    }

    /// Its name.
    pub fn name(&self) -> &NodeName {
        &self.config.name
    }

    /// What it was started with.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// A client for its RPC server.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Its user agent (BIP 14), for example `/Satoshi:30.0.0/`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its process id, `None` while it does not run.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Its data directory (`-datadir`).
    pub fn data_dir(&self) -> &Path {
        &self.config.dir
    }

    /// Its log.
    pub fn debug_log(&self) -> PathBuf {
        regtest_dir(&self.config.dir).join("debug.log")
    }

    /// The file with its RPC cookie.
    pub fn cookie(&self) -> PathBuf {
        regtest_dir(&self.config.dir).join(".cookie")
    }

    /// Its RPC server.
    pub fn rpc_address(&self) -> SocketAddrV4 {
        port::on_loopback(self.ports.rpc)
    }

    /// URL of its RPC server, without credentials.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc_address())
    }

    /// Where it takes P2P connections.
    pub fn p2p_address(&self) -> SocketAddrV4 {
        port::on_loopback(self.ports.p2p)
    }

    /// Where it publishes `hashblock` and `sequence`, in the form that a ZMQ library takes; `None` if it does not.
    pub fn zmq_endpoint(&self) -> Option<String> {
        match self.config.zmq {
            Zmq::Off => None,
            Zmq::Tcp => Some(format!("tcp://{}", port::on_loopback(self.ports.zmq))),
            Zmq::Ipc => Some(format!("ipc://{}", self.config.dir.join("zmq.sock").display())),
        }
    }

    fn running(&self) -> Result<&Process, NodeError> {
        self.process.as_ref().ok_or_else(|| self.io("find the process", io::ErrorKind::NotFound.into()))
    }

    fn output_path(&self) -> PathBuf {
        self.config.dir.join("output")
    }

    /// Writes the configuration into the data directory, so that `bitcoin-cli -datadir=…` works too.
    fn write_conf(&self) -> io::Result<()> {
        fs::create_dir_all(&self.config.dir)?;
        fs::write(self.config.dir.join("bitcoin.conf"), self.conf())
    }

    fn conf(&self) -> String {
        let Ports { p2p, rpc, .. } = self.ports;
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
        for category in &self.config.debug {
            let _ = writeln!(conf, "debug={category}");
        }
        if let Some(endpoint) = self.zmq_endpoint() {
            let _ = writeln!(conf, "zmqpubhashblock={endpoint}\nzmqpubsequence={endpoint}");
        }
        for setting in self.config.policy.settings {
            let _ = writeln!(conf, "{setting}");
        }
        conf
    }

    fn wait_until_it_answers(&mut self) -> Result<(), NodeError> {
        let what = format!("an RPC answer of node `{}`", self.config.name);
        let info = wait_for(&what, START_LIMIT, || {
            self.check_that_it_runs()?;
            match self.rpc.call::<NetworkInfo>("getnetworkinfo", json!([])) {
                Ok(info) => Ok(Some(info)),
                Err(error) if error.is_of_a_starting_node() => Ok(None),
                Err(error) => Err(NodeError::from(error)),
            }
        })?;
        self.version = info.subversion;
        let publishers: Vec<Value> = match self.config.zmq {
            Zmq::Off => return Ok(()),
            Zmq::Tcp | Zmq::Ipc => self.rpc.call("getzmqnotifications", json!([]))?,
        };
        // A publisher that cannot bind its address does not keep the node from starting.
        if publishers.is_empty() { Err(NodeError::NoZmq(self.config.name.clone())) } else { Ok(()) }
    }

    fn check_that_it_runs(&mut self) -> Result<(), NodeError> {
        let ended = self.process.as_mut().map(Process::ended).transpose();
        match ended.map_err(|source| self.io("look at the process", source))?.flatten() {
            None => Ok(()),
            Some(status) => Err(NodeError::Ended {
                name: self.config.name.clone(),
                exe: self.config.exe.clone(),
                status: process::describe(status),
                output: last_line(&fs::read_to_string(self.output_path()).unwrap_or_default()),
            }),
        }
    }

    pub(crate) fn io(&self, action: &str, source: io::Error) -> NodeError {
        NodeError::Io { name: self.config.name.clone(), action: action.to_owned(), source }
    }
}

fn regtest_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("regtest")
}

fn last_line(output: &str) -> String {
    output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_failed_start_is_the_last_line_that_says_something() {
        assert_eq!(last_line("Warning: x\nError: Invalid port\n\n"), "Error: Invalid port");
        assert_eq!(last_line(""), "no output");
    }
}
