//! Child processes that end for certain.
//!
//! A child is killed when its [`Process`] is dropped. If this process dies without dropping anything, the kernel kills
//! the children (`PR_SET_PDEATHSIG`). That signal is bound to the *thread* that made the child, not to its process, so
//! that one thread, which lives as long as the process does, makes them all: a node started in one test thread may be
//! handed to another.

use std::{
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::clock::{Timeout, wait_for};

/// A child process in a process group of its own, so that a Ctrl-C in the terminal reaches only its parent, which
/// ends it in order.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

struct Job {
    command: Command,
    reply: mpsc::SyncSender<io::Result<Child>>,
}

/// What a wait for the end of a process can fail with.
#[derive(Debug, thiserror::Error)]
enum EndError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Timeout(#[from] Timeout),
}

impl Process {
    /// Starts `command`.
    pub(crate) fn spawn(mut command: Command) -> io::Result<Self> {
        command.process_group(0);
        die_with_parent(&mut command);
        let (reply, answer) = mpsc::sync_channel(1);
        let gone = || io::Error::other("the thread that starts processes is gone");
        spawner()?.send(Job { command, reply }).map_err(|_| gone())?;
        let child = answer.recv().map_err(|_| gone())??;
        Ok(Self { child })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, `None` while it runs.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it has ended, at most for `limit`; whether it has.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> io::Result<bool> {
        match wait_for("the end of the process", limit, || self.ended().map_err(EndError::from)) {
            Ok(_) => Ok(true),
            Err(EndError::Timeout(_)) => Ok(false),
            Err(EndError::Io(error)) => Err(error),
        }
    }

    /// Sends it a signal. It has not been waited for, so its id is still its own.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(rustix::process::kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Stops it with SIGSTOP and waits until it stands still.
    pub(crate) fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)?;
        let id = WaitId::Pid(Pid::from_child(&self.child));
        // NOWAIT leaves the status of a process that ended instead for `ended`.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        rustix::process::waitid(id, options)?;
        Ok(())
    }

    /// Kills it and waits for its end.
    pub(crate) fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(pid = self.id(), %error, "cannot end a child process");
        }
    }
}

/// A short account of an exit status for an error message.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

/// The way to the thread that starts every child; the thread ends with this process.
fn spawner() -> io::Result<&'static mpsc::Sender<Job>> {
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    if let Some(spawner) = SPAWNER.get() {
        return Ok(spawner);
    }
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::Builder::new().name("devnet-spawner".to_owned()).spawn(move || {
        for mut job in jobs {
            // A caller that is gone drops the child, which must not live on without an owner.
            if let Err(mpsc::SendError(Ok(child))) = job.reply.send(job.command.spawn()) {
                drop(Process { child });
            }
        }
    })?;
    // Should two threads come here at once, the loser's channel closes and its thread ends.
    Ok(SPAWNER.get_or_init(|| sender))
}

#[expect(unsafe_code, reason = "code between fork and exec has no safe form")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let hook = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the line above.
        if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    // SAFETY: the closure makes two system calls and neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("60");
        command
    }

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it() {
        let mut child = thread::spawn(|| Process::spawn(sleeper()).unwrap()).join().unwrap();
        assert!(!child.ends_within(Duration::from_millis(100)).unwrap());
    }

    #[test]
    fn a_dropped_child_is_gone_even_if_it_stood_still() {
        let child = Process::spawn(sleeper()).unwrap();
        let pid = Pid::from_child(&child.child);
        child.pause().unwrap();
        drop(child);
        assert_eq!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH));
    }

    #[test]
    fn what_cannot_be_started_is_an_error_of_the_caller() {
        let error = Process::spawn(Command::new("/nonexistent")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
