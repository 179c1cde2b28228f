//! A server as it is by default, and what its disk can do.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{
    fs::File,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use bmon_server::Config;

/// A server with its files in `data_dir`, on any free port.
pub(crate) fn config(data_dir: &Path) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data_dir: data_dir.to_owned(),
        max_batch_bytes: 1 << 20,
        max_batch_unpacked_bytes: 8 << 20,
        journal_horizon: Duration::from_hours(48),
        journal_max_bytes: 4 << 30,
        transaction_retention: Duration::from_hours(720),
        header_depth: 4_032,
        pools: None,
        external_url: None,
        notifiers: Vec::new(),
    }
}

/// Seconds for one small write and one `fdatasync` on a file that grows.
pub(crate) fn yardstick(directory: &Path) -> f64 {
    let mut file = File::create(directory.join("yardstick")).unwrap();
    let start = Instant::now();
    for _ in 0..200 {
        file.write_all(&[7; 4_000]).and_then(|()| file.sync_data()).unwrap();
    }
    start.elapsed().as_secs_f64() / 200.0
}
