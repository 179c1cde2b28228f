//! Every line of the node's logs goes to Loki, if the operator says where it is.
//!
//! A log is its own buffer: nothing is read that was not pushed, and the place up to which Loki has acknowledged it is durable
//! (`place.rs`). So an absence of Loki costs neither memory nor disk, and lasts as long as the log and its rotated siblings are there.
//! A line is pushed again after a failure or a restart exactly as it was the first time (`instant.rs`), so that Loki keeps it once.
//! Each log has a thread, which pushes one batch at a time, so that the lines of each stream arrive in order.
//!
//! What leaves the host: all lines but those of wallets, with peers' addresses hidden (`crates/agent/src/privacy.rs`).

mod carrier;
mod instant;
mod place;
mod push;
mod refused;
mod sample;
mod shaper;
mod sink;
mod tally;

use std::{fs, io, path::PathBuf};

use bmon_event::{Network, NodeName};

pub(crate) use self::tally::{LokiCounters, LokiCounts};
use self::{
    carrier::Carrier,
    place::PlaceFile,
    refused::Refused,
    shaper::{Origin, Shaper, Tally},
    sink::Sink,
};
pub use self::{
    push::Encoding,
    sample::{Sample, sample},
};
use crate::{
    clock::Clock,
    config::{Config, LokiConfig},
    privacy::Privacy,
    source::log::Follower,
    stop::Stop,
};

/// What the logs of one node have in common.
pub(crate) struct Logs<'a> {
    pub(crate) config: &'a Config,
    pub(crate) network: Network,
    pub(crate) privacy: Privacy,
    pub(crate) clock: Clock,
    pub(crate) counters: LokiCounters,
    pub(crate) stop: Stop,
}

/// The logs that are pushed, and whose each is.
fn logs(config: &Config, loki: &LokiConfig) -> Vec<(Origin, PathBuf)> {
    let debug_log = config.log.as_ref().map(|log| (Origin::DebugLog, log.path.clone()));
    let stderr = loki.stderr_log.clone().map(|path| (Origin::Stderr, path));
    let own = loki.own_log.clone().map(|path| (Origin::Bmon, path));
    [debug_log, stderr, own].into_iter().flatten().collect()
}

fn labels(node: &NodeName, network: Network) -> Vec<(&'static str, String)> {
    vec![("node", node.to_string()), ("network", network.to_string())]
}

impl Logs<'_> {
    /// Carries every log to Loki until asked to stop.
    pub(crate) fn run(&self) {
        let Some(loki) = &self.config.loki else { return };
        std::thread::scope(|scope| {
            for (origin, path) in logs(self.config, loki) {
                match self.carrier(loki, origin, path.clone()) {
                    Ok(carrier) => {
                        let thread = std::thread::Builder::new().name(format!("loki-{}", origin.as_str()));
                        if let Err(error) = thread.spawn_scoped(scope, || carrier.run()) {
                            tracing::error!(
                                error = &error as &dyn std::error::Error,
                                "failed to start a thread"
                            );
                        }
                    }
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        path = %path.display(),
                        dir = %loki.dir.display(),
                        "failed to find the place up to which Loki has a log; its lines are not pushed"
                    ),
                }
            }
        });
    }

    fn carrier(&self, loki: &LokiConfig, origin: Origin, path: PathBuf) -> io::Result<Carrier> {
        fs::create_dir_all(&loki.dir)?;
        let file = PlaceFile::new(loki.dir.join(format!("{}.place", origin.as_str())));
        let place = file.read()?;
        let first_read_bytes = self.config.log.as_ref().map_or(u64::MAX, |log| log.first_read_bytes);
        let shaper = Shaper {
            origin,
            labels: labels(&self.config.node, self.network),
            privacy: self.privacy.clone(),
            line_max_bytes: loki.line_max_bytes,
            past: place.past.clone(),
            tally: Tally::default(),
        };
        let sink = Sink::new(loki);
        self.stop.interrupts(Box::new(sink.interrupter()));
        Ok(Carrier {
            follower: Follower::new(path.clone(), first_read_bytes, place.position.clone()),
            path,
            file,
            place,
            shaper,
            sink,
            refused: Refused::new(&loki.dir, origin.as_str(), loki.refused_max_bytes),
            config: loki.clone(),
            clock: self.clock,
            counters: self.counters.clone(),
            stop: self.stop.clone(),
            batch: shaper::Batch::default(),
            told_at: None,
            is_told: false,
        })
    }
}
