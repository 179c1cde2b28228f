//! What `bmon demo --stack` runs beside bmon: Prometheus, Alertmanager and `node_exporter`, as `bmon stack render` configures them.

use std::{fs, io::ErrorKind, net::SocketAddr, path::Path, process::Command};

use bmon_devnet::{Companion, companion::free_address};

use super::stack;
use crate::{
    config::Config,
    failure::{Code, Failure, Result},
};

/// The running programs; they end when this is dropped.
pub(super) struct Companions {
    running: Vec<(&'static str, Companion)>,
}

impl Companions {
    /// Gives each an address that is free, and tells bmon.
    pub(super) fn settle(config: &mut Config) -> Result {
        let free = |wanted: &str| free_address(wanted).ok_or_else(|| anyhow::anyhow!("find a free port"));
        let stack = &mut config.stack;
        for address in [&mut stack.prometheus, &mut stack.alertmanager] {
            *address = free(address)?;
        }
        let exporter = stack.node_exporters.first().map_or("127.0.0.1:9100", String::as_str);
        stack.node_exporters = vec![free(exporter)?];
        stack.scrape_seconds = stack.scrape_seconds.min(2);
        config.server.alertmanager = format!("http://{}", stack.alertmanager);
        config.agent.metrics_listen = free("127.0.0.1:8891")?;
        config.agent.metrics_address = String::new();
        Ok(())
    }

    /// Writes their configuration for the server at `server` into `dir`, which must be there, and starts them.
    pub(super) fn start(config: &Config, server: SocketAddr, dir: &Path) -> Result<Self> {
        let mut installation = stack::installation(config, dir.join("stack"))?;
        installation.server = server.to_string();
        stack::render(&installation, false)?;
        let (stack, data) =
            (&installation.dir, |name: &str| dir.join(format!("{name}-data")).display().to_string());
        let programs = [
            (
                "prometheus",
                &installation.prometheus,
                vec![
                    format!("--config.file={}", stack.join("prometheus/prometheus.yml").display()),
                    format!("--storage.tsdb.path={}", data("prometheus")),
                ],
            ),
            (
                "prometheus-alertmanager",
                &installation.alertmanager,
                vec![
                    format!("--config.file={}", stack.join("alertmanager/alertmanager.yml").display()),
                    format!("--storage.path={}", data("alertmanager")),
                    "--cluster.listen-address=".to_owned(),
                ],
            ),
            ("prometheus-node-exporter", &config.stack.node_exporters[0], Vec::new()),
        ];
        let mut running = Vec::new();
        for (name, address, arguments) in programs {
            running.push((name, start(name, address, &arguments, dir)?));
            eprintln!("{name} is at http://{address}");
        }
        eprintln!("their configuration, and dashboards for Grafana, are in {}", stack.display());
        Ok(Self { running })
    }

    /// The first that has ended by itself, with the end of its log.
    pub(super) fn ended(&mut self, dir: &Path) -> Result {
        for (name, companion) in &mut self.running {
            if companion.has_ended()? {
                let log = fs::read_to_string(log(dir, name)).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default().to_owned();
                return Err(Failure::message(Code::Other, format!("run {name}: it ended: {last}")));
            }
        }
        Ok(())
    }
}

fn log(dir: &Path, name: &str) -> std::path::PathBuf {
    dir.join(format!("{name}.log"))
}

fn start(name: &str, address: &str, arguments: &[String], dir: &Path) -> Result<Companion> {
    let mut command = Command::new(name);
    command.args(arguments).arg(format!("--web.listen-address={address}")).current_dir(dir);
    Companion::start(command, &log(dir, name)).map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let failure = Failure::new(Code::Usage, anyhow::Error::new(error).context(format!("start {name}")));
        if is_missing { failure.hint("`scripts/setup --stack` installs Debian's packages") } else { failure }
    })
}
