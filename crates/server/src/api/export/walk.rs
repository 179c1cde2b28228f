//! Reading a table part by part, and writing its rows meanwhile.

use std::ops::ControlFlow;

use bmon_store::{Reader, StoreError, Stretch};

use super::{
    cell,
    column::{Column, Context},
};
use crate::api::{Api, Refusal, format::Format, parts::Parts};

/// Rows after which a part ends, and items looked at, of which some have no rows.
const ROWS: usize = 5_000;
/// Bytes after which a part ends.
const BYTES: usize = 4 << 20;

/// A table that is being read.
pub(super) trait Walk: Send {
    /// The next part, which may be empty; `None` at the end.
    fn next(&mut self, reader: &Reader) -> Result<Option<String>, StoreError>;
}

/// Reads rows after a place into a part, and says where it stopped, `None` at the end.
pub(super) type Read<R, M> =
    fn(&Reader, &Stretch, Option<M>, &mut Part<'_, R>) -> Result<Option<M>, StoreError>;

/// A walk through a table with these columns.
pub(super) fn open<R, M: Send + 'static>(
    columns: &'static [Column<R>],
    read: Read<R, M>,
    stretch: Stretch,
    format: Format,
) -> Box<dyn Walk> {
    Box::new(Reading { columns, read, stretch, format, after: None, is_over: false })
}

struct Reading<R: 'static, M> {
    columns: &'static [Column<R>],
    read: Read<R, M>,
    stretch: Stretch,
    format: Format,
    after: Option<M>,
    is_over: bool,
}

impl<R, M: Send> Walk for Reading<R, M> {
    fn next(&mut self, reader: &Reader) -> Result<Option<String>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        // One snapshot for the rows and the versions of their nodes.
        let _snapshot = reader.snapshot()?;
        let network = self.stretch.network;
        let context = Context { network: network.to_string(), versions: reader.versions(&network)? };
        let mut part = Part {
            columns: self.columns,
            context: &context,
            format: self.format,
            text: String::new(),
            rows: 0,
            items: 0,
        };
        self.after = (self.read)(reader, &self.stretch, self.after.take(), &mut part)?;
        self.is_over = self.after.is_none();
        Ok(Some(part.text))
    }
}

/// Rows that are read at once.
pub(super) struct Part<'a, R: 'static> {
    columns: &'static [Column<R>],
    context: &'a Context,
    format: Format,
    text: String,
    rows: usize,
    items: usize,
}

impl<R> Part<'_, R> {
    /// Writes a row.
    pub(super) fn row(&mut self, row: &R) {
        cell::write_row(&mut self.text, self.format, self.columns, row, self.context);
        self.rows += 1;
    }

    /// After each item, whether it had rows or not: whether there is room for another.
    pub(super) const fn go_on(&mut self) -> ControlFlow<()> {
        self.items += 1;
        if self.rows >= ROWS || self.items >= ROWS || self.text.len() >= BYTES {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// A file that is being sent.
pub(super) struct File {
    api: Api,
    /// `None` once it is over.
    walk: Option<Box<dyn Walk>>,
}

impl File {
    pub(super) fn new(api: Api, walk: Box<dyn Walk>) -> Self {
        Self { api, walk: Some(walk) }
    }
}

impl Parts for File {
    async fn next(&mut self) -> Option<Result<String, Refusal>> {
        // Whoever waits for a reader gets one between two parts, even of those that are empty.
        while let Some(mut walk) = self.walk.take() {
            let read =
                self.api.read(move |reader| walk.next(reader).map(|part| part.map(|part| (walk, part))));
            match read.await.transpose()? {
                Ok((walk, part)) => {
                    self.walk = Some(walk);
                    if !part.is_empty() {
                        return Some(Ok(part));
                    }
                }
                Err(refusal) => return Some(Err(refusal)),
            }
        }
        None
    }
}
