//! What an address of HTTP may be, for every setting and argument that is one.

use ureq::http::{Uri, uri::Authority};

/// What is wrong with an address. It is not repeated, since it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("must begin with `http://`, as in `http://127.0.0.1:{example_port}`")]
    NoScheme { example_port: u16 },
    #[error(
        "must begin with `http://`: bmon speaks plain HTTP there; what speaks `https://` is reached through a proxy beside bmon"
    )]
    Tls,
    #[error("must not hold a user or a password: they belong into a file of their own")]
    UserInfo,
    #[error("names no host")]
    NoHost,
    #[error("has a port that is none")]
    Port,
    #[error("must end after the port: bmon adds the path itself")]
    Path,
    #[error("must not hold `{0}` or what follows it")]
    Extra(char),
    #[error("is no address: {0}")]
    Malformed(String),
}

/// What may stand in an address beside `http://`, host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// `https://` too.
    pub(crate) tls: bool,
    /// A path.
    pub(crate) path: bool,
    /// What follows `?`.
    pub(crate) query: bool,
    /// A port for the example.
    pub(crate) example_port: u16,
}

impl Shape {
    /// The address of a bmon server.
    pub(crate) const SERVER: Self = Self { tls: false, path: true, query: false, example_port: 8_890 };

    /// Whether `text` is an address of this shape.
    pub(crate) fn check(self, text: &str) -> Result<(), AddressError> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") && self.tls => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => return Err(AddressError::Tls),
            _ => return Err(AddressError::NoScheme { example_port: self.example_port }),
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Before anything that might repeat it.
        if host.contains('@') {
            return Err(AddressError::UserInfo);
        }
        if rest.contains('#') {
            return Err(AddressError::Extra('#'));
        }
        if host.is_empty() || host.starts_with(':') {
            return Err(AddressError::NoHost);
        }
        let malformed = |error: ureq::http::uri::InvalidUri| AddressError::Malformed(error.to_string());
        let authority: Authority = host.parse().map_err(malformed)?;
        if authority.as_str().len() > authority.host().len()
            && authority.port_u16().is_none_or(|port| port == 0)
        {
            return Err(AddressError::Port);
        }
        let uri: Uri = text.parse().map_err(malformed)?;
        match (uri.path(), uri.query()) {
            (_, Some(_)) if !self.query => Err(AddressError::Extra('?')),
            ("" | "/", _) => Ok(()),
            _ if !self.path => Err(AddressError::Path),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Shape = Shape { tls: false, path: false, query: false, example_port: 9_093 };
    const ANY: Shape = Shape { tls: true, path: true, query: true, example_port: 9_094 };

    #[test]
    fn an_address_is_taken_if_it_is_of_the_shape() {
        for text in ["http://127.0.0.1:9093", "http://localhost", "HTTP://a.example/", "http://[::1]:1"] {
            assert_eq!(BARE.check(text), Ok(()), "{text}");
            assert_eq!(ANY.check(text), Ok(()), "{text}");
        }
        for text in ["https://a.example", "http://a.example:1/hook/x", "http://a.example/?key=x"] {
            assert_eq!(ANY.check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_what_is_wrong_and_without_what_may_be_secret() {
        let no_scheme = AddressError::NoScheme { example_port: 9_093 };
        for (text, wrong) in [
            ("localhost:9093", no_scheme.clone()),
            ("127.0.0.1", no_scheme.clone()),
            ("rubbish", no_scheme.clone()),
            ("ftp://secret", no_scheme.clone()),
            ("", no_scheme),
            ("https://localhost:9093", AddressError::Tls),
            ("http://user:secret@localhost", AddressError::UserInfo),
            ("http://localhost:9093/api/v2/alerts", AddressError::Path),
            ("http://localhost?key=secret", AddressError::Extra('?')),
            ("http://localhost/#secret", AddressError::Extra('#')),
            ("http://", AddressError::NoHost),
            ("http://:9093", AddressError::NoHost),
            ("http://localhost:", AddressError::Port),
            ("http://localhost:x", AddressError::Port),
            ("http://localhost:70000", AddressError::Port),
            ("http://localhost:0", AddressError::Port),
        ] {
            let found = BARE.check(text).unwrap_err();
            assert_eq!(found, wrong, "{text}");
            assert!(!found.to_string().contains("secret"), "{text}");
        }
        for text in ["http://a b", "http://a.example/a b", "http://[::1"] {
            assert!(matches!(ANY.check(text), Err(AddressError::Malformed(_))), "{text}");
        }
    }
}
