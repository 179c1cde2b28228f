//! Headers to measure with, and what it takes of the processor and of memory.

use std::{collections::HashMap, fs, hint::black_box};

use bmon_analysis::tree::Header;
use bmon_event::BlockHash;
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

pub(crate) const HEADERS: u32 = 1_000_000;
/// One block in so many is left behind.
pub(crate) const ONE_STALE_IN: u32 = 700;

pub(crate) type Raw = [u8; 80];

/// Whether it is run to measure, by `cargo bench`, and not by `cargo test` to see that it runs.
pub(crate) fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

pub(crate) fn yardsticks(raw: &[Raw]) {
    measured("yardstick: double SHA-256 of each", raw.len(), || {
        for raw in raw {
            black_box(double_sha256(raw));
        }
    });
    let mut map = HashMap::new();
    measured("yardstick: HashMap of hash and header", raw.len(), || {
        map.extend(raw.iter().map(|raw| (double_sha256(raw), *raw)));
    });
    black_box(map.len());
}

pub(crate) fn measured(what: &str, times: usize, work: impl FnOnce()) {
    // Reset, so that the peak is this work's own.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, start) = (resident_mb("VmRSS:"), processor_seconds());
    work();
    let seconds = processor_seconds() - start;
    let [kept, peak] = ["VmRSS:", "VmHWM:"].map(|field| resident_mb(field) - before);
    println!(
        "{what:<44} {seconds:>9.3} s {:>9.2} us each {kept:>7.1} MB, {peak:>6.1} MB at most",
        seconds / times as f64 * 1e6
    );
}

/// A chain of regtest's difficulty with stale blocks, each after its parent. Twice tried on average.
pub(crate) fn headers(count: usize) -> Vec<Raw> {
    let mut headers = Vec::with_capacity(count);
    let mut parent = [0; 32];
    for number in (0..).take(count) {
        let (raw, hash) = mine(parent, number);
        headers.push(raw);
        if !number.is_multiple_of(ONE_STALE_IN) || number == 0 {
            parent = hash;
        }
    }
    headers
}

fn mine(parent: [u8; 32], number: u32) -> (Raw, [u8; 32]) {
    let mut raw = [0; 80];
    raw[4..36].copy_from_slice(&parent);
    raw[36..68].copy_from_slice(&Sha256::digest(number.to_le_bytes()));
    raw[68..72].copy_from_slice(&number.to_le_bytes());
    raw[72..76].copy_from_slice(&0x207f_ffff_u32.to_le_bytes());
    let mut nonces = 0_u32..;
    loop {
        raw[76..80].copy_from_slice(&nonces.next().unwrap().to_le_bytes());
        let hash = double_sha256(&raw);
        if Header::decode(&raw, Some(display(hash))).is_ok() {
            return (raw, hash);
        }
    }
}

fn double_sha256(raw: &Raw) -> [u8; 32] {
    Sha256::digest(Sha256::digest(raw)).into()
}

fn display(mut hash: [u8; 32]) -> BlockHash {
    hash.reverse();
    BlockHash::from_bytes(hash)
}

/// Time in seconds that this thread has run.
pub(crate) fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub(crate) fn resident_mb(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1_024.0 / 1e6
}
