//! Reads a page in the classic text format, and refuses whatever a scraper might take in two ways: a sample before its help
//! and type, a family in two places, a series twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// A metric of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric {
    /// What it is.
    pub help: String,
    /// Its type, `counter`, `gauge` or `untyped`.
    pub kind: String,
    /// The value of each series, by its labels in the order of their names.
    pub series: BTreeMap<Vec<(String, String)>, f64>,
}

/// Why a page cannot be read, with the line.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The metrics of a page by name. Histograms and summaries are not understood: none is needed where this is used.
pub fn read(page: &str) -> Result<BTreeMap<String, Metric>, Refusal> {
    let mut reader = Reader::default();
    for (index, line) in page.lines().enumerate() {
        reader.take(line).map_err(|problem| Refusal { line: index + 1, problem })?;
    }
    let end = Refusal { line: page.lines().count(), problem: "" };
    reader.close().map_err(|problem| Refusal { problem, ..end })?;
    if !page.is_empty() && !page.ends_with('\n') {
        return Err(Refusal { problem: "the last line does not end", ..end });
    }
    Ok(reader.done)
}

#[derive(Default)]
struct Reader {
    done: BTreeMap<String, Metric>,
    name: String,
    open: Metric,
}

impl Reader {
    fn take(&mut self, line: &str) -> Result<(), &'static str> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("a help without a text")?;
            self.close()?;
            name.clone_into(&mut self.name);
            help.clone_into(&mut self.open.help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("a type without a word")?;
            if name != self.name || !self.open.kind.is_empty() {
                return Err("a type that does not follow its help");
            }
            if !["counter", "gauge", "untyped"].contains(&kind) {
                return Err("an unknown type");
            }
            kind.clone_into(&mut self.open.kind);
        } else {
            let (name, labels, value) = sample(line)?;
            if name != self.name || self.open.kind.is_empty() {
                return Err("a sample that does not follow its help and type");
            }
            if self.open.series.insert(labels, value).is_some() {
                return Err("a series for the second time");
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let (name, metric) = (mem::take(&mut self.name), mem::take(&mut self.open));
        if name.is_empty() {
            return Ok(());
        }
        if metric.series.is_empty() {
            return Err("a metric without a sample before this");
        }
        if self.done.insert(name, metric).is_some() {
            Err("a metric in two places before this")
        } else {
            Ok(())
        }
    }
}

type Labels = Vec<(String, String)>;

/// A line `name{label="value",…} value`.
fn sample(line: &str) -> Result<(&str, Labels, f64), &'static str> {
    let end = line.find(['{', ' ']).ok_or("neither a comment nor a sample")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err("a name with other characters than `[a-zA-Z0-9_:]`");
    }
    let (mut labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    labels.sort();
    let names: BTreeSet<_> = labels.iter().map(|(name, _)| name).collect();
    if names.len() < labels.len() {
        return Err("a label for the second time");
    }
    let value = rest.strip_prefix(' ').ok_or("no single space before the value")?;
    Ok((name, labels, value.parse().map_err(|_| "a value that is no number")?))
}

/// What follows `{`: the labels, and the rest of the line behind `}`.
fn labels(mut rest: &str) -> Result<(Labels, &str), &'static str> {
    let mut labels = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name, false) {
            return Err("a label with other characters than `[a-zA-Z0-9_]`");
        }
        let (value, after) = quoted(after)?;
        labels.push((name.to_owned(), value));
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok((labels, after.strip_prefix('}').ok_or("labels that do not end")?)),
        }
    }
}

/// What follows `"`: the text up to the next, and the rest of the line behind that.
fn quoted(rest: &str) -> Result<(String, &str), &'static str> {
    let (mut text, mut characters) = (String::new(), rest.char_indices());
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((text, rest.get(index + 1..).unwrap_or_default())),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => text.push('\n'),
                Some(escaped @ ('\\' | '"')) => text.push(escaped),
                _ => return Err("an unknown escape"),
            },
            other => text.push(other),
        }
    }
    Err("a label's value that does not end")
}

fn is_name(name: &str, colons: bool) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (colons && byte == b':');
    name.bytes().all(known) && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# HELP a A\n# TYPE a gauge\n";

    fn problem(page: &str) -> (usize, &'static str) {
        let refusal = read(page).unwrap_err();
        (refusal.line, refusal.problem)
    }

    #[test]
    fn values_and_labels_are_read_whatever_their_order() {
        let page = format!(
            "{HEAD}a{{y=\"1\",x=\"q\\\"\\\\\\n}}\"}} 2.5\na 1e3\n# HELP b_total B c\n# TYPE b_total counter\nb_total 7\n"
        );
        let metrics = read(&page).unwrap();
        let labels = [("x", "q\"\\\n}"), ("y", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(metrics["a"].series, BTreeMap::from([(labels.to_vec(), 2.5), (vec![], 1e3)]));
        assert_eq!((metrics["b_total"].kind.as_str(), metrics["b_total"].help.as_str()), ("counter", "B c"));
    }

    #[test]
    fn what_can_be_taken_in_two_ways_is_refused() {
        for (page, line, told) in [
            ("a 1\n".to_owned(), 1, "a sample that does not follow its help and type"),
            ("# TYPE a gauge\na 1\n".to_owned(), 1, "a type that does not follow its help"),
            (format!("{HEAD}a 1\na 2\n"), 4, "a series for the second time"),
            (
                format!("{HEAD}a{{x=\"1\",y=\"2\"}} 1\na{{y=\"2\",x=\"1\"}} 1\n"),
                4,
                "a series for the second time",
            ),
            (format!("{HEAD}a{{x=\"1\",x=\"2\"}} 1\n"), 3, "a label for the second time"),
            (format!("{HEAD}b 1\n"), 3, "a sample that does not follow its help and type"),
            (format!("{HEAD}a 1\n{HEAD}a{{x=\"1\"}} 1\n"), 6, "a metric in two places before this"),
            (HEAD.to_owned(), 2, "a metric without a sample before this"),
            (format!("{HEAD}a one\n"), 3, "a value that is no number"),
            (format!("{HEAD}a  1\n"), 3, "a value that is no number"),
            (format!("{HEAD}a{{x=\"1\\t\"}} 1\n"), 3, "an unknown escape"),
            (format!("{HEAD}a{{x=\"1}} 1\n"), 3, "a label's value that does not end"),
            (format!("{HEAD}9a 1\n"), 3, "a name with other characters than `[a-zA-Z0-9_:]`"),
            (format!("{HEAD}a 1"), 3, "the last line does not end"),
        ] {
            assert_eq!(problem(&page), (line, told), "{page}");
        }
    }
}
