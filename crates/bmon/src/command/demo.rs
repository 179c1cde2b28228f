//! `bmon demo`.

use std::{
    io::{IsTerminal as _, Write as _},
    net::TcpListener,
    ops::ControlFlow,
    path::Path,
    time::Duration,
};

use bmon_devnet::{Network, Node, Progress, Scenario, ScenarioError, Truth, coin::Lock, exe};
use clap::Args;

use super::{companions::Companions, staged::Comparison, watch::Watch};
use crate::{
    client::Client,
    config::{self, Config},
    failure::{Code, Failure, Result},
    interrupt::Interrupt,
};

/// How long after the last step everything must be in: many times what a busy machine takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is asked for until then.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How often a block is mined after the scenario, so that the page lives.
const BLOCK_EVERY: Duration = Duration::from_secs(15);

#[derive(Args)]
pub(crate) struct Demo {
    /// End after the scenario: print what was staged beside what was found, exit 1 if anything is missing
    #[arg(long)]
    once: bool,
    /// Print that as JSON
    #[arg(long, requires = "once")]
    json: bool,
    /// Address of the page; by default the configured one if it is free, else any
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Also start Prometheus with its node exporter, and Alertmanager (Debian's packages), configured as by `bmon stack render`
    #[arg(long)]
    stack: bool,
}

impl Demo {
    pub(crate) fn run(self, mut config: Config) -> Result {
        let interrupt = Interrupt::catch()?;
        let exes = exe::find().map_err(|error| {
            let hint = error.hint();
            Failure::new(Code::Usage, error).hint(hint)
        })?;
        let dir = tempfile::Builder::new().prefix("bmon-demo-").tempdir()?;
        let network = Network::start(3, &exes, &dir.path().join("nodes"))?;
        for node in network.nodes() {
            eprintln!("{}: {}", node.name(), node.version());
        }
        self.adapt(&mut config, dir.path(), network.nodes());
        if self.stack {
            Companions::settle(&mut config)?;
        }
        let watch = Watch::start(&config)?;
        let url = format!("http://{}", watch.address());
        eprintln!("the page is at {url}");
        let companions = self.stack.then(|| Companions::start(&config, watch.address(), dir.path()));
        let mut companions = companions.transpose()?;

        let Some(truth) = stage(&network, &interrupt)? else {
            watch.stop();
            return Ok(());
        };
        let comparison = compare(&truth, &Client::new(&url), &interrupt)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&comparison)?);
        } else {
            print!("{}", comparison.summary());
        }
        if !self.once {
            println!("the page is at {url}; Ctrl-C ends the demo");
            live_on(&network, &interrupt, || {
                companions.as_mut().map_or(Ok(()), |beside| beside.ended(dir.path()))
            })?;
        }
        watch.stop();
        if self.once && !comparison.is_complete() {
            return Err(Failure::message(Code::NotFound, "find exactly what was staged"));
        }
        Ok(())
    }

    /// Makes the configuration that of the demo's own nodes, in a directory of its own.
    fn adapt(&self, config: &mut Config, dir: &Path, nodes: &[Node]) {
        if let Some(listen) = &self.listen {
            config.server.listen.clone_from(listen);
        } else if TcpListener::bind(&config.server.listen).is_err() {
            "127.0.0.1:0".clone_into(&mut config.server.listen);
        }
        config.server.data_dir = dir.join("server");
        config.agent.spool_dir = dir.join("agent");
        let interval = &mut config.agent.interval;
        for period in [
            &mut interval.blockchain_info_ms,
            &mut interval.mempool_info_ms,
            &mut interval.peer_info_ms,
            &mut interval.chain_tips_ms,
            &mut interval.host_ms,
            &mut interval.clock_sample_ms,
            &mut interval.health_ms,
        ] {
            *period = (*period).min(2_000);
        }
        config.nodes = nodes.iter().map(watched).collect();
    }
}

/// The configuration with which a node of the demo is watched.
fn watched(node: &Node) -> config::Node {
    config::Node {
        name: node.name().clone(),
        data_dir: node.config().dir.clone(),
        network: "regtest".to_owned(),
        debug_log: node.debug_log(),
        stderr_log: std::path::PathBuf::new(),
        rpc_url: node.rpc_url(),
        rpc_cookie_file: node.cookie(),
        rpc_user: String::new(),
        rpc_password_file: std::path::PathBuf::new(),
        zmq_hashblock: String::new(),
        zmq_sequence: String::new(),
        token_file: std::path::PathBuf::new(),
    }
}

/// Makes everything happen that the demo shows; `None` if the user ends it before.
fn stage(network: &Network, interrupt: &Interrupt) -> Result<Option<Truth>> {
    let staged = Scenario::default().run(network, &mut |progress| {
        show(progress);
        if interrupt.wait_for(Duration::ZERO) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match staged {
        Err(ScenarioError::Ended) => Ok(None),
        staged => Ok(Some(staged?)),
    }
}

/// A line that is written over on a terminal, and a line for each tenth of the way elsewhere.
fn show(Progress { step, done, total }: Progress) {
    let mut stderr = std::io::stderr();
    let percent = 100 * done / total.max(1);
    // A terminal that cannot be written to is no reason to end the demo.
    let _shown = if stderr.is_terminal() {
        let end = if done == total { "\n" } else { "" };
        write!(stderr, "\r\x1b[K{percent:>3} %  {step}{end}")
    } else if percent / 10 > 100 * done.saturating_sub(1) / total.max(1) / 10 {
        writeln!(stderr, "{percent:>3} %  {step}")
    } else {
        Ok(())
    };
}

/// Asks until everything is there, or too long, or the user ends it.
fn compare(truth: &Truth, client: &Client, interrupt: &Interrupt) -> Result<Comparison> {
    for _ in 0..PATIENCE.as_millis() / ASK_EVERY.as_millis() {
        let comparison = Comparison::ask(truth, client)?;
        if comparison.is_complete() || interrupt.wait_for(ASK_EVERY) {
            return Ok(comparison);
        }
    }
    Comparison::ask(truth, client)
}

/// Mines a block now and then, at each node in turn, until the user ends it, or `beside` fails.
fn live_on(network: &Network, interrupt: &Interrupt, mut beside: impl FnMut() -> Result) -> Result {
    for miner in (0..network.nodes().len()).cycle() {
        if interrupt.wait_for(BLOCK_EVERY) {
            break;
        }
        beside()?;
        network.nodes()[miner].mine(1, Lock::new(miner))?;
    }
    Ok(())
}
