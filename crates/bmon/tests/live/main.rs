//! Real nodes watched by a real `bmon server` and `bmon agent`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "whatever fails fails the test")]

mod alertmanager;
mod chain;
mod demo;
mod explain;
mod faults;
mod kill;
mod latency;
mod log_lines;
mod loki;
mod metrics;
mod mined;
mod miner;
mod outage;
mod prometheus;
mod propagation;
mod refusal;
mod stack;
mod support;
mod watch;
mod waterfall;
