//! What the node does not offer, what that costs, and the lines of `bitcoin.conf` that would add it.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bmon_event::Source;

/// Something that the node could offer and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The source that would tell more.
    pub source: Source,
    /// What is missing.
    pub missing: String,
    /// What is not known because of it.
    pub cost: &'static str,
    /// The lines of `bitcoin.conf` that would add it, empty where something else must change.
    pub bitcoin_conf: Vec<String>,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.missing, self.cost)?;
        match self.bitcoin_conf.as_slice() {
            [] => Ok(()),
            lines => write!(f, "; bitcoin.conf: {}", lines.join(" ")),
        }
    }
}

/// A lack that a source has noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    /// There is no log where it should be.
    Log,
    /// The log's times have no fraction of a second.
    LogMicroseconds,
    /// A debug category of the log that bmon reads is not written.
    LogCategory(LogCategory),
    /// The RPC server does not answer, or not to this user.
    Rpc,
    /// The user's whitelist lacks this call.
    RpcCall(&'static str),
    /// No `zmqpubhashblock`.
    ZmqHashblock,
    /// No `zmqpubsequence`.
    ZmqSequence,
}

/// A debug category of the log that bmon reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogCategory {
    Validation,
    Mempool,
    MempoolRej,
    CmpctBlock,
    Bench,
}

impl LogCategory {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Validation, Self::Mempool, Self::MempoolRej, Self::CmpctBlock, Self::Bench];

    /// The word after `debug=`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Mempool => "mempool",
            Self::MempoolRej => "mempoolrej",
            Self::CmpctBlock => "cmpctblock",
            Self::Bench => "bench",
        }
    }

    const fn cost(self) -> &'static str {
        match self {
            Self::Validation => {
                "no time of a block's check and connection, no removal of transactions, and \
                 transactions are first seen only over ZMQ"
            }
            Self::Mempool => "no replaced transactions, and no peer that a transaction came from",
            Self::MempoolRej => "no rejected transactions",
            Self::CmpctBlock => "no reconstruction of compact blocks",
            Self::Bench => "not how long a block took, step by step",
        }
    }
}

impl Lack {
    fn source(self) -> Source {
        match self {
            Self::Log | Self::LogMicroseconds | Self::LogCategory(_) => Source::Log,
            Self::Rpc | Self::RpcCall(_) => Source::Rpc,
            Self::ZmqHashblock | Self::ZmqSequence => Source::Zmq,
        }
    }

    fn advice(self) -> Advice {
        let (missing, cost, line): (String, _, Option<String>) = match self {
            Self::Log => {
                let cost =
                    "no headers, no reasons for rejections, and nothing of the time the agent was away";
                ("no debug.log".into(), cost, Some("debuglogfile=debug.log".into()))
            }
            Self::LogMicroseconds => {
                let cost = "times of the log are cut to whole seconds";
                ("no `logtimemicros`".into(), cost, Some("logtimemicros=1".into()))
            }
            Self::LogCategory(category) => {
                let line = format!("debug={}", category.as_str());
                (format!("no `{line}`"), category.cost(), Some(line))
            }
            Self::Rpc => {
                let cost = "no chain tips, no mempool and peer figures, no warnings";
                ("no RPC".into(), cost, Some("server=1".into()))
            }
            Self::RpcCall(method) => {
                let line = format!("rpcwhitelist=<user>:{method}");
                (format!("the RPC user may not call `{method}`"), "its figures are missing", Some(line))
            }
            Self::ZmqHashblock => {
                let cost = "tips are first seen in the log or by polling";
                ("no ZMQ `hashblock`".into(), cost, Some("zmqpubhashblock=tcp://127.0.0.1:28332".into()))
            }
            Self::ZmqSequence => {
                let cost = "transactions are first seen only in the log, if it tells";
                ("no ZMQ `sequence`".into(), cost, Some("zmqpubsequence=tcp://127.0.0.1:28332".into()))
            }
        };
        Advice { source: self.source(), missing, cost, bitcoin_conf: line.into_iter().collect() }
    }
}

/// What is lacking now, as all sources of one agent have noticed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lacks(Arc<Mutex<BTreeSet<Lack>>>);

impl Lacks {
    /// Notes whether `lack` is the case.
    pub(crate) fn set(&self, lack: Lack, lacking: bool) {
        if lacking {
            self.lock().insert(lack);
        } else {
            self.lock().remove(&lack);
        }
    }

    /// What would make `source` tell more, in one line; empty if nothing would.
    pub(crate) fn of(&self, source: Source) -> String {
        let lacks = self.lock();
        let advice =
            lacks.iter().filter(|lack| lack.source() == source).map(|lack| lack.advice().to_string());
        advice.collect::<Vec<_>>().join("; ")
    }

    /// All advice.
    pub(crate) fn advice(&self) -> Vec<Advice> {
        self.lock().iter().map(|lack| lack.advice()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Lack>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_is_missing_what_it_costs_and_the_line_that_adds_it() {
        let lacks = Lacks::default();
        lacks.set(Lack::ZmqSequence, true);
        lacks.set(Lack::LogCategory(LogCategory::MempoolRej), true);
        lacks.set(Lack::Rpc, true);
        lacks.set(Lack::Rpc, false);
        assert_eq!(
            lacks.of(Source::Log),
            "no `debug=mempoolrej`: no rejected transactions; bitcoin.conf: debug=mempoolrej"
        );
        assert_eq!(lacks.of(Source::Rpc), "");
        let lines: Vec<_> = lacks.advice().into_iter().flat_map(|advice| advice.bitcoin_conf).collect();
        assert_eq!(lines, ["debug=mempoolrej", "zmqpubsequence=tcp://127.0.0.1:28332"]);
    }
}
