//! The node's host: CPU, memory, disk, load, and whether the kernel trusts its clock.

mod kernel;
mod process;
mod traffic;

use std::{fs, path::PathBuf, time::Duration};

use bmon_event::{Kind, Source, event::HostSample};

pub(crate) use self::{process::Process, traffic::Traffic};
use super::{Context, Reader};
use crate::config::{HostConfig, IntervalConfig};

/// Samples the host at an interval.
pub(crate) struct Host {
    data_dir: PathBuf,
    network_dir: Option<PathBuf>,
    interval: Duration,
}

impl Host {
    pub(crate) fn new(config: &HostConfig, intervals: &IntervalConfig) -> Self {
        let (data_dir, network_dir) = (config.data_dir.clone(), config.network_dir.clone());
        Self { data_dir, network_dir, interval: Duration::from_millis(intervals.host_ms) }
    }

    fn sample(&self) -> HostSample {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let (cpu_busy_us, cpu_total_us) = cpu(&read("/proc/stat")).unzip();
        let memory = read("/proc/meminfo");
        let disk = kernel::disk(&self.data_dir);
        let clock = kernel::clock();
        HostSample {
            cpu_busy_us,
            cpu_total_us,
            memory_total_bytes: memory_field(&memory, "MemTotal:"),
            memory_available_bytes: memory_field(&memory, "MemAvailable:"),
            disk_total_bytes: disk.map(|disk| disk.total_bytes),
            disk_free_bytes: disk.map(|disk| disk.free_bytes),
            load_1m: read("/proc/loadavg").split(' ').next().and_then(|word| word.parse().ok()),
            clock_synchronised: clock.map(|clock| clock.synchronised),
            clock_max_error_us: clock.map(|clock| clock.max_error_us),
        }
    }
}

impl Reader for Host {
    fn source(&self) -> Source {
        Source::Host
    }

    fn run(self: Box<Self>, mut context: Context) {
        loop {
            let (sample, now) = (self.sample(), context.clock.now());
            if context.observed.is_kept() {
                let (traffic, process) =
                    (traffic::read(), self.network_dir.as_deref().and_then(process::read));
                context.observed.update(|seen| (seen.traffic, seen.process) = (traffic, process));
            }
            let working = sample != HostSample::default();
            let detail = if working { "samples the system" } else { "the system tells nothing of itself" };
            let told = context.outlet.tell_state(now, working, detail.to_owned());
            if told.and_then(|()| context.outlet.tell(now, Kind::Host(sample))).is_err() {
                return;
            }
            if context.stop.wait(self.interval) {
                return;
            }
        }
    }
}

/// `USER_HZ` is 100 on every architecture that bitcoind is released for.
const US_PER_TICK: u64 = 10_000;

/// Busy and total time of all cores in microseconds, from the first line of `/proc/stat` (proc(5)): user, nice,
/// system, idle, iowait, irq, softirq, steal; what follows is contained in the first two.
fn cpu(stat: &str) -> Option<(u64, u64)> {
    let ticks: Vec<u64> = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        .take(8)
        .map_while(|word| word.parse().ok())
        .collect();
    let total: u64 = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4).copied().unwrap_or_default();
    Some(((total - idle) * US_PER_TICK, total * US_PER_TICK))
}

/// A field of `/proc/meminfo` or `/proc/PID/status` in bytes.
fn memory_field(meminfo: &str, name: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_busy_and_total() {
        let stat = "cpu  100 5 45 800 40 3 7 0 0 0\ncpu0 1 1 1 1\n";
        assert_eq!(cpu(stat), Some((160 * 10_000, 1000 * 10_000)));
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn this_host_tells_everything() {
        let host = Host { data_dir: "/".into(), network_dir: None, interval: Duration::ZERO };
        let sample = host.sample();
        assert!(sample.cpu_total_us > sample.cpu_busy_us && sample.cpu_busy_us > Some(0));
        assert!(sample.memory_total_bytes > sample.memory_available_bytes);
        assert!(sample.disk_total_bytes >= sample.disk_free_bytes && sample.disk_total_bytes.is_some());
        assert!(sample.load_1m.is_some());
    }
}
