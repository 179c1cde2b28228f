/// Text as it stands in an element or between quotes of an XML 1.0 document. What no such document can hold, not even
/// escaped, is replaced: most control characters and two that are none (`Char` in <https://www.w3.org/TR/xml/#charsets>).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' => escaped.push(char),
            // A bare one would be read as a line feed.
            '\r' => escaped.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_read_back_or_replaced() {
        let text: String = (0..=0x1_0fff).chain(0x10_fff0..=0x10_ffff).filter_map(char::from_u32).collect();
        let document = format!("<a b=\"{0}\">{0}</a>", escape(&text));
        let parsed = roxmltree::Document::parse(&document).unwrap();
        let read = parsed.root_element().text().unwrap();
        assert_eq!(read.chars().count(), text.chars().count());
        for (read, written) in read.chars().zip(text.chars()) {
            let is_replaced = read == char::REPLACEMENT_CHARACTER;
            assert!(read == written || is_replaced && !(' '..='\u{fffd}').contains(&written), "{written:?}");
        }
    }
}
