use proptest::prelude::*;

use super::*;

const TIME: &str = "2026-11-22T12:28:03.183067Z";

fn parse(text: &str) -> Line<'_> {
    Line::parse(text.as_bytes())
}

#[test]
fn brackets_that_are_no_field_are_text() {
    for text in [
        "[snapshot] loaded 5 coins",
        "[background validation] UpdateTip: new best=",
        "[w] AddToWallet 00 new",
        "[default wallet] Releasing wallet",
        "[] empty",
        "[net]no blank",
        "[net",
        "[validation.cpp:12] and no function",
        "[net:loud] x",
    ] {
        let whole = format!("{TIME} {text}");
        let line = parse(&whole);
        assert_eq!(
            (line.text, line.category, line.thread, line.location),
            (text.as_bytes(), None, None, None),
            "{text}"
        );
        let whole = format!("{TIME} [msghand] {text}");
        let line = parse(&whole);
        assert_eq!((line.text, line.thread), (text.as_bytes(), Some(b"msghand".as_slice())), "{text}");
    }
}

#[test]
fn a_thread_of_an_unknown_name_is_seen_before_another_field() {
    let whole = format!("{TIME} [new thread] [net:trace] x");
    let line = parse(&whole);
    assert_eq!(
        (line.thread, line.category, line.level),
        (Some(b"new thread".as_slice()), Some(Category::Net), Some(Level::Trace))
    );
    let whole = format!("{TIME} [net] [net.cpp:1746] [Accept] x");
    let line = parse(&whole);
    assert_eq!((line.thread, line.category), (Some(b"net".as_slice()), None));
    assert_eq!(line.location, Some(Location { file: b"net.cpp", line: 1746, function: b"Accept" }));
}

#[test]
fn leading_blanks_belong_to_the_message() {
    let whole = format!("{TIME} [bench]   - Load block from disk: 0.00ms");
    assert_eq!(parse(&whole).text, b"  - Load block from disk: 0.00ms");
}

#[test]
fn line_ends_are_left_out_and_lines_without_a_time_are_text() {
    assert_eq!(parse("x\r\n").text, b"x");
    assert_eq!(parse("x\n").text, b"x");
    assert_eq!(parse("\r\n"), Line::default());
    let line = parse("    CTxIn(COutPoint(f6cdcb2f7a, 0), scriptSig=, nSequence=4294967293)");
    assert_eq!((line.time, line.text.len()), (None, 69));
    assert_eq!(Line::parse(b"\x00\xff[net] \xfe").text, b"\x00\xff[net] \xfe");
}

const TIMES: [&str; 4] = [
    "2026-11-22T12:28:03Z ",
    "2026-11-22T12:28:03.183067Z ",
    "2026-11-22 12:28:03 ",
    "2026-11-22 12:28:03.183067 ",
];
const THREADS_SEEN: [&str; 5] =
    ["", "[msghand] ", "[net] ", "[httpworker.12] ", "[basic block filter index] "];
const PLACES: [&str; 3] = [
    "",
    "[validation.cpp:2898] [UpdateTipLog] ",
    "[validation.cpp:2898] [void (anonymous namespace)::F(int[2]) const [with T = A<B[3]>]] ",
];
const LABELS: [&str; 5] = ["", "[net] ", "[net:debug] ", "[error] ", "[all:info] "];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn fields_are_read_in_every_combination(
        mark in prop::sample::select(vec!["", "[*] "]),
        time in prop::sample::select(&TIMES[..]),
        mock in prop::sample::select(vec!["", "(mocktime: 2011-02-02T23:16:42Z) "]),
        thread in prop::sample::select(&THREADS_SEEN[..]),
        place in prop::sample::select(&PLACES[..]),
        label in prop::sample::select(&LABELS[..]),
    ) {
        // The thread `net` before a bare message cannot be told from the category.
        prop_assume!(thread != "[net] " || !place.is_empty() || !label.is_empty());
        let inner = |field: &'static str| field.trim_end().strip_prefix('[').and_then(|field| field.strip_suffix(']'));
        let whole = format!("{mark}{time}{mock}{thread}{place}{label}[w] a message");
        let line = parse(&whole);
        let label = Label::from_word(inner(label).unwrap_or_default().as_bytes()).unwrap_or_default();
        prop_assert_eq!(line.suppressing, !mark.is_empty());
        prop_assert!(line.time.is_some());
        prop_assert_eq!(line.mock_time.is_some(), !mock.is_empty());
        prop_assert_eq!(line.thread, inner(thread).map(str::as_bytes));
        let function = place.split_once("] [").and_then(|(_, function)| function.strip_suffix("] "));
        prop_assert_eq!(line.location.map(|location| location.function), function.map(str::as_bytes));
        prop_assert_eq!((line.category, line.level), (label.category, label.level));
        prop_assert_eq!(line.text, b"[w] a message");
    }

    #[test]
    fn any_bytes_are_a_line_whose_text_is_its_end(
        head in prop::sample::select(vec!["", "[*] ", "2026-11-22T12:28:03Z ", "2026-11-22T12:28:03Z [", "[a.cpp:1] ["]),
        bytes in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let whole = [head.as_bytes(), &bytes].concat();
        let line = Line::parse(&whole);
        let end = whole.strip_suffix(b"\n").unwrap_or(&whole);
        prop_assert!(end.strip_suffix(b"\r").unwrap_or(end).ends_with(line.text));
    }

    #[test]
    fn any_text_of_brackets_is_a_line(text in "(\\[\\*\\] )?2026-11-22T12:28:03Z [\\[\\] :.a-z0-9()-]{0,60}") {
        prop_assert!(Line::parse(text.as_bytes()).time.is_some());
    }
}
