//! The coinbase's script for people.

/// Printable bytes in a row that may be a text. Fewer come about by chance too often: of random bytes every third is
/// printable.
const MIN_RUN: usize = 4;

/// What a person can read in a coinbase's script: its runs of at least four printable ASCII characters, with a blank
/// between them. Nothing else is in it, so that no terminal takes it for a command.
pub fn text(script: &[u8]) -> String {
    let runs = script.split(|byte| !matches!(byte, b' '..=b'~')).map(without_length);
    let words: Vec<_> = runs.map(<[u8]>::trim_ascii).filter(|run| run.len() >= MIN_RUN).collect();
    words.join(&b' ').into_iter().map(char::from).collect()
}

/// The run without a first character that is but the number of those behind it. A script has the length of a text before
/// it: in block 0 it is 69, which reads as an E.
fn without_length(run: &[u8]) -> &[u8] {
    match run {
        [length, text @ ..] if usize::from(*length) == text.len() => text,
        _ => run,
    }
}
