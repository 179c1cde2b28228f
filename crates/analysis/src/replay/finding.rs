//! Findings as they were last said.

use std::collections::HashMap;

use crate::finding::{Finding, FindingId};

#[derive(Debug, Default)]
pub(super) struct Findings(HashMap<FindingId, Finding>);

impl Findings {
    pub(super) fn note(&mut self, finding: Finding) {
        self.0.insert(finding.id, finding);
    }

    /// All of them by time.
    pub(super) fn into_sorted(self) -> Vec<Finding> {
        let mut findings: Vec<_> = self.0.into_values().collect();
        findings.sort_unstable_by_key(|finding| (finding.sighted.at, finding.id));
        findings
    }
}
