//! How fast the logs of two nodes are replayed, and in how much memory.
//!
//! The logs are recorded ones of one network, repeated to 1,000 MB each: every round has fresh hashes, the same in both
//! logs, and goes on with time and heights where the one before ended. `BMON_BENCH_LOGS=a.log,b.log` names others to
//! repeat, `BMON_BENCH_MB` another size, `BMON_BENCH_DIR` a folder in which the repeated logs stay. The fastest of three
//! runs counts.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::{
    env, fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use bmon_analysis::{Settings, replay::Report};
use bmon_corelog::Line;
use bmon_event::{Network, NodeTime};
use bmon_replay::{Node, Replay, ReplayError, Window};

const RUNS: usize = 3;

const RECORDED: [&[u8]; 2] = [
    include_bytes!("../../corelog/tests/data/core-31.99.log"),
    include_bytes!("../../corelog/tests/data/knots-29.4.3.log"),
];

fn main() {
    let recorded: Vec<Vec<u8>> = match env::var("BMON_BENCH_LOGS") {
        Ok(paths) => {
            paths.split(',').map(|path| fs::read(path).expect("`BMON_BENCH_LOGS` names logs")).collect()
        }
        Err(_) => RECORDED.map(<[u8]>::to_vec).into(),
    };
    let mb = env::var("BMON_BENCH_MB").map_or(1_000, |mb| mb.parse().expect("`BMON_BENCH_MB` is a number"));
    let temporary =
        tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written");
    let dir = env::var_os("BMON_BENCH_DIR").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let step = Step::of(&recorded);
    let nodes: Vec<_> = recorded
        .iter()
        .enumerate()
        .map(|(index, log)| {
            let file = dir.join(format!("node{index}.log"));
            repeat(log, &step, mb * 1_000_000, &file).expect("the target folder has room");
            Node { name: format!("node{index}").parse().expect("a node name"), files: vec![file] }
        })
        .collect();
    let bytes: u64 = sizes(&nodes);
    let (mut best, mut best_cpu, mut report) = (f64::INFINITY, f64::INFINITY, Report::default());
    for _ in 0..RUNS {
        // Two reports at once would count twice.
        drop(std::mem::take(&mut report));
        let (start, cpu_before) = (Instant::now(), cpu_seconds());
        report = run(&nodes).expect("the files can be read");
        best = best.min(start.elapsed().as_secs_f64());
        best_cpu = best_cpu.min(cpu_seconds() - cpu_before);
    }
    let lines = report.lines.total;
    println!(
        "{} logs, {} MB, {lines} lines, {:.1} % of them messages; {} blocks, {} reorgs, {} rejections",
        nodes.len(),
        bytes / 1_000_000,
        100.0 * report.lines.matched as f64 / lines as f64,
        report.blocks.len(),
        report.reorgs.len(),
        report.rejections.len()
    );
    println!(
        "{best:.2} s: {:.2} M lines/s, {:.2} GB/s; {best_cpu:.2} s of CPU: {:.2} M lines/s; at most {} MB of memory",
        lines as f64 / best / 1e6,
        bytes as f64 / best / 1e9,
        lines as f64 / best_cpu / 1e6,
        peak_kib().unwrap_or_default() / 1024
    );
}

fn run(nodes: &[Node]) -> Result<Report, ReplayError> {
    let network = Network::from_chain("regtest").expect("a known network");
    Replay::open(nodes, Window::default())?.run(network, Settings::default(), |_| Ok(()))
}

fn sizes(nodes: &[Node]) -> u64 {
    let files = nodes.iter().flat_map(|node| &node.files);
    files.map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len())).sum()
}

/// The most memory that this process had at once (`VmHWM` of proc(5)), without the recorded logs' few megabytes.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// CPU time of this process so far (`utime` and `stime` of proc(5), in hundredths of a second). On a machine that does
/// other things too, it tells more than the time that went by. Not a number where there is no such file.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = |field: usize| after_name.split(' ').nth(field)?.parse::<f64>().ok();
    ticks(11).zip(ticks(12)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}

/// What one round of the logs takes.
struct Step {
    time_us: i64,
    heights: u64,
}

impl Step {
    fn of(logs: &[Vec<u8>]) -> Self {
        let lines = || logs.iter().flat_map(|log| log.split(|byte| *byte == b'\n'));
        let times = || lines().filter_map(|line| Line::parse(line).time);
        let (first, last) = (times().min(), times().max());
        let heights = lines()
            .filter_map(|line| std::str::from_utf8(line).ok()?.split_once("height=")?.1.split(' ').next());
        Self {
            time_us: last.zip(first).map_or(0, |(last, first)| last.micros_since(first)) + 1_000_000,
            heights: heights.filter_map(|height| height.parse().ok()).max().unwrap_or(0),
        }
    }
}

/// Writes `log` again and again until there are `size` bytes.
fn repeat(log: &[u8], step: &Step, size: usize, file: &Path) -> io::Result<PathBuf> {
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(file)?);
    let (mut written, mut round) = (0, 0_u32);
    let mut text = Vec::new();
    while written < size {
        for line in log.split_inclusive(|byte| *byte == b'\n') {
            text.clear();
            later(line, step, round, &mut text)?;
            out.write_all(&text)?;
            written += text.len();
        }
        round += 1;
    }
    out.flush()?;
    Ok(file.to_owned())
}

/// A line as it is `round` rounds later.
fn later(line: &[u8], step: &Step, round: u32, out: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = line;
    if let Some(time) = Line::parse(line).time {
        let later = NodeTime::from_micros(time.as_micros() + step.time_us * i64::from(round));
        write!(out, "{later}")?;
        rest = &line[line.iter().position(|byte| *byte == b' ').unwrap_or(0)..];
    }
    while !rest.is_empty() {
        let word = rest.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (token, after) = rest.split_at(word);
        if token.len() == 64 {
            hash(token, round, out)?;
        } else if out.ends_with(b"height=")
            && let Some(height) = number(token)
        {
            write!(out, "{}", height + step.heights * u64::from(round))?;
        } else {
            out.extend_from_slice(token);
        }
        let next = after.iter().position(u8::is_ascii_hexdigit).unwrap_or(after.len());
        out.extend_from_slice(&after[..next]);
        rest = &after[next..];
    }
    Ok(())
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A hash with other digits in its middle, the same for the same hash in the same round.
fn hash(hash: &[u8], round: u32, out: &mut Vec<u8>) -> io::Result<()> {
    let middle =
        std::str::from_utf8(&hash[24..32]).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
    out.extend_from_slice(&hash[..24]);
    write!(out, "{:08x}", middle.unwrap_or_default() ^ round)?;
    out.extend_from_slice(&hash[32..]);
    Ok(())
}
