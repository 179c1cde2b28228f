//! `bmon stack`.

use std::{
    net::SocketAddr,
    path::{self, Path, PathBuf},
};

use bmon_event::MetricsAddress;
use bmon_stack::{Installation, Written};
use clap::{Args, Subcommand};

use crate::{
    config::{Config, Stack as Settings},
    failure::{Code, Failure, Result},
};

#[derive(Subcommand)]
pub(crate) enum Stack {
    /// Write the configuration of Prometheus, Alertmanager, Loki and Grafana for this installation
    Render(Render),
}

#[derive(Args)]
pub(crate) struct Render {
    /// The directory; README.md in it says how to start each
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Write also over files that were changed by hand
    #[arg(long)]
    force: bool,
}

impl Stack {
    pub(crate) fn run(self, config: &Config) -> Result {
        let Self::Render(Render { dir, force }) = self;
        let dir = directory(&dir)?;
        let Written { written, kept } = render(&installation(config, dir)?, force)?;
        for path in &written {
            println!("{path}");
        }
        if kept.is_empty() {
            return Ok(());
        }
        Err(Failure::message(Code::NotFound, format!("write what was changed by hand: {}", kept.join(", ")))
            .hint("`--force` writes over it; all else is written"))
    }
}

/// Writes the files of an installation.
pub(super) fn render(installation: &Installation, force: bool) -> Result<Written> {
    Ok(bmon_stack::write(&installation.dir, &bmon_stack::render(installation), force)?)
}

/// The directory by its whole path, which stands in files and commands: with nothing that means something there.
fn directory(dir: &Path) -> Result<PathBuf> {
    let whole = path::absolute(dir)?;
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._+-".contains(char);
    if whole.to_str().is_some_and(|path| path.chars().all(is_plain)) {
        return Ok(whole);
    }
    Err(Failure::message(Code::Usage, format!("use directory `{}`", whole.display()))
        .hint("its path may have letters, digits, `/`, `.`, `_`, `+` and `-`"))
}

/// What the configuration says of the installation.
pub(super) fn installation(config: &Config, dir: PathBuf) -> Result<Installation> {
    let Settings { prometheus, alertmanager, loki, grafana, node_exporters, webhook, scrape_seconds } =
        &config.stack;
    let is_url = webhook.is_empty() || webhook.starts_with("http://") || webhook.starts_with("https://");
    if !is_url || webhook.contains(char::is_whitespace) {
        return Err(Failure::message(Code::Usage, format!("use `stack.webhook`: `{webhook}` is not a URL"))
            .hint("for example http://127.0.0.1:8080/bmon"));
    }
    if *scrape_seconds == 0 {
        return Err(Failure::message(Code::Usage, "use `stack.scrape_seconds`: 0 is no interval"));
    }
    let exporters = node_exporters.iter().map(|address| checked("stack.node_exporters", address));
    Ok(Installation {
        dir,
        server: server(&config.server.listen),
        page: Some(config.server.external_url.clone()).filter(|url| !url.is_empty()),
        prometheus: checked("stack.prometheus", prometheus)?,
        alertmanager: checked("stack.alertmanager", alertmanager)?,
        loki: checked("stack.loki", loki)?,
        grafana: checked("stack.grafana", grafana)?,
        node_exporters: exporters.collect::<Result<_>>()?,
        webhook: Some(webhook.clone()).filter(|webhook| !webhook.is_empty()),
        scrape_seconds: *scrape_seconds,
    })
}

/// Where the server is reached: at this machine, if it listens at all addresses.
fn server(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => format!("127.0.0.1:{}", address.port()),
        _ => listen.to_owned(),
    }
}

fn checked(key: &str, address: &str) -> Result<String> {
    let parsed = address.parse::<MetricsAddress>();
    parsed.map(|address| address.to_string()).map_err(|error| {
        Failure::new(Code::Usage, anyhow::Error::new(error).context(format!("use `{key}`")))
            .hint("for example 127.0.0.1:9090; where it listens is where others reach it")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(text: &str) -> Result<Installation> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        installation(&Config::load(Some(file.path())).unwrap(), PathBuf::from("/etc/bmon/stack"))
    }

    #[test]
    fn the_default_configuration_is_the_default_installation() {
        assert_eq!(of("").unwrap(), Installation::default());
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (text, named) in [
            ("[stack]\nloki = '0.0.0.0:3100'", "`stack.loki`: `0.0.0.0:3100` is not HOST:PORT"),
            ("[stack]\nnode_exporters = ['a:1', 'b']", "`stack.node_exporters`: `b` is not"),
            ("[stack]\nwebhook = 'localhost:1'", "`stack.webhook`: `localhost:1` is not a URL"),
            ("[stack]\nscrape_seconds = 0", "`stack.scrape_seconds`: 0"),
        ] {
            let failure = of(text).unwrap_err().to_string();
            assert!(failure.contains(named), "{failure}");
        }
        assert!(directory(Path::new("/a b")).unwrap_err().to_string().contains("use directory `/a b`"));
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_here() {
        assert_eq!(of("[server]\nlisten = '0.0.0.0:8890'").unwrap().server, "127.0.0.1:8890");
        assert_eq!(of("[server]\nlisten = '10.0.0.1:8890'").unwrap().server, "10.0.0.1:8890");
    }
}
