//! What becomes of conditions: pending, firing, resolved. Each alert is opened once and ends once.

use std::collections::{BTreeMap, VecDeque};

use bmon_event::{Network, ServerTime};

use super::{ALL, Condition, Declaration, Ground};
use crate::{
    alert::{Alert, AlertId, AlertState},
    row::Row,
};

/// Alerts that are over and remembered, so that none is opened a second time.
const MOST_OVER: usize = 4_096;

/// The alerts of one network.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    /// By rule and subject.
    open: BTreeMap<(&'static str, String), Open>,
    over: VecDeque<AlertId>,
}

#[derive(Debug)]
struct Open {
    alert: Alert,
    /// When the condition was first missing, `None` while it holds.
    missing_since: Option<ServerTime>,
}

impl Alarms {
    /// Takes in an alert that was said before the server was last started.
    pub(crate) fn restore(&mut self, alert: Alert) {
        let rule = ALL.iter().find(|rule| rule.id == alert.rule);
        match rule.filter(|_| alert.state != AlertState::Resolved) {
            Some(rule) => {
                let key = (rule.id, alert.subject.clone());
                self.open.insert(key, Open { alert, missing_since: None });
            }
            None => self.note_over(alert.id),
        }
    }

    /// Looks at every rule.
    pub(crate) fn look(&mut self, ground: &Ground<'_>, out: &mut Vec<Row>) {
        for rule in ALL {
            let conditions = (rule.conditions)(ground);
            self.end(rule, &conditions, ground.now, out);
            for condition in conditions {
                self.hold(rule, condition, ground.network.network, ground.now, out);
            }
        }
    }

    /// A condition holds.
    fn hold(
        &mut self,
        rule: &Declaration,
        condition: Condition,
        network: Network,
        now: ServerTime,
        out: &mut Vec<Row>,
    ) {
        let key = (rule.id, condition.subject.clone());
        // What is pending since a time before the condition last began was interrupted, and waits anew.
        let is_interrupted = |open: &Open| {
            open.alert.state == AlertState::Pending && condition.since > open.alert.active_at_us
        };
        if self.open.get(&key).is_some_and(is_interrupted) {
            self.finish(&key, now, out);
        }
        if let Some(open) = self.open.get_mut(&key) {
            open.missing_since = None;
            open.revise(rule, condition, now, out);
            return;
        }
        let id = AlertId::new(&network, rule.id, &condition.subject, condition.since);
        if self.over.contains(&id) {
            return;
        }
        let mut open = Open { alert: pending(id, network, rule, &condition), missing_since: None };
        open.revise(rule, condition, now, out);
        self.open.insert(key, open);
    }

    /// Ends the rule's alerts whose condition has not held for long enough.
    fn end(&mut self, rule: &Declaration, conditions: &[Condition], now: ServerTime, out: &mut Vec<Row>) {
        let holds = |subject: &str| conditions.iter().any(|condition| condition.subject == subject);
        let mut over = Vec::new();
        for ((id, subject), open) in &mut self.open {
            if *id != rule.id || holds(subject) {
                continue;
            }
            let since = *open.missing_since.get_or_insert(now);
            // What has not fired yet has to hold without a break.
            if open.alert.state == AlertState::Pending || now.micros_since(since) >= rule.hold_us {
                over.push((*id, subject.clone()));
            }
        }
        for key in over {
            self.finish(&key, now, out);
        }
    }

    fn finish(&mut self, key: &(&'static str, String), now: ServerTime, out: &mut Vec<Row>) {
        let Some(Open { mut alert, .. }) = self.open.remove(key) else { return };
        (alert.state, alert.resolved_at_us) = (AlertState::Resolved, Some(now));
        alert.revision += 1;
        self.note_over(alert.id);
        out.push(Row::Alert(Box::new(alert)));
    }

    fn note_over(&mut self, id: AlertId) {
        self.over.push_back(id);
        if self.over.len() > MOST_OVER {
            self.over.pop_front();
        }
    }
}

impl Open {
    /// Takes in the condition as it is now. An alert grows louder, not quieter, while it lasts.
    fn revise(&mut self, rule: &Declaration, condition: Condition, now: ServerTime, out: &mut Vec<Row>) {
        let before = self.alert.clone();
        let alert = &mut self.alert;
        alert.severity = alert.severity.max(condition.severity);
        (alert.summary, alert.findings) = (condition.summary, condition.findings);
        if alert.state == AlertState::Pending && now.micros_since(alert.active_at_us) >= rule.grace_us {
            (alert.state, alert.fired_at_us) = (AlertState::Firing, Some(now));
        }
        if *alert != before || alert.revision == 0 {
            alert.revision += 1;
            out.push(Row::Alert(Box::new(alert.clone())));
        }
    }
}

/// The alert before anything is said of it.
fn pending(id: AlertId, network: Network, rule: &Declaration, condition: &Condition) -> Alert {
    Alert {
        id,
        revision: 0,
        network,
        rule: rule.id.to_owned(),
        subject: condition.subject.clone(),
        node: condition.node.clone(),
        severity: condition.severity,
        state: AlertState::Pending,
        active_at_us: condition.since,
        fired_at_us: None,
        resolved_at_us: None,
        summary: String::new(),
        findings: Vec::new(),
    }
}
