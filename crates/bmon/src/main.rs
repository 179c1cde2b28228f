//! `bmon`, a Bitcoin network monitor: the command line.
//!
//! This crate parses arguments and configuration and wires the other crates together; it holds no logic of its own.

mod client;
mod command;
mod config;
mod failure;
mod interrupt;
mod table;
mod text;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    init_log(arguments.verbose);
    match arguments.command.run(arguments.config.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{failure}");
            failure.code.into()
        }
    }
}

/// Logs to stderr: warnings only, or what `RUST_LOG` says.
fn init_log(verbose: bool) {
    let default = if verbose { "bmon=debug,info" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
}
