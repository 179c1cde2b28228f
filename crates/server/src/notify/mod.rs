//! Tells others of alerts: one notifier in each file, and a thread for each that is named in the configuration, so that one that
//! hangs or fails makes no other wait.
//!
//! What each took is in the store: that an alert fires, and that it is over, each once. So a restart changes nothing. It is noted
//! after the notifier took it: if the server is killed in between, it is told once more.

mod alertmanager;
mod label;
mod post;
mod telling;
mod webhook;

use std::{fmt, sync::Arc, time::Duration};

use bmon_event::ServerTime;
use bmon_store::ToTell;

pub use self::post::{NotifyError, Target};
pub(crate) use self::telling::Notify;
use self::{alertmanager::Alertmanager, webhook::Webhook};
use crate::Links;

/// Someone who is told of alerts.
pub trait Notifier: fmt::Debug + Send + Sync {
    /// Which one it is.
    fn kind(&self) -> NotifierKind;

    /// How long others are waited for that change together with the first.
    fn group_wait(&self) -> Duration;

    /// What is to be told of these, message by message; empty if that is nothing.
    fn messages(&self, to_tell: Vec<ToTell>) -> Vec<Vec<ToTell>>;

    /// Tells of the alerts of one message, which it took if this succeeds.
    fn tell(&self, message: &[ToTell], now: ServerTime) -> Result<(), NotifyError>;

    /// Tells of an alert `bmon-test`, as of one that fires; what becomes of it, in words.
    fn test(&self) -> Result<&'static str, NotifyError>;

    /// Ends the telling that another thread waits for, and all that follow.
    fn interrupt(&self);
}

/// The notifiers that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifierKind {
    /// Alertmanager, which groups, silences and routes.
    Alertmanager,
    /// Whatever takes what Alertmanager's webhooks take.
    Webhook,
}

impl NotifierKind {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Alertmanager, Self::Webhook];

    /// The word for it in configuration, metrics and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Webhook => "webhook",
        }
    }

    /// The notifier of this kind at its address, whose alerts link to the server by `links`.
    pub fn at(self, target: &Target, links: &Links) -> Arc<dyn Notifier> {
        match self {
            Self::Alertmanager => Arc::new(Alertmanager::new(target, links)),
            Self::Webhook => Arc::new(Webhook::new(target, links)),
        }
    }
}

impl fmt::Display for NotifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
