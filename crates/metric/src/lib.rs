//! Numbers for Prometheus, as the agent and the server both serve them: what a metric is, and the page they make.
//!
//! It is a crate of its own so that the agent need not link the server. The text is written by `prometheus-client`; here is
//! what that leaves to its user, and in [`read`] a strict reader, with which tests read pages back.

mod family;
mod page;
pub mod read;

pub use family::{Family, Sample};
pub use page::{CLASSIC, OPEN_METRICS, classic, open_metrics};
