use crate::Subject;

/// The lines of the node's log about one block or transaction, as a server [wanted](crate::Want) them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLines {
    /// The want's id.
    pub want: u64,
    /// What the lines are about.
    pub subject: Subject,
    /// The lines in the log's order, without their ends. Peers' addresses are cut out, and what is not UTF-8 is replaced.
    pub lines: Vec<String>,
    /// What may be missing and why, for a person to read; `None` when nothing is.
    pub problem: Option<String>,
}

impl LogLines {
    /// Bytes of text in it, with an end for each line.
    pub fn bytes(&self) -> usize {
        let lines: usize = self.lines.iter().map(|line| line.len() + 1).sum();
        lines + self.problem.as_ref().map_or(0, String::len)
    }
}
