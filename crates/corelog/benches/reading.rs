//! How fast a log is read on one core, stage by stage, beside the speed of only finding its line ends.
//!
//! The log is a recorded one, repeated with fresh hashes and numbers to 256 MiB. `BMON_BENCH_LOG` names another to
//! repeat. What counts is the processor's time, of the fastest of several rounds, so that other work on the machine
//! disturbs less.

use std::hint::black_box;

use bmon_corelog::{Line, Message, Reader, Splitter};

const SIZE: usize = 256 << 20;
const CHUNK: usize = 256 << 10;
const ROUNDS: u32 = 5;

const RECORDED: &[u8] = include_bytes!("../tests/data/core-31.99.log");

fn main() {
    let recorded = match std::env::var_os("BMON_BENCH_LOG") {
        Some(path) => std::fs::read(path).expect("`BMON_BENCH_LOG` names a file that can be read"),
        None => RECORDED.to_vec(),
    };
    let log = repeat(&recorded, SIZE);
    let lines = memchr::memchr_iter(b'\n', &log).count();
    let mut matched = 0;
    Reader::new(0, None).read(&recorded, None, |_| matched += 1);
    let recorded_lines = memchr::memchr_iter(b'\n', &recorded).count();
    println!(
        "{lines} lines, {} MB, {:.0} bytes a line, {matched} of each {recorded_lines} lines become events",
        log.len() / 1_000_000,
        log.len() as f64 / lines as f64
    );

    let report = |stage: &str, work: &mut dyn FnMut(&[u8]) -> u64| {
        let seconds = (0..ROUNDS).map(|_| {
            let start = processor_seconds();
            black_box(work(black_box(&log)));
            processor_seconds() - start
        });
        let best = seconds.fold(f64::INFINITY, f64::min);
        println!(
            "{stage:<32} {:>7.2} M lines/s {:>7.2} GB/s",
            lines as f64 / best / 1e6,
            log.len() as f64 / best / 1e9
        );
    };
    report("line ends only (memchr)", &mut |log| memchr::memchr_iter(b'\n', log).count() as u64);
    report("lines", &mut |log| split(log, |line| line.len() as u64));
    report("lines, prefix", &mut |log| split(log, |line| Line::parse(line).text.len() as u64));
    report("lines, prefix, message", &mut |log| {
        split(log, |line| u64::from(Message::parse(black_box(&Line::parse(line))).is_some()))
    });
    report("lines, prefix, message, event", &mut |log| {
        let mut reader = Reader::new(0, None);
        let mut events = 0;
        for chunk in log.chunks(CHUNK) {
            reader.read(chunk, None, |event| {
                black_box(event);
                events += 1;
            });
        }
        events
    });
}

/// Time in seconds that this thread has run: Linux tells it in nanoseconds.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("its first number is it") / 1e9
}

fn split(log: &[u8], mut each: impl FnMut(&[u8]) -> u64) -> u64 {
    let mut splitter = Splitter::new(0);
    let mut sum = 0;
    for chunk in log.chunks(CHUNK) {
        splitter.feed(chunk, |line| sum += each(line.bytes));
    }
    sum
}

/// `log` again and again until there are `size` bytes, each time with other digits in its hashes.
fn repeat(log: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(size + log.len());
    let mut round = 0_u8;
    while out.len() < size {
        for word in log.split_inclusive(|byte| !byte.is_ascii_hexdigit()) {
            let is_hash = word.len() >= 64;
            out.extend(word.iter().map(|byte| match byte {
                b'0'..=b'9' if is_hash => b'0' + (byte - b'0' + round) % 10,
                byte => *byte,
            }));
        }
        round = (round + 1) % 10;
    }
    out
}
