//! What the server tells the engine of itself, so that it becomes an alert as all else does: the engine sees no clock and does
//! nothing that could fail by itself.

use bmon_event::ServerTime;

/// How the server does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHealth {
    /// Since when what agents deliver waits long to be analysed, `None` if it does not.
    pub behind_since: Option<ServerTime>,
    /// The notifiers that cannot be told of alerts, and since when.
    pub failing_notifiers: Vec<(&'static str, ServerTime)>,
}
