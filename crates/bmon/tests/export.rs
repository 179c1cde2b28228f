//! `bmon export` and the file that it writes, whatever the server sends.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    thread,
};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n";
const WHOLE: &str = "6\r\na,b\r\n1\r\n4\r\n,2\r\n\r\n0\r\n\r\n";
/// Ends between two chunks, where nothing but the missing end tells.
const CUT: &str = "6\r\na,b\r\n1\r\n";
const CONTENT: &str = "a,b\r\n1,2\r\n";

/// What the binary does when a server answers so, and what it asked for.
fn export(arguments: &[&str], answer: String, directory: &Path) -> (Output, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = format!("http://{address}");
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let request: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        stream.write_all(answer.as_bytes()).unwrap();
        request[0].clone()
    });
    let output = Command::new(env!("CARGO_BIN_EXE_bmon"))
        .args(["export", "--server", &server])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    // If it never called, nobody has to wait for that.
    let _call = TcpStream::connect(address);
    (output, serving.join().unwrap())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_whole_file_takes_its_name_once_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["txs", "-o", "txs.csv", "--since", "2026-05-31T18:00:00+02:00", "--network", "main"];
    let (output, request) = export(&arguments, format!("{HEAD}{WHOLE}"), directory.path());
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(
        request,
        "GET /api/v1/export/txs.csv?network=main&since=2026-05-31T18%3A00%3A00%2B02%3A00 HTTP/1.1"
    );
    assert_eq!(names(directory.path()), ["txs.csv"]);
    assert_eq!(fs::read_to_string(directory.path().join("txs.csv")).unwrap(), CONTENT);
}

#[test]
fn a_connection_that_is_cut_leaves_no_file_and_an_older_one_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let older = directory.path().join("txs.csv");
    for _ in 0..2 {
        let before = names(directory.path());
        let (output, _) = export(&["txs", "-o", "txs.csv"], format!("{HEAD}{CUT}"), directory.path());
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("failed to receive the whole file") && told.contains("hint:"), "{told}");
        assert_eq!(names(directory.path()), before);
        fs::write(&older, "older").unwrap();
    }
    assert_eq!(fs::read_to_string(older).unwrap(), "older");
}

#[test]
fn without_a_name_rows_go_to_standard_output() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["gaps", "--format", "jsonl"];
    let (output, request) = export(&arguments, format!("{HEAD}{WHOLE}"), directory.path());
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), CONTENT.as_bytes()));
    assert_eq!(request, "GET /api/v1/export/gaps.jsonl HTTP/1.1");
    let (output, _) = export(&arguments, format!("{HEAD}{CUT}"), directory.path());
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn what_the_server_refuses_is_told_and_written_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let body = r#"{"error": "there is no table `peers`", "hint": "ask for the list"}"#;
    let answer = format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (output, _) = export(&["peers", "-o", "peers.csv"], answer, directory.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no table `peers`"));
    assert!(names(directory.path()).is_empty());
}
