//! The configuration file.
//!
//! Defaults are written once, in `default.toml`, which is part of the binary. A user's file is laid over it key by
//! key; a key that is not in `default.toml`, or a value of another type, is an error that names it.

pub(crate) mod address;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use bmon_agent::config::{Encoding, IntervalConfig};
use bmon_event::NodeName;
use serde::Deserialize;
use toml::{Table, Value};

use self::address::{AddressError, Shape};

/// The commented default configuration, as `bmon config default` prints it.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// All settings.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) agent: Agent,
    pub(crate) stack: Stack,
    pub(crate) nodes: Vec<Node>,
}

/// Table `server`: see `default.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    pub(crate) listen: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) max_batch_bytes: usize,
    pub(crate) max_batch_unpacked_bytes: usize,
    pub(crate) journal_hours: u64,
    pub(crate) journal_max_bytes: u64,
    pub(crate) transaction_days: u32,
    pub(crate) header_depth: u32,
    pub(crate) pools: PathBuf,
    pub(crate) external_url: String,
    pub(crate) alertmanager: String,
    pub(crate) alertmanager_credentials_file: PathBuf,
    pub(crate) webhook: String,
    pub(crate) webhook_credentials_file: PathBuf,
}

/// Table `agent`: see `default.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Agent {
    pub(crate) server: String,
    pub(crate) spool_dir: PathBuf,
    pub(crate) spool_max_bytes: u64,
    pub(crate) log_poll_ms: u64,
    pub(crate) log_first_read_bytes: u64,
    pub(crate) server_timeout_ms: u64,
    pub(crate) rpc_timeout_ms: u64,
    pub(crate) rpc_chain_tips_timeout_ms: u64,
    pub(crate) metrics_listen: String,
    pub(crate) peer_addresses: bool,
    pub(crate) loki: Loki,
    pub(crate) metrics_address: String,
    pub(crate) interval: IntervalConfig,
}

/// Table `agent.loki`: see `default.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Loki {
    pub(crate) url: String,
    pub(crate) encoding: Encoding,
    pub(crate) tenant: String,
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    pub(crate) own_log: PathBuf,
    pub(crate) batch_bytes: usize,
    pub(crate) batch_wait_ms: u64,
    pub(crate) line_max_bytes: usize,
    pub(crate) max_age_hours: u32,
    pub(crate) timeout_ms: u64,
    pub(crate) refused_max_bytes: u64,
}

/// Table `stack`: see `default.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    pub(crate) prometheus: String,
    pub(crate) alertmanager: String,
    pub(crate) loki: String,
    pub(crate) grafana: String,
    pub(crate) node_exporters: Vec<String>,
    pub(crate) webhook: String,
    pub(crate) scrape_seconds: u32,
}

/// A table of `nodes`: see `default.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) data_dir: PathBuf,
    pub(crate) network: String,
    pub(crate) debug_log: PathBuf,
    pub(crate) stderr_log: PathBuf,
    pub(crate) rpc_url: String,
    pub(crate) rpc_cookie_file: PathBuf,
    pub(crate) rpc_user: String,
    pub(crate) rpc_password_file: PathBuf,
    pub(crate) zmq_hashblock: String,
    pub(crate) zmq_sequence: String,
    pub(crate) token_file: PathBuf,
}

/// A configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("read configuration file `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("parse configuration file `{}`", path.display())]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error("use configuration file `{}`: unknown key `{key}`", path.display())]
    UnknownKey { path: PathBuf, key: String },
    #[error("use configuration file `{}`: `{key}` must be of type {expected}, not {found}", path.display())]
    WrongType { path: PathBuf, key: String, expected: &'static str, found: &'static str },
    #[error("use configuration file `{}`: `{key}` {problem}", path.display())]
    Address { path: PathBuf, key: String, problem: AddressError },
    #[error("use configuration file `{}`", path.display())]
    Value { path: PathBuf, source: Box<toml::de::Error> },
}

impl Config {
    /// The defaults, with the file at `path` laid over them if one is given.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let mut table: Table = DEFAULT.parse().expect("the embedded default configuration is valid TOML");
        if let Some(path) = path {
            overlay(&mut table, read(path)?, "").map_err(|problem| problem.in_file(path))?;
        }
        let path = path.unwrap_or(Path::new("built-in default"));
        let mut config: Self = Value::Table(table)
            .try_into()
            .map_err(|source| ConfigError::Value { path: path.to_owned(), source: Box::new(source) })?;
        config.expand_home();
        config.check_addresses().map_err(|(key, problem)| ConfigError::Address {
            path: path.to_owned(),
            key,
            problem,
        })?;
        Ok(config)
    }

    /// Whether every address that is given is one; if not, the key of the first that is not.
    fn check_addresses(&self) -> Result<(), (String, AddressError)> {
        let Server { external_url, alertmanager, webhook, .. } = &self.server;
        let bare = Shape { path: false, ..Shape::SERVER };
        let own = [
            ("server.external_url", external_url, Shape { tls: true, ..Shape::SERVER }),
            ("server.alertmanager", alertmanager, Shape { example_port: 9_093, ..bare }),
            ("server.webhook", webhook, Shape { query: true, example_port: 9_094, ..Shape::SERVER }),
            ("agent.server", &self.agent.server, Shape::SERVER),
            ("agent.loki.url", &self.agent.loki.url, Shape { example_port: 3_100, ..Shape::SERVER }),
        ];
        let own = own.map(|(key, text, shape)| (key.to_owned(), text, shape));
        let of_nodes = self.nodes.iter().enumerate().map(|(index, node)| {
            let shape = Shape { example_port: 8_332, ..Shape::SERVER };
            (format!("nodes[{index}].rpc_url"), &node.rpc_url, shape)
        });
        for (key, text, shape) in own.into_iter().chain(of_nodes) {
            if !text.is_empty() || key == "agent.server" {
                shape.check(text).map_err(|error| (key, error))?;
            }
        }
        Ok(())
    }

    fn expand_home(&mut self) {
        let node_paths = self.nodes.iter_mut().flat_map(|node| {
            [
                &mut node.data_dir,
                &mut node.debug_log,
                &mut node.stderr_log,
                &mut node.rpc_cookie_file,
                &mut node.rpc_password_file,
                &mut node.token_file,
            ]
        });
        let own = [
            &mut self.server.data_dir,
            &mut self.server.pools,
            &mut self.agent.spool_dir,
            &mut self.agent.loki.password_file,
            &mut self.agent.loki.own_log,
            &mut self.server.alertmanager_credentials_file,
            &mut self.server.webhook_credentials_file,
        ];
        for path in own.into_iter().chain(node_paths) {
            if let (Ok(rest), Some(home)) = (path.strip_prefix("~"), env::var_os("HOME")) {
                *path = Path::new(&home).join(rest);
            }
        }
    }
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let text =
        fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    text.parse().map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
}

/// What is wrong with one key of a user's file.
enum Problem {
    UnknownKey { key: String },
    WrongType { key: String, expected: &'static str, found: &'static str },
}

impl Problem {
    fn in_file(self, path: &Path) -> ConfigError {
        let path = path.to_owned();
        match self {
            Self::UnknownKey { key } => ConfigError::UnknownKey { path, key },
            Self::WrongType { key, expected, found } => ConfigError::WrongType { path, key, expected, found },
        }
    }
}

/// Lays `user` over `defaults`. An array of tables replaces the default one, each of its tables laid over the
/// default's first.
fn overlay(defaults: &mut Table, user: Table, parent: &str) -> Result<(), Problem> {
    for (name, value) in user {
        let key = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        let Some(default) = defaults.get_mut(&name) else { return Err(Problem::UnknownKey { key }) };
        match (default, value) {
            (Value::Table(default), Value::Table(value)) => overlay(default, value, &key)?,
            (Value::Array(default), Value::Array(value)) => overlay_array(default, value, &key)?,
            (default, value) if default.same_type(&value) => *default = value,
            (default, value) => {
                return Err(Problem::WrongType {
                    key,
                    expected: default.type_str(),
                    found: value.type_str(),
                });
            }
        }
    }
    Ok(())
}

fn overlay_array(defaults: &mut Vec<Value>, user: Vec<Value>, key: &str) -> Result<(), Problem> {
    let Some(template) = defaults.first().and_then(Value::as_table).cloned() else {
        *defaults = user;
        return Ok(());
    };
    defaults.clear();
    for (index, value) in user.into_iter().enumerate() {
        let key = format!("{key}[{index}]");
        let mut table = template.clone();
        match value {
            Value::Table(value) => overlay(&mut table, value, &key)?,
            other => return Err(Problem::WrongType { key, expected: "table", found: other.type_str() }),
        }
        defaults.push(Value::Table(table));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Config::load(Some(file.path()))
    }

    #[test]
    fn the_embedded_default_is_complete() {
        let config = Config::load(None).unwrap();
        assert_eq!(config.nodes.len(), 1);
        assert!(!config.server.data_dir.starts_with("~"));
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let config =
            load("[server]\nlisten = '0.0.0.0:1'\n[[nodes]]\nname = 'a'\n[[nodes]]\nname = 'b'\n").unwrap();
        assert_eq!(config.server.listen, "0.0.0.0:1");
        assert_eq!(config.server.journal_hours, 48);
        let names: Vec<_> = config.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(config.nodes[1].data_dir, config.nodes[0].data_dir);
    }

    #[test]
    fn an_error_names_the_key() {
        for (text, named) in [
            ("[server]\nlisten_on = 1", "unknown key `server.listen_on`"),
            ("[[nodes]]\nname = 'a'\ndatadir = 'x'", "unknown key `nodes[0].datadir`"),
            ("[server]\nlisten = 1", "`server.listen` must be of type string, not integer"),
            (
                "[server]\nalertmanager = 'localhost:9093'",
                "`server.alertmanager` must begin with `http://`, as in",
            ),
            (
                "[server]\nalertmanager = 'https://a'",
                "`server.alertmanager` must begin with `http://`: bmon speaks plain",
            ),
            ("[server]\nalertmanager = 'http://a/x'", "`server.alertmanager` must end after the port"),
            ("[server]\nwebhook = 'http://u:p@a/x'", "`server.webhook` must not hold a user or a password"),
            ("[agent]\nserver = ''", "`agent.server` must begin with `http://`"),
            ("[[nodes]]\nrpc_url = '127.0.0.1:8332'", "`nodes[0].rpc_url` must begin with `http://`"),
            ("nodes = ['a']", "`nodes[0]` must be of type table, not string"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
            assert!(std::error::Error::source(&error).is_none(), "it says all: {error:?}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused() {
        let error = load("[[nodes]]\nname = 'UPPER'").unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("`UPPER` is not a node name"), "{source}");
        assert!(load("[server]\njournal_hours = -1").is_err());
        assert!(load("[server\n").is_err());
    }
}
