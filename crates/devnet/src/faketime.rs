//! A clock for one process that differs from the host's, by the library of Debian's package `faketime`.
//!
//! The package's command of the same name would make the node a child of its own, which neither ends nor stops with it;
//! so the library is preloaded here as the command does (`faketime -m`, 0.9.10). Only the time of day is shifted:
//! timers and waits go by the clock that never steps, and a host whose time of day is wrong has that one right.

use std::{fs, io, process::Command};

/// With threads. The loader puts the machine's library directory in place of `$LIB` (`man 8 ld.so`).
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// Lets what `command` starts see the time of day `offset_us` microseconds later than it is.
pub(crate) fn shift(command: &mut Command, offset_us: i64) {
    command
        .env("LD_PRELOAD", LIBRARY)
        .env("FAKETIME", relative(offset_us))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1");
}

/// Whether the library is in the process: a loader that does not find it goes on without.
pub(crate) fn is_loaded(process_id: u32) -> io::Result<bool> {
    Ok(fs::read_to_string(format!("/proc/{process_id}/maps"))?.contains("/libfaketime"))
}

/// Takes away the names of what the library shares with children, of which a node has none: they would stay when it is
/// killed, and keep a later process of that number from starting.
pub(crate) fn unname_shared(process_id: u32) {
    for name in ["faketime_shm", "sem.faketime_sem"] {
        // They are not there if the process never came so far.
        let _ = fs::remove_file(format!("/dev/shm/{name}_{process_id}"));
    }
}

/// The form of `FAKETIME` for a clock that goes on, in seconds.
fn relative(offset_us: i64) -> String {
    let sign = if offset_us < 0 { '-' } else { '+' };
    let us = offset_us.unsigned_abs();
    format!("{sign}{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_written_in_seconds_with_its_sign() {
        assert_eq!(relative(500_000), "+0.500000");
        assert_eq!(relative(-500_000), "-0.500000");
        assert_eq!(relative(-12_000_001), "-12.000001");
        assert_eq!(relative(0), "+0.000000");
    }
}
