//! Two system calls that the standard library does not wrap.
#![expect(unsafe_code, reason = "no dependency wraps adjtimex")]

use std::path::Path;

/// The file system that holds a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    pub(super) total_bytes: u64,
    /// For unprivileged users.
    pub(super) free_bytes: u64,
}

/// What the kernel thinks of its clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelClock {
    /// Something disciplines it (not `STA_UNSYNC`).
    pub(super) synchronised: bool,
    /// Its bound on the clock's error.
    pub(super) max_error_us: u64,
}

/// Size of the file system that holds `path`, `None` if the system does not tell.
pub(super) fn disk(path: &Path) -> Option<Disk> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(Disk { total_bytes: stat.f_blocks * stat.f_frsize, free_bytes: stat.f_bavail * stat.f_frsize })
}

/// State of the kernel's clock, `None` if the system does not tell.
pub(super) fn clock() -> Option<KernelClock> {
    // SAFETY: `timex` is plain numbers, for which all zeros is a value; `modes` of 0 asks without changing anything.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `timex` is a valid structure for the call to fill.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    (state >= 0).then(|| KernelClock {
        synchronised: timex.status & libc::STA_UNSYNC == 0,
        max_error_us: u64::try_from(timex.maxerror).unwrap_or_default(),
    })
}
