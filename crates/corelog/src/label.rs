//! The words in `[category]`, `[category:level]` and `[level]`.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is the node's own word")]
        pub enum $name { $($variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// From the node's word for it, `None` for any other.
            #[inline]
            #[expect(non_upper_case_globals, reason = "the constants are named after the variants")]
            pub fn from_word(word: &[u8]) -> Option<Self> {
                $(const $variant: &[u8] = $word.as_bytes();)+
                match word {
                    $($variant => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The node's word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// A log category (`src/logging.cpp` of 24.0 to the master branch of 2026-04). `All` is what `-loglevelalways`
    /// prints for messages of no category. Only words of this list are categories: wallets put their names into
    /// brackets too.
    Category {
        All "all",
        Net "net",
        Tor "tor",
        Mempool "mempool",
        Http "http",
        Bench "bench",
        Zmq "zmq",
        WalletDb "walletdb",
        Rpc "rpc",
        EstimateFee "estimatefee",
        AddrMan "addrman",
        SelectCoins "selectcoins",
        Reindex "reindex",
        CmpctBlock "cmpctblock",
        Rand "rand",
        Prune "prune",
        Proxy "proxy",
        MempoolRej "mempoolrej",
        Libevent "libevent",
        CoinDb "coindb",
        Qt "qt",
        LevelDb "leveldb",
        Validation "validation",
        I2p "i2p",
        Ipc "ipc",
        Lock "lock",
        Util "util",
        BlockStorage "blockstorage",
        TxReconciliation "txreconciliation",
        Scan "scan",
        TxPackages "txpackages",
        Kernel "kernel",
        PrivateBroadcast "privatebroadcast",
    }
}

words! {
    /// How important a node finds a line (`LogLevelToStr`, `src/logging.cpp@v30`).
    Level {
        Trace "trace",
        Debug "debug",
        Info "info",
        Warning "warning",
        Error "error",
    }
}

/// What stands in the brackets before a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) category: Option<Category>,
    pub(crate) level: Option<Level>,
}

impl Label {
    /// From what is between the brackets, `None` when that is neither a category nor a level.
    #[inline]
    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        if let Some(label) = lookup(word) {
            return Some(label);
        }
        let colon = word.iter().position(|byte| *byte == b':')?;
        let (category, level) = word.split_at_checked(colon)?;
        let category = Some(Category::from_word(category)?);
        let level = Some(Level::from_word(level.get(1..)?)?);
        Some(Self { category, level })
    }
}

/// Places of the table of words: several for each, so that most words that are none find theirs empty.
const PLACES: usize = 256;

/// The categories and levels by the place of their word, a shared one being followed by the next.
static WORDS: [Option<(&str, Label)>; PLACES] = words();

#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
const fn words() -> [Option<(&'static str, Label)>; PLACES] {
    let mut words = [None; PLACES];
    let mut index = 0;
    while index < Category::ALL.len() + Level::ALL.len() {
        let (word, label) = if index < Category::ALL.len() {
            let category = Category::ALL[index];
            (category.as_str(), Label { category: Some(category), level: None })
        } else {
            let level = Level::ALL[index - Category::ALL.len()];
            (level.as_str(), Label { category: None, level: Some(level) })
        };
        let mut place = place(word.as_bytes());
        while words[place].is_some() {
            place = (place + 1) % PLACES;
        }
        words[place] = Some((word, label));
        index += 1;
    }
    words
}

/// A word that is a category or a level alone.
#[inline]
fn lookup(word: &[u8]) -> Option<Label> {
    let mut place = place(word);
    while let Some((known, label)) = WORDS.get(place)? {
        if known.as_bytes() == word {
            return Some(*label);
        }
        place = (place + 1) % PLACES;
    }
    None
}

/// Where a word is looked for first: by its length and its first, middle and last byte.
#[inline]
const fn place(word: &[u8]) -> usize {
    let (Some((first, _)), Some((last, _)), Some((middle, _))) =
        (word.split_first(), word.split_last(), word.split_at(word.len() / 2).1.split_first())
    else {
        return 0;
    };
    (*first as usize * 7 + *middle as usize * 31 + *last as usize * 3 + word.len() * 61) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_alone_and_in_pairs() {
        for category in Category::ALL {
            assert_eq!(Category::from_word(category.as_str().as_bytes()), Some(*category));
            for level in Level::ALL {
                let pair = format!("{}:{}", category.as_str(), level.as_str());
                let label = Label { category: Some(*category), level: Some(*level) };
                assert_eq!(Label::from_word(pair.as_bytes()), Some(label));
            }
        }
        assert_eq!(Label::from_word(b"error"), Some(Label { category: None, level: Some(Level::Error) }));
    }

    #[test]
    fn other_words_are_no_label() {
        for word in
            ["", ":", "net:", ":debug", "net:loud", "w", "snapshot", "net.cpp:12", "background validation"]
        {
            assert_eq!(Label::from_word(word.as_bytes()), None, "{word}");
        }
    }
}
