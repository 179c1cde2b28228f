/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines of values with commas between them, the first line with the columns' names.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl",
        }
    }

    /// What a file's name ends with, after the dot.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// The format of files that end so.
    pub(super) fn from_extension(extension: &str) -> Option<Self> {
        [Self::Csv, Self::JsonLines].into_iter().find(|format| format.extension() == extension)
    }
}
