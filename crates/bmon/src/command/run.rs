//! `bmon run`.

use clap::Args;

use super::watch::Watch;
use crate::{config::Config, failure::Result, interrupt::Interrupt};

#[derive(Args)]
pub(crate) struct Run {}

impl Run {
    #[expect(clippy::unused_self, reason = "every subcommand is run the same way")]
    pub(crate) fn run(self, config: &Config) -> Result {
        let interrupt = Interrupt::catch()?;
        let watch = Watch::start(config)?;
        println!("bmon is at http://{}", watch.address());
        super::agent::print_advice(watch.agents(), &interrupt);
        let waited = interrupt.wait_unless(|| watch.has_ended());
        watch.stop();
        waited
    }
}
