//! What a node said, typed and borrowed from its line.

use crate::{
    dispatch,
    format::{self, Field},
    label::Category,
    line::Line,
};

mod list;

pub(crate) use list::DECLARED;
pub use list::Message;

/// One way in which some versions of the node word one message.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    /// Name of the message: the name of its type in [`category`](crate::category).
    pub message: &'static str,
    /// The categories it is written in; [`Category::All`] stands for lines without one.
    pub categories: &'static [Category],
    /// The format string, as Core's source has it, without the end of line.
    pub format: &'static str,
    /// The releases that have it, `..` as in Rust ranges: `0.12..=24` or `30..`. A bound with a question mark is certain,
    /// but releases beyond it may have the wording too: their source was not at hand. `knots 29` is one of Knots alone.
    pub versions: &'static str,
    /// Where the node's source has it: file, line and release (`src/net.cpp:4083@v26.0`), or a development snapshot
    /// (`@31.99`). `, by copies` is a wording that was only seen in other projects' copies of the release's source,
    /// `, unconfirmed` one that was not seen at all, and `bitcoind@…` one in the program itself.
    pub source: &'static str,
    /// The format string's text before its first conversion.
    pub(crate) head: &'static [u8],
    pub(crate) read: for<'a> fn(&'a [u8]) -> Option<Message<'a>>,
    /// A text for each conversion that it can be read from, for tests and documentation.
    pub samples: &'static [&'static str],
}

impl Wording {
    /// The wording of a line's message, `None` when it is no message that this crate knows.
    pub fn of(line: &Line<'_>) -> Option<&'static Self> {
        dispatch::candidates(line.category, line.text).find(|wording| (wording.read)(line.text).is_some())
    }

    /// A text in this wording, with a sample in place of each conversion.
    pub fn rendered(&self) -> String {
        String::from_utf8_lossy(&self.render(self.samples)).into_owned()
    }

    /// The text that it gives with these values for its conversions.
    pub fn render<V: AsRef<[u8]>>(&self, values: &[V]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut rest = self.format;
        let mut values = values.iter();
        while let Some((literal, after)) = format::split(rest) {
            text.extend_from_slice(literal.as_bytes());
            text.extend_from_slice(values.next().map_or(b"".as_slice(), AsRef::as_ref));
            rest = after;
        }
        text.extend_from_slice(format::unescaped(rest).as_bytes());
        text
    }

    /// The places of the conversions that hold text of any content. What a peer chose can only stand in one of these.
    pub fn texts(&self) -> impl Iterator<Item = usize> {
        let is_text = |(_, sample): &(usize, &&str)| **sample == <&[u8]>::SAMPLE;
        self.samples.iter().enumerate().filter(is_text).map(|(place, _)| place)
    }
}

/// Declares a message: its type, the event it becomes, and its wordings, the newest first.
///
/// A wording is Core's format string, a name for each conversion (a field of the type, `_` for a [`Word`] that is not
/// kept, `..` for text of any content that is not kept), and values for the fields that this wording does not tell.
///
/// [`Word`]: crate::format::Word
macro_rules! message {
    (
        $(#[$doc:meta])*
        $name:ident $(<$lt:lifetime>)? { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }
        in $($category:ident)|+
        $(=> |$this:pat_param, $at:pat_param| $kind:expr)?;
        $($versions:literal $source:literal: $format:literal ($($part:tt)*) $({ $($set:ident: $value:expr),+ })?;)+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name $(<$lt>)? { $($(#[$field_doc])* pub $field: $type,)* }

        impl $(<$lt>)? $name $(<$lt>)? {
            /// The categories it is written in; `All` stands for lines without one.
            pub const CATEGORIES: &'static [$crate::Category] = &[$($crate::Category::$category),+];

            /// What the message is worded like, the newest wording first.
            pub const WORDINGS: &'static [$crate::message::Wording] = &[$({
                const LITERALS: [&[u8]; $crate::format::conversions($format) + 1] = $crate::format::literals($format);
                $crate::message::Wording {
                    message: stringify!($name),
                    categories: Self::CATEGORIES,
                    format: $format,
                    versions: $versions,
                    source: $source,
                    head: LITERALS[0],
                    read: |text| {
                        #[allow(unused_mut, reason = "not every message has fields")]
                        let mut cursor = $crate::format::Cursor::start(text, &LITERALS)?;
                        $crate::message::fields!(cursor $name [$($($set: $value,)+)?] $($part)*)
                    },
                    samples: $crate::message::samples!($name [] $($part)*),
                }
            },)+];

            /// The event it becomes, `None` when it becomes none. `at` is the time of its line.
            #[allow(clippy::unused_self, clippy::trivially_copy_pass_by_ref, reason = "one shape for all messages")]
            pub fn to_kind(&self, at: Option<bmon_event::NodeTime>) -> Option<bmon_event::Kind> {
                $crate::message::kind!(self at $(|$this, $at| $kind)?)
            }

            /// Gives the hashes that its fields tell.
            pub fn mentions(&self, each: &mut dyn FnMut($crate::Mention)) {
                let _ = &each;
                $(if let Some(mention) = $crate::mention::Field::mention(&self.$field) { each(mention) })*
            }
        }
    };
}

/// Reads the parts of a wording in their order, then builds the message.
macro_rules! fields {
    ($cursor:ident $name:ident [$($done:tt)*]) => {{
        $cursor.end()?;
        Some($crate::Message::$name($name { $($done)* }))
    }};
    ($cursor:ident $name:ident $done:tt _ $(, $($rest:tt)*)?) => {{
        let $crate::format::Word(_) = $cursor.field()?;
        $crate::message::fields!($cursor $name $done $($($rest)*)?)
    }};
    ($cursor:ident $name:ident $done:tt .. $(, $($rest:tt)*)?) => {{
        let _: &[u8] = $cursor.field()?;
        $crate::message::fields!($cursor $name $done $($($rest)*)?)
    }};
    ($cursor:ident $name:ident [$($done:tt)*] $field:ident $(, $($rest:tt)*)?) => {{
        let $field = $cursor.field()?;
        $crate::message::fields!($cursor $name [$($done)* $field,] $($($rest)*)?)
    }};
}

macro_rules! kind {
    ($self:ident $line_at:ident) => {{
        let _ = $line_at;
        None
    }};
    ($self:ident $line_at:ident |$this:pat_param, $at:pat_param| $kind:expr) => {{
        let ($this, $at) = ($self, $line_at);
        $kind
    }};
}

/// A sample for each part of a wording.
macro_rules! samples {
    ($name:ident [$($done:tt)*]) => { &[$($done)*] };
    ($name:ident [$($done:tt)*] _ $(, $($rest:tt)*)?) => {
        $crate::message::samples!($name [$($done)* <$crate::format::Word as $crate::format::Field>::SAMPLE,] $($($rest)*)?)
    };
    ($name:ident [$($done:tt)*] .. $(, $($rest:tt)*)?) => {
        $crate::message::samples!($name [$($done)* <&[u8] as $crate::format::Field>::SAMPLE,] $($($rest)*)?)
    };
    ($name:ident [$($done:tt)*] $field:ident $(, $($rest:tt)*)?) => {
        $crate::message::samples!(
            $name [$($done)* $crate::format::sample(|message: &$name| &message.$field),] $($($rest)*)?
        )
    };
}

pub(crate) use {fields, kind, message, samples};

#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
const COUNT: usize = {
    let mut count = 0;
    let mut message = 0;
    while message < DECLARED.len() {
        count += DECLARED[message].len();
        message += 1;
    }
    count
};

/// Every wording of every message, in the order in which they are tried.
#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
pub static WORDINGS: [Wording; COUNT] = {
    let mut wordings = [DECLARED[0][0]; COUNT];
    let (mut count, mut message) = (0, 0);
    while message < DECLARED.len() {
        let mut wording = 0;
        while wording < DECLARED[message].len() {
            wordings[count] = DECLARED[message][wording];
            count += 1;
            wording += 1;
        }
        message += 1;
    }
    wordings
};

impl<'a> Message<'a> {
    /// Reads the message of a line, `None` when it is none that this crate knows.
    #[inline]
    pub fn parse(line: &Line<'a>) -> Option<Self> {
        dispatch::candidates(line.category, line.text).find_map(|wording| (wording.read)(line.text))
    }
}

#[cfg(test)]
mod tests;
