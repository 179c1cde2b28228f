//! Files that cannot be read, wholly or to their end.

use std::path::Path;

use super::*;

fn failure(nodes: &[Node]) -> String {
    use std::error::Error as _;
    let error = replay(nodes).unwrap_err();
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[test]
fn a_file_that_is_not_there_is_named_before_anything_is_run() {
    let files = Files::new();
    let alice = files.add("a", ALICE);
    let nodes = [node("alice", &[&alice, Path::new("missing.log")])];
    assert!(matches!(Replay::open(&nodes, Window::default()), Err(ReplayError::Read { .. })));
    assert_eq!(failure(&nodes), "read `missing.log`: No such file or directory (os error 2)");
}

#[test]
fn a_folder_and_what_only_looks_compressed_cannot_be_read() {
    let files = Files::new();
    let folder = files.0.path().to_owned();
    assert!(failure(&[node("alice", &[&folder])]).contains("directory"));
    let fake = files.add("fake.gz", b"\x1f\x8bthis is no gzip member");
    assert!(failure(&[node("alice", &[&fake])]).starts_with(&format!("read `{}`: ", fake.display())));
}

#[test]
fn a_file_that_is_named_twice_is_refused() {
    let files = Files::new();
    let alice = files.add("a", ALICE);
    let twice = [node("alice", &[&alice, &alice])];
    assert!(matches!(replay(&twice), Err(ReplayError::Repeated { file }) if file == alice));
    let stdin = Path::new("-");
    let twice = [node("alice", &[stdin]), node("bob", &[stdin])];
    assert!(matches!(Replay::open(&twice, Window::default()), Err(ReplayError::Repeated { .. })));
    assert!(replay(&[node("alice", &[&alice]), node("bob", &[&alice])]).is_ok());
}

#[test]
fn compressed_data_that_breaks_off_is_read_so_far_with_a_warning() {
    let files = Files::new();
    // Two whole parts each, since a decoder gives nothing of a short one before its end.
    let parts = [[gzip(ALICE), gzip(ALICE)].concat(), [zstandard(ALICE), zstandard(ALICE)].concat()];
    for (name, mut content) in ["a.gz", "a.zst"].into_iter().zip(parts) {
        content.truncate(content.len() * 9 / 10);
        let file = files.add(name, content);
        let report = replay(&[node("alice", &[&file])]).unwrap();
        let lines = ALICE.lines().count() as u64;
        assert!((lines..2 * lines).contains(&report.lines.total), "{name}: {}", report.lines.total);
        let warning =
            format!("`alice`: `{}` is cut off or damaged, what comes before is read: ", file.display());
        assert!(report.warnings.iter().any(|told| told.starts_with(&warning)), "{:?}", report.warnings);
    }
}

#[test]
fn a_torn_end_is_a_warning_and_tells_nothing() {
    let files = Files::new();
    let end = "2026-11-22T12:48:59.000000Z UpdateTip: new best=0e0d6aa0";
    let file = files.add("debug.log", format!("{ALICE}{end}"));
    let mut torn = replay(&[node("alice", &[&file])]).unwrap();
    let warning = format!(
        "`alice`: `{}` ends in the middle of a line: {} bytes are not read",
        file.display(),
        end.len()
    );
    assert_eq!(torn.warnings.pop(), Some(warning));
    let whole = replay(&[node("alice", &[&files.add("whole.log", ALICE)])]).unwrap();
    assert_eq!(told(torn), told(whole));
}

#[test]
fn an_empty_file_and_one_of_something_else_are_told_of() {
    let files = Files::new();
    let (empty, other) = (files.add("empty", ""), files.add("other", "a\nb\nc\n"));
    let report = replay(&[node("alice", &[&empty]), node("bob", &[&other])]).unwrap();
    let warnings = ["`alice`: nothing in its log is known", "`bob`: nothing in its log is known"];
    assert_eq!((report.warnings.as_slice(), report.lines.total), (warnings.map(String::from).as_slice(), 3));
}

#[test]
fn an_error_of_who_keeps_the_rows_ends_the_replay() {
    #[derive(Debug, PartialEq)]
    struct Full;
    impl From<ReplayError> for Full {
        fn from(error: ReplayError) -> Self {
            panic!("{error}")
        }
    }
    let files = Files::new();
    let regtest = Network::from_chain("regtest").unwrap();
    let log = files.add("debug.log", ALICE.repeat(50));
    let nodes = [node("alice", &[&log]), node("bob", &[&log])];
    let replay = Replay::open(&nodes, Window::default()).unwrap();
    assert_eq!(replay.run(regtest, Settings::default(), |_| Err(Full)), Err(Full));
}
