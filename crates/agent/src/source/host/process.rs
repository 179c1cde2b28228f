//! The node's process, as the system shows it. It tells of the files only to the node's own user.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// A process of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    /// CPU time since it started, `None` if the system does not tell.
    pub(crate) cpu_us: Option<u64>,
    /// Resident memory.
    pub(crate) resident_bytes: Option<u64>,
    /// Files and sockets that it has open, `None` to other users.
    pub(crate) open_files: Option<u64>,
    /// How many it may have.
    pub(crate) max_open_files: Option<u64>,
}

/// The process of the node that keeps its blocks in `dir`: the one whose number is in `bitcoind.pid` there. After a node was
/// killed another program may have the number; so it must also hold the lock of `.lock` there, as a node does while it runs
/// (`LockDirectory`, `src/util/fs_helpers.cpp@v30`). `None` if there is none.
pub(super) fn read(dir: &Path) -> Option<Process> {
    let pid: u32 = fs::read_to_string(dir.join("bitcoind.pid")).ok()?.trim().parse().ok()?;
    let inode = fs::metadata(dir.join(".lock")).ok()?.ino();
    let holds_lock = holds_lock(&fs::read_to_string("/proc/locks").ok()?, pid, inode);
    let dir = Path::new("/proc").join(pid.to_string());
    let read = |name| fs::read_to_string(dir.join(name)).ok();
    holds_lock.then(|| Process {
        cpu_us: read("stat").and_then(|stat| cpu_us(&stat)),
        resident_bytes: read("status").and_then(|status| super::memory_field(&status, "VmRSS:")),
        open_files: fs::read_dir(dir.join("fd")).ok().map(|files| files.count() as u64),
        max_open_files: read("limits").and_then(|limits| max_open_files(&limits)),
    })
}

/// Whether a line of `/proc/locks` (proc(5)) names process and file: `1: POSIX ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF`.
fn holds_lock(locks: &str, pid: u32, inode: u64) -> bool {
    locks.lines().any(|line| {
        let mut words = line.split_whitespace().skip(4);
        let is_pid = words.next().and_then(|word| word.parse().ok()) == Some(pid);
        is_pid && words.next().and_then(|word| word.rsplit(':').next()?.parse().ok()) == Some(inode)
    })
}

/// From `/proc/PID/stat` (proc(5)): user and system time are the twelfth and thirteenth word behind the name, which may
/// itself have spaces and brackets.
fn cpu_us(stat: &str) -> Option<u64> {
    let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| words.get(index)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) * super::US_PER_TICK)
}

/// The soft limit, from `/proc/PID/limits`.
fn max_open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_limit_are_read() {
        let stat = "7 (b-init) x) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 30\n";
        assert_eq!(cpu_us(stat), Some(3_000_000));
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             unlimited            unlimited            processes\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(max_open_files(limits), Some(1024));
    }

    #[test]
    fn another_program_with_the_nodes_number_is_not_the_node() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), None);
        fs::write(dir.path().join("bitcoind.pid"), format!("{}\n", std::process::id())).unwrap();
        fs::write(dir.path().join(".lock"), "").unwrap();
        assert_eq!(read(dir.path()), None);
        let locks =
            "1: FLOCK  ADVISORY  WRITE 12 08:01:77 0 EOF\n2: POSIX  ADVISORY  WRITE 13 08:01:78 0 EOF\n";
        assert!(holds_lock(locks, 13, 78) && !holds_lock(locks, 13, 77) && !holds_lock(locks, 12, 78));
    }
}
