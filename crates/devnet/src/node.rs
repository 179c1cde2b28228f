//! One real `bitcoind` on regtest.

use std::{
    fs, io, iter,
    net::SocketAddrV4,
    path::{self, Path, PathBuf},
    process::Command,
    time::Duration,
};

use bmon_event::NodeName;
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    NodeConfig, Rpc, RpcError, Timeout, Zmq,
    clock::wait_for,
    faketime,
    port::{self, Ports},
    process::{self, Process},
};

/// A start takes 0.3 s; this is for a machine that is busy with something else.
const START_LIMIT: Duration = Duration::from_mins(1);
/// A clean stop takes as long as a start.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const TERMINATE_LIMIT: Duration = Duration::from_secs(10);
/// How often a start is tried again with other ports because one was taken in the meantime.
const ATTEMPTS: usize = 5;

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
    /// The node's clock is not the one asked for.
    #[error(
        "shift the clock of node `{0}`: its loader did not find the library of Debian's package `faketime`"
    )]
    NoFaketime(NodeName),
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

#[derive(Deserialize)]
struct NetworkInfo {
    subversion: String,
}

impl Node {
    /// Starts a node and waits until it answers. If another process takes one of its ports in the meantime, tries
    /// again with others.
    pub fn start(config: NodeConfig) -> Result<Self, NodeError> {
        Self::start_on(config, iter::from_fn(Ports::free).take(ATTEMPTS))
    }

    /// Starts a node on the first of `candidates` that no one else has.
    fn start_on(
        mut config: NodeConfig,
        mut candidates: impl Iterator<Item = Ports>,
    ) -> Result<Self, NodeError> {
        let no_port = NodeError::NoPort(config.name.clone());
        // A relative one would mean another place in `bitcoin.conf` once the caller changes its directory.
        config.dir = path::absolute(&config.dir).unwrap_or(config.dir);
        let Some(ports) = candidates.next() else { return Err(no_port) };
        let rpc = rpc_client(&config, ports);
        let mut node = Self { config, ports, rpc, process: None, version: String::new() };
        loop {
            match node.start_again() {
                // A node that could not bind a port has ended, or runs without ZMQ; then someone else has the port.
                Err(NodeError::Ended { .. }) if node.ports.any_taken() => {}
                Err(NodeError::NoZmq(_)) => {}
                other => return other.map(|()| node),
            }
            let Some(ports) = candidates.next() else { return Err(no_port) };
            node.ports = ports;
            node.rpc = rpc_client(&node.config, ports);
        }
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
        if self.config.clock_offset_us != 0 {
            faketime::shift(&mut command, self.config.clock_offset_us);
        }
        let process = Process::spawn(command).map_err(|source| self.io("start the `bitcoind`", source))?;
        self.process = Some(process);
        let answered = self.wait_until_it_answers().and_then(|()| self.check_clock());
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
        self.config.zmq_endpoint(self.ports)
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
        fs::write(self.config.dir.join("bitcoin.conf"), self.config.render(self.ports))
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

    /// Whether the node has the clock that it was to have.
    fn check_clock(&self) -> Result<(), NodeError> {
        let Some(process_id) = self.process_id().filter(|_| self.config.clock_offset_us != 0) else {
            return Ok(());
        };
        faketime::unname_shared(process_id);
        let is_loaded = faketime::is_loaded(process_id);
        if is_loaded.map_err(|source| self.io("look at the libraries of the process", source))? {
            Ok(())
        } else {
            Err(NodeError::NoFaketime(self.config.name.clone()))
        }
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

fn rpc_client(config: &NodeConfig, ports: Ports) -> Rpc {
    Rpc::new(port::on_loopback(ports.rpc), &regtest_dir(&config.dir).join(".cookie"))
}

fn last_line(output: &str) -> String {
    output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_node_whose_port_was_taken_starts_on_others() {
        let exe =
            crate::exe::find().unwrap_or_else(|error| panic!("{error}: {}", error.hint())).swap_remove(0);
        let dir = tempfile::tempdir().unwrap();
        let mut candidates: Vec<Ports> = iter::from_fn(Ports::free).take(4).collect();
        let taken = [candidates[0].p2p, candidates[1].rpc, candidates[2].zmq];
        let _listeners = taken.map(|port| TcpListener::bind(port::on_loopback(port)).unwrap());
        let config = NodeConfig::new("alice".parse().unwrap(), exe, dir.path().to_owned());
        let node = Node::start_on(config.clone(), candidates.clone().into_iter()).unwrap();
        assert_eq!(node.p2p_address().port(), candidates[3].p2p);
        drop(node);

        candidates.truncate(3);
        let error = Node::start_on(config, candidates.into_iter()).unwrap_err();
        assert!(matches!(error, NodeError::NoPort(_)), "{error}");
    }

    #[test]
    fn the_reason_of_a_failed_start_is_the_last_line_that_says_something() {
        assert_eq!(last_line("Warning: x\nError: Invalid port\n\n"), "Error: Invalid port");
        assert_eq!(last_line(""), "no output");
    }
}
