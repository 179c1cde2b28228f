//! Waiting for Ctrl-C or SIGTERM.

use std::{
    cell::Cell,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use signal_hook::{consts::TERM_SIGNALS, iterator::Signals};

use crate::failure::{Code, Failure, Result};

/// How often it is looked whether there is still something to wait for.
const LOOK: Duration = Duration::from_secs(1);

/// Knows whether the user asked the process to end.
pub(crate) struct Interrupt {
    receiver: Receiver<()>,
    seen: Cell<bool>,
}

impl Interrupt {
    /// From now on Ctrl-C and SIGTERM no longer end the process by themselves.
    pub(crate) fn catch() -> Result<Self> {
        let (sender, receiver) = channel();
        let mut signals = Signals::new(TERM_SIGNALS)?;
        thread::Builder::new().name("signal".into()).spawn(move || forward(&mut signals, &sender))?;
        Ok(Self { receiver, seen: Cell::new(false) })
    }

    /// Waits until the user asks to end. Fails when `has_ended` says that there is nothing left to wait for: whoever
    /// started the process can start it again.
    pub(crate) fn wait_unless(&self, has_ended: impl Fn() -> bool) -> Result {
        while !self.wait_for(LOOK) {
            if has_ended() {
                return Err(Failure::message(Code::Other, "go on after a failure that the log tells of"));
            }
        }
        Ok(())
    }

    /// Waits for at most `timeout`; whether the user asked to end, now or before.
    pub(crate) fn wait_for(&self, timeout: Duration) -> bool {
        if !self.seen.get() {
            let timed_out = self.receiver.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
            self.seen.set(!timed_out);
        }
        self.seen.get()
    }
}

fn forward(signals: &mut Signals, sender: &Sender<()>) {
    for _signal in signals.forever() {
        if sender.send(()).is_err() {
            return;
        }
    }
}
