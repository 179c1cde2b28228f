//! How a command fails: what is printed, and the exit code.

use std::fmt;

/// What an exit code means. `bmon --help` lists the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// What was asked for is not there, what was staged was not found, or a file that a person changed was kept.
    NotFound = 1,
    /// Wrong arguments or configuration. Also clap's own code.
    Usage = 2,
    /// The server or a node could not be reached, or refused.
    Unreachable = 3,
    /// Anything else.
    Other = 4,
}

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: Code,
    /// Completes "failed to …", with its sources.
    error: anyhow::Error,
    /// What the user can do, if that is known.
    hint: Option<String>,
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(code: Code, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into(), hint: None }
    }

    pub(crate) fn message(
        code: Code,
        message: impl fmt::Display + fmt::Debug + Send + Sync + 'static,
    ) -> Self {
        Self { code, error: anyhow::Error::msg(message), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Anything that fails without a code of its own.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Code::Other, error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: failed to {}", self.error)?;
        for cause in self.error.chain().skip(1) {
            write!(f, ": {cause}")?;
        }
        writeln!(f)?;
        self.hint.iter().try_for_each(|hint| writeln!(f, "hint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_its_whole_chain_and_the_hint() {
        let inner = std::io::Error::other("no such file");
        let failure =
            Failure::new(Code::Usage, anyhow::Error::new(inner).context("read `x`")).hint("make `x`");
        assert_eq!(failure.to_string(), "error: failed to read `x`: no such file\nhint: make `x`\n");
    }
}
