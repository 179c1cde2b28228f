//! How a node's host does.

/// State of the node's host. Fields are `None` where the host does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSample {
    /// CPU time of all cores since boot that was not idle, in microseconds.
    pub cpu_busy_us: Option<u64>,
    /// CPU time of all cores since boot, in microseconds.
    pub cpu_total_us: Option<u64>,
    /// Physical memory in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Memory that programs can still get without swapping, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Size in bytes of the file system that holds the node's data directory.
    pub disk_total_bytes: Option<u64>,
    /// Free bytes there for unprivileged users.
    pub disk_free_bytes: Option<u64>,
    /// Load average of one minute.
    pub load_1m: Option<f64>,
    /// Whether the kernel says that its clock is synchronised (`adjtimex`, not `STA_UNSYNC`).
    pub clock_synchronised: Option<bool>,
    /// The kernel's bound on its clock's error in microseconds (`adjtimex`, `maxerror`).
    pub clock_max_error_us: Option<u64>,
}
