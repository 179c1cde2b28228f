//! From the configuration file to what agents need: where the nodes of this machine keep what, and the tokens.

use std::{
    fs,
    io::Write as _,
    net::{IpAddr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use bmon_agent::{
    Agent, Exporter,
    config::{
        BasicAuth, Config as AgentConfig, HostConfig, LogConfig, LokiConfig, PrivacyConfig, RpcAuth,
        RpcConfig, Secret, ServerConfig, SpoolConfig, ZmqConfig,
    },
};

use bmon_event::{MetricsAddress, MetricsAddressError};

use crate::{
    config::{Agent as Agents, Config, Node},
    failure::{Code, Failure, Result},
};

/// A network's name in RPC `getblockchaininfo`, its directory below `-datadir`, and its default RPC port
/// (`src/chainparamsbase.cpp@v30`, `CreateBaseChainParams`).
const NETWORKS: [(&str, &str, u16); 5] = [
    ("main", "", 8332),
    ("testnet4", "testnet4", 48332),
    ("signet", "signet", 38332),
    ("test", "testnet3", 18332),
    ("regtest", "regtest", 18443),
];

/// The configuration of the agent of each node, without its token, and the file the token is in.
pub(super) fn agents(config: &Config) -> Result<Vec<(AgentConfig, PathBuf)>> {
    config.nodes.iter().map(|node| Ok((agent(config, node)?, token_file(config, node)))).collect()
}

/// Serves the metrics of the agents of this machine, if the configuration says where.
pub(super) fn exporter(config: &Config, agents: &[Agent]) -> Result<Option<Exporter>> {
    let listen = &config.agent.metrics_listen;
    if listen.is_empty() {
        return Ok(None);
    }
    let failure = |cause: anyhow::Error, hint: &str| Failure::new(Code::Usage, cause).hint(hint.to_owned());
    let address = listen.parse().map_err(|_| {
        let cause = anyhow::anyhow!("use `agent.metrics_listen`: `{listen}` is not ADDRESS:PORT");
        failure(cause, "for example 127.0.0.1:8891; names are not looked up")
    })?;
    let exporter = Exporter::start(address, agents).map_err(|error| {
        let cause = anyhow::Error::new(error).context(format!("listen at `{address}` for metrics"));
        failure(cause, "another address for `agent.metrics_listen`, or none")
    })?;
    println!("the agent's metrics are at http://{}/metrics", exporter.address());
    Ok(Some(exporter))
}

/// Where others reach the metrics of the agents of this machine: what the configuration says, else where they are served, if
/// that can be true for the server's Prometheus too.
fn metrics_address(config: &Config) -> Result<Option<MetricsAddress>> {
    let Agents { metrics_listen, metrics_address, server, .. } = &config.agent;
    if metrics_listen.is_empty() {
        return Ok(None);
    }
    if metrics_address.is_empty() {
        let is_here = metrics_listen.parse().is_ok_and(|listen: SocketAddr| listen.ip().is_loopback());
        return Ok(metrics_listen.parse().ok().filter(|_| !is_here || is_loopback(server)));
    }
    metrics_address.parse().map(Some).map_err(|error: MetricsAddressError| {
        let cause = anyhow::Error::new(error).context("use `agent.metrics_address`");
        Failure::new(Code::Usage, cause)
            .hint("for example alice.example.org:8891; 0.0.0.0 is no address of a host")
    })
}

/// Whether a URL names this machine by its loopback address.
fn is_loopback(url: &str) -> bool {
    let authority = url.strip_prefix("http://").unwrap_or(url).split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Where a node's token is kept on the agent's side.
fn token_file(config: &Config, node: &Node) -> PathBuf {
    or(&node.token_file, || config.agent.spool_dir.join(format!("{}.token", node.name)))
}

fn agent(config: &Config, node: &Node) -> Result<AgentConfig> {
    let (network, dir, port) = network(node)?;
    let dir = node.data_dir.join(dir);
    let rpc_url =
        if node.rpc_url.is_empty() { format!("http://127.0.0.1:{port}") } else { node.rpc_url.clone() };
    let zmq = |address: &String| Some(address.clone()).filter(|address| !address.is_empty());
    Ok(AgentConfig {
        node: node.name.clone(),
        network: Some(network.to_owned()),
        server: ServerConfig {
            url: config.agent.server.clone(),
            token: Secret::new(""),
            timeout_ms: config.agent.server_timeout_ms,
        },
        spool: SpoolConfig {
            dir: config.agent.spool_dir.join(node.name.as_str()),
            limit_bytes: config.agent.spool_max_bytes,
        },
        log: Some(LogConfig {
            path: or(&node.debug_log, || dir.join("debug.log")),
            poll_ms: config.agent.log_poll_ms,
            first_read_bytes: config.agent.log_first_read_bytes,
        }),
        rpc: Some(RpcConfig {
            url: rpc_url,
            auth: rpc_auth(node, &dir)?,
            timeout_ms: config.agent.rpc_timeout_ms,
            chain_tips_timeout_ms: config.agent.rpc_chain_tips_timeout_ms,
        }),
        zmq: Some(ZmqConfig { hashblock: zmq(&node.zmq_hashblock), sequence: zmq(&node.zmq_sequence) }),
        host: HostConfig { data_dir: node.data_dir.clone(), network_dir: Some(dir.clone()) },
        interval: config.agent.interval.clone(),
        privacy: PrivacyConfig {
            key_file: config.agent.spool_dir.join("privacy.key"),
            peer_addresses: config.agent.peer_addresses,
        },
        loki: loki(config, node)?,
        metrics: !config.agent.metrics_listen.is_empty(),
        metrics_address: metrics_address(config)?,
        clock_offset_us: None,
    })
}

/// Where the node's lines go, if anywhere.
fn loki(config: &Config, node: &Node) -> Result<Option<LokiConfig>> {
    let loki = &config.agent.loki;
    if loki.url.is_empty() {
        return Ok(None);
    }
    let auth = if loki.user.is_empty() {
        None
    } else {
        let password = read_secret(&loki.password_file, "the password for Loki")?;
        Some(BasicAuth { name: loki.user.clone(), password })
    };
    let is_first = config.nodes.first().is_some_and(|first| first.name == node.name);
    Ok(Some(LokiConfig {
        url: loki.url.clone(),
        encoding: loki.encoding,
        tenant: Some(loki.tenant.clone()).filter(|tenant| !tenant.is_empty()),
        auth,
        dir: config.agent.spool_dir.join(format!("{}.loki", node.name)),
        stderr_log: Some(node.stderr_log.clone()).filter(|path| !path.as_os_str().is_empty()),
        own_log: Some(loki.own_log.clone()).filter(|path| is_first && !path.as_os_str().is_empty()),
        batch_bytes: loki.batch_bytes,
        batch_wait_ms: loki.batch_wait_ms,
        line_max_bytes: loki.line_max_bytes,
        max_age_hours: loki.max_age_hours.into(),
        timeout_ms: loki.timeout_ms,
        refused_max_bytes: loki.refused_max_bytes,
    }))
}

/// The node's network: the one that is named, else the first whose cookie is there, which a running node writes.
fn network(node: &Node) -> Result<(&'static str, &'static str, u16)> {
    if node.network.is_empty() {
        let running = |(_, dir, _): &&(_, &str, _)| node.data_dir.join(dir).join(".cookie").exists();
        return Ok(*NETWORKS.iter().find(running).unwrap_or(&NETWORKS[0]));
    }
    NETWORKS.iter().find(|(name, ..)| *name == node.network).copied().ok_or_else(|| {
        let names: Vec<_> = NETWORKS.iter().map(|(name, ..)| *name).collect();
        Failure::message(
            Code::Usage,
            format!("use `nodes.network` of `{}`: unknown network `{}`", node.name, node.network),
        )
        .hint(format!("one of {}", names.join(", ")))
    })
}

fn rpc_auth(node: &Node, dir: &Path) -> Result<RpcAuth> {
    if node.rpc_user.is_empty() {
        return Ok(RpcAuth::Cookie(or(&node.rpc_cookie_file, || dir.join(".cookie"))));
    }
    let password = read_secret(&node.rpc_password_file, "the RPC password")?;
    Ok(RpcAuth::User { name: node.rpc_user.clone(), password })
}

/// A secret that stands in a file by itself.
pub(super) fn read_secret(path: &Path, what: &str) -> Result<Secret> {
    Ok(Secret::new(read_secret_text(path, what)?))
}

/// The same, for whoever looks into it.
pub(super) fn read_secret_text(path: &Path, what: &str) -> Result<String> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(
            Code::Usage,
            anyhow::Error::new(error).context(format!("read {what} from `{}`", path.display())),
        )
    })?;
    Ok(text.trim().to_owned())
}

/// Writes a token where the agent finds it, readable by this user only.
pub(super) fn write_token(path: &Path, token: &str) -> Result {
    let context = |error: std::io::Error| {
        anyhow::Error::new(error).context(format!("write the token to `{}`", path.display()))
    };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(context)?;
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(context)?;
    Ok(writeln!(file, "{token}").map_err(context)?)
}

/// `path`, or what `default` gives when it is empty.
fn or(path: &Path, default: impl FnOnce() -> PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() { default() } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Config::load(Some(file.path())).unwrap()
    }

    #[test]
    fn a_node_is_found_by_its_cookie() {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("[[nodes]]\nname = 'a'\ndata_dir = '{}'\n", dir.path().display());
        let log = |config: &Config| agents(config).unwrap()[0].0.log.clone().unwrap().path;
        assert_eq!(log(&config(&text)), dir.path().join("debug.log"));
        fs::create_dir(dir.path().join("signet")).unwrap();
        fs::write(dir.path().join("signet/.cookie"), "").unwrap();
        assert_eq!(log(&config(&text)), dir.path().join("signet/debug.log"));
        let named = format!("{text}network = 'regtest'\n");
        assert_eq!(agents(&config(&named)).unwrap()[0].0.rpc.clone().unwrap().url, "http://127.0.0.1:18443");
    }

    #[test]
    fn an_address_for_metrics_that_cannot_be_used_is_named() {
        assert!(exporter(&config(""), &[]).unwrap().is_none());
        let with = |address: &str| config(&format!("[agent]\nmetrics_listen = '{address}'\n"));
        let failure = exporter(&with("localhost:8891"), &[]).unwrap_err();
        assert!(failure.to_string().contains("`localhost:8891` is not ADDRESS:PORT"), "{failure}");
        let first = exporter(&with("127.0.0.1:0"), &[]).unwrap().unwrap();
        let failure = exporter(&with(&first.address().to_string()), &[]).unwrap_err();
        assert!(failure.to_string().contains("listen at"), "{failure}");
    }

    #[test]
    fn an_agent_tells_only_an_address_that_the_server_can_reach() {
        let told = |settings: &str| {
            let config = config(&format!("[agent]\n{settings}"));
            agents(&config).map(|agents| agents[0].0.metrics_address.clone().map(|told| told.to_string()))
        };
        for (settings, expected) in [
            ("", None),
            ("metrics_address = 'alice:8891'", None),
            ("metrics_listen = '127.0.0.1:8891'", Some("127.0.0.1:8891")),
            ("server = 'http://localhost:1'\nmetrics_listen = '[::1]:8891'", Some("[::1]:8891")),
            ("server = 'http://[::1]:1/'\nmetrics_listen = '127.0.0.1:8891'", Some("127.0.0.1:8891")),
            ("server = 'http://10.0.0.1:1'\nmetrics_listen = '127.0.0.1:8891'", None),
            ("server = 'http://10.0.0.1:1'\nmetrics_listen = '10.0.0.2:8891'", Some("10.0.0.2:8891")),
            ("metrics_listen = '0.0.0.0:8891'", None),
            ("metrics_listen = '127.0.0.1:0'", None),
            ("metrics_listen = '0.0.0.0:8891'\nmetrics_address = 'alice:8891'", Some("alice:8891")),
        ] {
            assert_eq!(told(settings).unwrap().as_deref(), expected, "{settings}");
        }
        let failure = told("metrics_listen = '0.0.0.0:8891'\nmetrics_address = '0.0.0.0:8891'").unwrap_err();
        assert!(
            failure.to_string().contains("use `agent.metrics_address`: `0.0.0.0:8891` is not HOST:PORT"),
            "{failure}"
        );
    }

    #[test]
    fn a_wrong_network_and_a_missing_password_file_are_named() {
        let failure = agents(&config("[[nodes]]\nname = 'a'\nnetwork = 'mainnet'\n")).unwrap_err();
        assert!(failure.to_string().contains("unknown network `mainnet`"), "{failure}");
        let failure =
            agents(&config("[[nodes]]\nrpc_user = 'u'\nrpc_password_file = '/nonexistent'\n")).unwrap_err();
        assert!(failure.to_string().contains("read the RPC password from `/nonexistent`"), "{failure}");
    }
}
