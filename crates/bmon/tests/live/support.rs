//! Real nodes, and a real `bmon server` and `bmon agent` as processes that can be killed.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use bmon_devnet::{Network, Node, exe};
use bmon_event::NodeName;
use serde_json::Value;

/// What every wait is bounded by. Far more than a busy machine takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// A number from the environment, for counts that `make soak` raises.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    env::var(name)
        .map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Random numbers from a seed that is printed, so that a run can be repeated (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded() -> Self {
        let seed = setting("BMON_SEED", 1);
        println!("seed: BMON_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Waits until `state` gives a value.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, state: impl FnMut() -> Option<T>) -> T {
    try_wait_for(limit, state).unwrap_or_else(|| panic!("waited {limit:?} for {what}"))
}

/// The same for who can say better what is missing.
#[expect(clippy::disallowed_methods, reason = "a wait is bounded by real time")]
pub(crate) fn try_wait_for<T>(limit: Duration, mut state: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = state() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Now, by the clock of this machine, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a query names a range of real time")]
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Where a server and an agent of one configuration live.
pub(crate) struct Site {
    dir: PathBuf,
    config: PathBuf,
    port: u16,
    pub(crate) url: String,
    server: Option<Child>,
    agent: Option<Child>,
    /// Agents with a clock of their own.
    shifted_agents: Vec<Child>,
}

impl Site {
    /// A configuration in `dir` that watches `nodes` and asks them often, a free port, and a token for each node.
    pub(crate) fn new(dir: &Path, nodes: &[Node]) -> Self {
        Self::with_intervals(dir, nodes, OFTEN)
    }

    /// The same with `intervals` as the configuration's `agent.interval`.
    pub(crate) fn with_intervals(dir: &Path, nodes: &[Node], intervals: &str) -> Self {
        fs::create_dir_all(dir).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = dir.join("bmon.toml");
        let url = format!("http://127.0.0.1:{port}");
        fs::write(&config, toml(dir, port, nodes, intervals)).unwrap();
        let (server, agent, shifted_agents) = (None, None, Vec::new());
        let site = Self { dir: dir.to_owned(), config, port, url, server, agent, shifted_agents };
        for node in nodes {
            site.make_token(node);
        }
        site
    }

    /// Adds a line to a table of the configuration.
    pub(crate) fn set(&self, table: &str, line: &str) {
        let (text, table) = (fs::read_to_string(&self.config).unwrap(), format!("[{table}]\n"));
        fs::write(&self.config, text.replacen(&table, &format!("{table}{line}\n"), 1)).unwrap();
    }

    /// Adds a table to the configuration.
    pub(crate) fn add(&self, table: &str) {
        let text = fs::read_to_string(&self.config).unwrap();
        fs::write(&self.config, format!("{text}\n{table}\n")).unwrap();
    }

    /// Takes out the lines of the configuration that begin with `key`.
    pub(crate) fn unset(&self, key: &str) {
        let text = fs::read_to_string(&self.config).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with(key)).collect();
        fs::write(&self.config, lines.join("\n")).unwrap();
    }

    fn make_token(&self, node: &Node) {
        let token = self.bmon(&["server", "token", node.name().as_str()]);
        fs::create_dir_all(self.dir.join("agent")).unwrap();
        fs::write(self.dir.join(format!("agent/{}.token", node.name())), token).unwrap();
    }

    /// The output of a command that must succeed.
    pub(crate) fn bmon(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "bmon {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// `bmon` with this configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bmon"));
        command.args(arguments).arg("--config").arg(&self.config);
        command
    }

    fn spawn(&self, what: &str) -> Child {
        self.spawn_command(what, self.command(&[what, "--verbose"]))
    }

    fn spawn_command(&self, what: &str, mut command: Command) -> Child {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.join(format!("{what}.log")))
            .unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().unwrap()
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start_server(&mut self) {
        self.server = Some(self.spawn("server"));
        wait_for("the server's answer", LIMIT, || self.try_get("status"));
    }

    /// Starts the agent of all nodes.
    pub(crate) fn start_agent(&mut self) {
        self.agent = Some(self.spawn("agent"));
    }

    /// Starts an agent for `node`, which must not be one of this configuration, with the node's clock.
    pub(crate) fn start_shifted_agent(&mut self, node: &Node) {
        self.make_token(node);
        let (name, offset_us) = (node.name(), node.config().clock_offset_us);
        let config = self.dir.join(format!("{name}.toml"));
        fs::write(&config, toml(&self.dir, self.port, std::slice::from_ref(node), OFTEN)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bmon"));
        command.args(["agent", "--verbose", "--clock-offset-us", &offset_us.to_string(), "--config"]);
        command.arg(config);
        self.shifted_agents.push(self.spawn_command(&format!("agent-{name}"), command));
    }

    pub(crate) fn kill_server(&mut self) {
        kill(self.server.take());
    }

    pub(crate) fn kill_agent(&mut self) {
        kill(self.agent.take());
    }

    pub(crate) fn agent_pid(&self) -> u32 {
        self.agent.as_ref().unwrap().id()
    }

    pub(crate) fn server_pid(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    /// The reply to GET `/api/v1/{path}`, `None` when there is none or it is a refusal.
    pub(crate) fn try_get(&self, path: &str) -> Option<Value> {
        let mut response = ureq::get(format!("{}/api/v1/{path}", self.url)).call().ok()?;
        response.body_mut().read_json().ok()
    }

    /// The reply to GET `/api/v1/{path}`, which must be there.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.try_get(path).unwrap_or_else(|| panic!("GET {path} failed"))
    }

    /// Every item of a list, through all its pages.
    pub(crate) fn list(&self, name: &str) -> Vec<Value> {
        let (key, mut items, mut before) = (name.replace('-', "_"), Vec::new(), String::new());
        loop {
            let reply = self.get(&format!("{name}?limit=500{before}"));
            items.extend(reply[&key].as_array().unwrap().iter().cloned());
            match reply["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => return items,
            }
        }
    }

    /// Waits until log, ZMQ and RPC of every node are read.
    pub(crate) fn wait_for_sources(&self, nodes: &[Node]) {
        for node in nodes {
            for source in ["log", "zmq", "rpc"] {
                wait_for(&format!("{source} of {}", node.name()), LIMIT, || {
                    (self.source(node, source)?["working"] == true).then_some(())
                });
            }
        }
    }

    /// What the API says of one source of a node, `None` while it says nothing.
    pub(crate) fn source(&self, node: &Node, source: &str) -> Option<Value> {
        let reply = self.try_get("nodes")?;
        let node =
            reply["nodes"].as_array()?.iter().find(|found| found["node"] == node.name().as_str())?.clone();
        node["sources"].as_array()?.iter().find(|found| found["source"] == source).cloned()
    }

    /// What server and agent logged, for a failing test to show.
    pub(crate) fn logs(&self) -> String {
        ["server", "agent"]
            .map(|what| fs::read_to_string(self.dir.join(format!("{what}.log"))).unwrap_or_default())
            .join("\n")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        kill(self.agent.take());
        self.shifted_agents.drain(..).for_each(|agent| kill(Some(agent)));
        kill(self.server.take());
        if thread::panicking() {
            let logs = self.logs();
            let tail: Vec<_> = logs.lines().rev().take(60).collect();
            eprintln!("the end of the logs:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

fn kill(child: Option<Child>) {
    if let Some(mut child) = child {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// A test does not wait for the intervals that are right for years.
const OFTEN: &str = "blockchain_info_ms = 1_000\nnetwork_info_ms = 1_000\nmempool_info_ms = 1_000\n\
    peer_info_ms = 1_000\nchain_tips_ms = 1_000\nuptime_ms = 1_000\ndeployment_info_ms = 1_000\nhost_ms = 1_000\nclock_exchange_ms = 500\n\
    clock_sample_ms = 1_000\nhealth_ms = 1_000\n";

fn toml(dir: &Path, port: u16, nodes: &[Node], intervals: &str) -> String {
    let dir = dir.display();
    let mut text = format!(
        "[server]\nlisten = '127.0.0.1:{port}'\ndata_dir = '{dir}/server'\n\
         [agent]\nserver = 'http://127.0.0.1:{port}'\nspool_dir = '{dir}/agent'\nrpc_timeout_ms = 2_000\n\
         [agent.interval]\n{intervals}"
    );
    for node in nodes {
        let (name, data_dir) = (node.name(), node.config().dir.display());
        let (rpc, cookie, log) = (node.rpc_url(), node.cookie(), node.debug_log());
        text.push_str(&format!(
            "[[nodes]]\nname = '{name}'\ndata_dir = '{data_dir}'\nnetwork = 'regtest'\nrpc_url = '{rpc}'\n\
             rpc_cookie_file = '{}'\ndebug_log = '{}'\n",
            cookie.display(),
            log.display()
        ));
    }
    text
}

/// Nodes in a directory of their own.
pub(crate) fn network(dir: &Path, count: usize) -> Network {
    let exes = exe::find().unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
    Network::start(count, &exes, &dir.join("nodes")).unwrap()
}

/// The value of `sorted` that the share `q` of them does not exceed.
pub(crate) fn quantile<T: Copy>(sorted: &[T], q: f64) -> T {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into a short list")]
    let index = ((sorted.len() - 1) as f64 * q).ceil() as usize;
    sorted[index]
}

/// When each transaction first stands in a node's log, in microseconds: read by plain search, not with bmon's reader.
pub(crate) fn transactions_in_log(log: &Path) -> std::collections::BTreeMap<String, i64> {
    let text = fs::read(log).unwrap();
    let mut first = std::collections::BTreeMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let Some(txid) = transaction_of(line) else { continue };
        first.entry(txid.to_owned()).or_insert_with(|| micros(line));
    }
    first
}

/// The transaction that a line says was accepted or refused.
fn transaction_of(line: &str) -> Option<&str> {
    if let Some((_, rest)) = line.split_once("TransactionAddedToMempool: txid=") {
        return rest.get(..64);
    }
    if line.contains("AcceptToMemoryPool: peer=") {
        return line.split_once(": accepted ")?.1.get(..64);
    }
    let (before, _) = line.split_once(" was not accepted: ")?;
    let txid = before.split_once("[mempoolrej] ")?.1;
    txid.get(..64)
}

/// The time at the start of a line.
pub(crate) fn micros(line: &str) -> i64 {
    let time: jiff::Timestamp = line.split(' ').next().unwrap().parse().unwrap();
    time.as_microsecond()
}

/// The sightings of one source in a reply about one block or transaction: what `key` tells of each, by node.
pub(crate) fn of_source<'a>(
    reply: &'a Value,
    node: &'a NodeName,
    source: &'a str,
) -> impl Iterator<Item = &'a Value> {
    let sightings = reply["sightings"].as_array().unwrap().iter();
    sightings.filter(move |sighting| sighting["node"] == node.as_str() && sighting["source"] == source)
}
