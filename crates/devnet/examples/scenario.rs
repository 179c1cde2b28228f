//! Runs the scenario and prints what was staged, as JSON.
//!
//! Usage: `scenario DIR [ARGUMENT…]`, where each further argument goes to every `bitcoind`.

use std::{env, error::Error, fs, ops::ControlFlow, path::PathBuf};

use bmon_devnet::{Network, Scenario, exe};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let dir = args.next().map(PathBuf::from).ok_or("usage: scenario DIR [ARGUMENT…]")?;
    fs::create_dir_all(&dir)?;
    let extra_args: Vec<String> = args.collect();
    let mut configs = Network::configs(3, &exe::find()?, &dir);
    for config in &mut configs {
        config.extra_args.clone_from(&extra_args);
    }
    let mut network = Network::start_from(configs)?;
    for node in network.nodes() {
        eprintln!("{} is {} at {}", node.name(), node.version(), node.data_dir().display());
    }
    let truth = Scenario::default().run(&network, &mut |progress| {
        eprintln!("{}/{} {}", progress.done, progress.total, progress.step);
        ControlFlow::Continue(())
    })?;
    println!("{}", serde_json::to_string_pretty(&truth)?);
    for node in network.nodes_mut() {
        node.stop()?;
    }
    Ok(())
}
