//! What is written beside the server, into its database: by whom it may be, and when.

use bmon_event::{Network, ServerTime};
use bmon_server::database_path;
use bmon_store::Store;

use crate::{
    config::Config,
    failure::{Code, Failure, Result},
};

/// The database of the server on this host, which a server has made.
pub(super) fn open(config: &Config) -> Result<Store> {
    let path = database_path(&config.server.data_dir);
    if !path.exists() {
        let failure =
            Failure::message(Code::NotFound, format!("find the server's database `{}`", path.display()));
        return Err(failure.hint(
            "run this on the host of the server, with its configuration; `server.data_dir` says where",
        ));
    }
    Ok(Store::open(&path)?)
}

/// A network as an argument names it.
pub(super) fn network(text: &str) -> std::result::Result<Network, String> {
    let by_genesis = || text.parse().ok().map(Network::from_genesis);
    let known = Network::from_chain(text).or_else(by_genesis);
    known.ok_or_else(|| {
        "expected a name that `getblockchaininfo` gives a network, or the hash of its block 0".to_owned()
    })
}

#[expect(clippy::disallowed_methods, reason = "what is written says when")]
pub(super) fn now() -> ServerTime {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    ServerTime::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
