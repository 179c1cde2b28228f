//! How fast a log is read on one core, stage by stage, beside the speed of only finding its line ends and beside the
//! usual way: a set of regular expressions that tells which one a line is, and that one with captures for the fields.
//!
//! The log is a recorded one, repeated with fresh hashes to 256 MiB. `BMON_BENCH_LOG` names another to repeat,
//! `BMON_BENCH_MIB` another size. What counts is the processor's time, of the fastest of several rounds, so that other work on the machine
//! disturbs less.

use std::{
    fs::{self, File},
    hint::black_box,
    io::Read as _,
    path::Path,
};

use bmon_corelog::{Line, Message, Reader, Splitter, message::WORDINGS};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

const MIB: usize = 256;
const CHUNK: usize = 256 << 10;
const ROUNDS: u32 = 5;

const RECORDED: &[u8] = include_bytes!("../tests/data/core-31.99.log");

fn main() {
    let recorded = match std::env::var_os("BMON_BENCH_LOG") {
        Some(path) => fs::read(path).expect("`BMON_BENCH_LOG` names a file that can be read"),
        None => RECORDED.to_vec(),
    };
    let mib =
        std::env::var("BMON_BENCH_MIB").map_or(MIB, |mib| mib.parse().expect("`BMON_BENCH_MIB` is a number"));
    let log = repeat(&recorded, mib << 20);
    let lines = memchr::memchr_iter(b'\n', &log).count();
    let mut matched = 0;
    Reader::new(0, None).read(&recorded, None, |_| matched += 1);
    let recorded_lines = memchr::memchr_iter(b'\n', &recorded).count();
    println!(
        "{lines} lines, {} MB, {:.0} bytes a line, {matched} of each {recorded_lines} lines become events",
        log.len() / 1_000_000,
        log.len() as f64 / lines as f64
    );

    let report = |stage: &str, log: &[u8], work: &mut dyn FnMut(&[u8]) -> u64| {
        let lines = memchr::memchr_iter(b'\n', log).count();
        let seconds = (0..ROUNDS).map(|_| {
            let start = processor_seconds();
            black_box(work(black_box(log)));
            processor_seconds() - start
        });
        let best = seconds.fold(f64::INFINITY, f64::min);
        println!(
            "{stage:<32} {:>7.2} M lines/s {:>7.2} GB/s",
            lines as f64 / best / 1e6,
            log.len() as f64 / best / 1e9
        );
    };
    report("line ends only (memchr)", &log, &mut |log| memchr::memchr_iter(b'\n', log).count() as u64);
    report("lines", &log, &mut |log| split(log, |line| line.len() as u64));
    report("lines, prefix", &log, &mut |log| split(log, |line| Line::parse(line).text.len() as u64));
    report("lines, prefix, message", &log, &mut |log| {
        split(log, |line| u64::from(Message::parse(black_box(&Line::parse(line))).is_some()))
    });
    report("lines, prefix, message, event", &log, &mut |log| {
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
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reading.log");
    fs::write(&path, &log).expect("there is room for the log as a file");
    report("the same from a file", &log, &mut |_| read_file(&path));
    fs::remove_file(&path).expect("it was written");
    let mut expressions = Expressions::new();
    let messages = split(&recorded, |line| u64::from(Message::parse(&Line::parse(line)).is_some()));
    let found = split(&recorded, |line| u64::from(expressions.read(line) > 0));
    println!("{messages} of each {recorded_lines} lines are messages; the regular expressions find {found}");
    // So slow that a part of the log has to do.
    let part = log.len() / 16;
    let part = &log[..part + memchr::memchr(b'\n', &log[part..]).map_or(0, |end| end + 1)];
    report("line, regular expressions", part, &mut |log| split(log, |line| expressions.read(line)));
}

/// Number of events in a file. It was just written, so that it comes from memory.
fn read_file(path: &Path) -> u64 {
    let mut file = File::open(path).expect("it was written");
    let (mut reader, mut chunk, mut events) = (Reader::new(0, None), vec![0; CHUNK], 0);
    loop {
        let read = file.read(&mut chunk).expect("it can be read");
        let Some(bytes @ [_, ..]) = chunk.get(..read) else { return events };
        reader.read(bytes, None, |event| {
            black_box(event);
            events += 1;
        });
    }
}

/// Time in seconds that this thread has run: Linux tells it in nanoseconds.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("its first number is it") / 1e9
}

/// All wordings as regular expressions.
struct Expressions {
    set: RegexSet,
    each: Vec<(Regex, CaptureLocations)>,
}

impl Expressions {
    /// Time (and mock time, thread, location, category), then a wording with a group for each conversion. What a
    /// conversion can be is what the reader takes for it.
    fn new() -> Self {
        let expressions: Vec<_> = WORDINGS
            .iter()
            .map(|wording| {
                let mut expression = String::from(PREFIX);
                let (mut rest, mut samples) = (wording.format, wording.samples.iter());
                while let Some(start) = rest.find('%') {
                    let (literal, conversion) = rest.split_at(start);
                    expression += &regex::escape(literal);
                    if let Some(after) = conversion.strip_prefix("%%") {
                        expression.push('%');
                        rest = after;
                        continue;
                    }
                    let end = conversion
                        .find(|letter: char| letter.is_ascii_alphabetic() && !"lzh".contains(letter));
                    rest = &conversion[end.expect("a conversion ends in a letter") + 1..];
                    expression += group(samples.next().expect("a sample for each conversion"));
                }
                expression + &regex::escape(rest) + "(?:[ ,].*)?$"
            })
            .collect();
        let each = expressions.iter().map(|expression| {
            let regex = RegexBuilder::new(expression).unicode(false).build().expect("it is an expression");
            let locations = regex.capture_locations();
            (regex, locations)
        });
        Self {
            each: each.collect(),
            set: RegexSetBuilder::new(&expressions)
                .unicode(false)
                .size_limit(1 << 30)
                .dfa_size_limit(1 << 30)
                .build()
                .expect("it is a set of expressions"),
        }
    }

    /// Number of bytes in the fields of a line.
    fn read(&mut self, line: &[u8]) -> u64 {
        let Some((regex, locations)) =
            self.set.matches(line).iter().next().and_then(|place| self.each.get_mut(place))
        else {
            return 0;
        };
        regex.captures_read(locations, line);
        (1..locations.len())
            .filter_map(|group| locations.get(group))
            .map(|(start, end)| (end - start) as u64)
            .sum()
    }
}

const PREFIX: &str = r"^(?:\[\*\] )?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{6})?Z?) (?:\(mocktime: [^)]*\) )?(?:\[([a-z_.0-9 -]+)\] )??(?:\[([^\]]+:\d+)\] \[([^\]]*)\] )?(?:\[([a-z]+(?::[a-z]+)?)\] )?";

/// The group for a conversion, by the sample of its type.
fn group(sample: &str) -> &'static str {
    match sample {
        sample if sample.len() == 64 => "([0-9a-f]{64})",
        "true" => "(true|false|0|1)",
        "95.123456" => "([-+.e0-9]+)",
        sample if sample.bytes().all(|byte| byte.is_ascii_digit()) => "([0-9]+)",
        "-17" => "(-?[0-9]+)",
        "0.5" => "(.*?)",
        _ => "(.*)",
    }
}

fn split(log: &[u8], mut each: impl FnMut(&[u8]) -> u64) -> u64 {
    let mut splitter = Splitter::new(0);
    let mut sum = 0;
    for chunk in log.chunks(CHUNK) {
        splitter.feed(chunk, |line| sum += each(line.bytes));
    }
    sum
}

/// `log` again and again until there are `size` bytes, each time with other digits in its hashes. The node's start is
/// in it once: nodes run for longer than some hundred lines.
fn repeat(log: &[u8], size: usize) -> Vec<u8> {
    const STARTED: &[u8] = b"init message: Done loading\n";
    let running = memchr::memmem::find(log, STARTED).map_or(0, |start| start + STARTED.len());
    let mut out = Vec::with_capacity(size + log.len());
    let mut round = 0_u8;
    while out.len() < size {
        let part = if out.is_empty() { log } else { &log[running..] };
        for word in part.split_inclusive(|byte| !byte.is_ascii_hexdigit()) {
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
