//! How many alerts the engine opens in honest years, and how soon it tells of a selfish miner. What was measured stands in
//! `docs/false-alarms.md`.

use std::collections::BTreeMap;

use bmon_analysis::{
    alert::{Alert, Severity},
    rule,
};

use crate::{
    BLOCKS_A_WEEK, WEEKS, poisson_bounds, seconds,
    server::{Heard, hear},
    world::{Plan, World, attack::Attack, second, telling::Oddities},
    worlds,
};

/// Selfish miners whose alerts are waited for.
const ATTACKS: [Attack; 2] =
    [Attack { share: 0.30, gamma: 0.0, pause_s: 0.0 }, Attack { share: 0.40, gamma: 0.0, pause_s: 0.0 }];
const DAY_S: f64 = 86_400.0;

/// Honest years. The last node is slow, and the one before it is new after two fifths of the year.
pub(crate) fn honest(years: u64, plan: Plan) {
    let start_s = seconds();
    let mut fired: BTreeMap<(String, Severity), usize> = BTreeMap::new();
    let (mut findings, mut batches): (BTreeMap<&str, usize>, u64) = (BTreeMap::new(), 0);
    let (mut waits, mut invalid) = ([0; 2], 0);
    for world in worlds(years, plan) {
        let heard = hear(&world, oddities(&world));
        invalid += world.blocks.iter().filter(|block| block.invalid && block.is_published()).count();
        for (count, longer_s) in waits.iter_mut().zip([5_400.0, 9_000.0]) {
            *count +=
                world.chain().windows(2).filter(|pair| world.wait_s(pair[0], pair[1]) > longer_s).count();
        }
        batches += heard.batches;
        for (kind, count) in &heard.findings {
            *findings.entry(kind).or_default() += count;
        }
        for alert in heard.fired() {
            if alert.severity == Severity::Critical {
                println!("critical: {} at day {:.2}: {}", alert.rule, day(alert), alert.summary);
            }
            *fired.entry((alert.rule.clone(), alert.severity)).or_default() += 1;
        }
    }
    println!(
        "\n{years} honest years through the engine: {batches} batches, {:.0} s; rows of findings {findings:?}",
        seconds() - start_s
    );
    println!(
        "blocks that took 90 minutes and more {}, 150 minutes and more {}; invalid ones {invalid}",
        waits[0], waits[1]
    );
    table(years, &fired);
}

fn table(years: u64, fired: &BTreeMap<(String, Severity), usize>) {
    let print = |name: &str, counts: [usize; 3]| {
        let rate = |count: usize| {
            let (low, high) = poisson_bounds(count);
            let [rate, low, high] = [count as f64, low, high].map(|count| count / years as f64);
            format!("{rate:>7.2} ({low:.2} to {high:.2})")
        };
        println!("{name:<24} {:>26} {:>26} {:>26}", rate(counts[0]), rate(counts[1]), rate(counts[2]));
    };
    println!("{:<24} {:>26} {:>26} {:>26}", "alerts a year (95 %)", "info", "warning", "critical");
    let mut sum = [0; 3];
    for rule in rule::ALL {
        let count = |severity| fired.get(&(rule.id.to_owned(), severity)).copied().unwrap_or(0);
        let counts = Severity::ALL.map(count);
        print(rule.id, counts);
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    print("all", sum);
}

/// How soon the first critical alert tells of a selfish miner.
pub(crate) fn selfish(runs: u64, plan: Plan) {
    for (which, attack) in (1..).zip(ATTACKS) {
        let seed = plan.seed.wrapping_add(which << 40);
        let plan = Plan { seed, blocks: WEEKS * BLOCKS_A_WEEK / 4, attack: Some(attack), ..plan };
        let (mut first, mut alerts) = (Vec::new(), 0);
        for world in worlds(runs, plan) {
            let heard = hear(&world, Oddities::default());
            let critical = || {
                heard
                    .fired()
                    .filter(|alert| alert.rule == "selfish-mining" && alert.severity == Severity::Critical)
            };
            alerts += critical().count();
            first.extend(critical().map(day).min_by(f64::total_cmp));
        }
        first.sort_by(f64::total_cmp);
        let median = first.get(first.len() / 2).copied().unwrap_or(f64::NAN);
        let slowest = first.last().copied().unwrap_or(f64::NAN);
        println!(
            "\n{runs} times two weeks through the engine with a selfish miner of {:.0} %: critical in {} of them, first after \
             {median:.2} days (median), {slowest:.2} at most; {:.1} alerts a week",
            attack.share * 100.0,
            first.len(),
            alerts as f64 / runs as f64 / 2.0
        );
    }
}

fn oddities(world: &World) -> Oddities {
    let nodes = world.nodes();
    Oddities { slow: nodes.checked_sub(1), new: nodes.checked_sub(2).map(|node| (node, world.end_s() * 0.4)) }
}

impl World {
    /// From when one block was found until another was.
    fn wait_s(&self, one: usize, other: usize) -> f64 {
        self.blocks[other].found_s - self.blocks[one].found_s
    }
}

impl Heard {
    fn fired(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().filter(|alert| alert.fired_at_us.is_some())
    }
}

/// The day on which it fired.
fn day(alert: &Alert) -> f64 {
    alert.fired_at_us.map_or(f64::NAN, |at| second(at) / DAY_S)
}
