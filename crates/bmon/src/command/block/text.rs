//! The waterfall for people: 80 columns wide.

use bmon_analysis::row::Stage;
use bmon_server::api::{
    block::Reply,
    waterfall::{StepAt, Way},
};

use super::{bar::Scale, detail};
use crate::text::{after_first, apart, broken, delay_of, duration, list, or_dash};

/// Columns of a line.
const WIDTH: usize = 80;
/// Columns of a bar and its edges, on the right of a line.
const BAR: usize = 27;
/// Columns of the names of nodes and of steps, which begin with two blanks.
const NAME: usize = 24;
/// Columns of the time of a step by its node's clock.
const TIME: usize = 9;
/// Columns of a delay with its largest error.
const DELAY: usize = 17;

pub(super) fn block(reply: &Reply) -> String {
    let mut text = format!("block {}\n", reply.block.block);
    text.push_str(&sentences(&about(reply), 0));
    text.push('\n');
    text.push_str(&overview(reply));
    let longest_us = reply.waterfall.iter().map(lasted_us).max().unwrap_or(0);
    let scale = Scale::new(longest_us, BAR);
    for way in &reply.waterfall {
        text.push('\n');
        text.push_str(&node(reply, way, scale));
    }
    text
}

/// What is known of the block itself, and by whom.
fn about(reply: &Reply) -> Vec<String> {
    let block = &reply.block;
    let mut parts = vec![format!("height {}, network {}", or_dash(block.height), block.network)];
    let pool = block.miner.as_ref().map(|miner| miner.pool.as_deref().unwrap_or("a pool that is not known"));
    parts.extend(pool.map(|pool| format!("mined by {pool}")));
    parts.push(format!("first seen {}", block.first_at));
    let header = reply.stages.iter().find(|times| times.stage == Stage::Header);
    parts.extend(header.and_then(|times| times.apart).map(apart));
    let others = |what: &str, names: String| (!names.is_empty()).then(|| format!("{what} {names}"));
    parts.extend(others("not connected by", list(&block.missing)));
    parts.extend(others("invalid to", list(&block.invalid_for)));
    parts.extend(others("beside", list(&reply.others)));
    parts
}

/// A bar for each node, from its first step to its last.
fn overview(reply: &Reply) -> String {
    let Some(first) = reply.waterfall.first() else {
        return "no node told when it had the block\n".to_owned();
    };
    let begin_us = |way: &Way| way.first.at_us - first.first.at_us;
    let end_us = |way: &Way| begin_us(way) + lasted_us(way);
    let scale = Scale::new(reply.waterfall.iter().map(end_us).max().unwrap_or(0), BAR);
    let mut text = line("NODE", "LASTED", "FIRST STEP", &scale.head());
    for (rank, way) in reply.waterfall.iter().enumerate() {
        let first = &way.first;
        let delay = delay(rank == 0, first.delay_us, first.bound_us, first.distinguishable);
        let bar = scale.bar(begin_us(way), end_us(way));
        text.push_str(&line(first.node.as_str(), &duration(lasted_us(way)), &delay, &bar));
    }
    text
}

/// A node's way, step by step.
fn node(reply: &Reply, way: &Way, scale: Scale) -> String {
    let first = &way.first;
    let head = format!("{}: {}", first.node, after_first(first.delay_us, first.bound_us));
    let mut text = sentences(&[head], 2);
    text.push_str(&line("  STEP", "AFTER", "OTHERS", &scale.head()));
    let mut before_us = 0;
    for step in &way.steps {
        text.push_str(&self::step(step, before_us, scale));
        before_us = step.after_us;
    }
    let told: Vec<_> = way.steps.iter().filter_map(|step| detail::sentence(&step.step)).collect();
    let processing = reply.processing.iter().find(|row| row.node == first.node);
    let took = processing.map(|row| vec![detail::processing(&row.steps)]);
    for parts in [told].into_iter().chain(took).filter(|parts| !parts.is_empty()) {
        text.push_str(&format!("  {}", sentences(&parts, 4)));
    }
    text
}

fn step(step: &StepAt, before_us: i64, scale: Scale) -> String {
    let is_first = step.delay_us == 0 && step.bound_us == Some(0);
    let others = delay(is_first, step.delay_us, step.bound_us, step.distinguishable);
    let name = format!("  {}", detail::name(&step.step));
    line(&name, &duration(step.after_us), &others, &scale.bar(before_us, step.after_us))
}

/// How long after the first node, with the largest error of that.
fn delay(is_first: bool, delay_us: i64, bound_us: Option<i64>, distinguishable: Option<bool>) -> String {
    let delay = delay_of(is_first, delay_us, distinguishable);
    match bound_us.filter(|_| !is_first) {
        Some(bound_us) => format!("{delay} ±{}", duration(bound_us)),
        None => delay,
    }
}

/// Microseconds from a node's first step to its last.
fn lasted_us(way: &Way) -> i64 {
    way.steps.last().map_or(0, |step| step.after_us)
}

/// A line of all the tables. A name that is too long has a line of its own, so that no bar leaves the scale.
fn line(name: &str, time: &str, delay: &str, bar: &str) -> String {
    const _: () = assert!(NAME + TIME + 1 + DELAY + 2 + BAR <= WIDTH);
    let rest = format!("{time:>TIME$} {delay:>DELAY$}  {bar}");
    let line = if name.chars().count() < NAME + TIME - time.chars().count() {
        format!("{name:<NAME$}{rest}")
    } else {
        format!("{name}\n{:NAME$}{rest}", "")
    };
    format!("{}\n", line.trim_end())
}

/// Parts one after another, broken at blanks, with `indent` blanks before the second and later lines.
fn sentences(parts: &[String], indent: usize) -> String {
    format!("{}\n", broken(&parts.join("; "), WIDTH - indent).join(&format!("\n{:indent$}", "")))
}

#[cfg(test)]
mod tests;
