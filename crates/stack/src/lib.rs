//! The configuration of what stands around bmon: Prometheus, Alertmanager, Loki and Grafana with its dashboards.
//!
//! The files are made of an [`Installation`] and of nothing else, and stand in `stack/` as they are made for
//! [`Installation::default`], so that they can be read, and used, without bmon. Only [`write()`] touches a disk.

pub mod dashboard;
mod installation;
mod render;
mod write;

pub use installation::Installation;
pub use render::{File, render};
pub use write::{MANIFEST, WriteError, Written, write};
