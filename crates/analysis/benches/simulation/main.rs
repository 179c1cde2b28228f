//! How often the signals for selfish mining are wrong, and how often they are right: simulated years of honest mining, and
//! months with a selfish miner. What was measured stands in `docs/selfish-mining.md`.
//!
//! ```sh
//! cargo bench --package bmon-analysis --bench simulation
//! ```
//!
//! `BMON_SIM_YEARS` honest years (50), `BMON_SIM_RUNS` runs of eight weeks with a selfish miner of each kind (20),
//! `BMON_SIM_NODES` nodes that watch (4), `BMON_SIM_SEED` (1). The same four give the same figures.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

mod judge;
mod world;

use std::{collections::BTreeMap, env};

use bmon_analysis::{Engine, Settings, row::Row};
use bmon_event::Network;

use self::{
    judge::{Alarms, judge},
    world::{Plan, World, attack::Attack, telling::tell},
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
    let [years, runs, nodes, seed] =
        [("YEARS", 50), ("RUNS", 20), ("NODES", 4), ("SEED", 1)].map(|(name, or)| setting(name, or));
    println!("seed {seed}, {nodes} nodes");
    honest(years, Plan { seed, blocks: BLOCKS_A_YEAR, nodes: usize::try_from(nodes).unwrap(), attack: None });
    for (which, attack) in (1..).zip(ATTACKS) {
        let (blocks, attack) = (WEEKS * BLOCKS_A_WEEK, Some(attack));
        let seed = seed.wrapping_add(which << 32);
        selfish(runs, Plan { seed, blocks, nodes: usize::try_from(nodes).unwrap(), attack });
    }
    engine(Plan { seed, blocks: BLOCKS_A_WEEK * 4, nodes: usize::try_from(nodes).unwrap(), attack: None });
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

/// The same world through the engine: what it finds in four honest weeks.
fn engine(plan: Plan) {
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for (received_at, batch) in tell(&World::new(plan), Network::from_chain("main").unwrap()) {
        engine.tick(received_at, &mut rows);
        engine.apply(&batch, received_at, &mut rows);
        for row in rows.drain(..) {
            if let Row::Finding(finding) = row {
                *found.entry(finding.body.kind()).or_default() += 1;
            }
        }
    }
    println!(
        "\nfour honest weeks through the engine: {} events, findings {found:?}",
        engine.counters().events
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
