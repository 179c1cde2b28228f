//! An agent of four nodes that are not there, of which it has the logs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The nodes.
pub(super) const NODES: [&str; 4] = ["alice", "bob", "carol", "dave"];

pub(super) struct Watching {
    config: PathBuf,
    dir: PathBuf,
    child: Option<Child>,
}

impl Watching {
    /// An agent in `dir` that pushes to `url`, with more lines for the table `agent`.
    pub(super) fn new(dir: &Path, url: &str, more: &str) -> Self {
        let mut text = format!(
            "[agent]\nspool_dir = '{}/agent'\nserver = 'http://127.0.0.1:9'\n{more}\
             [agent.loki]\nurl = '{url}'\nbatch_wait_ms = 100\n",
            dir.display()
        );
        fs::create_dir_all(dir.join("agent")).unwrap();
        for node in NODES {
            let data = dir.join(node);
            fs::create_dir_all(&data).unwrap();
            fs::write(dir.join(format!("agent/{node}.token")), "none").unwrap();
            text += &format!(
                "[[nodes]]\nname = '{node}'\ndata_dir = '{}'\nnetwork = 'regtest'\ndebug_log = '{}/debug.log'\n\
                 rpc_url = 'http://127.0.0.1:9'\nstderr_log = '{}/stderr.log'\n",
                data.display(),
                data.display(),
                data.display()
            );
        }
        let config = dir.join("bmon.toml");
        fs::write(&config, text).unwrap();
        Self { config, dir: dir.to_owned(), child: None }
    }

    pub(super) fn log(&self, node: &str) -> PathBuf {
        self.dir.join(node).join("debug.log")
    }

    pub(super) fn start(&mut self) {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_bmon")));
    }

    /// The agent may use the first core only.
    pub(super) fn start_on_one_core(&mut self) {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "0", env!("CARGO_BIN_EXE_bmon")]);
        self.spawn(command);
    }

    fn spawn(&mut self, mut command: Command) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.join("agent.log")).unwrap();
        command.args(["agent", "--config"]).arg(&self.config);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Kills the agent. Returns the most memory that it held.
    pub(super) fn kill(&mut self) -> u64 {
        let memory = self.peak_memory();
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        memory
    }

    /// The most memory that the agent held, in bytes.
    pub(super) fn peak_memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// CPU time of the agent so far.
    pub(super) fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: u64 = [11, 12].iter().map(|field| fields[*field].parse::<u64>().unwrap()).sum();
        ticks as f64 / 100.0
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.as_ref().unwrap().id())).unwrap()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
