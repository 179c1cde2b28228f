//! The table of pools: a list of the operator's, and the pools that are known without one.

use std::{fs, path::Path};

use bmon_analysis::pool::{self, Pools};

use crate::ServerError;

/// The pools of the list at `path`, which go before those that are known without a list; only these if there is none.
pub(crate) fn read(path: Option<&Path>) -> Result<Pools, ServerError> {
    let Some(path) = path else { return Ok(Pools::new(pool::known())) };
    let text = fs::read_to_string(path)
        .map_err(|source| ServerError::ReadPools { path: path.to_owned(), source })?;
    let listed = pool::parse(&text).map_err(|source| ServerError::Pools { path: path.to_owned(), source })?;
    Ok(Pools::new(listed.into_iter().chain(pool::known())))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn read_text(text: &str) -> (std::path::PathBuf, Result<Pools, ServerError>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pools.json");
        fs::write(&path, text).unwrap();
        (path.clone(), read(Some(&path)))
    }

    #[test]
    fn an_error_names_the_file_and_the_entry() {
        let (path, read) = read_text(r#"[{"name": "A", "tags": ["/a/"]}, {"tags": []}]"#);
        let error = read.unwrap_err();
        let expected = format!("understand the list of pools `{}`", path.display());
        assert_eq!(error.to_string(), expected);
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "entry 1 of the list is not a pool");
        assert!(source.source().unwrap().to_string().contains("missing field `name`"));
        assert!(matches!(super::read(Some(&path)), Err(ServerError::ReadPools { .. })));
    }

    #[test]
    fn a_list_is_read_and_none_is_needed() {
        assert!(read_text(r#"[{"name": "A", "tags": ["/a/"]}]"#).1.is_ok());
        assert!(super::read(None).is_ok());
    }
}
