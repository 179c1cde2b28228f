//! How rows are written.
//!
//! **JSON lines.** An object for each row, with every column in order, null where nothing is known.
//!
//! **CSV.** RFC 4180: commas, CRLF, and quotes around what needs them. An empty cell is null; a text of no characters is `""`.
//! A spreadsheet takes a cell for a formula by how it begins, quotes or not, and what some texts say a peer or a miner chooses.
//! So a text that begins like one, or with `'`, has a `'` put before it: whoever takes away one `'` from the front of
//! a text has the text as it was. Numbers never have it.

use std::fmt::Write as _;

use super::{
    Heading,
    column::{Column, Context, Value},
};
use crate::api::format::Format;

/// What a formula may begin with (OWASP, CSV Injection), the wide forms included that some locales take for the same.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
const GUARD: char = '\'';

/// The first line of a CSV file.
pub(super) fn csv_head(columns: &[Heading]) -> String {
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(",") + "\r\n"
}

/// Writes a row to the end of `out`.
pub(super) fn write_row<R>(
    out: &mut String,
    format: Format,
    columns: &[Column<R>],
    row: &R,
    context: &Context,
) {
    for (place, column) in columns.iter().enumerate() {
        let value = (column.value)(row, context);
        match format {
            Format::Csv => {
                out.push_str(if place == 0 { "" } else { "," });
                write_cell(out, &value);
            }
            Format::JsonLines => {
                out.push_str(if place == 0 { "{\"" } else { ",\"" });
                out.push_str(column.name);
                out.push_str("\":");
                write_json(out, &value);
            }
        }
    }
    out.push_str(match format {
        Format::Csv => "\r\n",
        Format::JsonLines => "}\n",
    });
}

fn write_cell(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => {}
        Value::Text(text) if is_plain(text) => out.push_str(text),
        Value::Text(text) => {
            let guard = if text.starts_with(FORMULA) || text.starts_with(GUARD) { "'" } else { "" };
            write_quoted(out, guard, text);
        }
        Value::Json(json) => write_quoted(out, "", json),
        Value::Integer(_) | Value::Count(_) | Value::Number(_) | Value::Is(_) => write_json(out, value),
    }
}

/// Whether a text can stand in a cell as it is: most are hashes, names and instants.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-_/".contains(byte);
    !text.is_empty() && !text.starts_with('-') && text.as_bytes().iter().all(is_plain)
}

fn write_quoted(out: &mut String, guard: &str, text: &str) {
    out.push('"');
    out.push_str(guard);
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

fn write_json(out: &mut String, value: &Value<'_>) {
    let written = match value {
        Value::Null => write!(out, "null"),
        Value::Text(text) if is_plain(text) => write!(out, "\"{text}\""),
        Value::Text(text) => write!(out, "{}", serde_json::Value::from(&**text)),
        Value::Integer(number) => write!(out, "{number}"),
        Value::Count(count) => write!(out, "{count}"),
        Value::Number(number) => write!(out, "{}", serde_json::Value::from(*number)),
        Value::Is(is) => write!(out, "{is}"),
        Value::Json(json) => write!(out, "{json}"),
    };
    written.expect("a String takes what is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: impl Into<Value<'static>>) -> String {
        let mut out = String::new();
        write_cell(&mut out, &value.into());
        out
    }

    #[test]
    fn no_text_begins_like_a_formula_and_each_can_be_told_from_every_other() {
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "'", "'=1",
            "''=1",
        ] {
            let written = cell(text);
            let inner = written.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            assert_eq!(inner, format!("'{text}"));
        }
        assert_eq!(
            (cell("/pool/, a \"b\""), cell("a;b")),
            ("\"/pool/, a \"\"b\"\"\"".into(), "\"a;b\"".into())
        );
    }

    #[test]
    fn numbers_are_never_guarded_and_nothing_is_not_the_empty_text() {
        assert_eq!((cell(-5_i64), cell(""), cell(None::<i64>)), ("-5".into(), "\"\"".into(), String::new()));
        assert_eq!(cell(Value::Number(0.01)), "0.01");
    }
}
