//! What went through the host's network interfaces.

use std::{fs, path::Path};

/// Bytes since the host started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
}

/// Of all interfaces that are devices; in a container, where none is, of all but loopback. Bridges and tunnels would count
/// the same bytes again. `None` if the system does not tell.
pub(super) fn read() -> Option<Traffic> {
    let table = fs::read_to_string("/proc/net/dev").ok()?;
    let is_device = |name: &str| Path::new("/sys/class/net").join(name).join("device").exists();
    sum(&table, is_device).or_else(|| sum(&table, |name| name != "lo"))
}

/// The sum over the lines of `/proc/net/dev` (proc(5)) whose interface `counts`, `None` if there is none.
fn sum(table: &str, counts: impl Fn(&str) -> bool) -> Option<Traffic> {
    let mut found = None;
    for (name, numbers) in table.lines().filter_map(|line| line.split_once(':')) {
        let numbers: Vec<u64> = numbers.split_whitespace().map_while(|word| word.parse().ok()).collect();
        // Eight numbers of what was received, then of what was sent, each beginning with the bytes.
        if let (true, Some(received), Some(sent)) = (counts(name.trim()), numbers.first(), numbers.get(8)) {
            let traffic = found.get_or_insert(Traffic::default());
            traffic.received_bytes += received;
            traffic.sent_bytes += sent;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_interfaces_that_count_are_added_up() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  \
                     eth0: 100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\nwlan0:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n";
        assert_eq!(sum(table, |name| name != "lo"), Some(Traffic { received_bytes: 105, sent_bytes: 36 }));
        assert_eq!(sum(table, |name| name == "eth1"), None);
    }
}
