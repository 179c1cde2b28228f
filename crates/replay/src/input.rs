//! The bytes of a file or of standard input, decompressed, and how they end.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufReader, Chain, Cursor, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::bufread::MultiGzDecoder;

use crate::{Node, ReplayError, progress::Shared};

/// What stands for standard input.
const STDIN: &str = "-";

/// The first bytes of a gzip member (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The first bytes of a zstd frame (RFC 8878).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether the file can be opened again from its beginning.
pub(crate) fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == STDIN
}

/// Bytes on disk, `None` where that is not known before it is read.
pub(crate) fn size(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// What is read twice is counted twice: it can only be a mistake.
pub(crate) fn refuse_repeats(nodes: &[Node]) -> Result<(), ReplayError> {
    let mut stdin_is_taken = false;
    for node in nodes {
        let mut files = HashSet::new();
        for file in &node.files {
            let is_repeated = if is_stdin(file) {
                std::mem::replace(&mut stdin_is_taken, true)
            } else {
                !files.insert(file)
            };
            if is_repeated {
                return Err(ReplayError::Repeated { file: file.clone() });
            }
        }
    }
    Ok(())
}

/// An opened file.
pub(crate) struct Input {
    file: PathBuf,
    bytes: Bytes,
    is_empty: bool,
    damage: Option<io::Error>,
}

enum Bytes {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstd(zstd::Decoder<'static, BufReader<Raw>>),
}

/// The bytes as they are on disk: the first few, which tell the compression, and the others.
type Raw = Chain<Cursor<Vec<u8>>, Counted>;

/// Counts what is read, and remembers whether reading itself failed.
struct Counted {
    file: Box<dyn Read + Send>,
    /// `None` while a file is only looked into.
    shared: Option<Arc<Shared>>,
    has_failed: bool,
}

impl Input {
    /// Opens `file`. What is read of it counts as progress if there is `shared`.
    pub(crate) fn open(file: &Path, shared: Option<&Arc<Shared>>) -> Result<Self, ReplayError> {
        let open = || {
            let opened: Box<dyn Read + Send> =
                if is_stdin(file) { Box::new(io::stdin()) } else { Box::new(File::open(file)?) };
            Bytes::new(Counted { file: opened, shared: shared.cloned(), has_failed: false })
        };
        let bytes = open().map_err(|source| ReplayError::Read { file: file.to_owned(), source })?;
        Ok(Self { file: file.to_owned(), bytes, is_empty: true, damage: None })
    }

    /// Fills all of `chunk`, except at the end: 0 there. Compressed data that breaks off is an end too, if there is
    /// anything before it (see [`Self::damage`]).
    pub(crate) fn fill(&mut self, chunk: &mut [u8]) -> Result<usize, ReplayError> {
        let mut filled = 0;
        while filled < chunk.len() && self.damage.is_none() {
            match self.bytes.read(&mut chunk[filled..]) {
                Ok(0) => break,
                Ok(read) => (filled, self.is_empty) = (filled + read, false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) if self.is_empty || self.bytes.counted().has_failed => {
                    return Err(ReplayError::Read { file: self.file.clone(), source });
                }
                Err(error) => self.damage = Some(error),
            }
        }
        Ok(filled)
    }

    /// What to tell of compressed data that ended before its end, `None` if it did not.
    pub(crate) fn damage(&self) -> Option<String> {
        let damage = self.damage.as_ref()?;
        let file = self.file.display();
        Some(format!("`{file}` is cut off or damaged, what comes before is read: {damage}"))
    }
}

impl Bytes {
    fn new(mut counted: Counted) -> io::Result<Self> {
        let mut head = Vec::new();
        counted.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
        let (is_gzip, is_zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
        let raw = Cursor::new(head).chain(counted);
        Ok(if is_gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(raw))))
        } else if is_zstd {
            Self::Zstd(zstd::Decoder::new(raw)?)
        } else {
            Self::Plain(raw)
        })
    }

    fn counted(&self) -> &Counted {
        let raw = match self {
            Self::Plain(raw) => raw,
            Self::Gzip(gzip) => gzip.get_ref().get_ref(),
            Self::Zstd(zstd) => zstd.get_ref().get_ref(),
        };
        raw.get_ref().1
    }
}

impl Read for Bytes {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(raw) => raw.read(buf),
            Self::Gzip(gzip) => gzip.read(buf),
            Self::Zstd(zstd) => zstd.read(buf),
        }
    }
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buf) {
            Ok(read) => {
                self.shared.iter().for_each(|shared| shared.add_bytes(read));
                Ok(read)
            }
            Err(error) => {
                self.has_failed = error.kind() != ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}
