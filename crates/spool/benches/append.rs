//! How fast a spool takes records, beside what the disk itself needs for an `fdatasync`.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use bmon_spool::{Limits, Spool};

const LIMITS: Limits = Limits { total_bytes: 4 << 30, segment_bytes: 8 << 20 };

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    yardstick(dir.path());
    for size in [100, 1_000, 10_000, 100_000] {
        let mut spool = open(&dir.path().join(format!("append-{size}")));
        let records = 200_000_000 / size.max(1_000);
        let took = time(|| append(&mut spool, size, records));
        let rate = records as f64 / took.as_secs_f64();
        let written = rate * size as f64 / 1e6;
        println!("append {size:>6} bytes: {written:>6.0} MB/s, {rate:>9.0} records/s");
    }
    for group in [1, 10, 100] {
        let mut spool = open(&dir.path().join(format!("sync-{group}")));
        let took = time(|| {
            for _ in 0..200 {
                append(&mut spool, 4_000, group);
                spool.sync().expect("the temporary directory can be synced");
            }
        });
        let rate = (200 * group) as f64 / took.as_secs_f64();
        println!(
            "append 4000 bytes, sync every {group:>3}: {rate:>7.0} records/s, {:>6.2} ms a sync",
            took.as_secs_f64() * 5.0
        );
    }
    let path = dir.path().join("append-1000");
    let took = time(|| drop(open(&path)));
    println!("open after 200 MB: {:.1} ms", took.as_secs_f64() * 1e3);
    let spool = open(&path);
    let took = time(|| assert!(spool.iter_from(1).all(|record| record.is_ok())));
    println!("read 200 MB with checksums: {:.0} MB/s", spool.bytes() as f64 / took.as_secs_f64() / 1e6);
}

/// One small write and one `fdatasync`, by turns, on a file that grows.
fn yardstick(dir: &std::path::Path) {
    let mut file = File::create(dir.join("yardstick")).expect("the temporary directory can be written");
    let took = time(|| {
        for _ in 0..200 {
            file.write_all(&[7; 4_016])
                .and_then(|()| file.sync_data())
                .expect("the temporary directory can be synced");
        }
    });
    println!("write 4016 bytes and fdatasync: {:.2} ms", took.as_secs_f64() * 5.0);
}

fn open(dir: &std::path::Path) -> Spool {
    Spool::open(dir, LIMITS).expect("a spool can be made in a temporary directory").0
}

fn append(spool: &mut Spool, size: usize, records: usize) {
    let payload = vec![7; size];
    for _ in 0..records {
        spool.append(&payload).expect("the temporary directory can be written");
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
