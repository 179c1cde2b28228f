//! The signal that asks every thread of an agent to end.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

/// Ends a call that a thread waits for.
pub(crate) type Interrupt = Box<dyn FnOnce() + Send>;

/// Shared by all threads of one agent. Once set it stays set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    wake_threads: Condvar,
    wake_task: Notify,
}

#[derive(Default)]
struct State {
    stopping: bool,
    interrupts: Vec<Interrupt>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("stopping", &self.stopping).finish_non_exhaustive()
    }
}

impl Stop {
    /// Asks every thread to end.
    pub(crate) fn set(&self) {
        let interrupts = {
            let mut state = self.lock();
            state.stopping = true;
            std::mem::take(&mut state.interrupts)
        };
        self.0.wake_threads.notify_all();
        self.0.wake_task.notify_one();
        for interrupt in interrupts {
            interrupt();
        }
    }

    /// Runs `interrupt` when the threads are asked to end, at once if they already were.
    pub(crate) fn interrupts(&self, interrupt: Interrupt) {
        let mut state = self.lock();
        if state.stopping {
            drop(state);
            interrupt();
        } else {
            state.interrupts.push(interrupt);
        }
    }

    /// Whether the threads are to end.
    pub(crate) fn is_set(&self) -> bool {
        self.lock().stopping
    }

    /// Sleeps for `duration`, less if asked to end. Returns whether it was.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        let waited = self.0.wake_threads.wait_timeout_while(self.lock(), duration, |state| !state.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    /// Completes once asked to end, for the one asynchronous task.
    pub(crate) async fn wait_async(&self) {
        while !self.is_set() {
            self.0.wake_task.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_sleeper_is_woken() {
        let stop = Stop::default();
        let sleeper = std::thread::spawn({
            let stop = stop.clone();
            move || stop.wait(Duration::from_mins(1))
        });
        stop.set();
        assert!(sleeper.join().unwrap());
        assert!(stop.is_set());
    }

    #[test]
    fn without_the_signal_the_time_passes() {
        assert!(!Stop::default().wait(Duration::from_millis(1)));
    }

    #[test]
    fn interrupts_run_once_whether_they_come_before_or_after() {
        let (stop, (sender, receiver)) = (Stop::default(), mpsc::channel());
        let interrupt = |number| {
            let sender = sender.clone();
            Box::new(move || sender.send(number).unwrap())
        };
        stop.interrupts(interrupt(1));
        stop.set();
        stop.interrupts(interrupt(2));
        stop.set();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2]);
    }
}
