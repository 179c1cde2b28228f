//! The silences.

use bmon_analysis::alert::{Alert, AlertId, AlertState, Severity};
use bmon_event::{Network, ServerTime};
use bmon_store::{Matcher, Silence};

use crate::{
    Place,
    row::{name, network},
};

fn time(us: i64) -> ServerTime {
    ServerTime::from_micros(us)
}

fn alert(node: Option<&str>, resolved: Option<i64>) -> Alert {
    Alert {
        id: AlertId([1; 16]),
        revision: 1,
        network: network(),
        rule: "slow-node".to_owned(),
        subject: "alice arrival".to_owned(),
        node: node.map(name),
        severity: Severity::Info,
        state: if resolved.is_some() { AlertState::Resolved } else { AlertState::Firing },
        active_at_us: time(100),
        fired_at_us: Some(time(100)),
        resolved_at_us: resolved.map(time),
        summary: "so".to_owned(),
        findings: Vec::new(),
    }
}

pub(crate) fn a_silence_lasts_until_its_end_or_until_it_is_ended(place: &Place) {
    let mut beside = (place.open)();
    // Of a network that nothing was heard of yet.
    let matcher = Matcher {
        network: Network::from_chain("signet"),
        rule: Some("reorg".to_owned()),
        node: Some(name("alice")),
    };
    let first = beside.silence(&matcher, time(100), time(200), "a word").unwrap();
    let second = beside.silence(&Matcher::default(), time(150), time(400), "all").unwrap();
    let silence = |id, matcher: &Matcher, from, to, comment: &str| Silence {
        id,
        matcher: matcher.clone(),
        begins_at: time(from),
        ends_at: time(to),
        comment: comment.to_owned(),
    };
    let expected =
        [silence(second, &Matcher::default(), 150, 400, "all"), silence(first, &matcher, 100, 200, "a word")];
    assert_eq!((place.read)().silences().unwrap(), expected);
    assert!(!beside.expire_silence(first, time(200)).unwrap(), "it has ended");
    assert!(!beside.expire_silence(99, time(160)).unwrap());
    assert!(beside.expire_silence(second, time(300)).unwrap());
    assert!(!beside.expire_silence(second, time(310)).unwrap());
    let found = beside.silences().unwrap();
    assert_eq!(found[0].ends_at, time(300));
    let active = |at| found.iter().filter(|silence| silence.is_active(time(at))).count();
    assert_eq!([99, 100, 199, 299, 300].map(active), [0, 1, 2, 1, 0]);
}

pub(crate) fn a_silence_holds_what_it_names_while_it_lasts(_: &Place) {
    let silence = |matcher| Silence {
        id: 1,
        matcher,
        begins_at: time(200),
        ends_at: time(300),
        comment: String::new(),
    };
    let (of_alice, of_bob) = (alert(Some("alice"), None), alert(Some("bob"), None));
    let rule = |rule: &str| Matcher { rule: Some(rule.to_owned()), ..Matcher::default() };
    let alice = Matcher { node: Some(name("alice")), ..rule("slow-node") };
    for (matcher, holds) in [
        (rule("slow-node"), [true, true]),
        (rule("reorg"), [false, false]),
        (alice, [true, false]),
        (Matcher { network: Network::from_chain("signet"), ..Matcher::default() }, [false, false]),
        (Matcher { network: Some(network()), ..Matcher::default() }, [true, true]),
    ] {
        let silence = silence(matcher);
        assert_eq!([&of_alice, &of_bob].map(|alert| silence.holds(alert, time(250))), holds, "{silence:?}");
        assert!(!silence.holds(&of_alice, time(199)) && !silence.holds(&of_alice, time(300)));
    }
    let of_node = silence(Matcher { node: Some(name("alice")), ..Matcher::default() });
    assert!(!of_node.holds(&alert(None, None), time(250)), "it is about no node");
    // What was over while it lasted is held for ever, what was over before or is after never.
    let over = |at| of_node.holds(&alert(Some("alice"), Some(at)), time(9_000));
    assert_eq!([199, 250, 300].map(over), [false, true, false]);
}
