//! Peers' addresses do not leave the host, unless the operator asks for them.
//!
//! In place of an address stands its network and a keyed hash of its neighbourhood: `ipv4:7f3a91c2`. Who holds the key, which never
//! leaves the host, can tell which address it may have been; anybody else can tell only which addresses are neighbours. The peer's
//! number, which most lines have beside it, stays.

use std::{
    borrow::Cow,
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use bmon_corelog::{Line, private};
use sha2::{Digest as _, Sha256};

use crate::{config::PrivacyConfig, hex};

/// How many bytes of the hash are told: the neighbourhoods of a node's peers rarely have one in common.
const TOLD_BYTES: usize = 4;

/// Hides addresses.
#[derive(Clone)]
pub(crate) struct Privacy {
    /// `None` where the operator asks for addresses.
    key: Option<[u8; 32]>,
}

impl Privacy {
    /// Reads the key, or draws one if there is none yet.
    pub(crate) fn open(config: &PrivacyConfig) -> io::Result<Self> {
        Ok(Self { key: if config.peer_addresses { None } else { Some(key(&config.key_file)?) } })
    }

    #[cfg(test)]
    pub(crate) fn of_key(key: [u8; 32]) -> Self {
        Self { key: Some(key) }
    }

    /// The line without peers' addresses.
    pub(crate) fn hide<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        self.hide_from(line, line.len() - Line::parse(line).text.len())
    }

    /// The same for a line whose message begins at `text`.
    pub(crate) fn hide_from<'a>(&self, line: &'a [u8], text: usize) -> Cow<'a, [u8]> {
        let (Some(key), Some((prefix, text))) = (&self.key, line.split_at_checked(text)) else {
            return Cow::Borrowed(line);
        };
        let (mut hidden, mut end) = (Vec::new(), 0);
        private::addresses(text, |address| {
            if hidden.is_empty() {
                hidden.extend_from_slice(prefix);
            }
            hidden.extend_from_slice(&text[end..address.place.start]);
            let hash = Sha256::new().chain_update(key).chain_update(address.group()).finalize();
            let told = hex::encode(hash.get(..TOLD_BYTES).unwrap_or_default());
            hidden.extend_from_slice(format!("{}:{told}", address.kind.as_str()).as_bytes());
            end = address.place.end;
        });
        if end == 0 {
            return Cow::Borrowed(line);
        }
        hidden.extend_from_slice(&text[end..]);
        Cow::Owned(hidden)
    }
}

/// The key in a file of this user's alone, as 64 hexadecimal digits.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    match fs::read_to_string(path) {
        Ok(text) => hex::decode(text.trim()).and_then(|key| key.try_into().ok()).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not 64 hexadecimal digits; without it another key is drawn",
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => draw(path),
        Err(error) => Err(error),
    }
}

/// Writes the key under another name first, so that it is there whole or not at all; of two agents that draw at once one wins.
fn draw(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::from)?;
    let text = hex::encode(&key);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self::key(path),
        linked => linked.map(|()| key),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn open(dir: &Path, peer_addresses: bool) -> io::Result<Privacy> {
        Privacy::open(&PrivacyConfig { key_file: dir.join("state/privacy.key"), peer_addresses })
    }

    fn hide(privacy: &Privacy, line: &str) -> String {
        String::from_utf8(privacy.hide(line.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn neighbours_stay_neighbours_and_are_told_by_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let privacy = open(dir.path(), false).unwrap();
        let line = "2026-11-26T05:13:04Z [net] connection from 198.51.100.7:49152 accepted, peer=3";
        let hidden = hide(&privacy, line);
        let (before, after) = hidden.split_once("ipv4:").unwrap();
        assert_eq!(before, "2026-11-26T05:13:04Z [net] connection from ");
        assert_eq!(&after[8..], " accepted, peer=3");
        assert!(after[..8].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(hide(&privacy, &line.replace("100.7:49152", "1.2:1")), hidden);
        assert_ne!(hide(&privacy, &line.replace("198.51", "198.52")), hidden);
        assert_ne!(hide(&open(&dir.path().join("other"), false).unwrap(), line), hidden);
        assert_eq!(hide(&open(dir.path(), false).unwrap(), line), hidden, "the key stays");
        let mode = fs::metadata(dir.path().join("state/privacy.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn every_address_of_a_line_is_hidden_and_nothing_else_changed() {
        let dir = tempfile::tempdir().unwrap();
        let privacy = open(dir.path(), false).unwrap();
        let hidden = hide(&privacy, "198.51.100.7:1 to [2001:db8::1]:8333 and \u{e9} 198.51.100.8.");
        let words: Vec<_> = hidden.split(' ').collect();
        assert_eq!(words[0].strip_suffix('.').unwrap_or(words[0]), words[5].strip_suffix('.').unwrap());
        assert!(words[2].starts_with("ipv6:") && words[4] == "\u{e9}", "{hidden}");
        for line in ["", "no address", "2026-11-26T05:13:04Z Bound to 127.0.0.1:8333"] {
            assert!(matches!(privacy.hide(line.as_bytes()), Cow::Borrowed(kept) if kept == line.as_bytes()));
        }
    }

    #[test]
    fn the_operator_may_ask_for_addresses() {
        let dir = tempfile::tempdir().unwrap();
        let privacy = open(dir.path(), true).unwrap();
        assert_eq!(hide(&privacy, "from 198.51.100.7:1"), "from 198.51.100.7:1");
        assert!(!dir.path().join("state").exists());
    }

    #[test]
    fn a_damaged_key_is_an_error_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("state")).unwrap();
        for text in ["", "abc", &"g".repeat(64), &"\u{e9}".repeat(32)] {
            fs::write(dir.path().join("state/privacy.key"), text).unwrap();
            let error = open(dir.path(), false).err().unwrap();
            assert!(error.to_string().contains("64 hexadecimal digits"), "{error}");
            assert_eq!(fs::read_to_string(dir.path().join("state/privacy.key")).unwrap(), text);
        }
    }
}
