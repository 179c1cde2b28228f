//! What the three signals say of a simulated world.

use bmon_analysis::selfish::{Burst, PoolRuns, Race, Runs, Withholding, burst};

use crate::world::World;

const INTERVAL_US: i64 = 600_000_000;
const DAY_S: f64 = 86_400.0;
/// One block in so many has a miner whom nobody knows.
const UNKNOWN: usize = 100;

/// The alarms of one world, each signal's at their days since the start.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    /// The share of the chain that pool 0 has.
    pub(crate) share: f64,
    pub(crate) burst: Vec<f64>,
    pub(crate) withheld: Vec<f64>,
    pub(crate) runs: Vec<f64>,
    pub(crate) chain: usize,
    pub(crate) stale: usize,
    pub(crate) depth: usize,
    /// Bursts that honest mining does this often a year or less, whether alarms or not.
    pub(crate) expected_a_year: Vec<f64>,
    /// Close pairs, and pairs, of all windows.
    pub(crate) close: u32,
    pub(crate) pairs: u32,
    /// The scores of all pools and judgements.
    pub(crate) scores: Vec<f64>,
}

pub(crate) fn judge(world: &World) -> Alarms {
    let chain = world.chain();
    let own = chain.iter().filter(|number| world.blocks[**number].pool == 0).count();
    let share = own as f64 / chain.len() as f64;
    let mut alarms = Alarms { chain: chain.len(), share, ..Alarms::default() };
    bursts(world, &chain, &mut alarms);
    withheld(world, &chain, &mut alarms);
    runs(world, &chain, &mut alarms);
    alarms
}

fn bursts(world: &World, chain: &[usize], alarms: &mut Alarms) {
    for fork in world.forks(chain) {
        let [loser, winner] = [&fork.loser, &fork.winner]
            .map(|branch| branch.iter().map(|number| world.seen(*number)).collect::<Vec<_>>());
        if !loser.iter().any(|block| block.invalid) {
            alarms.stale += 1;
            alarms.depth = alarms.depth.max(loser.len());
        }
        let race = Race { loser: &loser, winner: &winner };
        let Ok(burst) = burst::judge(race, INTERVAL_US) else { continue };
        let Burst { expected_a_year, .. } = burst;
        alarms.expected_a_year.push(expected_a_year);
        if burst.is_alarm() {
            alarms.burst.push(day(world, *fork.winner.last().unwrap()));
        }
    }
    alarms.burst.sort_by(f64::total_cmp);
}

/// One alarm for each window at most, when it becomes one.
fn withheld(world: &World, chain: &[usize], alarms: &mut Alarms) {
    let (mut watch, mut was_alarm) = (Withholding::new(INTERVAL_US), false);
    for pair in chain.windows(2) {
        let Ok(together) = watch.push(&world.seen(pair[0]), &world.seen(pair[1])) else { continue };
        alarms.pairs += 1;
        alarms.close += u32::from(together.is_close());
        // Nothing else can make it an alarm.
        if !together.is_close() {
            continue;
        }
        let is_alarm = watch.window().is_alarm();
        if is_alarm && !was_alarm {
            alarms.withheld.push(day(world, pair[1]));
        }
        was_alarm = is_alarm;
    }
}

/// One alarm for judgements that follow each other, since they share windows.
fn runs(world: &World, chain: &[usize], alarms: &mut Alarms) {
    let (mut runs, mut was_alarm) = (Runs::new(), false);
    for number in chain {
        let pool = world.blocks[*number].pool;
        if !runs.push((number % UNKNOWN != 0).then_some(pool)) {
            continue;
        }
        let report = runs.judge().unwrap();
        alarms.scores.extend(report.pools.iter().filter_map(|PoolRuns { z, .. }| *z));
        if report.is_alarm() && !was_alarm {
            alarms.runs.push(day(world, *number));
        }
        was_alarm = report.is_alarm();
    }
}

fn day(world: &World, number: usize) -> f64 {
    world.blocks[number].found_s / DAY_S
}
