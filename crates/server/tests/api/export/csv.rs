//! RFC 4180, and nothing that it does not allow.

/// A cell, and whether it stood in quotes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) is_quoted: bool,
}

/// The records of a file.
pub(super) fn read(file: &str) -> Vec<Vec<Cell>> {
    let (mut rest, mut records, mut record) = (file, Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (cell, after) = cell(rest);
        record.push(cell);
        if let Some(next) = after.strip_prefix(',') {
            assert!(!next.is_empty(), "the file ends within a record");
            rest = next;
        } else {
            rest = after.strip_prefix("\r\n").expect("nothing but a comma or CRLF follows a cell");
            records.push(std::mem::take(&mut record));
        }
    }
    assert!(record.is_empty());
    records
}

/// The first cell, and what follows it.
fn cell(file: &str) -> (Cell, &str) {
    let Some(mut rest) = file.strip_prefix('"') else {
        let end = file.find([',', '\r']).expect("a record ends with CRLF");
        let text = file[..end].to_owned();
        assert!(!text.contains(['"', '\n']), "{text:?} needs quotes");
        return (Cell { text, is_quoted: false }, &file[end..]);
    };
    let mut text = String::new();
    loop {
        let end = rest.find('"').expect("a quoted cell ends");
        text.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                text.push('"');
                rest = after;
            }
            None => return (Cell { text, is_quoted: true }, rest),
        }
    }
}
