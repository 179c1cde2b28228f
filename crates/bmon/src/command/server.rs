//! `bmon server`.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use bmon_event::NodeName;
use bmon_server::{
    Links, ServerError, database_path,
    ingest::hash_of_token,
    notify::{NotifierKind, Target},
};
use bmon_store::Store;
use clap::{Args, Subcommand};

use super::local;
use crate::{
    config::{self, Config},
    failure::{Code, Failure, Result},
    interrupt::Interrupt,
};

#[derive(Args)]
pub(crate) struct Server {
    #[command(subcommand)]
    command: Option<ServerCommand>,
}

#[derive(Subcommand)]
enum ServerCommand {
    /// Make a new token for a node's agent and print it; an older one of that node ends
    Token {
        /// The node's name
        node: NodeName,
    },
}

impl Server {
    pub(crate) fn run(self, config: &Config) -> Result {
        if let Some(ServerCommand::Token { node }) = self.command {
            println!("{}", new_token(config, &node)?);
            return Ok(());
        }
        let interrupt = Interrupt::catch()?;
        let server = start(config)?;
        println!("bmon is at http://{}", server.address());
        let waited = interrupt.wait_unless(|| server.has_ended());
        server.stop();
        waited
    }
}

/// Starts the server that the configuration describes.
pub(super) fn start(config: &Config) -> Result<bmon_server::Server> {
    let settings = &config.server;
    let config = bmon_server::Config {
        listen: listen(settings)?,
        data_dir: settings.data_dir.clone(),
        max_batch_bytes: settings.max_batch_bytes,
        max_batch_unpacked_bytes: settings.max_batch_unpacked_bytes,
        journal_horizon: Duration::from_hours(settings.journal_hours),
        journal_max_bytes: settings.journal_max_bytes,
        transaction_retention: Duration::from_hours(24 * u64::from(settings.transaction_days)),
        header_depth: settings.header_depth,
        pools: (!settings.pools.as_os_str().is_empty()).then(|| settings.pools.clone()),
        external_url: external_url(settings).map(str::to_owned),
        notifiers: notifiers(settings)?,
    };
    bmon_server::Server::start(&config).map_err(|error| match error {
        ServerError::ReadPools { .. } | ServerError::Pools { .. } => Failure::new(Code::Usage, error)
            .hint("`server.pools` names a JSON file; leave it empty for the pools that bmon knows by itself"),
        error => error.into(),
    })
}

fn listen(settings: &config::Server) -> Result<SocketAddr> {
    settings.listen.parse().map_err(|_| {
        Failure::message(
            Code::Usage,
            format!("use `server.listen`: `{}` is not ADDRESS:PORT", settings.listen),
        )
        .hint("for example 127.0.0.1:8890; names are not looked up")
    })
}

fn external_url(settings: &config::Server) -> Option<&str> {
    Some(settings.external_url.as_str()).filter(|url| !url.is_empty())
}

/// Where others reach the server.
pub(super) fn links(settings: &config::Server) -> Result<Links> {
    Ok(Links::new(external_url(settings), listen(settings)?))
}

/// The notifiers that the configuration names.
pub(super) fn notifiers(settings: &config::Server) -> Result<Vec<(NotifierKind, Target)>> {
    let mut notifiers = Vec::new();
    for kind in NotifierKind::ALL {
        let (url, file) = match kind {
            NotifierKind::Alertmanager => (&settings.alertmanager, &settings.alertmanager_credentials_file),
            NotifierKind::Webhook => (&settings.webhook, &settings.webhook_credentials_file),
        };
        if !url.is_empty() {
            let authorization =
                if file.as_os_str().is_empty() { None } else { Some(credentials(kind, file)?) };
            notifiers.push((kind, Target { url: url.clone(), authorization }));
        }
    }
    Ok(notifiers)
}

/// What a file says that the header `Authorization` is.
fn credentials(kind: NotifierKind, file: &Path) -> Result<String> {
    let text = local::read_secret_text(file, &format!("`server.{kind}_credentials_file`"))?;
    let is_header = text.split_once(' ').is_some_and(|(_, value)| !value.trim().is_empty())
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_header {
        return Ok(text);
    }
    let what =
        format!("use `server.{kind}_credentials_file`: `{}` is not the value of a header", file.display());
    Err(Failure::message(Code::Usage, what)
        .hint("it holds one line: `Bearer TOKEN`, or `Basic ` and the Base64 of USER:PASSWORD"))
}

/// Makes a token for a node's agent. The server keeps only its hash.
pub(super) fn new_token(config: &Config, node: &NodeName) -> Result<String> {
    let data_dir = &config.server.data_dir;
    fs::create_dir_all(data_dir)
        .map_err(|error| anyhow::Error::new(error).context(format!("create `{}`", data_dir.display())))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("get random bytes: {error}"))?;
    let mut token = String::new();
    for byte in random {
        token.push_str(&format!("{byte:02x}"));
    }
    Store::open(&database_path(data_dir))?.set_token(node, hash_of_token(&token))?;
    Ok(token)
}
