//! How many alerts the engine opens in honest years, and how soon it tells of a selfish miner. What was measured stands in
//! `docs/false-alarms.md`.

use std::{collections::BTreeMap, env};

use bmon_analysis::{
    alert::{Alert, Severity},
    rule,
};

use crate::{
    BLOCKS_A_WEEK, WEEKS, poisson_bounds, seconds,
    server::{Heard, hear},
    world::{
        Plan, World,
        attack::Attack,
        fault::{Fault, FaultKind},
        second,
        telling::{Oddities, name as world_name},
    },
    worlds,
};

/// Selfish miners whose alerts are waited for.
const ATTACKS: [Attack; 2] =
    [Attack { share: 0.30, gamma: 0.0, pause_s: 0.0 }, Attack { share: 0.40, gamma: 0.0, pause_s: 0.0 }];
const DAY_S: f64 = 86_400.0;

/// Honest years. The last node is slow, and the one before it is new after two fifths of the year.
pub(crate) fn honest(years: u64, plan: Plan, hourly: u64) {
    let start_s = seconds();
    let mut fired: BTreeMap<(String, Severity), usize> = BTreeMap::new();
    let (mut findings, mut batches): (BTreeMap<&str, usize>, u64) = (BTreeMap::new(), 0);
    let (mut waits, mut invalid) = ([0; 2], 0);
    for world in worlds(years, plan) {
        let heard = hear(&world, oddities(&world, hourly));
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
            if OF_NODES.contains(&alert.rule.as_str()) {
                println!("{}: {} at day {:.2}: {}", alert.severity, alert.rule, day(alert), alert.summary);
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
    wrong_of_nodes(years as f64 * plan.nodes as f64, &fired);
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

/// The rules about how nodes do, whose alarms are counted for each node.
const OF_NODES: [&str; 5] = ["slow-node", "delay-drift", "version-comparison", "clock-step", "clock-drift"];

/// How often they are wrong, for each node and year, information aside.
fn wrong_of_nodes(node_years: f64, fired: &BTreeMap<(String, Severity), usize>) {
    println!("\n{:<24} {:>26}", "a node and year (95 %)", "warning or critical");
    let mut sum = 0;
    for rule in OF_NODES.into_iter().chain(["these together"]) {
        let of_rule =
            |((of, severity), _): &(&(String, Severity), &usize)| of == rule && *severity > Severity::Info;
        let count = match rule {
            "these together" => sum,
            _ => fired.iter().filter(of_rule).map(|(_, count)| *count).sum::<usize>(),
        };
        let (low, high) = poisson_bounds(count);
        let [rate, low, high] = [count as f64, low, high].map(|count| count / node_years);
        println!("{rule:<24} {:>26}", format!("{rate:.3} ({low:.3} to {high:.3})"));
        sum += count;
    }
}

/// What is made to go wrong, on day 84 of 168, and the rule that should tell, with what it should say of the node.
const FAULTS: [(&str, FaultKind, &str, &str); 14] = [
    ("blocks come 3 s later", FaultKind::Late { s: 3.0 }, "slow-node", "arrival"),
    ("blocks come 10 s later", FaultKind::Late { s: 10.0 }, "slow-node", "arrival"),
    ("connecting takes twice as long", FaultKind::Slow { factor: 2.0 }, "slow-node", "processing"),
    ("blocks come 5 % later each week", FaultKind::LaterEachWeek { factor: 1.05 }, "delay-drift", "arrival"),
    (
        "connecting takes 5 % longer each week",
        FaultKind::SlowerEachWeek { factor: 1.05 },
        "delay-drift",
        "processing",
    ),
    ("transactions come 3 s later", FaultKind::TxLate { s: 3.0 }, "delay-drift", "tx-arrival"),
    ("transactions come 10 s later", FaultKind::TxLate { s: 10.0 }, "slow-node", "tx-arrival"),
    (
        "one transaction in five takes 6 times as long",
        FaultKind::TxScatter { share: 0.2, factor: 6.0 },
        "slow-node",
        "tx-scatter",
    ),
    ("half of the transactions do not come", FaultKind::TxMissed { share: 0.5 }, "slow-node", "tx-missed"),
    (
        "transactions come 5 % later each week",
        FaultKind::TxLaterEachWeek { factor: 1.05 },
        "delay-drift",
        "tx-arrival",
    ),
    (
        "a version connects 40 % slower",
        FaultKind::Version { factor: 1.4 },
        "version-comparison",
        "processing",
    ),
    ("the clock is set by 2 s", FaultKind::ClockStep { us: 2_000_000 }, "clock-step", "node-1"),
    ("the clock gains 200 ppm", FaultKind::ClockDrift { ppm: 200.0 }, "clock-drift", "node-1"),
    ("the clock gains 30 ppm", FaultKind::ClockDrift { ppm: 30.0 }, "clock-drift", "node-1"),
];
const FAULT_NODE: usize = 1;

/// Which alarm tells of what is wrong with a node, and how soon.
pub(crate) fn faults(runs: u64, plan: Plan, hourly: u64) {
    println!("\n{runs} times 24 weeks through the engine with each of these from the middle on");
    let wanted = env::var("BMON_SIM_FAULT").unwrap_or_default();
    for (which, (name, kind, rule, measure)) in
        (1..).zip(FAULTS).filter(|(_, fault)| fault.0.contains(&wanted))
    {
        let seed = plan.seed.wrapping_add(which << 48);
        let plan = Plan { seed, blocks: 24 * BLOCKS_A_WEEK, ..plan };
        let (mut days, mut others) = (Vec::new(), Vec::new());
        for world in worlds(runs, plan) {
            let from_s = world.end_s() / 2.0;
            let fault = Fault { node: FAULT_NODE, from_s, kind };
            let oddities = Oddities { is_wandering: true, hourly, ..Oddities::default() };
            let heard = hear(&world.with_fault(fault), oddities);
            let fired = || heard.fired().filter(|alert| OF_NODES.contains(&alert.rule.as_str()));
            let is_right = |alert: &Alert| {
                let is_of_node = alert.node.as_ref().is_none_or(|node| *node == world_name(FAULT_NODE));
                let is_it = alert.rule == rule && alert.subject.split(' ').any(|word| word == measure);
                is_it && is_of_node && day(alert) * DAY_S >= from_s
            };
            let first = fired().filter(|alert| is_right(alert)).map(day).min_by(f64::total_cmp);
            days.extend(first.map(|first| first - from_s / DAY_S));
            for alert in fired().filter(|alert| !is_right(alert)) {
                let after = day(alert) - from_s / DAY_S;
                others.push(format!("{} of {} on day {after:.0}", alert.rule, alert.subject));
            }
        }
        days.sort_by(f64::total_cmp);
        let median = days.get(days.len() / 2).copied().unwrap_or(f64::NAN);
        let slowest = days.last().copied().unwrap_or(f64::NAN);
        println!(
            "{name:<40} {rule:<20} in {} of {runs}, after {median:.2} days (median), {slowest:.2} at most; others {others:?}",
            days.len()
        );
    }
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

fn oddities(world: &World, hourly: u64) -> Oddities {
    let nodes = world.nodes();
    let new = nodes.checked_sub(2).map(|node| (node, world.end_s() * 0.4));
    Oddities { slow: nodes.checked_sub(1), new, is_wandering: true, hourly }
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
