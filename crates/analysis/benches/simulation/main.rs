//! How often the signals for selfish mining are wrong, and how often they are right: simulated years of honest mining, and
//! months with a selfish miner. What was measured stands in `docs/selfish-mining.md`.
//!
//! ```sh
//! cargo bench --package bmon-analysis --bench simulation
//! ```
//!
//! `BMON_SIM_YEARS` honest years (50), `BMON_SIM_RUNS` runs of eight weeks with a selfish miner of each kind (20),
//! `BMON_SIM_NODES` nodes that watch (4), `BMON_SIM_SEED` (1); and through the engine, with all that nodes and agents go
//! through, `BMON_SIM_ENGINE_YEARS` honest years (1), `BMON_SIM_ENGINE_RUNS` runs of two weeks with a selfish miner (4), and
//! `BMON_SIM_FAULT_RUNS` runs of 24 weeks with each thing that can be wrong with a node (2); `BMON_SIM_TXS` transactions in
//! each hour of these (150). The same eight give the same figures. `BMON_SIM_FAULT` is a part of the name of the things that are to go
//! wrong. What the engine says stands in `docs/false-alarms.md`.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

mod alerts;
mod judge;
mod server;
mod world;

use std::env;

use rustix::time::{ClockId, clock_gettime};

use self::{
    judge::{Alarms, judge},
    world::{Plan, World, attack::Attack},
};

const BLOCKS_A_YEAR: usize = 52_560;
const BLOCKS_A_WEEK: usize = 1_008;
const WEEKS: usize = 8;
const ATTACKS: [Attack; 6] = [
    Attack { share: 0.20, gamma: 0.0, pause_s: 0.0 },
    Attack { share: 0.30, gamma: 0.0, pause_s: 0.0 },
    Attack { share: 0.30, gamma: 0.5, pause_s: 0.0 },
    Attack { share: 0.40, gamma: 0.0, pause_s: 0.0 },
    Attack { share: 0.40, gamma: 0.5, pause_s: 0.0 },
    // One who knows how he is looked for.
    Attack { share: 0.30, gamma: 0.0, pause_s: 3.0 },
];

fn main() {
    let [years, runs, nodes, seed, engine_years, engine_runs, fault_runs, hourly] = [
        ("YEARS", 50),
        ("RUNS", 20),
        ("NODES", 4),
        ("SEED", 1),
        ("ENGINE_YEARS", 1),
        ("ENGINE_RUNS", 4),
        ("FAULT_RUNS", 2),
        ("TXS", 150),
    ]
    .map(|(name, or)| setting(name, or));
    println!("seed {seed}, {nodes} nodes");
    let nodes = usize::try_from(nodes).unwrap();
    let year = Plan { seed, blocks: BLOCKS_A_YEAR, nodes, attack: None };
    if years > 0 {
        honest(years, year);
    }
    for (which, attack) in (1..).zip(ATTACKS).filter(|_| runs > 0) {
        let (blocks, attack) = (WEEKS * BLOCKS_A_WEEK, Some(attack));
        let seed = seed.wrapping_add(which << 32);
        selfish(runs, Plan { seed, blocks, nodes, attack });
    }
    if engine_years > 0 {
        alerts::honest(engine_years, year, hourly);
    }
    if engine_runs > 0 {
        alerts::selfish(engine_runs, year);
    }
    if fault_runs > 0 {
        alerts::faults(fault_runs, year, hourly);
    }
}

/// A second of a clock that only runs forward.
fn seconds() -> f64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn setting(name: &str, or: u64) -> u64 {
    env::var(format!("BMON_SIM_{name}")).map_or(or, |value| value.parse().unwrap())
}

/// The worlds of this plan, each with a seed of its own.
fn worlds(count: u64, plan: Plan) -> impl Iterator<Item = World> {
    (0..count).map(move |which| World::new(Plan { seed: plan.seed.wrapping_mul(1_000_003) + which, ..plan }))
}

fn honest(years: u64, plan: Plan) {
    let alarms: Vec<_> = worlds(years, plan).map(|world| judge(&world)).collect();
    let total = |count: fn(&Alarms) -> usize| alarms.iter().map(count).sum::<usize>();
    let [chain, stale] = [total(|year| year.chain), total(|year| year.stale)];
    let depth = alarms.iter().map(|year| year.depth).max().unwrap_or(0);
    println!(
        "\n{years} honest years: {:.3} % of blocks stale, deepest branch {depth}",
        stale as f64 / chain as f64 * 100.0
    );
    for (signal, false_alarms) in [
        ("burst", total(|year| year.burst.len())),
        ("withheld", total(|year| year.withheld.len())),
        ("runs", total(|year| year.runs.len())),
    ] {
        let (low, high) = poisson_bounds(false_alarms);
        println!(
            "{signal:<10} {false_alarms:>5} false alarms, {:.3} a year (95 %: {:.3} to {:.3})",
            false_alarms as f64 / years as f64,
            low / years as f64,
            high / years as f64,
        );
    }
    calibration(years, &alarms);
}

/// What is said to come so often, beside how often it came.
fn calibration(years: u64, alarms: &[Alarms]) {
    for rate in [0.15, 0.25, 0.5, 1.0, 4.0] {
        let bursts =
            alarms.iter().flat_map(|year| &year.expected_a_year).filter(|expected| **expected <= rate);
        println!("burst      said to come {rate} times a year: {:.2}", bursts.count() as f64 / years as f64);
    }
    let [close, pairs] = [|year: &Alarms| year.close, |year: &Alarms| year.pairs]
        .map(|count| f64::from(alarms.iter().map(count).sum::<u32>()));
    println!("withheld   {:.2} close pairs in 2016", close / pairs * 2_016.0);
    let scores: Vec<_> = alarms.iter().flat_map(|year| &year.scores).collect();
    let mean = scores.iter().copied().sum::<f64>() / scores.len() as f64;
    let square = scores.iter().map(|score| *score * *score).sum::<f64>() / scores.len() as f64;
    println!("runs       mean score {mean:.3}, standard deviation {:.3}", (square - mean * mean).sqrt());
}

fn selfish(runs: u64, plan: Plan) {
    let Some(Attack { share, gamma, pause_s }) = plan.attack else { return };
    let alarms: Vec<_> = worlds(runs, plan).map(|world| judge(&world)).collect();
    println!(
        "\n{runs} times {WEEKS} weeks with a selfish miner of {:.0} %, gamma {gamma}, pause {pause_s} s",
        share * 100.0
    );
    for (signal, of) in [
        ("burst", (|run: &Alarms| run.burst.first().copied()) as fn(&Alarms) -> Option<f64>),
        ("withheld", |run| run.withheld.first().copied()),
        ("runs", |run| run.runs.first().copied()),
    ] {
        let mut first: Vec<_> = alarms.iter().filter_map(of).collect();
        first.sort_by(f64::total_cmp);
        let median = first.get(first.len() / 2).map_or("never".to_owned(), |days| format!("{days:.2} days"));
        let power = first.len() as f64 / runs as f64 * 100.0;
        println!("{signal:<10} alarms in {power:.0} % of them, in half of those within {median}");
    }
    let bursts = alarms.iter().map(|run| run.burst.len()).sum::<usize>() as f64;
    let revenue = alarms.iter().map(|run| run.share).sum::<f64>() / runs as f64 * 100.0;
    println!(
        "burst      {:.1} alarms a week; {revenue:.1} % of the chain are his",
        bursts / runs as f64 / WEEKS as f64
    );
}

/// Where the mean of a count may lie that came out as this, with 95 % (Garwood's interval in the approximation of Wilson
/// and Hilferty).
fn poisson_bounds(count: usize) -> (f64, f64) {
    let bound = |count: f64, z: f64| count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).powi(3);
    let count = count as f64;
    let low = if count > 0.0 { bound(count, -1.96) } else { 0.0 };
    (low, bound(count + 1.0, 1.96))
}
