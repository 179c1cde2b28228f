//! Real lines of real nodes in, what is read from them out. `BMON_BLESS=1` writes the expected files anew.

use std::{
    fmt::{Debug, Write},
    fs,
    path::Path,
};

use bmon_corelog::{Line, Message, Reader};

/// One block for each line: its fields, the message, and the event it becomes.
fn describe(log: &[u8]) -> String {
    let mut out = String::new();
    let mut reader = Reader::new(0, None);
    for raw in log.split_inclusive(|byte| *byte == b'\n') {
        let line = Line::parse(raw);
        let _ = writeln!(out, "> {}", String::from_utf8_lossy(raw).trim_end_matches('\n'));
        let mut field = |name: &str, value: Option<&dyn Debug>| {
            if let Some(value) = value {
                let _ = writeln!(out, "    {name}: {value:?}");
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let time = line.time.map(|time| time.to_string());
        field("time", time.as_ref().map(|time| time as _));
        field("thread", line.thread.map(text).as_ref().map(|thread| thread as _));
        let place = line.location.map(|place| (text(place.file), place.line, text(place.function)));
        field("location", place.as_ref().map(|place| place as _));
        field("category", line.category.as_ref().map(|category| category as _));
        field("level", line.level.as_ref().map(|level| level as _));
        let message = Message::parse(&line).map(|message| message.name());
        field("message", message.as_ref().map(|name| name as _));
        reader.read(raw, None, |event| field("event", Some(&event.kind)));
    }
    let _ = writeln!(out, "{:#?}", reader.counts());
    out
}

fn check(name: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (log, expected) = (data.join(format!("{name}.log")), data.join(format!("{name}.expected")));
    let found = describe(&fs::read(log).expect("the recorded log is in the repository"));
    if std::env::var_os("BMON_BLESS").is_some() {
        fs::write(expected, found).expect("the checkout can be written");
        return;
    }
    let expected = fs::read_to_string(expected).expect("the snapshot is in the repository");
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of `{name}.expected`", number + 1);
    }
    assert_eq!(found, expected, "length of `{name}.expected`");
}

#[test]
fn core_31_99_is_read_as_recorded() {
    check("core-31.99");
    check("core-31.99-levels");
    check("core-31.99-locations");
    check("core-31.99-messages");
    check("core-31.99-relay");
}

#[test]
fn knots_29_4_3_is_read_as_recorded() {
    check("knots-29.4.3");
    check("knots-29.4.3-locations");
    check("knots-29.4.3-messages");
    check("knots-29.4.3-relay");
}

#[test]
fn other_versions_of_core_are_read_as_recorded() {
    check("core-28.99-messages");
    check("core-29.99-messages");
    check("core-30.99-messages");
}

/// Lines of versions that cannot be run here, made by hand from their format strings.
#[test]
fn wordings_of_old_versions_are_read_as_rendered() {
    check("rendered-0.10-to-28");
}
